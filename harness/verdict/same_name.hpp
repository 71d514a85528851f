// Which names are one name that varies from run to run.
#pragma once

#include <string>
#include <string_view>

namespace rogate::verdict {

// `path` with '*' for each part that looks like one that varies. Two paths with equal patterns may be the
// same file in two runs.
std::string name_pattern(std::string_view path);

}  // namespace rogate::verdict
