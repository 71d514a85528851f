// Asks git.
#pragma once

#include <rogate/error.hpp>
#include <string>
#include <vector>

namespace rogate::change {

using Words = std::vector<std::string>;

struct Answer {
    int code = 0;
    std::string out;
};

// Its standard error is the user's. ErrorKind::usage: there is no git.
Result<Answer> git(Words words);
// One line of its answer, or what to tell the user when it has none.
Result<std::string> ask(Words words, const std::string& otherwise);
// What -z writes.
Words parted_by_null(const std::string& text);

}  // namespace rogate::change
