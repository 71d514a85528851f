// The settings that a command tries.
#pragma once

#include <vector>

#include "advise/knowledge.hpp"
#include "cli/commands.hpp"

namespace rogate::cli {

// Those of --settings, and rogate's own; none with --no-settings.
Result<std::vector<advise::Setting>> settings_of(const RunOptions& options);

}  // namespace rogate::cli
