// The local files that commands read and write.
#pragma once

#include <functional>
#include <rogate/error.hpp>
#include <string>
#include <string_view>

#include "report/pieces.hpp"

namespace rogate::cli {

// Writes a whole file or leaves the old one: by a temporary file beside it and rename(2). Mode 0600: results
// name paths.
Result<> write_file(const std::string& path, std::string_view bytes);
// What `write` hands on piece by piece; its error leaves the old file too.
Result<> write_file(const std::string& path, const std::function<Result<>(const report::Sink&)>& write);
// Adds to the end of a file, which is made (0600) if missing; for a CI step's summary.
Result<> append_file(const std::string& path, std::string_view bytes);
// To standard output, all of it.
Result<> print(std::string_view text);
Result<std::string> read_file(const std::string& path);
// Piece by piece, for files that can be large.
Result<report::Source> open_file(const std::string& path);
// With its parents; a folder that is made is the owner's alone (0700).
Result<> make_folder(const std::string& path);

}  // namespace rogate::cli
