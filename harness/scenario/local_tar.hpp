// Local files as a tar for the engine's archive call, and what comes back from it.
#pragma once

#include <rogate/error.hpp>
#include <rogate/scenario.hpp>
#include <string>
#include <vector>

namespace rogate::scenario {

// `load` under the name `name` (relative, may have folders): a file, or a folder with all that is in it.
// Nothing above it is in the tar.
Result<std::string> tar_of_load(const Load& load, const std::string& name);

// The content of the local folder `from` itself ("./…"), or the file under its own name; an empty `from`
// gives an empty folder. Everything belongs to uid:gid; `mode` is that of the folder itself.
Result<std::string> tar_of_content(const std::string& from, std::uint32_t uid, std::uint32_t gid,
                                   std::optional<std::uint32_t> mode);

// What a tar holds: the bytes of the one file, or the names of all that is below a folder, one in a line, in
// order.
Result<std::string> text_of_tar(const std::string& tar);

}  // namespace rogate::scenario
