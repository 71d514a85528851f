// How the containers of a run ended, held against those of the control run. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::wrap {

// Of a container, from one of its starts until COMMAND or rogate ended it, or it ended by itself.
struct Life {
    bool by_itself = false;
    std::optional<int> exit_code = {};  // absent: nobody knows it any more
    int restarts = 0;                   // as its restart policy has it
    bool operator==(const Life&) const = default;
};
using Lives = std::map<std::string, std::vector<Life>>;  // by key, in order

struct LivesCompared {
    std::string failure;  // a container failed that did not in the control run
    std::string doubt;    // one went on that had ended there: what it was about to do is not known
};

// COMMAND may pass without having looked at each container that it has started. An end that nobody knows
// tells nothing.
LivesCompared compare_lives(const Lives& control, const Lives& run);

// Whether POST /containers/{id}/kill with this signal ("" is KILL) ends most programs.
bool ends_by(std::string_view signal);

}  // namespace rogate::wrap
