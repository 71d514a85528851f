// Checks of capabilities in one run held against those of another. Pure.
#pragma once

#include <rogate/result.hpp>
#include <set>
#include <string>
#include <vector>

namespace rogate::verdict {

// Every check and every refused call of the run was seen; otherwise the reason why not, for a person.
std::string distrust_of_checks(const RunRecord& run);

// Checks of `capability` that succeeded. Empty: no process had it when it was asked for it.
std::vector<CapabilityCheck> uses_of(const RunRecord& run, const std::string& capability);

// Checks of `capability` that were refused in `run`, without those that are no more than what `before` shows:
// a program of that name and user was refused the same there, for the same call, and one of that name was
// never allowed it. A server's own process often has the name of its workers, which may do less.
std::vector<CapabilityCheck> refused_anew(const RunRecord& run, const RunRecord& before,
                                          const std::string& capability);

// Calls that were refused (EPERM, EACCES) in `run` and not in `before` to that user and in that way, unless a
// check of one of `told` that was refused anew says why.
std::vector<CapabilityCheck> calls_refused_anew(const RunRecord& run, const RunRecord& before,
                                                const std::set<std::string>& told);

// Checks that succeeded in `before`, and that `run` has neither succeeded nor refused.
std::vector<CapabilityCheck> no_longer_asked(const RunRecord& run, const RunRecord& before);

// "nginx for chown, sh for setuid and 2 more".
std::string named(const std::vector<CapabilityCheck>& checks);

}  // namespace rogate::verdict
