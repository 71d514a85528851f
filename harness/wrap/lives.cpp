#include "wrap/lives.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace rogate::wrap {

namespace {

std::string told(const Life& life) {
    if (!life.by_itself) return "was running";
    return life.exit_code ? fmt::format("ended by itself with code {}", *life.exit_code) : "ended by itself";
}

void compare(const std::string& key, const Life& there, const Life& here, LivesCompared& found) {
    const std::string both =
        fmt::format("container {} {}, and {} in the control run", key, told(here), told(there));
    if (here.restarts > 0 && there.restarts == 0) {
        if (found.failure.empty())
            found.failure = fmt::format(
                "container {} ended and was started again {} times by its restart policy, and "
                "not once in the control run",
                key, here.restarts);
        return;
    }
    if (here.by_itself &&
        (!there.by_itself || (here.exit_code && there.exit_code && *here.exit_code != *there.exit_code))) {
        if (found.failure.empty()) found.failure = both;
    } else if (there.by_itself && !here.by_itself) {
        if (found.doubt.empty()) found.doubt = both;
    }
}

}  // namespace

LivesCompared compare_lives(const Lives& control, const Lives& run) {
    LivesCompared found;
    for (const auto& [key, lives] : run) {
        const auto there = control.find(key);
        if (there == control.end()) continue;
        for (std::size_t i = 0; i < std::min(lives.size(), there->second.size()); ++i)
            compare(key, there->second[i], lives[i], found);
    }
    return found;
}

bool ends_by(std::string_view signal) {
    if (signal.starts_with("SIG")) signal.remove_prefix(3);
    static constexpr std::array<std::string_view, 9> words = {"",  "KILL", "TERM", "INT", "QUIT",
                                                              "9", "15",   "2",    "3"};
    return std::find(words.begin(), words.end(), signal) != words.end();
}

}  // namespace rogate::wrap
