// A scenario to begin with, for `rogate init` and `rogate audit --init`.
#pragma once

#include <rogate/error.hpp>
#include <string>

#include "cli/commands.hpp"

namespace rogate::cli {

// The text of a scenario for `options.output`, or for the standard output; it is not written. Rogate's own
// loader takes it.
Result<std::string> draft_scenario(const Global& global, const InitOptions& options);

}  // namespace rogate::cli
