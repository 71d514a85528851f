// What a step saw of the application.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace rogate {

struct Observation {
    std::optional<int> status;                   // http
    std::optional<int> exit_code;                // exec, run
    std::string text;                            // body, output, log or content
    std::map<std::string, std::string> headers;  // names in lower case
    std::optional<bool> exists;                  // file
    std::optional<std::uint32_t> mode;           // file: permission bits
    std::optional<std::uint64_t> size;           // file
    bool skipped = false;                        // the step was left out
    bool had_ended = false;                      // restart: the subject had by then
    bool operator==(const Observation&) const = default;
};

}  // namespace rogate
