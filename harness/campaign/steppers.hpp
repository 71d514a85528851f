// How a step runner is set up for a container of a run.
#pragma once

#include <string>
#include <vector>

#include "campaign/runner.hpp"
#include "scenario/step_runner.hpp"

namespace rogate::campaign {

struct Asked {
    std::string container;          // its id
    std::string published_by = {};  // whose network namespace it is in; empty: its own
    std::string name = {};          // in a system; empty: it is the subject
    std::string suffix = {};        // of what is put beside it
};

// All of them outlive it. `places`: of every container of the run.
scenario::StepRunner stepper(Bench& bench, const RunPlan& plan, scenario::Memory& memory, Asked asked,
                             std::vector<scenario::Place> places);

}  // namespace rogate::campaign
