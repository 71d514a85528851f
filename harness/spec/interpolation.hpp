// ${VARIABLE} in Compose files and env files, as the Compose specification has it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/notations.hpp"

namespace rogate::spec {

using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

// $NAME, ${NAME}, ${NAME:-else} ${NAME-else} ${NAME:?error} ${NAME?error} ${NAME:+then} ${NAME+then}, nested
// in each other, and $$ for a dollar sign. A variable that is not set is an empty text, and its name is added
// to `unset`. Pure.
Parsed<std::string> interpolate(std::string_view text, const Lookup& lookup, std::vector<std::string>& unset);

}  // namespace rogate::spec
