// Texts that must not be shown, and where each of them must not.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace rogate {

enum class SecretKind : std::uint8_t {
    environment,  // the value of a variable: masked in free text, but not where it could be a fact (a path)
    secret        // a secret by its name, its form or its source: masked everywhere
};

// By text. A text that is both is a secret.
using Secrets = std::map<std::string, SecretKind, std::less<>>;

// Shorter texts are never masked: they are everywhere.
inline constexpr std::size_t shortest_secret = 4;

inline void add_secret(Secrets& to, std::string_view text, SecretKind kind) {
    if (text.size() < shortest_secret) return;
    const auto [at, fresh] = to.try_emplace(std::string(text), kind);
    if (!fresh && kind == SecretKind::secret) at->second = kind;
}
inline void add_secrets(Secrets& to, const Secrets& more) {
    for (const auto& [text, kind] : more) add_secret(to, text, kind);
}

}  // namespace rogate
