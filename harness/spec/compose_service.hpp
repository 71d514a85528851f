// One service of a merged Compose model -> Subject.
#pragma once

#include <rogate/scenario.hpp>
#include <string>
#include <vector>

#include "spec/compose_loader.hpp"

namespace rogate::spec {

struct ComposeService {
    Subject subject;
    // Those of depends_on, links, volumes_from and network_mode. One that is not required is left out if the
    // project does not start it.
    std::vector<Dependency> after;
    std::vector<std::pair<std::string, bool>> volumes_from;         // service, read-only
    std::vector<std::pair<std::string, std::string>> link_aliases;  // service, its other name
    std::vector<std::string> without_effect;                        // keys
    std::vector<std::string> networks;                              // of the file; none: of another, or none
    std::optional<std::int64_t> grace_ms;
    RestartPolicy restart;
};

// `model`: what ComposeLoader::load() made.
ComposeService read_compose_service(const std::string& name, const Value& service, const Value& model,
                                    const ComposeLoader& loader, const Context& context);

}  // namespace rogate::spec
