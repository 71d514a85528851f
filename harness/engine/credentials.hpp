// Credentials for registries, as the docker client finds them: in config.json, or by the helper that it
// names.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "engine/transport.hpp"

namespace rogate::engine {

struct RegistryCredentials {
    std::optional<std::string> header;  // the value of X-Registry-Auth for a pull
    std::string trouble;  // why there are none although there should be; told when the pull fails
};

// The registry's host and port: "index.docker.io" for a name without one ("redis", "library/redis").
std::string registry_of(std::string_view reference);

// The value of X-Registry-Auth for pulling `reference`; nullopt when `docker_config` (config.json) holds none
// for its registry.
std::optional<std::string> registry_auth(std::string_view reference, const nlohmann::json& docker_config);

// "docker-credential-NAME" when `docker_config` names a helper for the registry of `reference`, in
// credHelpers or for all of them in credsStore; empty otherwise. `key` says where, for messages.
struct CredentialHelper {
    std::string program;
    std::string key;
    std::string server;  // what it is asked for
};
CredentialHelper credential_helper(std::string_view reference, const nlohmann::json& docker_config);

// Puts "***" in place of what the header holds but the user's name, as it is and in base64: an engine may
// repeat what the registry said of it.
void mask_credentials(std::string& text, const RegistryCredentials& credentials);

// How long a helper may take: it may ask its user, in a window of its own.
constexpr std::chrono::milliseconds helper_patience(30'000);

// From the config.json of DOCKER_CONFIG or ~/.docker, without a header when it is absent or has none. What
// went wrong is no error yet, since the registry may be open to all.
Task<RegistryCredentials> find_registry_auth(std::string reference, EnvironmentLookup environment,
                                             std::chrono::milliseconds patience = helper_patience);

}  // namespace rogate::engine
