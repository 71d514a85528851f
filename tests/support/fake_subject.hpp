// What the application in a fake engine's container does: a script of acts, each of which may be refused.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rogate::test {

struct Act {
    enum class Kind {
        read,    // opens it; a folder is listed
        write,   // opens it for writing, and makes it if it is not there
        mkdir,   // refused with EEXIST where it is there
        unlink,  // a file that is there
        bind,    // makes a socket in its place
        ask,     // access(W_OK): whether it could be written to
        look,    // the same, in a way that no observer sees (statfs)
        say,     // writes `path` to its output, as a line
        need     // has to find it: where it is not there, that is as a refusal
    };
    enum class Refused { go_on, end, skip };
    Kind kind = Kind::read;
    std::string path = {};
    Refused refused = Refused::go_on;    // what follows when the mount is read-only
    int number = 1;                      // end: the exit code; skip: how many acts are left out
    std::chrono::milliseconds after{1};  // since the act before
};

struct Script {
    std::vector<Act> at_start;
    std::optional<int> ends_with;  // when these are done; absent: it goes on until it is told to end
    std::map<std::string, std::vector<Act>> on_exec;  // by the command's last word
    std::vector<Act> at_stop;                         // when it is told to end
    int exit_code = 0;                                // when it was told to end
    bool ignores_signals = false;                     // has a handler that does nothing
    bool is_deaf = false;                             // has none, so that the kernel drops the signal
};

// What the application did, whatever an observer has seen of it. Paths are as the application sees them,
// those of a system's container by their places.
struct Truth {
    struct Write {
        int run = 0;  // by the container's label
        std::string path;
    };
    std::vector<Write> written;  // what it changed, or would have changed
    struct LeftOut {
        std::string because_of;  // on a mount that was read-only
        std::string path;        // what was not written therefore
    };
    std::vector<LeftOut> left_out;
};

}  // namespace rogate::test
