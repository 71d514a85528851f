// A text that is never changed, so that its copies are one: what differs each time, such as paths.
#pragma once

#include <compare>
#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace rogate {

// A pointer in size, and given back when the last copy goes. Threads can copy it at the same time.
class SharedText {
  public:
    SharedText() = default;
    // Implicit, like std::string.
    SharedText(std::string_view text);                                           // NOLINT(*-explicit-*)
    SharedText(const std::string& text) : SharedText(std::string_view(text)) {}  // NOLINT(*-explicit-*)
    SharedText(const char* text) : SharedText(std::string_view(text)) {}         // NOLINT(*-explicit-*)
    SharedText(const SharedText& other) noexcept;
    SharedText(SharedText&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
    SharedText& operator=(SharedText other) noexcept {
        std::swap(held_, other.held_);
        return *this;
    }
    ~SharedText();

    std::string_view view() const;
    std::string str() const { return std::string(view()); }
    operator std::string_view() const { return view(); }  // NOLINT(*-explicit-*)
    bool empty() const { return held_ == nullptr; }
    std::size_t size() const { return view().size(); }

    // Whether they are one in memory.
    bool is_copy_of(const SharedText& other) const { return held_ == other.held_; }
    bool operator==(const SharedText& other) const { return is_copy_of(other) || view() == other.view(); }
    std::strong_ordering operator<=>(const SharedText& other) const { return view() <=> other.view(); }
    template <class Text>
    requires(std::convertible_to<const Text&, std::string_view> && !std::same_as<Text, SharedText>) bool
    operator==(const Text& other) const {
        return view() == std::string_view(other);
    }

  private:
    struct Held;
    Held* held_ = nullptr;  // null: the empty text
};

}  // namespace rogate
