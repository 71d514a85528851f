// What a step saw of the application.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace rogate {

// How a test of a suite ended.
struct TestOutcome {
    enum class Status : std::uint8_t { passed, skipped, failed };  // failed: JUnit's errors as well
    Status status = Status::passed;
    std::string message;  // why, in one line
    std::string plain;    // its name without its class
    bool operator==(const TestOutcome&) const = default;
};

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
    std::map<std::string, TestOutcome> tests;    // command: by name
    std::map<std::string, std::string> answers;  // pages: "8080/about" -> "200 text/html"
    // pages: "8080/about" -> a hash of what it says, but for numbers and random words.
    std::map<std::string, std::size_t> contents;
    bool operator==(const Observation&) const = default;
};

}  // namespace rogate
