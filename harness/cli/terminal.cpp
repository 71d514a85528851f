#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace rogate::cli {

namespace {

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

bool utf8_locale() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string_view value = environment(name);
        if (value.empty()) continue;
        return value.find("UTF-8") != std::string_view::npos || value.find("utf8") != std::string_view::npos;
    }
    return false;
}

}  // namespace

Terminal look_at(int fd, const std::string& colour) {
    Terminal terminal;
    terminal.tty = isatty(fd) == 1 && environment("TERM") != "dumb";
    terminal.colour =
        colour == "always" || (colour == "auto" && terminal.tty && environment("NO_COLOR").empty());
    terminal.unicode = utf8_locale();
    winsize size{};
    if (terminal.tty && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.width = size.ws_col;
    terminal.width = std::clamp(terminal.width, 60, 160);
    return terminal;
}

}  // namespace rogate::cli
