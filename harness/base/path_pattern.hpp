// One pattern of a .dockerignore file, as moby/patternmatcher matches it: by comparison where it is plain or
// begins or ends with "**", else as the regular expression that it makes of it.
#pragma once

#include <optional>
#include <rogate/error.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rogate {

class PathPattern {
  public:
    // `text` is cleaned, and without '!'. ErrorKind::usage: brackets that hold nothing or are not closed, or
    // a backslash with nothing behind it.
    static Result<PathPattern> of(std::string text);

    bool matches(std::string_view path) const;
    const std::string& text() const { return text_; }

  private:
    enum class Kind { exact, prefix, suffix, pieces };
    struct Piece {
        enum class Type { one, name, folders, rest };  // one of a set, [^/]*, (.*/)?, .*
        Type type = Type::one;
        std::vector<std::pair<char32_t, char32_t>> ranges;  // one: the set
        bool inverted = false;                              // one: everything else
    };
    bool add_brackets(std::u32string_view all, std::size_t& at);
    bool add_stars(std::u32string_view all, std::size_t& at);
    bool read(std::u32string_view all);
    bool matches_from(std::size_t piece, std::u32string_view path) const;

    std::string text_;
    Kind kind_ = Kind::exact;
    std::vector<Piece> pieces_;
};

}  // namespace rogate
