// Runs the scenarios that were chosen, several at once where that is asked for.
#pragma once

#include <cstddef>
#include <rogate/pods.hpp>
#include <rogate/scenario.hpp>
#include <vector>

#include "cli/commands.hpp"

namespace rogate::cli {

// Scenarios of one system that are settled by one campaign.
struct Together {
    Pods pods;                       // that its members are in
    Scenario campaign;               // its members are the subjects of `scenarios`
    std::vector<std::size_t> parts;  // which of the scenarios they are, one behind the other
    std::vector<std::string> names;  // of the members, one for each of `parts`
};

// A campaign for each, and one for what is settled together: on every engine of `global.hosts` as many at a
// time as `options.jobs`. Writes what came of each as soon as it is there, prints it in the order of
// `scenarios`, and gives the exit code of the worst. `several`: each has a folder of its own below
// `options.out`.
int run_scenarios(const Global& global, const RunOptions& options, const std::vector<Scenario>& scenarios,
                  std::vector<Together> together, bool several);

}  // namespace rogate::cli
