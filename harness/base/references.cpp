#include "base/references.hpp"

#include <algorithm>

namespace rogate {

namespace {

constexpr std::string_view opening = "${{", closing = "}}", escaped = "$${{";

struct Found {
    std::size_t begin = 0, end = 0;  // of the whole reference, or of the escape
    std::string name;                // empty: not the name of a variable
    bool escape = false;
};

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

std::optional<Found> next_of(std::string_view text, std::size_t from) {
    const std::size_t at = text.find(opening, from);
    if (at == std::string_view::npos) return std::nullopt;
    if (at > from && text[at - 1] == '$')
        return Found{.begin = at - 1, .end = at + opening.size(), .name = {}, .escape = true};
    const std::size_t inside = at + opening.size();
    const std::size_t close = text.find(closing, inside);
    if (close == std::string_view::npos)
        return Found{.begin = at, .end = text.size(), .name = {}, .escape = false};
    const std::string_view name = trimmed(text.substr(inside, close - inside));
    return Found{.begin = at,
                 .end = close + closing.size(),
                 .name = is_variable_name(name) ? std::string(name) : std::string(),
                 .escape = false};
}

}  // namespace

bool is_variable_name(std::string_view name) {
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9');
    });
}

std::string replace_references(std::string_view text, const VariableLookup& lookup, Escapes escapes) {
    std::string result;
    std::size_t at = 0;
    while (const auto found = next_of(text, at)) {
        result += text.substr(at, found->begin - at);
        const std::string_view written = text.substr(found->begin, found->end - found->begin);
        at = found->end;
        if (found->escape) {
            result += escapes == Escapes::keep ? escaped : opening;
            continue;
        }
        const auto value = found->name.empty() ? std::nullopt : lookup(found->name);
        result += value ? std::string_view(*value) : written;
    }
    result += text.substr(at);
    return result;
}

std::vector<std::string> references_in(std::string_view text) {
    std::vector<std::string> names;
    std::size_t at = 0;
    while (const auto found = next_of(text, at)) {
        if (!found->name.empty()) names.push_back(found->name);
        at = found->end;
    }
    return names;
}

bool is_one_reference(std::string_view text) {
    const auto found = next_of(text, 0);
    return found && found->begin == 0 && found->end == text.size() && !found->name.empty();
}

std::string broken_reference(std::string_view text) {
    std::size_t at = 0;
    while (const auto found = next_of(text, at)) {
        if (!found->escape && found->name.empty())
            return std::string(text.substr(found->begin, found->end - found->begin));
        at = found->end;
    }
    return {};
}

std::string without_references(std::string_view text) {
    std::string result;
    std::size_t at = 0;
    for (std::size_t found = 0; (found = text.find(opening, at)) != std::string_view::npos;) {
        result += text.substr(at, found - at);
        result += escaped;
        at = found + opening.size();
    }
    result += text.substr(at);
    return result;
}

}  // namespace rogate
