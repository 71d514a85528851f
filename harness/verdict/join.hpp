// Results of several scenarios for one subject as one: what may be mounted read-only for all of them. Pure.
#pragma once

#include <rogate/error.hpp>
#include <rogate/result.hpp>
#include <vector>

namespace rogate::verdict {

// Runs are numbered anew, in the order of `results`; each reason says which scenario it is from. The worst
// verdict of a mount counts, but a scenario that did not use it (untested) takes nothing from those that did.
// Recommended is only what every scenario recommends, since only that was run in all of them.
// ErrorKind::usage: they are not of one subject, or of one scenario twice.
Result<CampaignResult> joined(const std::vector<CampaignResult>& results);

}  // namespace rogate::verdict
