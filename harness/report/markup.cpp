#include "report/markup.hpp"

#include <algorithm>

#include "base/escape.hpp"

namespace rogate::report {

namespace {

bool starts_link(std::string_view text, std::size_t at) {
    return text.substr(at).starts_with("://") ||
           (text[at] == '.' && at >= 3 &&
            (text.substr(at - 3, 3) == "www" || text.substr(at - 3, 3) == "WWW"));
}

}  // namespace

std::string shortened(const std::string& text, std::size_t limit, std::string_view ellipsis) {
    if (text.size() <= limit) return text;
    const auto inside = [&](std::size_t i) { return (static_cast<unsigned char>(text[i]) & 0xc0U) == 0x80U; };
    std::size_t head = limit / 3, tail = text.size() - limit * 2 / 3;
    while (head > 0 && inside(head)) --head;
    while (tail < text.size() && inside(tail)) ++tail;
    return text.substr(0, head) + std::string(ellipsis) + text.substr(tail);
}

std::string markdown_code(std::string_view raw, std::size_t limit) {
    const std::string text = shortened(escape_text(raw), limit);
    std::size_t longest = 0, run = 0;
    for (const char c : text) {
        run = c == '`' ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    std::string inside;
    for (const char c : text) inside += c == '|' ? "\\|" : std::string(1, c);
    const std::string fence(longest + 1, '`');
    // Spaces at both ends are taken away by the reader; they are needed beside a backtick and for a text of
    // spaces.
    const bool spaced = inside.empty() || inside.front() == '`' || inside.back() == '`' ||
                        inside.front() == ' ' || inside.back() == ' ';
    return spaced ? fence + " " + inside + " " + fence : fence + inside + fence;
}

std::string markdown_text(std::string_view raw, std::size_t limit) {
    const std::string text = shortened(escape_text(raw), limit);
    // A zero-width space breaks what a site makes of text after it has rendered the Markdown.
    constexpr std::string_view gap = "&#8203;";
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '@' || c == '#')
            out.append(1, c).append(gap);
        else if (starts_link(text, i))
            out.append(gap).append(1, c);
        else if (std::string_view("\\`*_{}[]|~$!").find(c) != std::string_view::npos)
            out.append(1, '\\').append(1, c);
        else
            out += c;
    }
    return out;
}

std::string xml_text(std::string_view raw, std::size_t limit) {
    std::string out;
    for (const char c : shortened(escape_text(raw), limit)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

}  // namespace rogate::report
