// A shell command line cut into words that know their place. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::patch {

struct Word {
    std::size_t begin = 0, end = 0;  // in the text
    std::string value;               // without quotes; variables and $(…) as they are written
    std::vector<std::size_t>
        places;  // of each byte of `value` in the text, and of where more can be added to it
};

// Nothing if a quote is open at the end. Stops before an operator (| & ; < >) or a comment.
std::optional<std::vector<Word>> shell_words(std::string_view text);

// The word as a shell takes it back, in quotes only if it must be.
std::string shell_quoted(std::string_view word);

}  // namespace rogate::patch
