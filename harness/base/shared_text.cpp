#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <new>
#include <rogate/shared_text.hpp>
#include <stdexcept>

namespace rogate {

// Its bytes follow it in the same piece of memory.
struct SharedText::Held {
    std::atomic<std::uint32_t> owners;
    std::uint32_t size;

    char* bytes() { return reinterpret_cast<char*>(this + 1); }
};

SharedText::SharedText(std::string_view text) {
    if (text.empty()) return;
    if (text.size() > std::numeric_limits<std::uint32_t>::max()) throw std::length_error("SharedText");
    void* const memory = ::operator new(sizeof(Held) + text.size());
    held_ = new (memory) Held{1, static_cast<std::uint32_t>(text.size())};
    std::copy(text.begin(), text.end(), held_->bytes());
}

SharedText::SharedText(const SharedText& other) noexcept : held_(other.held_) {
    if (held_ != nullptr) held_->owners.fetch_add(1, std::memory_order_relaxed);
}

SharedText::~SharedText() {
    if (held_ == nullptr || held_->owners.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    held_->~Held();
    ::operator delete(held_);
}

std::string_view SharedText::view() const {
    return held_ == nullptr ? std::string_view() : std::string_view(held_->bytes(), held_->size);
}

}  // namespace rogate
