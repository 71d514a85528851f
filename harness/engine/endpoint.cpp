#include "engine/endpoint.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace rogate::engine {

namespace {

using nlohmann::json;

constexpr const char* default_socket = "/var/run/docker.sock";

std::optional<json> read_json(const std::string& path) {
    std::ifstream file(path);
    if (!file) return std::nullopt;
    json value = json::parse(file, nullptr, false);
    if (value.is_discarded()) return std::nullopt;
    return value;
}

// null when there is none: files of others may hold anything.
json member(const json& object, const char* key) {
    if (!object.is_object()) return {};
    const auto at = object.find(key);
    return at == object.end() ? json() : *at;
}

// The docker CLI keeps each context's metadata in a folder named by the SHA-256 of its name
// (cli/context/store).
std::string sha256_hex(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::string hex;
    for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest.at(i));
    return hex;
}

Result<Endpoint> wrong(std::string_view text, std::string_view why) {
    return fail(ErrorKind::usage, fmt::format("engine address '{}': {}; write unix:///PATH, tcp://HOST:PORT "
                                              "or ssh://[USER@]HOST[:PORT][/SOCKET]",
                                              text, why));
}

Result<Endpoint> parse_authority(Endpoint endpoint, std::string_view text, std::string_view rest,
                                 std::uint16_t port) {
    if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
        endpoint.path = rest.substr(slash);
        while (endpoint.path.ends_with('/')) endpoint.path.pop_back();
        rest = rest.substr(0, slash);
    }
    if (const auto at = rest.find('@'); at != std::string_view::npos) {
        endpoint.user = rest.substr(0, at);
        if (endpoint.user.find(':') != std::string::npos)
            return wrong("…", "a password in it would be seen by everybody; ssh has keys");
        rest = rest.substr(at + 1);
    }
    endpoint.port = port;
    std::string_view port_text;
    if (rest.starts_with('[')) {  // an IPv6 address
        const auto close = rest.find(']');
        if (close == std::string_view::npos) return wrong(text, "the ']' of the IPv6 address is missing");
        endpoint.host = rest.substr(1, close - 1);
        rest.remove_prefix(close + 1);
        if (rest.starts_with(':'))
            port_text = rest.substr(1);
        else if (!rest.empty())
            return wrong(text, fmt::format("'{}' after the IPv6 address", rest));
    } else {
        const auto colon = rest.rfind(':');
        endpoint.host = rest.substr(0, colon);
        if (colon != std::string_view::npos) port_text = rest.substr(colon + 1);
    }
    if (endpoint.host.empty()) return wrong(text, "the host is missing");
    if (!port_text.empty()) {
        unsigned value = 0;
        const auto [end, error] =
            std::from_chars(port_text.data(), port_text.data() + port_text.size(), value);
        if (error != std::errc() || end != port_text.data() + port_text.size() || value == 0 || value > 65535)
            return wrong(text, fmt::format("'{}' is no port", port_text));
        endpoint.port = static_cast<std::uint16_t>(value);
    }
    return endpoint;
}

Result<Endpoint> from_context(const std::string& name, const std::string& config_folder, std::string why) {
    const std::string id = sha256_hex(name);
    const std::string path = config_folder + "/contexts/meta/" + id + "/meta.json";
    if (!std::ifstream(path))
        return fail(ErrorKind::usage,
                    fmt::format("docker context '{}' ({}) does not exist; `docker context ls` lists them",
                                name, why));
    const auto meta = read_json(path);
    if (!meta)
        return fail(ErrorKind::usage,
                    fmt::format("docker context '{}' ({}): {} is not JSON", name, why, path));
    const json docker = member(member(*meta, "Endpoints"), "docker");
    const json address = member(docker, "Host"), skip_verify = member(docker, "SkipTLSVerify");
    const std::string host = address.is_string() ? address.get<std::string>() : std::string();
    if (host.empty())
        return fail(ErrorKind::usage, fmt::format("docker context '{}' names no docker host", name));
    auto endpoint = parse_endpoint(host);
    if (!endpoint)
        return fail(std::move(endpoint.error()).with_context(fmt::format("docker context '{}'", name)));
    endpoint->origin = fmt::format("context '{}'", name);
    const std::string tls = config_folder + "/contexts/tls/" + id + "/docker";
    const bool may_skip = skip_verify.is_boolean() && skip_verify.get<bool>();
    // As the docker client decides it: any file of TLS's, or leave not to verify, means TLS.
    const bool files =
        std::ifstream(tls + "/ca.pem") || std::ifstream(tls + "/cert.pem") || std::ifstream(tls + "/key.pem");
    if (endpoint->kind == Endpoint::Kind::tcp && (files || may_skip)) {
        endpoint->kind = Endpoint::Kind::tls;
        endpoint->cert_path = tls;
    }
    endpoint->tls_verify = !may_skip;
    return endpoint;
}

}  // namespace

std::string Endpoint::published_host() const {
    return kind == Kind::unix_socket || kind == Kind::ssh ? "127.0.0.1" : host;
}

namespace {
std::string bracketed(const std::string& host) {
    return host.find(':') == std::string::npos ? host : "[" + host + "]";
}
}  // namespace

std::string Endpoint::authority() const {
    return fmt::format("{}:{}", bracketed(host), port);
}

std::string Endpoint::to_string() const {
    switch (kind) {
        case Kind::unix_socket:
            return "unix://" + path;
        case Kind::tcp:
        case Kind::tls:
            return fmt::format("tcp://{}{}", authority(), path);
        case Kind::ssh:
            return fmt::format("ssh://{}{}{}{}", user.empty() ? "" : user + "@", bracketed(host),
                               port == 0 ? "" : fmt::format(":{}", port), path);
    }
    return {};
}

Result<Endpoint> parse_endpoint(std::string_view text) {
    Endpoint endpoint;
    const auto mark = text.find("://");
    if (mark == std::string_view::npos) return wrong(text, "the scheme is missing");
    const std::string_view scheme = text.substr(0, mark), rest = text.substr(mark + 3);
    if (scheme == "unix") {
        if (!rest.starts_with('/')) return wrong(text, "the path of the socket must be absolute");
        endpoint.path = rest;
        return endpoint;
    }
    if (scheme == "tcp" || scheme == "http") {
        endpoint.kind = Endpoint::Kind::tcp;
        return parse_authority(endpoint, text, rest, 2375);
    }
    if (scheme == "https") {
        endpoint.kind = Endpoint::Kind::tls;
        return parse_authority(endpoint, text, rest, 2376);
    }
    if (scheme == "ssh") {
        endpoint.kind = Endpoint::Kind::ssh;
        // Without a port it is ssh's configuration that says it.
        return parse_authority(endpoint, text, rest, 0);
    }
    return wrong(text, fmt::format("'{}' is no scheme of an engine's address", scheme));
}

namespace {

std::optional<std::string> set(const EnvironmentLookup& environment, const char* name) {
    auto value = environment(name);
    if (value && value->empty()) value.reset();
    return value;
}

Endpoint default_endpoint() {
    Endpoint endpoint;
    endpoint.path = default_socket;
    endpoint.origin = "default";
    return endpoint;
}

}  // namespace

std::string docker_folder(const EnvironmentLookup& environment) {
    return set(environment, "DOCKER_CONFIG").value_or(set(environment, "HOME").value_or("") + "/.docker");
}

Result<Endpoint> find_endpoint(const std::optional<std::string>& host, const EnvironmentLookup& environment) {
    const std::string folder = docker_folder(environment);
    std::optional<std::string> address = host, origin = "--host";
    if (!address) {
        address = set(environment, "DOCKER_HOST");
        origin = "DOCKER_HOST";
    }
    if (address) {
        auto endpoint = parse_endpoint(*address);
        if (!endpoint) return fail(std::move(endpoint.error()).with_context(*origin));
        endpoint->origin = *origin;
        if (endpoint->kind == Endpoint::Kind::tcp && set(environment, "DOCKER_TLS_VERIFY"))
            endpoint->kind = Endpoint::Kind::tls;
        if (endpoint->kind == Endpoint::Kind::tls)
            endpoint->cert_path = set(environment, "DOCKER_CERT_PATH").value_or(folder);
        return endpoint;
    }
    const auto context = set(environment, "DOCKER_CONTEXT");
    if (context && *context != "default") return from_context(*context, folder, "from DOCKER_CONTEXT");
    if (const auto config = read_json(folder + "/config.json"); config && config->is_object() && !context) {
        const auto current = config->find("currentContext");
        if (current != config->end() && current->is_string() && *current != "" && *current != "default")
            return from_context(*current, folder, "the current one in " + folder + "/config.json");
    }
    return default_endpoint();
}

Result<Endpoint> endpoint_of_context(const std::string& name, const EnvironmentLookup& environment) {
    if (name == "default") return default_endpoint();
    return from_context(name, docker_folder(environment), "from --context");
}

}  // namespace rogate::engine
