// What a step observed, held against what it expects. Pure.
#pragma once

#include <map>
#include <optional>
#include <rogate/scenario.hpp>
#include <string>

namespace rogate::scenario {

struct Observed {
    std::optional<int> status;                   // http
    std::optional<int> exit_code;                // exec
    std::string text;                            // body, output or log
    std::map<std::string, std::string> headers;  // names in lower case
};

// Empty if everything holds, else what does not: "expected status 200, got 503 (body: …)".
std::string mismatch(const Step& step, const Observed& observed);

// `text` on one line and of about `limit` bytes at most, for messages. Other control characters stay as they
// are: whoever renders the message escapes them.
std::string excerpt(std::string_view text, std::size_t limit = 200);

}  // namespace rogate::scenario
