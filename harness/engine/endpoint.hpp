// Where the engine is: DOCKER_HOST, docker contexts, the default socket.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <rogate/error.hpp>
#include <string>
#include <string_view>

namespace rogate::engine {

struct Endpoint {
    enum class Kind { unix_socket, tcp, tls, ssh };
    Kind kind = Kind::unix_socket;
    std::string path;        // unix socket (ssh: the other side's, empty: its default); prefix of a tcp URL
    std::string host;        // tcp, tls, ssh
    std::uint16_t port = 0;  // ssh: 0 when its configuration is to say it
    std::string user;        // ssh
    std::string
        origin;  // where it was found, for messages: "DOCKER_HOST", "context 'staging'", "default", "--host"
    std::string cert_path;  // tls: folder with ca.pem, cert.pem, key.pem
    bool tls_verify = true;
    // The name or address under which the engine's published ports are reached from here.
    std::string published_host() const;
    // "host:port", an IPv6 address in brackets.
    std::string authority() const;
    // As docker writes it: "unix:///var/run/docker.sock", "tcp://host:2375".
    std::string to_string() const;
    bool operator==(const Endpoint&) const = default;
};

// "unix:///path", "tcp://host[:port]", "ssh://[user@]host[:port][/socket]", "http(s)://…"; else usage.
Result<Endpoint> parse_endpoint(std::string_view text);

using EnvironmentLookup = std::function<std::optional<std::string>(const std::string&)>;

// The docker client's: DOCKER_CONFIG, or .docker in HOME.
std::string docker_folder(const EnvironmentLookup& environment);

// What the docker CLI would use: `host` (--host) if given, DOCKER_HOST, DOCKER_CONTEXT, the current context
// of config.json, else the default socket. DOCKER_TLS_VERIFY and DOCKER_CERT_PATH apply to tcp.
Result<Endpoint> find_endpoint(const std::optional<std::string>& host, const EnvironmentLookup& environment);

// A docker context that is named (--context): what DOCKER_HOST and DOCKER_CONTEXT say does not count then.
// ErrorKind::usage when there is none of that name, or it names no engine.
Result<Endpoint> endpoint_of_context(const std::string& name, const EnvironmentLookup& environment);

}  // namespace rogate::engine
