// Which run comes next, given the results so far; and what they add up to. Pure: it launches nothing.
#pragma once

#include <map>
#include <optional>
#include <rogate/result.hpp>
#include <string>
#include <vector>

namespace rogate::verdict {

// The order: a control run; one probe run with every candidate that wrote nothing; one for each that wrote.
// If the common one fails, each of its mounts alone. Last a verify run with everything that passed, unless a
// run had just that. nullopt: nothing is left to run, or the control run says that nothing can be concluded.
std::optional<RunPlan> next_run(const std::vector<std::string>& candidates,
                                const std::vector<RunRecord>& so_far);

// The run that settles `target`: the one that passed with it read-only, else the one in which it was alone.
const RunRecord* settling_run(const std::string& target, const std::vector<RunRecord>& runs);

// Verdicts for the candidates, the mounts that are read-only already, and those on which read-only would
// protect nothing
// (`ineffective`: target -> why); in the order of `mounts`.
std::vector<MountResult> judge_all(const std::vector<Mount>& mounts,
                                   const std::vector<std::string>& candidates,
                                   const std::map<std::string, std::string>& ineffective,
                                   const std::vector<RunRecord>& runs);

// What to mount read-only: exactly the set of a run that passed and can be relied on; the largest if there
// are several.
Recommendation recommend(const std::vector<MountResult>& mounts, const std::vector<RunRecord>& runs);

}  // namespace rogate::verdict
