// One service of a merged Compose model -> Subject.
#pragma once

#include <rogate/scenario.hpp>
#include <string>
#include <vector>

#include "spec/compose_loader.hpp"

namespace rogate::spec {

struct ComposeService {
    Subject subject;
    std::vector<Dependency> after;      // required ones, and those of links and volumes_from
    std::vector<std::string> optional;  // of `after`: left out if the project does not start them
    std::vector<std::pair<std::string, bool>> volumes_from;         // service, read-only
    std::vector<std::pair<std::string, std::string>> link_aliases;  // service, its other name
    std::vector<std::string> without_effect;                        // keys
    std::optional<std::int64_t> grace_ms;
    RestartPolicy restart;
};

// `model`: what ComposeLoader::load() made.
ComposeService read_compose_service(const std::string& name, const Value& service, const Value& model,
                                    const ComposeLoader& loader, const Context& context);

}  // namespace rogate::spec
