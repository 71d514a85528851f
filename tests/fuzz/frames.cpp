#include "engine/frames.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace {

// All that comes out of the stream when it is fed `piece` bytes at a time.
std::string decode(std::string_view bytes, std::size_t piece) {
    rogate::engine::FrameDecoder decoder;
    std::string out;
    while (!bytes.empty()) {
        const std::size_t size = std::min(piece, bytes.size());
        decoder.feed(bytes.substr(0, size));
        bytes.remove_prefix(size);
        for (;;) {
            auto next = decoder.next();
            if (!next) return out + "!";
            if (!*next) break;
            for (const char byte : (*next)->bytes) out += {static_cast<char>('0' + (*next)->channel), byte};
        }
    }
    return out + (decoder.incomplete() ? "?" : ".");
}

}  // namespace

// However the bytes are split, the same comes out.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);  // NOLINT
    if (decode(bytes, 1) != decode(bytes, 4096)) __builtin_trap();
    return 0;
}
