// A name in parts, some of which vary by their form.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/name_kinds.hpp"

namespace rogate {

// Letters and digits (a word), or what is between two words; a UUID, a time and the like are one part.
struct NamePart {
    std::string text;
    bool is_word = false;
    std::optional<Placeholder> varies = {};  // all of `text` but for its first `kept` bytes
    std::size_t kept = 0;
};
using NameParts = std::vector<NamePart>;

// Words and separators by turns, none of which varies.
NameParts parts_of(std::string_view name);
// With what varies by its form (the rules of base/volatile_names.hpp).
NameParts parts_by_form(std::string_view name);
// As a pattern. Runs of digits in what stays vary from `shortest` digits on.
std::string to_pattern(const NameParts& parts, std::size_t shortest);
// How long a run of digits has to be in this name.
std::size_t shortest_number(const NameParts& parts);
// The random text's length where it is one of a template.
Placeholder random_of(std::size_t length);

}  // namespace rogate
