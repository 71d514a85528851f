// A scenario to begin with, as a text: what rogate would exercise of a container by itself, with comments
// that say what to fill in. Pure.
#pragma once

#include <rogate/error.hpp>
#include <rogate/system.hpp>
#include <string>
#include <vector>

namespace rogate::init {

// A draft has no more lines than fit on a screen.
inline constexpr int most_lines = 45;

// The subject when nobody names one: the container at the front. It goes on, and none waits for it; it has a
// port, best one where HTTP is spoken, and of a pod one that a Service leads to. Of several, the one that
// starts last. Null: the system has no containers.
const SystemContainer* subject_of(const System& system);

// The container of this name: a service, or of manifests WORKLOAD/CONTAINER, a workload or a container.
// ErrorKind::usage: there is none, or there are several.
Result<const SystemContainer*> subject_of(const System& system, const std::string& name);

struct Draft {
    std::string folder;   // of these files, absolute: where a project lies says nothing of its mounts
    std::string command;  // that the scenario was begun with, for its heading
    std::vector<std::string> files;     // Compose files or manifests, as the scenario names them
    std::vector<std::string> profiles;  // of a Compose file, that are on
    std::vector<std::string> left_out;  // `without`
};

// `container` is one of the system's.
std::string text_of(const System& system, const SystemContainer& container, const Draft& draft);

}  // namespace rogate::init
