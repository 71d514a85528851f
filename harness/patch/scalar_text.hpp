// How a value is written in YAML. Pure.
#pragma once

#include <string>
#include <string_view>

namespace rogate::patch {

// Would `text` be read back as this very string without quotes? `flow`: within brackets.
bool plain_will_do(std::string_view text, bool flow);
// In quotes of this kind (' or "); ' becomes " if the text needs escapes.
std::string in_scalar_quotes(std::string_view text, char quote);

}  // namespace rogate::patch
