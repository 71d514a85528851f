// Commands of the user's that are run on rogate's machine: those of a scenario's steps, and `--test`.
#pragma once

#include <rogate/error.hpp>
#include <rogate/scenario.hpp>
#include <string>
#include <vector>

#include "spec/fields.hpp"

namespace rogate::spec {

// Of a test suite; a step may say otherwise.
inline constexpr std::int64_t command_timeout_ms = 600'000;

// [npm, run, e2e], a string for the shell, or a mapping with `run`, `directory`, `environment`, `junit` and
// `known_failures`. Relative names start at the scenario file's folder, which is also where the command runs.
std::optional<Action> read_host_command(const Value& value, const std::string& where, const Context& context);

// FILE|NAME: the name of a test, or a file (relative to `folder`) with one in a line; empty lines and those
// that begin with '#' say nothing. ErrorKind::usage: a file that cannot be read, or names nothing.
Result<std::vector<std::string>> known_failures(const std::string& given, const std::string& folder,
                                                const FileReader& read_file);

// What the command line says of tests.
struct GivenTests {
    std::vector<std::string> commands;  // for the shell, one after the other
    std::string directory;              // absolute
    std::vector<std::string> junit, known_failures;
    std::int64_t timeout_ms = command_timeout_ms;  // of each
};

// Behind the scenario's own steps, and before a pod's last hook. They are steps that no file declares.
void add_tests(const GivenTests& given, Scenario& scenario);

// Where a file declares the first command that would be run on rogate's machine; nullptr: none does.
const Step* first_command(const std::vector<Step>& steps);

}  // namespace rogate::spec
