// Which names of files differ from run to run of one campaign. Pure.
#pragma once

#include <rogate/result.hpp>
#include <vector>

namespace rogate::verdict {

// From each run against the control run with data of the same state, the first of its kind.
std::vector<VaryingName> varying_names(const std::vector<RunRecord>& runs);

}  // namespace rogate::verdict
