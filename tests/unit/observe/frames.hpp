// Frames as an agent writes them (observe/protocol.h).
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "observe/protocol.h"

namespace rogate::observe {

template <class T>
std::string bytes_of(const T& value) {
    std::string bytes(sizeof value, '\0');
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
}

inline std::string text(std::string_view value) {
    return bytes_of(static_cast<std::uint16_t>(value.size())) + std::string(value);
}

inline std::string frame(std::uint16_t type, const std::string& payload, std::uint16_t slot = 0) {
    return bytes_of(frame_header{static_cast<std::uint32_t>(payload.size()), type, slot}) + payload;
}

inline std::string magic(std::uint16_t version = PROTOCOL_VERSION) {
    return PROTOCOL_MAGIC + bytes_of(version);
}

}  // namespace rogate::observe
