// Options that the command line leaves open: from the environment (ROGATE_…), then from the project file,
// then the default.
#pragma once

#include <CLI/App.hpp>
#include <rogate/error.hpp>
#include <string>
#include <vector>

namespace rogate::cli {

struct Held {
    std::string option, value, from;  // "jobs", "4", "ROGATE_JOBS"
};

// Gives such options of `app` and of `run` (the subcommand whose options a project sets) the values that
// hold, and tells all that may be set. Options that were given on the command line stay as they are.
Result<std::vector<Held>> apply_settings(CLI::App& app, CLI::App& run);

int config_command(const std::vector<Held>& held);

}  // namespace rogate::cli
