#include "engine/credentials.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/base64.hpp"

namespace rogate::engine {

namespace {

using nlohmann::json;

constexpr const char* hub = "index.docker.io";

// "https://index.docker.io/v1/" -> "index.docker.io": config.json has had keys of either kind.
std::string_view host_of_key(std::string_view key) {
    if (const auto mark = key.find("://"); mark != std::string_view::npos) key.remove_prefix(mark + 3);
    return key.substr(0, key.find('/'));
}

std::string text_at(const json& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::optional<json> to_auth_config(const json& entry, const std::string& server) {
    if (!entry.is_object()) return std::nullopt;
    std::string user = text_at(entry, "username"), password = text_at(entry, "password");
    if (const auto decoded = base64_decode(text_at(entry, "auth")); decoded && !decoded->empty()) {
        const auto colon = decoded->find(':');
        if (colon == std::string::npos) return std::nullopt;
        user = decoded->substr(0, colon);
        password = decoded->substr(colon + 1);
        while (password.ends_with('\0'))
            password.pop_back();  // some writers padded with NUL; the docker CLI trims it
    }
    const std::string token = text_at(entry, "identitytoken");
    if (user.empty() && token.empty()) return std::nullopt;  // kept by a credential helper
    json auth = {{"username", user}, {"password", password}, {"serveraddress", server}};
    if (!token.empty()) auth["identitytoken"] = token;
    return auth;
}

}  // namespace

std::string registry_of(std::string_view reference) {
    // As docker tells them apart: the part before the first '/' is a host if it has a '.', a ':' or is
    // "localhost".
    const auto slash = reference.find('/');
    if (slash == std::string_view::npos) return hub;
    const std::string_view first = reference.substr(0, slash);
    if (first.find_first_of(".:") == std::string_view::npos && first != "localhost") return hub;
    return first == "docker.io" ? hub : std::string(first);
}

std::optional<std::string> registry_auth(std::string_view reference, const json& docker_config) {
    if (!docker_config.is_object()) return std::nullopt;
    const auto auths = docker_config.find("auths");
    if (auths == docker_config.end() || !auths->is_object()) return std::nullopt;
    const std::string registry = registry_of(reference);
    for (const auto& [key, entry] : auths->items()) {
        const std::string_view host = host_of_key(key);
        if (host != registry && !(registry == hub && host == "docker.io")) continue;
        const auto auth = to_auth_config(entry, key);
        if (auth)
            return base64_encode(auth->dump(-1, ' ', false, json::error_handler_t::replace), Base64::url);
    }
    return std::nullopt;
}

std::optional<std::string> find_registry_auth(std::string_view reference,
                                              const EnvironmentLookup& environment) {
    auto folder = environment("DOCKER_CONFIG");
    if (!folder || folder->empty()) folder = environment("HOME").value_or("") + "/.docker";
    std::ifstream file(*folder + "/config.json");
    if (!file) return std::nullopt;
    return registry_auth(reference, json::parse(file, nullptr, false));
}

}  // namespace rogate::engine
