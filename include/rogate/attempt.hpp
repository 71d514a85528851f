// One kind of write that the subject attempted, as the observer saw it.
#pragma once

#include <cstdint>
#include <rogate/shared_text.hpp>
#include <rogate/word.hpp>

namespace rogate {

enum class AttemptClass : std::uint8_t { write, no_op, access_check };

struct Process {
    std::uint32_t pid = 0;  // in the engine host's pid namespace, of the first attempt counted
    Word comm, exe;
    std::uint32_t uid = 0;
    std::uint32_t parent = 0;  // pid of the process that started it, as far as that was still there
    bool operator==(const Process&) const = default;
};

// Attempts with equal (mount, path, operation, syscall, error, phase, process name) are one Attempt with a
// count. There can be a million of them, so that each field is no larger than what it holds.
struct Attempt {
    Word mount;  // target of the subject's mount the path lies on; empty: on none of them (/proc, /sys, /dev)
    Word operation;   // create, open-write, truncate, mkdir, rmdir, unlink, rename, link, symlink,
                      // mknod, chmod, chown, utime, setxattr, removexattr, access, bind, ioctl
    SharedText path;  // as the subject sees it; raw bytes, escaped only when rendered
    Word syscall;     // "openat", …; "io_uring:openat", …
    int error = 0;    // errno as the process saw it; 0: it succeeded
    AttemptClass cls = AttemptClass::write;
    // Of refused opens: all of this path by this program in this phase were for reading and writing, of a
    // file that is there and with no flag that changes it, and each time the process then opened it for
    // reading.
    bool read_instead = false;
    Word phase;
    Word state = {};  // of the data, where the scenario asks for several: "fresh, used"
    Process process;
    std::uint64_t count = 1;
    double first_s = 0;  // when the first of them was made: seconds since the (first) container was started
    std::uint32_t open_flags = 0;  // of the open family, as fcntl.h numbers them
    Word control;  // how the same (path, operation) ended in the control run: "ok", an errno name, "absent"
    bool operator==(const Attempt&) const = default;
};
static_assert(sizeof(Attempt) == 80);

}  // namespace rogate
