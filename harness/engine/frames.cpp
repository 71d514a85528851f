#include "engine/frames.hpp"

#include <algorithm>

namespace rogate::engine {

namespace {
constexpr std::size_t header_size = 8;
std::uint32_t byte_at(const std::string& text, std::size_t i) {
    return static_cast<unsigned char>(text[i]);
}
}  // namespace

std::optional<bool> FrameDecoder::begins_with_frame(std::string_view bytes) {
    const std::size_t known = std::min<std::size_t>(bytes.size(), 4);
    for (std::size_t i = 0; i < known; ++i)
        if (static_cast<unsigned char>(bytes[i]) > (i == 0 ? 3 : 0)) return false;
    return known < 4 ? std::optional<bool>() : true;
}

void FrameDecoder::feed(std::string_view bytes) {
    // Cut once per feed, not once per frame: a busy log is thousands of small frames in one read.
    buffer_.erase(0, begin_);
    begin_ = 0;
    buffer_.append(bytes);
}

Result<std::optional<FrameDecoder::Piece>> FrameDecoder::next() {
    while (remaining_ == 0) {  // a frame of length 0 is legal and says nothing
        const auto at = [&](std::size_t i) { return byte_at(buffer_, begin_ + i); };
        if (buffer_.size() - begin_ < header_size) return std::optional<Piece>();
        if (at(0) > 3 || at(1) != 0 || at(2) != 0 || at(3) != 0)
            return fail(ErrorKind::protocol, "the engine's stream does not follow its own framing");
        channel_ = static_cast<std::uint8_t>(at(0));
        remaining_ = at(4) << 24U | at(5) << 16U | at(6) << 8U | at(7);
        begin_ += header_size;
    }
    if (begin_ == buffer_.size()) return std::optional<Piece>();
    const std::size_t size = std::min<std::size_t>(remaining_, buffer_.size() - begin_);
    Piece piece{channel_, buffer_.substr(begin_, size)};
    begin_ += size;
    remaining_ -= static_cast<std::uint32_t>(size);
    return std::optional<Piece>(std::move(piece));
}

}  // namespace rogate::engine
