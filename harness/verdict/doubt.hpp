// What keeps a run from being evidence: the one place where that is decided.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <vector>

namespace rogate::verdict {

// Something watched the run; otherwise only the outcomes of its phases are known.
bool observed(const RunRecord& run);

// The run's account can be relied on: the observer saw everything it had to. Otherwise the reason why not,
// for a person.
std::string distrust(const RunRecord& run);

// It passed, and its account can be relied on.
bool relied_on(const RunRecord& run);

// It is proven that the kernel refused writes on `target` in this run and that the observer saw it: by the
// canary, or by a refusal of the application's own.
bool is_proven(const RunRecord& run, const std::string& target);

// Every open was counted, so that none means that nothing was opened.
bool counts_every_open(const RunRecord& run);

// The differences between the runs' data and the user's, each with whether something used its mount in one of
// the runs, as far as the observer can tell.
std::vector<DataDifference> with_use(std::vector<DataDifference> differences,
                                     const std::vector<RunRecord>& runs);

// Why runs with these differences tell nothing of any mount; empty: none of them was used.
std::string doubt_of_data(const std::vector<DataDifference>& differences);

// "phase 'step upload' failed: …": why a run did not pass; empty if it passed.
std::string failure_of(const RunRecord& run);
// Of a system: why the container of that place did not, or else why the run did not.
std::string failure_of(const RunRecord& run, const std::string& place);

}  // namespace rogate::verdict
