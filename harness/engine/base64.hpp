// Base64 (RFC 4648), as headers of the engine's API carry JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rogate::engine {

enum class Base64 {
    standard,
    url
};  // url: '-' and '_' for '+' and '/', padded as Go's base64.URLEncoding does

std::string base64_encode(std::string_view bytes, Base64 alphabet = Base64::standard);
// The standard alphabet, padded; nullopt when `text` is not that.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace rogate::engine
