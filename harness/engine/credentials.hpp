// Credentials for registries, from docker's config.json. Plain "auths" only: credential helpers are not
// asked.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "engine/endpoint.hpp"

namespace rogate::engine {

// The registry's host and port: "index.docker.io" for a name without one ("redis", "library/redis").
std::string registry_of(std::string_view reference);

// The value of X-Registry-Auth for pulling `reference`; nullopt when `docker_config` (config.json) holds none
// for its registry.
std::optional<std::string> registry_auth(std::string_view reference, const nlohmann::json& docker_config);

// The same, from the config.json of DOCKER_CONFIG or ~/.docker; nullopt when it is absent or not JSON.
std::optional<std::string> find_registry_auth(std::string_view reference,
                                              const EnvironmentLookup& environment);

}  // namespace rogate::engine
