#include "base/name_pattern.hpp"

#include <algorithm>
#include <vector>

#include "base/escape.hpp"
#include "base/name_kinds.hpp"

namespace rogate {

namespace {

struct Piece {
    enum class Kind { byte, one, run, any_run, placeholder } kind = Kind::byte;
    char byte = 0;
    Placeholder placeholder = {};
};

std::vector<Piece> pieces_of(std::string_view pattern) {
    std::vector<Piece> pieces;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (c == '\\' && i + 1 < pattern.size()) {
            const bool hex = pattern[i + 1] == 'x' && i + 3 < pattern.size();
            const std::string byte = hex ? unescape_text(pattern.substr(i, 4)) : std::string();
            if (byte.size() == 1) {
                pieces.push_back({Piece::Kind::byte, byte[0]});
                i += 3;
            } else {
                pieces.push_back({Piece::Kind::byte, pattern[++i]});
            }
        } else if (pattern.substr(i).starts_with("/**/")) {
            // Also no folder at all: "/" and then any run that ends with '/', or nothing.
            pieces.push_back({Piece::Kind::byte, '/'});
            pieces.push_back({Piece::Kind::any_run, '/'});
            i += 3;
        } else if (c == '*') {
            const bool any = i + 1 < pattern.size() && pattern[i + 1] == '*';
            if (any) ++i;
            pieces.push_back({any ? Piece::Kind::any_run : Piece::Kind::run, 0});
        } else if (const auto placeholder = placeholder_at(pattern.substr(i)); placeholder) {
            pieces.push_back({Piece::Kind::placeholder, 0, *placeholder});
            i += to_text(*placeholder).size() - 1;
        } else {
            pieces.push_back({c == '?' ? Piece::Kind::one : Piece::Kind::byte, c});
        }
    }
    return pieces;
}

// Where text of this kind that begins at a reached place can end, within its component.
std::vector<bool> after_placeholder(const Placeholder& placeholder, std::string_view text,
                                    const std::vector<bool>& reached) {
    std::vector<bool> next(text.size() + 1, false);
    for (std::size_t begin = 0; begin < text.size(); ++begin) {
        if (!reached[begin]) continue;
        const std::size_t end = std::min(text.find('/', begin), text.size());
        const bool beside = begin > 0 && is_word_char(text[begin - 1]);
        for (std::size_t to = begin + 1; to <= end; ++to)
            if (!next[to] && stands_for(placeholder, text.substr(begin, to - begin), beside)) next[to] = true;
    }
    return next;
}

}  // namespace

// The set of places in the text that can be reached, piece by piece: no backtracking, so that no pattern is
// slow.
bool matches(std::string_view pattern, std::string_view text) {
    std::vector<bool> reached(text.size() + 1, false);
    reached[0] = true;
    for (const Piece& piece : pieces_of(pattern)) {
        std::vector<bool> next(text.size() + 1, false);
        switch (piece.kind) {
            case Piece::Kind::byte:
            case Piece::Kind::one:
                for (std::size_t i = 0; i < text.size(); ++i)
                    if (reached[i] &&
                        (piece.kind == Piece::Kind::one ? text[i] != '/' : text[i] == piece.byte))
                        next[i + 1] = true;
                break;
            case Piece::Kind::run:
            case Piece::Kind::any_run:
                for (std::size_t i = 0; i <= text.size(); ++i) {
                    if (reached[i]) next[i] = true;
                    const bool goes_on =
                        i > 0 && next[i - 1] && (piece.kind == Piece::Kind::any_run || text[i - 1] != '/');
                    if (goes_on) next[i] = true;
                }
                if (piece.byte == '/')  // ends with a slash, or is nothing
                    for (std::size_t i = 1; i <= text.size(); ++i)
                        if (!reached[i] && text[i - 1] != '/') next[i] = false;
                break;
            case Piece::Kind::placeholder:
                next = after_placeholder(piece.placeholder, text, reached);
                break;
        }
        reached = std::move(next);
    }
    return reached[text.size()];
}

std::string literal_pattern(std::string_view path) {
    std::string pattern;
    for (const char c : escape_text(path)) {
        if (c == '*' || c == '?' || c == '{') pattern += '\\';
        pattern += c;
    }
    return pattern;
}

}  // namespace rogate
