// What is mounted below the source of one of the subject's mounts: an overlay of the source would not show
// it, and read-only may not protect it. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::campaign {

struct Submount {
    std::string path;  // as mountinfo's reader sees it
    std::string type;  // of file system
    bool read_only = false;
    bool operator==(const Submount&) const = default;
};

// The mounts strictly below `directory` in the text of /proc/PID/mountinfo (proc_pid_mountinfo(5)), in order
// of path; of several on one place the last, which covers the others.
std::vector<Submount> submounts_below(std::string_view directory, std::string_view mountinfo);

// What `rogate-observer mounts` said (observe/show_mounts.h) without its last line; nullopt if that is
// missing, because the stream broke off: what is mounted further down is not known then.
std::optional<std::string_view> whole_mountinfo(std::string_view said);

// The places of the sources, as that reader sees them, whose roots have an access control list (acl(5)):
// owner and mode are not all that tells who may write there.
std::set<std::string> roots_with_lists(std::string_view said);

// A file system with files of somebody's, as opposed to the kernel's own (proc, sysfs, cgroup2, …).
bool holds_data(std::string_view file_system_type);

}  // namespace rogate::campaign
