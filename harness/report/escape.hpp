// Bytes of paths and outputs made harmless for every format, and back.
#pragma once

#include <rogate/error.hpp>
#include <string>
#include <string_view>

namespace rogate::report {

// Valid UTF-8 without control characters stays; every other byte becomes \xHH, and a backslash becomes two.
// Reversible.
std::string escape_text(std::string_view raw);
std::string unescape_text(std::string_view text);

}  // namespace rogate::report
