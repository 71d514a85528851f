// What the engine's host says of the mounts' sources: where each of them lies, what is mounted below it, and
// what an overlay or an archive would not give to the runs. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

// What `rogate-observer sources` said (observe/show_sources.h) without its last line; nullopt if that is
// missing, because the stream broke off: what is mounted further down is not known then.
std::optional<std::string_view> whole_account(std::string_view said);

// What `rogate-observer unwritten` said (observe/show_unwritten.h): the numbers of the pairs that are the
// same. nullopt: its last line is missing.
std::optional<std::vector<std::size_t>> unchanged_of(std::string_view said);

// A unix socket that something listens on, or a FIFO: in a layer or a copy it would be nobody's.
struct LiveEntry {
    std::string path;  // relative to the source
    bool is_socket = true;
    auto operator<=>(const LiveEntry&) const = default;
};

// Of what is mounted itself.
struct SourceRoot {
    std::uint32_t mode = 0;  // st_mode, with the bits that say what it is
    std::uint32_t uid = 0, gid = 0;
    std::int64_t modified = 0;      // seconds since 1970
    std::uint32_t nanoseconds = 0;  // beyond them, which archives do not tell
    bool is_empty = false;          // a directory with nothing in it
    bool operator==(const SourceRoot&) const = default;
};

// Of one mount point below the sources.
struct SourceFacts {
    std::optional<SourceRoot> itself = {};
    std::string device = {};  // of its file system: "8:1"
    std::string root = {};    // which part of that is mounted: "/srv/data"
    std::string type = {};    // "ext4"
    bool read_only = false;   // the file system itself is, whatever the mount says
    std::string flags = {};   // of the mount it is taken from, which a bind inherits: ",nosuid,nodev,noexec"
    bool more_attributes = false;      // its root has an access control list or extended attributes
    std::string deep_attributes = {};  // relative path of the first thing further down that has; empty: none
    std::vector<LiveEntry> live = {};  // in order of path
    // Names of files that have names in other sources as well: path, and the same number for all names of a
    // file.
    std::vector<std::pair<std::string, std::string>> links = {};
    bool searched_in_part = false;  // it has more than is looked at, or something could not be read
    bool operator==(const SourceFacts&) const = default;
};

// By mount point, of what the account says; of several on one place the last, which covers the others.
std::map<std::string, SourceFacts> source_facts(std::string_view account);

// A file system with files of somebody's, as opposed to the kernel's own (proc, sysfs, cgroup2, …).
bool holds_data(std::string_view file_system_type);

// Where a mount's data lie: one device and root are one source, however it is named. Empty device: nowhere
// that another mount could have as well.
struct DataPlace {
    std::string target;  // in the subject
    std::string device, root;
};

// Whose data a mount has: those of `places[with]`, of which it is the part `part` ("" or "/sub").
struct SharedData {
    std::size_t with = 0;
    std::string part;
    bool operator==(const SharedData&) const = default;
};

// For each place, in their order; nothing: data of its own. Where a folder of another mount's source has its
// place in that mount anyway, it covers what is there, and nothing is shared.
std::vector<std::optional<SharedData>> shared_data(const std::vector<DataPlace>& places);

}  // namespace rogate::campaign
