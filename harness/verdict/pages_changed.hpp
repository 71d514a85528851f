// What the pages of rogate's own exercise say, in a run and in the control run. Pure.
#pragma once

#include <rogate/run.hpp>
#include <string>
#include <vector>

namespace rogate::verdict {

// Pages ("8080/about") that say something else than in the control run, though they said the same there each
// time that they were asked for. Of one that was asked for once it is not known whether it says the same each
// time.
std::vector<std::string> pages_changed(const RunRecord& control, const RunRecord& run);

}  // namespace rogate::verdict
