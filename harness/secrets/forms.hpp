// The forms in which a program may show one and the same value. Pure.
#pragma once

#include <optional>
#include <rogate/secret.hpp>
#include <string>
#include <string_view>

namespace rogate::secrets {

std::string base64(std::string_view bytes);
// Either alphabet, with or without padding; nothing if it is none.
std::optional<std::string> from_base64(std::string_view text);
// "a%20b" -> "a b"; what is no escape stays.
std::string percent_decoded(std::string_view text);

// Each of `found` with its other forms: without surrounding space, its lines (with either line end), as JSON,
// a URL, a page or a shell quotes it, and a secret in base64.
Secrets with_forms(const Secrets& found);

}  // namespace rogate::secrets
