#include "engine/frames.hpp"

#include <algorithm>

namespace rogate::engine {

namespace {
constexpr std::size_t header_size = 8;
std::uint32_t byte_at(const std::string& text, std::size_t i) { return static_cast<unsigned char>(text[i]); }
}  // namespace

Result<std::optional<FrameDecoder::Piece>> FrameDecoder::next() {
    while (remaining_ == 0) {  // a frame of length 0 is legal and says nothing
        if (buffer_.size() < header_size) return std::optional<Piece>();
        if (byte_at(buffer_, 0) > 3 || byte_at(buffer_, 1) != 0 || byte_at(buffer_, 2) != 0 || byte_at(buffer_, 3) != 0)
            return fail(ErrorKind::protocol, "the engine's stream does not follow its own framing");
        channel_ = static_cast<std::uint8_t>(byte_at(buffer_, 0));
        remaining_ = byte_at(buffer_, 4) << 24U | byte_at(buffer_, 5) << 16U | byte_at(buffer_, 6) << 8U | byte_at(buffer_, 7);
        buffer_.erase(0, header_size);
    }
    if (buffer_.empty()) return std::optional<Piece>();
    const std::size_t size = std::min<std::size_t>(remaining_, buffer_.size());
    Piece piece{channel_, buffer_.substr(0, size)};
    buffer_.erase(0, size);
    remaining_ -= static_cast<std::uint32_t>(size);
    return std::optional<Piece>(std::move(piece));
}

}  // namespace rogate::engine
