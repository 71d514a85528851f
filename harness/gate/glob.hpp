// Path patterns of policies and lock files.
#pragma once

#include <string>
#include <string_view>

namespace rogate::gate {

// Whether the whole of `text` (raw bytes) is what `pattern` says: '*' is any run of characters but '/', '**'
// any run at all ("/a/**/b" matches "/a/b" too), '?' one character but '/'; a backslash takes the meaning
// from the next character, and "\xHH" is the byte HH, so that a path can be copied out of any report.
bool matches(std::string_view pattern, std::string_view text);

// The pattern that matches `path` alone, in the reports' spelling.
std::string literal_pattern(std::string_view path);

}  // namespace rogate::gate
