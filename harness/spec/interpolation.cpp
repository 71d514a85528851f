#include "spec/interpolation.hpp"

#include <fmt/format.h>

#include "spec/problems.hpp"

namespace rogate::spec {

namespace {

bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name_part(char c) {
    return begins_name(c) || (c >= '0' && c <= '9');
}

std::string_view take_name(std::string_view& text) {
    std::size_t end = 0;
    if (!text.empty() && begins_name(text[0]))
        while (end < text.size() && is_name_part(text[end])) ++end;
    const std::string_view name = text.substr(0, end);
    text.remove_prefix(end);
    return name;
}

// Behind "${": where the '}' is that belongs to it.
std::size_t closing_brace(std::string_view text) {
    int open = 1;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '$') {
            ++i;
        } else if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') {
            ++open;
            ++i;
        } else if (text[i] == '}' && --open == 0) {
            return i;
        }
    }
    return std::string_view::npos;
}

class Interpolation {
  public:
    Interpolation(const Lookup& lookup, std::vector<std::string>& unset) : lookup_(lookup), unset_(unset) {}

    Parsed<std::string> whole(std::string_view text) {
        std::string out;
        while (!text.empty()) {
            const std::size_t dollar = std::min(text.find('$'), text.size());
            out += text.substr(0, dollar);
            text.remove_prefix(dollar);
            if (text.empty()) break;
            text.remove_prefix(1);
            auto piece = behind_dollar(text);
            if (!piece) return piece;
            out += *piece;
        }
        return out;
    }

  private:
    Parsed<std::string> behind_dollar(std::string_view& text) {
        if (text.starts_with('$')) {
            text.remove_prefix(1);
            return "$";
        }
        if (text.starts_with('{')) {
            text.remove_prefix(1);
            const std::size_t end = closing_brace(text);
            if (end == std::string_view::npos)
                return wrong("a '${' is never closed; write ${NAME}, or $$ for a dollar sign");
            const std::string_view inside = text.substr(0, end);
            text.remove_prefix(end + 1);
            return braced(inside);
        }
        // A '$' before anything else stays as it is: "$!", "$(date)", "^[a-z]+$".
        const std::string_view name = take_name(text);
        return name.empty() ? Parsed<std::string>("$") : value_of(std::string(name));
    }

    Parsed<std::string> braced(std::string_view inside) {
        std::string_view rest = inside;
        const std::string name(take_name(rest));
        if (name.empty())
            return wrong(fmt::format("{} is not a variable; write ${{NAME}} or ${{NAME:-default}}",
                                     in_quotes(fmt::format("${{{}}}", inside))));
        if (rest.empty()) return value_of(name);
        const bool counts_empty = rest.starts_with(':');  // ":-" also replaces an empty value
        if (counts_empty) rest.remove_prefix(1);
        const char kind = rest.empty() ? '\0' : rest[0];
        if (kind != '-' && kind != '?' && kind != '+')
            return wrong(
                fmt::format("{} is not a form of a variable; write one of ${{{}:-default}}, ${{{}:?error}}, "
                            "${{{}:+replacement}}",
                            in_quotes(fmt::format("${{{}}}", inside)), name, name, name));
        rest.remove_prefix(1);
        const auto value = lookup_(name);
        const bool there = value && !(counts_empty && value->empty());
        if (kind == '+') return there ? whole(rest) : Parsed<std::string>(std::string());
        if (there) return *value;
        auto other = whole(rest);
        if (kind == '-' || !other) return other;
        return wrong(fmt::format("variable '{}' is required{}{}; set it in the environment or in .env", name,
                                 other->empty() ? "" : ": ", *other));
    }

    std::string value_of(const std::string& name) {
        auto value = lookup_(name);
        if (!value) unset_.push_back(name);
        return std::move(value).value_or("");
    }

    static tl::unexpected<std::string> wrong(std::string text) {
        return tl::unexpected<std::string>(std::move(text));
    }

    const Lookup& lookup_;
    std::vector<std::string>& unset_;
};

}  // namespace

Parsed<std::string> interpolate(std::string_view text, const Lookup& lookup,
                                std::vector<std::string>& unset) {
    return Interpolation(lookup, unset).whole(text);
}

}  // namespace rogate::spec
