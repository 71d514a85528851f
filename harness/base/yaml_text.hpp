// Text as a YAML scalar.
#pragma once

#include <string>
#include <string_view>

namespace rogate {

// Plain where nothing could be misread, else in single quotes. `text` has no control characters.
std::string yaml_scalar(std::string_view text);

}  // namespace rogate
