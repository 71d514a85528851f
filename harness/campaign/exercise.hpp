// What rogate does with an application when nobody gives it a scenario or a test. Pure.
#pragma once

#include <map>
#include <rogate/result.hpp>
#include <string>
#include <vector>

#include "engine/client.hpp"

namespace rogate::campaign {

// Adds the steps to a scenario whose exercise is rogate's own: the health check, the pages of its ports, a
// while of running, a restart, and the first two again. Not of a subject that may end by itself: nothing can
// be asked of it.
void add_exercise(Scenario& scenario, const engine::ImageInfo& image);

// The same of a system, in steps of each container (Step::container): all are asked before the while and the
// restart, which are the whole system's, and once more behind it. Of a job nothing is asked. `images`: by
// container.
void add_exercise(Scenario& system, const std::map<std::string, engine::ImageInfo>& images);

// Of a system's steps those that the container had part in: asked of it or of all, and not left out since it
// had ended by then. One that ended by itself in the control run is not asked in the others.
std::vector<Step> steps_of(const CampaignResult& system, const std::string& container);

// Says in the result what was exercised, and of each mount that this is all that vouches for it, or that
// nothing of it came near.
void tell_exercise(CampaignResult& result);

}  // namespace rogate::campaign
