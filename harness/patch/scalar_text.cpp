#include "patch/scalar_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace rogate::patch {

namespace {

// YAML 1.1 knows more words than 1.2; readers of both kinds are about.
constexpr std::array words = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "~", "<<", "="};

bool is_word(std::string_view text) {
    std::string folded(text);
    for (char& c : folded)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return std::ranges::find(words, folded) != words.end();
}

bool may_be_number(std::string_view text) {
    return text.find_first_not_of("0123456789.:_+-eExXoOaAbBcCdDfF") == std::string_view::npos &&
           text.find_first_of("0123456789.") != std::string_view::npos;
}

bool has_control(std::string_view text) {
    return std::ranges::any_of(text,
                               [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

bool plain_will_do(std::string_view text, bool flow) {
    constexpr std::string_view indicators = "-?:,[]{}#&*!|>'\"%@`";
    if (text.empty() || has_control(text) || is_word(text) || may_be_number(text)) return false;
    if (indicators.find(text.front()) != std::string_view::npos) return false;
    if (text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
    if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return false;
    return !flow || text.find_first_of(",[]{}") == std::string_view::npos;
}

std::string in_scalar_quotes(std::string_view text, char quote) {
    if (has_control(text)) quote = '"';
    std::string out(1, quote);
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (quote == '\'')
            out += c == '\'' ? "''" : std::string(1, c);
        else if (c == '"' || c == '\\')
            out += {'\\', c};
        else if (byte < 0x20 || byte == 0x7f)
            out += fmt::format("\\x{:02x}", byte);
        else
            out += c;
    }
    return out + quote;
}

}  // namespace rogate::patch
