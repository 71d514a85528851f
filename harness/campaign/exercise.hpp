// What rogate does with an application when nobody gives it a scenario or a test. Pure.
#pragma once

#include <rogate/result.hpp>

#include "engine/client.hpp"

namespace rogate::campaign {

// Adds the steps to a scenario whose exercise is rogate's own: the health check, the pages of its ports, a
// while of running, a restart, and the first two again. Not of a subject that may end by itself: nothing can
// be asked of it.
void add_exercise(Scenario& scenario, const engine::ImageInfo& image);

// Says in the result what was exercised, and of each mount that this is all that vouches for it, or that
// nothing of it came near.
void tell_exercise(CampaignResult& result);

}  // namespace rogate::campaign
