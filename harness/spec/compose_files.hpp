// The Compose files of a folder.
#pragma once

#include <string>
#include <vector>

#include "spec/surroundings.hpp"

namespace rogate::spec {

struct ComposeFiles {
    std::vector<std::string> files;  // relative to the folder, in the order in which they are merged
    std::vector<std::string> notes;
};

// As docker compose finds them: what COMPOSE_FILE says, else the first of the usual names and the first of
// the usual overrides (compose-go: cli.DefaultFileNames). No files: there is no project.
ComposeFiles compose_files_in(const std::string& folder, const Surroundings& surroundings);

}  // namespace rogate::spec
