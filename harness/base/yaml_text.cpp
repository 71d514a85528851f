#include "base/yaml_text.hpp"

#include <algorithm>

namespace rogate {

std::string yaml_scalar(std::string_view text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto harmless = [&](char c) {
        return letter(c) || (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '_' || c == '-';
    };
    static constexpr std::string_view meant_otherwise[] = {"null", "true", "false", "yes", "no",
                                                           "on",   "off",  "y",     "n"};
    std::string folded(text);
    std::transform(folded.begin(), folded.end(), folded.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const bool plain = !text.empty() && (letter(text[0]) || text[0] == '/') &&
                       std::all_of(text.begin(), text.end(), harmless) &&
                       std::find(std::begin(meant_otherwise), std::end(meant_otherwise), folded) ==
                           std::end(meant_otherwise);
    if (plain) return std::string(text);
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'') quoted += '\'';
        quoted += c;
    }
    return quoted + "'";
}

}  // namespace rogate
