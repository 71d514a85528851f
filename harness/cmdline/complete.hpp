// What a shell may offer for the word under the cursor. The scripts of the shells only ask, so that they need
// not know any option.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <vector>

namespace rogate::cmdline {

// What has to be asked elsewhere. Each may answer nothing.
struct Sources {
    std::function<std::vector<std::string>()> containers;
    // Services of the Compose files among these words, or of the one in the current folder.
    std::function<std::vector<std::string>(const std::vector<std::string>& files)> services;
    std::function<std::vector<std::string>()> topics;
};

struct Completion {
    std::vector<std::string> words;  // those that begin like the word under the cursor
    bool files = false;              // names of files, too
    bool operator==(const Completion&) const = default;
};

// `words`: those behind `rogate`, the last one is under the cursor and may be empty.
Completion complete(const CLI::App& app, const std::vector<std::string>& words, const Sources& sources);

// The script for "bash", "zsh" or "fish".
std::string completion_script(const std::string& shell);

}  // namespace rogate::cmdline
