// What has to stay writable below a mount that cannot be read-only as a whole. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <rogate/result.hpp>
#include <set>
#include <string>
#include <vector>

namespace rogate::verdict {

// A path of the subject as it is before any run: in the mount's source or in the image.
struct PathFacts {
    bool exists = false, is_directory = false;
    bool empty = false;
    bool only_directories = false;  // no file is in it, nor in any directory below it
    std::uint32_t uid = 0, gid = 0, mode = 0755;
    bool operator==(const PathFacts&) const = default;
};
using Facts = std::map<std::string, PathFacts>;

struct SplitProposal {
    std::vector<WritablePath> writable;  // in order of path; empty: the mount cannot be split
    std::set<std::string> by_name;       // those a tmpfs is proposed for by nothing but their names
    std::set<std::string> hides;         // of these, those that hold files, which the tmpfs hides
    std::vector<std::string> look_at;    // facts that are needed first; then nothing else is filled in
};

struct SplitQuestion {
    const Mount& mount;
    // Whether a directory can be made in the mount's source for the runs.
    bool can_make_mount_points = false;
    // Others have the same data, and would see nothing of what is written to a tmpfs or to a new volume.
    bool is_seen_elsewhere = false;
    bool tmpfs_has_owner = true;  // the engine takes uid= and gid= for one
    // What every tmpfs is made with, since nothing else can be asked for (an emptyDir); empty: what fits.
    std::string tmpfs_options = {};
    // Places where a file is executed, or mapped for that.
    std::set<std::string> executes = {};
    // Places with whose volume the application does not start again after a crash, though it reads nothing
    // there.
    std::set<std::string> trips_over = {};
};

// What a system empties when it starts (Filesystem Hierarchy Standard 3.0, 3.15 and 3.18): nobody may count
// on what was there before.
bool is_volatile(const std::string& place);

// The attempts below each of these directories: of those that lie below one another, each attempt is in the
// list of the innermost, so that who looks at all lists looks at each attempt once.
using ByDirectory = std::map<std::string, std::vector<const Attempt*>, std::less<>>;
ByDirectory by_directory(const std::set<std::string>& directories,
                         const std::vector<const Attempt*>& attempts);

// The narrowest directories that cover every write which the control run made on the mount, and every one
// that failed in a run with it read-only (a failed mkdir hides what would have been written below it; the
// control run does not). A write in the mount's root directory cannot be granted without the mount itself: it
// is left out, and the run that tries the proposal shows whether the application can do without it.
// A tmpfs is proposed where names and removals speak for it; that nothing is lost with it is for runs to
// show.
SplitProposal propose_split(const SplitQuestion& question, const std::vector<RunRecord>& runs,
                            const Facts& facts);

}  // namespace rogate::verdict
