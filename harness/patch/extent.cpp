#include "patch/extent.hpp"

#include <algorithm>

namespace rogate::patch {

namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0U) != 0x80U) return 0;
    if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90)) return 0;  // overlong
    if ((first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f)) return 0;  // surrogate, large
    return length;
}

std::size_t end_of_quoted(std::string_view text, std::size_t at, char quote) {
    for (++at; at < text.size(); ++at) {
        if (quote == '"' && text[at] == '\\') {
            ++at;
        } else if (text[at] == quote) {
            if (quote == '"' || at + 1 >= text.size() || text[at + 1] != '\'') return at + 1;
            ++at;
        }
    }
    return nowhere;
}

// White space is folded in plain scalars and blocks, and nothing else is changed: what is not white space
// stands in the text as in the value.
std::size_t end_of_folded(std::string_view text, std::size_t at, std::string_view value) {
    std::size_t end = at;
    for (const char c : value) {
        if (is_blank(c)) continue;
        while (at < text.size() && is_blank(text[at])) ++at;
        if (at >= text.size() || text[at] != c) return nowhere;
        end = ++at;
    }
    return end;
}

std::size_t end_of_line(std::string_view text, std::size_t at) {
    const std::size_t end = text.find('\n', at);
    return end == std::string_view::npos ? text.size() : end + 1;
}

// With "+" the empty lines behind a block belong to it.
std::size_t end_of_block(std::string_view text, const Node& scalar) {
    const std::size_t body = end_of_line(text, scalar.begin);
    std::string_view header = text.substr(scalar.begin, body - scalar.begin);
    header = header.substr(0, std::min(header.find(" #"), header.find_last_not_of(" \t\r\n") + 1));
    std::size_t end = end_of_folded(text, body, scalar.text);
    if (end == nowhere) return end;
    if (end == body) end = scalar.begin + header.size();
    if (header.find('+') == std::string_view::npos) return end;
    for (;;) {
        const std::size_t next = end_of_line(text, end);
        std::size_t stop = text.find_first_of("\r\n", next);
        if (stop == std::string_view::npos) stop = text.size();
        if (next >= text.size() ||
            text.substr(next, stop - next).find_first_not_of(" \t") != std::string_view::npos)
            return end;
        end = stop;
    }
}

// By walking an escape-free double-quoted, a single-quoted or a plain scalar beside its value.
bool walk(std::string_view text, const Node& scalar, std::vector<std::size_t>& places) {
    const bool quoted = scalar.style == '\'' || scalar.style == '"';
    std::size_t at = scalar.style == '|' || scalar.style == '>' ? end_of_line(text, scalar.begin)
                                                                : scalar.begin + (quoted ? 1 : 0);
    bool after_word = false;
    for (const char c : scalar.text) {
        if (is_blank(c)) {
            // Several bytes of white space may fold into one; what matters is that none is skipped twice.
            places.push_back(at);
            if (at < text.size() && is_blank(text[at]) && after_word) ++at;
            continue;
        }
        while (at < text.size() && is_blank(text[at])) ++at;
        // Nothing shows in a double-quoted scalar but escapes that say a character by itself.
        std::size_t length = 1;
        if (scalar.style == '"' && at + 1 < text.size() && text[at] == '\\') {
            if ((text[at + 1] != '"' && text[at + 1] != '\\' && text[at + 1] != '/') || text[at + 1] != c)
                return false;
            length = 2;
        } else if (scalar.style == '\'' && text.substr(at).starts_with("''")) {
            length = 2;
        }
        if (at + length > text.size() || text[at + length - 1] != c) return false;
        places.push_back(at);
        at += length;
        after_word = true;
    }
    places.push_back(quoted ? scalar.end - 1 : at);
    return true;
}

}  // namespace

std::size_t odd_byte(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool lone_return = byte == '\r' && (i + 1 >= text.size() || text[i + 1] != '\n');
        if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f || lone_return)
            return i;
        const std::size_t length = utf8_length(text.substr(i));
        if (length == 0) return i;
        i += length;
    }
    return nowhere;
}

std::size_t skip_blank(std::string_view text, std::size_t at) {
    while (at < text.size()) {
        if (is_blank(text[at]))
            ++at;
        else if (text[at] == '#')
            at = end_of_line(text, at);
        else
            break;
    }
    return at;
}

std::size_t end_of_word(std::string_view text, std::size_t at) {
    while (at < text.size() && !is_blank(text[at]) && text[at] != ',' && text[at] != ']' && text[at] != '}' &&
           text[at] != '[' && text[at] != '{')
        ++at;
    return at;
}

std::size_t skip_properties(std::string_view text, std::size_t at) {
    while (at < text.size() && (text[at] == '&' || text[at] == '!'))
        at = skip_blank(text, end_of_word(text, at));
    return at;
}

std::size_t written_null(std::string_view text, std::size_t at) {
    for (const std::string_view word : {"~", "null", "Null", "NULL"})
        if (text.substr(std::min(at, text.size())).starts_with(word)) {
            const std::size_t behind = at + word.size();
            if (behind >= text.size() || is_blank(text[behind]) || text[behind] == ',' ||
                text[behind] == '}' || text[behind] == ']')
                return word.size();
        }
    return 0;
}

std::size_t end_of_scalar(std::string_view text, const Node& scalar) {
    switch (scalar.style) {
        case '"':
        case '\'':
            return end_of_quoted(text, scalar.begin, scalar.style);
        case '|':
        case '>':
            return end_of_block(text, scalar);
        default:
            return end_of_folded(text, scalar.begin, scalar.text);
    }
}

std::size_t end_of_collection(std::string_view text, const Node& collection) {
    std::size_t end = collection.begin;
    for (const NodePtr& item : collection.items) end = std::max(end, item->end);
    for (const auto& pair : collection.pairs) end = std::max({end, pair.key->end, pair.value->end});
    if (!collection.flow || end >= text.size()) return end;
    const char open = text[collection.begin];
    if (open != '[' && open != '{') return end;  // the one pair in "[a: b]"
    if (end == collection.begin) ++end;
    for (;;) {
        end = skip_blank(text, end);
        if (end >= text.size()) return nowhere;
        if (text[end] == (open == '[' ? ']' : '}')) return end + 1;
        // Behind the last child there can be its colon (no value follows) or a comma.
        if (text[end] != ',' && text[end] != ':') return nowhere;
        ++end;
    }
}

std::size_t colon_behind(std::string_view text, std::size_t at) {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
    return at < text.size() && text[at] == ':' ? at : nowhere;
}

std::vector<std::size_t> places_in_scalar(std::string_view text, const Node& scalar) {
    std::vector<std::size_t> places;
    if (!walk(text, scalar, places)) places.clear();
    return places;
}

}  // namespace rogate::patch
