// What a scenario file takes from the world around it.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace rogate::spec {

using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

// rogate's own environment.
std::optional<std::string> process_environment(const std::string& name);

struct Surroundings {
    EnvironmentLookup environment =
        process_environment;  // for "environment: [NAME]" and "~" in a mount's source
    std::string folder;       // where relative sources of mounts start; empty: the scenario file's folder
};

}  // namespace rogate::spec
