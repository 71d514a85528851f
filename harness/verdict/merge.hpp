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

}  // namespace rogate::verdict
