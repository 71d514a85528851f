// A text that comes again and again: the names of operations, programs and phases in a million attempts.
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace rogate {

// Each text is kept once for the whole process and never given back, so that a Word is a number of four
// bytes: copies cost nothing, and equal ones are found by comparing numbers. Not for what is different each
// time, such as paths (SharedText). Threads can make and read them at the same time.
class Word {
  public:
    Word() = default;
    // Implicit, like std::string.
    Word(std::string_view text) : number_(text.empty() ? 0 : kept(text)) {}  // NOLINT(*-explicit-*)
    Word(const std::string& text) : Word(std::string_view(text)) {}          // NOLINT(*-explicit-*)
    Word(const char* text) : Word(std::string_view(text)) {}                 // NOLINT(*-explicit-*)

    const std::string& str() const;
    operator const std::string&() const { return str(); }  // NOLINT(*-explicit-*)
    operator std::string_view() const { return str(); }    // NOLINT(*-explicit-*)
    bool empty() const { return number_ == 0; }

    bool operator==(const Word&) const = default;
    std::strong_ordering operator<=>(const Word& other) const {
        return number_ == other.number_ ? std::strong_ordering::equal : str() <=> other.str();
    }
    template <class Text>
    requires(std::convertible_to<const Text&, std::string_view> && !std::same_as<Text, Word>) bool operator==(
        const Text& other) const {
        return std::string_view(str()) == std::string_view(other);
    }

  private:
    static std::uint32_t kept(std::string_view text);

    std::uint32_t number_ = 0;  // 0: the empty text
};

}  // namespace rogate
