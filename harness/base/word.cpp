#include <array>
#include <atomic>
#include <bit>
#include <mutex>
#include <rogate/word.hpp>
#include <unordered_map>

namespace rogate {

namespace {

// The texts by their numbers, from 1. Each block holds twice as many as the one before, and stays where it
// is, so that reading takes no lock. Not destroyed at the end, since there is no telling who still has a Word
// then.
constinit std::array<std::atomic<std::string*>, 32> blocks = {};

unsigned block_of(std::uint32_t number) {
    return static_cast<unsigned>(std::bit_width(number)) - 1;
}

std::string& text_at(std::uint32_t number) {
    return blocks[block_of(number)].load(std::memory_order_acquire)[number - std::bit_floor(number)];
}

}  // namespace

const std::string& Word::str() const {
    static const std::string nothing;
    return number_ == 0 ? nothing : text_at(number_);
}

std::uint32_t Word::kept(std::string_view text) {
    static std::mutex mutex;
    static auto& all = *new std::unordered_map<std::string_view, std::uint32_t>;
    const std::lock_guard lock(mutex);
    const auto found = all.find(text);
    if (found != all.end()) return found->second;
    const auto number = static_cast<std::uint32_t>(all.size()) + 1;
    if (std::has_single_bit(number))
        blocks[block_of(number)].store(new std::string[number], std::memory_order_release);
    text_at(number) = text;
    all.emplace(text_at(number), number);
    return number;
}

}  // namespace rogate
