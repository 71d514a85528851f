// What would have changed nothing: the one place where that is decided beside the observers, which look at
// the state before each call.
#pragma once

#include <rogate/run.hpp>
#include <string_view>

namespace rogate::verdict {

// What failed thus in the control run, where it was allowed to write, changes nothing anywhere: there was
// nothing to remove, or it was not permitted. The kernel answers EROFS to unlink, rmdir, rename, chown and
// others before it looks (fs/namei.c: mnt_want_write comes before the lookup of the last component). Only
// errors that depend neither on the file system (the control run's can be an overlay) nor on the moment.
bool fails_everywhere(std::string_view operation, int error);

// Where there was nothing to remove when the observer looked, but the control run did remove something:
// somebody else had made it by then, or its name was not understood. Such a no-op becomes a write again,
// unless the run was refused to make what it names: then that is what has to be known, and there is really
// nothing to remove. `run` has been compared with its control run.
void distrust_removals(RunRecord& run);

// The files that a control run opened for reading and writing (O_RDWR, with O_CREAT what was there, never
// with O_TRUNC or O_APPEND), and to which, or to whose folders' names, it did nothing else that could change
// them. Whether something was written through these opens shows in the data alone.
std::vector<std::string> only_opened(const RunRecord& control);

// An open for writing that was refused is a no-op if the control run's wrote nothing (RunRecord::unwritten),
// and each time the process read the file instead (Attempt::read_instead): SQLite, Berkeley DB and many
// others open for writing and only read. `run` has its Attempt::control filled in.
void excuse_openings(RunRecord& run, const RunRecord& control);

// What excuse_openings() has excused is a write again where the control run, made again, did write.
void distrust_openings(RunRecord& run, const RunRecord& control);

}  // namespace rogate::verdict
