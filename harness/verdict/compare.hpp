// A probe run read against the control run: what succeeded there and fails here is what read-only costs.
#pragma once

#include <rogate/run.hpp>
#include <string>
#include <vector>

namespace rogate::verdict {

// Fills Attempt::control of every attempt of `run` ("ok", an errno name, or "absent" when the control run
// made no such attempt on that path), and turns into a no-op what would have changed nothing: what is refused
// with EROFS here and failed there all the same, since there was nothing to remove or it was not permitted.
// The kernel answers EROFS to unlink, rmdir, rename, chown and others before it looks (fs/namei.c:
// mnt_want_write comes before the lookup of the last component).
void compare_with_control(RunRecord& run, const RunRecord& control);

// An attempt on the mount that failed because of read-only: refused with EROFS, or failed with another error
// where the same attempt succeeded in the control run (EACCES, EBUSY, EXDEV and ENOENT can each be a
// consequence of a read-only mount).
bool failed_by_read_only(const Attempt&);

// It succeeded, and changed something.
bool is_write_made(const Attempt&);

// Failed attempts on `target` in `run`, the telling ones first: writes, then no-ops and access checks; many
// before few.
Attempts failed_attempts(const RunRecord& run, const std::string& target);

// Successful attempts of class `write` on `target`.
Attempts write_attempts(const RunRecord& run, const std::string& target);
// The same, counted.
std::uint64_t writes_made(const RunRecord& run, const std::string& target);

// Successful writes of the control run on `target` that `run` did not even attempt there (same operation and
// path, on the target or on a mount below it): what the application leaves out, or does elsewhere, when it
// finds the mount read-only, counted.
std::uint64_t writes_left_out(const RunRecord& run, const RunRecord& control, const std::string& target);

// Something watched the run; otherwise only the outcomes of its phases are known.
bool observed(const RunRecord& run);

// The run's account can be relied on: the observer saw everything it had to. Otherwise the reason why not,
// for a person.
std::string distrust(const RunRecord& run);

// "phase 'step upload' failed: …": why a run did not pass; empty if it passed.
std::string failure_of(const RunRecord& run);

}  // namespace rogate::verdict
