// Checks of capabilities in one run held against those of another. Pure.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <vector>

namespace rogate::verdict {

// Every check and every refused call of the run was seen; otherwise the reason why not, for a person.
std::string distrust_of_checks(const RunRecord& run);

// Checks of `capability` that succeeded. Empty: no process had it when it was asked for it.
std::vector<CapabilityCheck> uses_of(const RunRecord& run, const std::string& capability);

// Checks of `capability` that were refused in `run`, without those that are no more than what `before` shows:
// a program of that name was refused the same there, for the same call, and never allowed it.
std::vector<CapabilityCheck> refused_anew(const RunRecord& run, const RunRecord& before,
                                          const std::string& capability);

// Calls that were refused (EPERM, EACCES) in `run` and not in `before`, and no check that was refused anew
// says why.
std::vector<CapabilityCheck> calls_refused_anew(const RunRecord& run, const RunRecord& before);

// Checks that succeeded in `before`, and that `run` has neither succeeded nor refused.
std::vector<CapabilityCheck> no_longer_asked(const RunRecord& run, const RunRecord& before);

// "nginx for chown, sh for setuid and 2 more".
std::string named(const std::vector<CapabilityCheck>& checks);

}  // namespace rogate::verdict
