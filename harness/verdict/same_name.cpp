#include "verdict/same_name.hpp"

#include <algorithm>

namespace rogate::verdict {

namespace {

enum class Kind { other, digit, lower, upper };

Kind kind_of(char c) {
    if (c >= '0' && c <= '9') return Kind::digit;
    if (c >= 'a' && c <= 'z') return Kind::lower;
    if (c >= 'A' && c <= 'Z') return Kind::upper;
    return Kind::other;
}

// mkstemp(3) and the like: letters and digits that change between the three kinds.
bool is_random(std::string_view word) {
    int changes = 0;
    for (std::size_t i = 1; i < word.size(); ++i) changes += kind_of(word[i]) != kind_of(word[i - 1]) ? 1 : 0;
    return word.size() >= 6 && changes >= 2;
}

std::string without_numbers(std::string_view word) {
    std::string out;
    for (const char c : word) {
        if (kind_of(c) != Kind::digit)
            out += c;
        else if (!out.ends_with('*'))
            out += '*';
    }
    return out;
}

}  // namespace

std::string name_pattern(std::string_view path) {
    std::string out;
    while (!path.empty()) {
        const auto end = static_cast<std::size_t>(
            std::find_if(path.begin(), path.end(), [](char c) { return kind_of(c) == Kind::other; }) -
            path.begin());
        const std::string_view word = path.substr(0, end);
        out += is_random(word) ? "*" : without_numbers(word);
        if (end < path.size()) out += path[end];
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return out;
}

}  // namespace rogate::verdict
