// The local files that commands read and write.
#pragma once

#include <rogate/error.hpp>
#include <string>
#include <string_view>

namespace rogate::cli {

// Writes a whole file or leaves the old one: by a temporary file beside it and rename(2). Mode 0600: results
// name paths.
Result<> write_file(const std::string& path, std::string_view bytes);
Result<std::string> read_file(const std::string& path);
Result<> make_folder(const std::string& path);

}  // namespace rogate::cli
