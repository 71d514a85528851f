// Files of variables: Compose's .env and env_file, and those of `docker run --env-file`.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "spec/interpolation.hpp"
#include "spec/problems.hpp"

namespace rogate::spec {

using Variables = std::map<std::string, std::string>;

// Compose's format: NAME=value, also with 'export'; # comments; 'literal', "with \n and ${NAME}" and plain
// values (with ${NAME}); a name alone takes its value from `lookup`. `lookup` wins over earlier lines for
// ${NAME}. Problems are in `file` of `problems`. Pure.
Variables parse_env_file(std::string_view text, const Lookup& lookup, int file, Problems& problems);

// docker run's format (and Compose's 'format: raw'): NAME=value as it stands. Pure.
Variables parse_raw_env_file(std::string_view text, const Lookup& lookup, int file, Problems& problems);

}  // namespace rogate::spec
