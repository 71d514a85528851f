// What names tell of the values behind them. Pure.
#pragma once

#include <string_view>

namespace rogate::secrets {

// Whether a variable, option, header, field or key of this name holds a credential: DB_PASSWORD, --token,
// X-Api-Key, PGPASSWORD. Not PASSWORD_FILE, --token-url and the like, which say where one is or what it is
// like.
bool is_credential_name(std::string_view name);

// A value that says where something lies: "/run/secrets/key", "./key.pem".
bool is_path_like(std::string_view value);

// Values that say nothing: true, none, null, and references that something else resolves ($NAME, ${{ name
// }}).
bool is_no_value(std::string_view value);

}  // namespace rogate::secrets
