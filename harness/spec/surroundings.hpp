// What a scenario file takes from the world around it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <rogate/error.hpp>
#include <string>

namespace rogate::spec {

using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

// rogate's own environment.
std::optional<std::string> process_environment(const std::string& name);

// The text of a file that an input file names; ErrorKind::usage says why it cannot be had.
using FileReader = std::function<Result<std::string>(const std::string& path)>;
Result<std::string> read_input_file(const std::string& path);

// The same for data that steps send: up to 64 MiB of any bytes.
Result<std::string> read_data_file(const std::string& path);

struct Surroundings {
    EnvironmentLookup environment =
        process_environment;  // for "environment: [NAME]" and "~" in a mount's source
    std::string folder;       // where relative sources of mounts start; empty: the scenario file's folder
    FileReader read_file = read_input_file;
    FileReader read_data = read_data_file;
    std::map<std::string, std::string> variables;  // --set; they come before those of `vars`
    std::string container;  // `rogate run --container`: the subject, in place of what the file says
    // `rogate run --without`: keys of Compose services and fields of pods that would be refused, and are read
    // as if they were not there.
    std::vector<std::string> without = {};
};

}  // namespace rogate::spec
