// A probe run read against the control run: what succeeded there and fails here is what read-only costs.
#pragma once

#include <rogate/run.hpp>
#include <string>
#include <vector>

#include "verdict/doubt.hpp"

namespace rogate::verdict {

// Fills Attempt::control of every attempt of `run` ("ok", an errno name, or "absent" when the control run
// made no such attempt on that path), and turns into a no-op what is refused with EROFS here and changed
// nothing there either (fails_everywhere).
void compare_with_control(RunRecord& run, const RunRecord& control);

// An attempt on the mount that failed because of read-only: refused with EROFS, or failed with another error
// where the same attempt succeeded in the control run (EACCES, EBUSY, EXDEV and ENOENT can each be a
// consequence of a read-only mount).
bool failed_by_read_only(const Attempt&);

// It succeeded, and changed something.
bool is_write_made(const Attempt&);

// Something was opened, listed or attempted on `target`; to ask whether one may write there is no use yet.
bool in_use(const RunRecord& run, const std::string& target);

// Failed attempts on `target` in `run`, the telling ones first: writes, then no-ops and access checks; many
// before few.
Attempts failed_attempts(const RunRecord& run, const std::string& target);

// Successful attempts of class `write` on `target`.
Attempts write_attempts(const RunRecord& run, const std::string& target);
// The same, counted.
std::uint64_t writes_made(const RunRecord& run, const std::string& target);

}  // namespace rogate::verdict
