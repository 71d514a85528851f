// The modes of a Compose project's mounts, as docker compose would see them: with the variables of its .env,
// with all that it extends and includes, and with what its volumes' driver_opts say. Pure but for the reader.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "change/change.hpp"
#include "spec/surroundings.hpp"

namespace rogate::change {

enum class Mode { writable, read_only, unknown };

struct ProjectMount {
    Mode mode = Mode::writable;
    SourcePlace declared;
    std::string variables;  // unknown: those that it may depend on and that nothing sets
};
using ProjectModes = std::map<std::pair<std::string, std::string>, ProjectMount>;  // by service and target

struct ProjectFile {
    std::string name, path;  // as messages call it; absolute
    spec::FileReader read;   // of that revision
};

// Nothing: it cannot be read as a project.
std::optional<ProjectModes> modes_of(const ProjectFile& file);

struct ProjectChanges {
    std::vector<Change> changes;         // without their `path`
    std::vector<std::string> not_known;  // "web /data (compose.yaml:5:16): …"
};
// `was`: nothing if the project could not be read then. `changed`: the file itself was.
ProjectChanges compare_modes(const std::optional<ProjectModes>& was, const ProjectModes& now, bool changed);

}  // namespace rogate::change
