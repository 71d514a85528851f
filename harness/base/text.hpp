// What several rooms do with paths and words.
#pragma once

#include <string>
#include <string_view>

namespace rogate {

// Of absolute paths without a slash at their end, but for "/", below which everything is.
bool is_or_below(std::string_view path, std::string_view directory);

// "a/b/" of "a/b/c"; empty for a name alone.
std::string_view folder_of(std::string_view file);

// docker compose merges a file of this name over the other one of its folder, without being told.
bool is_merged_by_name(std::string_view file);

// For a POSIX shell, to which all of it is text then: 'it'\''s'.
std::string in_single_quotes(std::string_view text);

// Of text in which some bytes are a backslash and three octal digits, as in /proc/PID/mountinfo (space, tab,
// newline and backslash itself).
std::string without_octal(std::string_view text);

}  // namespace rogate
