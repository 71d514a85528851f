// Where values end in YAML text: the parser says only where they begin. Pure.
#pragma once

#include <cstddef>
#include <string_view>

#include "patch/document.hpp"

namespace rogate::patch {

// First byte that no patch is made to: a control character, a lone CR, or something that is not UTF-8.
std::size_t odd_byte(std::string_view text);

// Behind "&anchor" and "!tag" in front of a value, and the space and comments behind them.
std::size_t skip_properties(std::string_view text, std::size_t at);
// Length of "~" or "null" as it stands at `at`; 0: something else does.
std::size_t written_null(std::string_view text, std::size_t at);
std::size_t end_of_word(std::string_view text, std::size_t at);
std::size_t end_of_scalar(std::string_view text, const Node& scalar);
// The children know theirs already.
std::size_t end_of_collection(std::string_view text, const Node& collection);
// The ':' behind a key, on the same line; else nowhere.
std::size_t colon_behind(std::string_view text, std::size_t at);
// Behind white space, line breaks and comments.
std::size_t skip_blank(std::string_view text, std::size_t at);

// For each byte of the scalar's value its place in the text, and one more for its end. Empty if the value has
// escapes or folded places that cannot be told for certain (then it has to be written anew).
std::vector<std::size_t> places_in_scalar(std::string_view text, const Node& scalar);

}  // namespace rogate::patch
