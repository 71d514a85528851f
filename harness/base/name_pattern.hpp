// Patterns of paths: of policies, of lock files, and of names that differ from run to run.
#pragma once

#include <string>
#include <string_view>

namespace rogate {

// Whether the whole of `text` (raw bytes) is what `pattern` says: '*' is any run of characters but '/', '**'
// any run at all ("/a/**/b" matches "/a/b" too), '?' one character but '/'; {number}, {time}, {hex}, {uuid},
// {random}, {random:6}, {random:8}, {word} and {varies} stand for text of that kind (base/name_kinds.hpp),
// other braces for themselves; a backslash takes the meaning from the next character, and "\xHH" is the byte
// HH, so that a path can be copied out of any report.
bool matches(std::string_view pattern, std::string_view text);

// The pattern that matches `path` alone, in the reports' spelling.
std::string literal_pattern(std::string_view path);

}  // namespace rogate
