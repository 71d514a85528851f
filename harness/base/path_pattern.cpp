#include "base/path_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rogate {

namespace {

// A byte that begins no character of UTF-8 stands for itself.
std::u32string characters(std::string_view text) {
    std::u32string found;
    for (std::size_t i = 0; i < text.size();) {
        const auto first = static_cast<unsigned char>(text[i]);
        const std::size_t size = first < 0x80    ? 1
                                 : first >= 0xf0 ? 4
                                 : first >= 0xe0 ? 3
                                 : first >= 0xc0 ? 2
                                                 : 1;
        if (size == 1 || i + size > text.size()) {
            found += first;
            ++i;
            continue;
        }
        char32_t character = first & (0xffU >> (size + 1));
        for (std::size_t k = 1; k < size; ++k)
            character = (character << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
        found += character;
        i += size;
    }
    return found;
}

}  // namespace

Result<PathPattern> PathPattern::of(std::string text) {
    PathPattern made;
    made.text_ = std::move(text);
    if (!made.read(characters(made.text_)))
        return fail(ErrorKind::usage, fmt::format("'{}' is no pattern", made.text_));
    return made;
}

// path/filepath: Match has '^' alone for "not", and a '-' has something on both sides.
bool PathPattern::add_brackets(std::u32string_view all, std::size_t& at) {
    Piece piece;
    const auto character = [&]() -> std::optional<char32_t> {
        if (at < all.size() && (all[at] == U'-' || all[at] == U']')) return std::nullopt;
        if (at < all.size() && all[at] == U'\\') ++at;
        if (at + 1 >= all.size()) return std::nullopt;  // the bracket has to follow
        return all[at++];
    };
    if (at < all.size() && all[at] == U'^') {
        piece.inverted = true;
        ++at;
    }
    while (piece.ranges.empty() || at >= all.size() || all[at] != U']') {
        const auto low = character();
        if (!low) return false;
        auto high = low;
        if (all[at] == U'-') {
            ++at;
            high = character();
            if (!high || *high < *low) return false;
        }
        piece.ranges.emplace_back(*low, *high);
    }
    ++at;
    kind_ = Kind::pieces;
    pieces_.push_back(std::move(piece));
    return true;
}

// Behind a first '*', which stood at `at - 1`.
bool PathPattern::add_stars(std::u32string_view all, std::size_t& at) {
    if (at >= all.size() || all[at] != U'*') {
        pieces_.push_back({Piece::Type::name, {}, false});
        kind_ = Kind::pieces;
        return true;
    }
    const bool is_first = at == 1;
    ++at;
    if (at < all.size() && all[at] == U'/') ++at;
    if (at == all.size()) {
        kind_ = kind_ == Kind::exact ? Kind::prefix : Kind::pieces;
        pieces_.push_back({Piece::Type::rest, {}, false});
    } else {
        kind_ = Kind::pieces;
        pieces_.push_back({Piece::Type::folders, {}, false});
    }
    if (is_first) kind_ = Kind::suffix;
    return true;
}

bool PathPattern::read(std::u32string_view all) {
    for (std::size_t at = 0; at < all.size();) {
        const char32_t character = all[at++];
        if (character == U'*') {
            add_stars(all, at);
        } else if (character == U'?') {
            pieces_.push_back({Piece::Type::one, {{U'/', U'/'}}, true});
            kind_ = Kind::pieces;
        } else if (character == U'[') {
            if (!add_brackets(all, at)) return false;
        } else if (character == U'\\') {
            if (at == all.size()) return false;
            pieces_.push_back({Piece::Type::one, {{all[at], all[at]}}, false});
            kind_ = Kind::pieces;
            ++at;
        } else {
            pieces_.push_back({Piece::Type::one, {{character, character}}, false});
        }
    }
    return true;
}

bool PathPattern::matches_from(std::size_t piece, std::u32string_view path) const {
    for (; piece < pieces_.size(); ++piece) {
        const Piece& each = pieces_[piece];
        if (each.type == Piece::Type::one) {
            if (path.empty()) return false;
            const bool is_in = std::ranges::any_of(each.ranges, [&](const auto& range) {
                return range.first <= path.front() && path.front() <= range.second;
            });
            if (is_in == each.inverted) return false;
            path.remove_prefix(1);
            continue;
        }
        if (each.type == Piece::Type::rest) return true;  // it is always the last one
        if (each.type == Piece::Type::folders && matches_from(piece + 1, path)) return true;
        for (std::size_t taken = 0; taken <= path.size(); ++taken) {
            const bool is_name = each.type == Piece::Type::name;
            if (is_name && taken > 0 && path[taken - 1] == U'/') return false;
            if (!is_name && (taken == 0 || path[taken - 1] != U'/')) continue;
            if (matches_from(piece + 1, path.substr(taken))) return true;
        }
        return false;
    }
    return path.empty();
}

bool PathPattern::matches(std::string_view path) const {
    const std::string_view text(text_);
    if (kind_ == Kind::exact) return path == text;
    if (kind_ == Kind::prefix) return path.starts_with(text.substr(0, text.size() - 2));
    if (kind_ == Kind::suffix) {
        const std::string_view suffix = text.substr(2);
        return path.ends_with(suffix) || (suffix.starts_with('/') && path == suffix.substr(1));
    }
    return matches_from(0, characters(path));
}

}  // namespace rogate
