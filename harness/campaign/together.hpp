// One run of a system that is settled as a whole (Scenario::members): all of its containers are started,
// watched and ended, and each has to become what it became in the control run.
#pragma once

#include "campaign/runner.hpp"

namespace rogate::campaign {

// As launch(). What a container does in the control run that its configuration does not promise (it cannot be
// started, it ends with an error, it never settles) is noted in RunRecord::containers, and the others go on;
// that run fails only if it is so of all of them.
engine::Task<RunRecord> launch_together(Bench& bench, RunPlan plan);

}  // namespace rogate::campaign
