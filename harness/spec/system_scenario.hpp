// A scenario file about all containers of a Compose project or of manifests: it says which mounts are tried,
// and rogate exercises the containers by itself.
#pragma once

#include "spec/candidates.hpp"

namespace rogate::spec {

struct SystemScenario {
    std::string name, description;  // empty: not given
    System system;
    std::vector<AskedCandidate> candidates;
    std::map<std::string, std::string> variables;
};

// Nothing: it is about one container, or no such file, and is read as an ordinary scenario. It is about all
// of them when it has `candidates` and its `subject` names neither a service nor a workload, though there are
// several. What is wrong is told to the context's problems.
std::optional<SystemScenario> read_system_scenario(std::string_view text, const Context& context);

}  // namespace rogate::spec
