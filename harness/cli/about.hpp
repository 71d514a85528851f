// Help, manual pages and completions: what rogate says of itself.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "cli/commands.hpp"

namespace rogate::cli {

struct HelpOptions {
    std::string topic;      // a command or a topic; empty: all of rogate
    std::string man_pages;  // --man-pages DIR: write them there; empty: do not
};

struct CompletionOptions {
    std::string shell;
};

int help_command(const CLI::App& app, const HelpOptions& options);
int completion_command(const CompletionOptions& options);
// `rogate __complete WORD…`, which the shells' scripts call.
int complete_command(const CLI::App& app, const Global& global, const std::vector<std::string>& words);

}  // namespace rogate::cli
