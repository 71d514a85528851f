// The result for CI systems that show tests: JUnit XML in the form that Jenkins, GitLab and GitHub actions
// read.
#pragma once

#include <rogate/result.hpp>
#include <span>
#include <string>
#include <vector>

namespace rogate::report {

// Two kinds of suites for each result: "NAME: mounts" with a test case for each mount, and "NAME: run 2
// (probe)" with one for each phase. An answer is no failure, whatever it is: required, tolerated, split, safe
// and already-ro pass and say what they found; untested and ineffective are skipped, since nothing was tried;
// inconclusive is an error. A phase that fails in the control run is a failure; in a probe or verify run
// failing is the experiment's outcome, so it is skipped with the message.
std::string render_junit(std::span<const CampaignResult> results);

}  // namespace rogate::report
