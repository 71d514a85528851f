// Which read-only mount is to blame for what the application leaves out. Pure.
#pragma once

#include <map>
#include <optional>
#include <rogate/result.hpp>
#include <set>
#include <string>
#include <vector>

namespace rogate::verdict {

// How often a plan is tried, the first time included, to see which differences stay: the control run, and
// each run that differs from it. What is still different then counts.
inline constexpr int tries_of_a_difference = 3;

// How many probe runs a campaign makes to find the mounts that are to blame. What they have not told apart by
// then counts against each.
inline constexpr int most_blaming_runs = 12;

struct Blame {
    std::map<std::string, Difference> on;  // by target: what is left out for its sake
    std::optional<RunPlan> next;           // has to be run before there is an answer; then `on` is not whole
};

// `runs`: as with_repeats() gives them; the first is a control run that can be relied on. `order`: the
// candidates. `open`: those of them whose verdict depends on it, since nothing else speaks against them.
//
// Every arrangement that passed is compared with the control run (difference()). Where they differ, and
// somebody's verdict depends on it, the open mounts are tried without the others, and if they differ too,
// both are run again. What stays is looked for by adding the open mounts to a set that leaves nothing out,
// halving what does not fit (grow.hpp); each that does not fit is tried alone. If nothing is left out with it
// alone, it is not alone to blame: then all that were read-only together are.
Blame find_blame(const std::vector<RunRecord>& runs, const std::vector<std::string>& order,
                 const std::set<std::string>& open);

}  // namespace rogate::verdict
