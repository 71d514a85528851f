// Bytes of paths and outputs made harmless for every format, and back.
#pragma once

#include <cstddef>
#include <rogate/error.hpp>
#include <string>
#include <string_view>

namespace rogate {

// Length of the well-formed UTF-8 sequence at the beginning of `text` (Unicode 15, table 3-7), which is not
// empty; 0: none.
std::size_t sequence_length(std::string_view text);
// How much of the beginning of `text` is well-formed.
std::size_t well_formed(std::string_view text);

// Valid UTF-8 without control characters stays; every other byte becomes \xHH, and a backslash becomes two.
// Reversible.
std::string escape_text(std::string_view raw);
std::string unescape_text(std::string_view text);

}  // namespace rogate
