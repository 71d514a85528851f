// Text in columns.
#pragma once

#include <string>
#include <string_view>

namespace rogate::report {

// Columns that UTF-8 text takes, one for each code point: names and paths rarely hold anything wider.
std::size_t columns(std::string_view text);
// With spaces behind it, up to `width` columns; longer text stays as it is.
std::string padded(std::string text, std::size_t width);

}  // namespace rogate::report
