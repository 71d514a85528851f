// What this terminal can show.
#pragma once

#include <string>

namespace rogate::cli {

struct Terminal {
    bool tty = false;
    bool colour = false;
    bool unicode = false;
    int width = 100;
};

// Of file descriptor `fd`; NO_COLOR, TERM=dumb, CI and the locale are honoured. `colour`: auto, always,
// never.
Terminal look_at(int fd, const std::string& colour);

}  // namespace rogate::cli
