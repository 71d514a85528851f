// The engine's multiplexed stream: an 8-byte header {channel, 0, 0, 0, length as big-endian u32}, then that
// many bytes (API documentation of POST /containers/{id}/attach, "Stream format"). Sans I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <rogate/error.hpp>
#include <string>
#include <string_view>

namespace rogate::engine {

class FrameDecoder {
  public:
    struct Piece {
        std::uint8_t channel = 1;
        std::string bytes;
    };
    // Whether a stream that begins so has frames; nothing: more bytes are needed to tell.
    static std::optional<bool> begins_with_frame(std::string_view bytes);
    // Bytes may be split anywhere.
    void feed(std::string_view bytes);
    // The next piece of a frame, as far as it has come; nullopt: more bytes are needed. ErrorKind::protocol
    // when a header is none (for example because the container has a terminal, whose stream is raw).
    Result<std::optional<Piece>> next();
    // The stream ended inside a frame.
    bool incomplete() const { return remaining_ > 0 || begin_ < buffer_.size(); }

  private:
    std::string buffer_;
    std::size_t begin_ = 0;  // what is before it in the buffer was handed out
    std::uint32_t remaining_ = 0;
    std::uint8_t channel_ = 0;
};

}  // namespace rogate::engine
