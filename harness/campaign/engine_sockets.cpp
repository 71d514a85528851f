#include "campaign/engine_sockets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/text.hpp"

namespace rogate::campaign {

namespace {

// /var/run is a symlink to /run wherever an engine runs.
std::string without_var(std::string path) {
    return is_or_below(path, "/var/run") ? path.substr(4) : path;
}

// Where the engine is on this machine, symbolic links tell no other story than the engine would.
std::string followed(const std::string& source, const engine::Endpoint& endpoint) {
    if (endpoint.kind != engine::Endpoint::Kind::unix_socket) return source;
    std::error_code failed;
    const auto whole = std::filesystem::canonical(source, failed);
    return failed ? source : whole.string();
}

std::vector<std::string> sockets_of(const engine::Endpoint& endpoint) {
    std::vector<std::string> sockets = {"/run/docker.sock", "/run/podman/podman.sock",
                                        "/run/containerd/containerd.sock"};
    if (endpoint.kind == engine::Endpoint::Kind::unix_socket)
        sockets.push_back(without_var(followed(endpoint.path, endpoint)));
    return sockets;
}

}  // namespace

std::string engine_socket_doubt(const Subject& subject, const engine::Endpoint& endpoint) {
    const auto sockets = sockets_of(endpoint);
    for (const Mount& mount : subject.mounts) {
        if (mount.type != MountType::bind || mount.source.empty()) continue;
        const std::string source = without_var(followed(mount.source, endpoint));
        const bool holds = std::any_of(sockets.begin(), sockets.end(), [&](const std::string& socket) {
            return source == "/" || is_or_below(socket, source);
        });
        if (holds)
            return fmt::format(
                "{} gives the application the engine's socket: containers that it has started can take its "
                "mounts along, and what they write is not seen",
                mount.target);
    }
    return {};
}

}  // namespace rogate::campaign
