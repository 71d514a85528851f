// What the command line says of the user's own tests.
#pragma once

#include <rogate/error.hpp>
#include <rogate/scenario.hpp>
#include <vector>

#include "cli/commands.hpp"
#include "spec/inputs.hpp"

namespace rogate::cli {

// Puts `--test` into the scenarios of an input: its tests are of the whole system. ErrorKind::usage: what
// does not go together, a folder or a file that is not there.
Result<> give_tests(const RunOptions& options, spec::Input& input);

// The names that `--known-failures` gives. ErrorKind::usage: a file that cannot be read.
Result<std::vector<std::string>> names_of_known_failures(const std::vector<std::string>& given);

// Commands of scenario files are run only by somebody who says so on the command line. ErrorKind::usage names
// the first one, and where it is.
Result<> check_consent(bool allowed, const std::vector<Scenario>& scenarios);

}  // namespace rogate::cli
