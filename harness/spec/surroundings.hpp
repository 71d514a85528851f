// What a scenario file takes from the world around it.
#pragma once

#include <functional>
#include <optional>
#include <rogate/error.hpp>
#include <string>

namespace rogate::spec {

using FileReader = std::function<Result<std::string>(const std::string& path)>;

// At most 1 MiB. ErrorKind::not_found if there is no such file.
Result<std::string> read_local_file(const std::string& path);

using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

// rogate's own environment.
std::optional<std::string> process_environment(const std::string& name);

struct Surroundings {
    EnvironmentLookup environment =
        process_environment;  // for "environment: [NAME]" and "~" in a mount's source
    std::string folder;       // where relative sources of mounts start; empty: the scenario file's folder
    FileReader read_file = read_local_file;  // what a Compose project or command line refers to
};

}  // namespace rogate::spec
