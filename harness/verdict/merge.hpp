// The runs that try one plan, in each state of the data and as often as asked, read as one run. Pure.
#pragma once

#include <rogate/run.hpp>
#include <vector>

namespace rogate::verdict {

// What holds for all of them: passed if each one passed. If one did not, its account is the answer, since
// what failed elsewhere and was put up with did not make this one fail. Tries in one state that end
// differently make the whole one that cannot be relied on. `runs` are not empty; each has been through
// compare_with_control().
RunRecord merged(const std::vector<RunRecord>& runs);

// Records of plans that were tried once more (RunPlan::repeats), read together with the first ones, in whose
// places they are. A plan that passed and then failed makes the whole one that cannot be relied on; what was
// refused in any of its tries is among the attempts. A try that cannot be relied on is no evidence of what
// stays.
std::vector<RunRecord> with_repeats(const std::vector<RunRecord>& so_far);

}  // namespace rogate::verdict
