// The small notations inside of scalars: durations, sizes, signals, shell words, container paths. Pure. An
// error is the text of a problem: "what is wrong; what would be right".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace rogate::spec {

template <class T>
using Parsed = tl::expected<T, std::string>;

// Go's notation ("1m30s", "1.5h", "500ms") or a plain number of seconds, at most 24 hours; in milliseconds,
// rounded up.
Parsed<std::int64_t> parse_duration(std::string_view text);

// "64m", "1.5GiB" or plain bytes. As in Docker, every unit is a power of 1024.
Parsed<std::int64_t> parse_size(std::string_view text);

// A name with or without SIG in any case, RTMIN+n, RTMAX-n, or a number from 1 to 64; in upper case, else as
// written.
Parsed<std::string> parse_signal(std::string_view text);

// Split as a POSIX shell would, without expansions. An unquoted operator (| & ; < >) is an error: docker
// compose drops it and all that follows without a word.
Parsed<std::vector<std::string>> split_shell_words(std::string_view text);

// An absolute path in the container without "//", "." and a trailing '/'. '..' is an error, as in Docker's
// mounts.
Parsed<std::string> parse_container_path(std::string_view text);

// Octal digits, with or without a leading "0" or "0o": "1777". Without leading zeros.
Parsed<std::string> parse_mode(std::string_view text);

// A decimal integer within [min, max], and nothing else in the text.
Parsed<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max);

}  // namespace rogate::spec
