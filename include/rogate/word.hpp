// A text that comes again and again: the names of operations, programs and phases in a million attempts.
#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace rogate {

// Each text is kept once for the whole process and never given back, so that a Word is a pointer: copies cost
// nothing, and equal ones are found by comparing pointers. Not for what is different each time, such as
// paths. Threads can make them at the same time.
class Word {
  public:
    Word() = default;
    // A text is one without being told so, as it is a std::string.
    Word(std::string_view text) : text_(text.empty() ? nullptr : kept(text)) {}  // NOLINT(*-explicit-*)
    Word(const std::string& text) : Word(std::string_view(text)) {}              // NOLINT(*-explicit-*)
    Word(const char* text) : Word(std::string_view(text)) {}                     // NOLINT(*-explicit-*)

    const std::string& str() const { return text_ == nullptr ? nothing() : *text_; }
    operator const std::string&() const { return str(); }  // NOLINT(*-explicit-*)
    operator std::string_view() const { return str(); }    // NOLINT(*-explicit-*)
    bool empty() const { return text_ == nullptr; }

    bool operator==(const Word&) const = default;
    std::strong_ordering operator<=>(const Word& other) const {
        return text_ == other.text_ ? std::strong_ordering::equal : str() <=> other.str();
    }
    template <class Text>
    requires(std::convertible_to<const Text&, std::string_view> && !std::same_as<Text, Word>) bool operator==(
        const Text& other) const {
        return std::string_view(str()) == std::string_view(other);
    }

  private:
    static const std::string& nothing();
    static const std::string* kept(std::string_view text);

    const std::string* text_ = nullptr;  // null: the empty text
};

}  // namespace rogate
