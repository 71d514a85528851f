#pragma once

#include <rogate/run.hpp>

#include "campaign/runner.hpp"

namespace rogate::campaign {

// Puts what the observer has seen of a run into its record; in the control run also which files that were
// opened for writing are as they were. The containers have ended, and are there still.
engine::Task<> collect(Bench& bench, RunRecord& record);

}  // namespace rogate::campaign
