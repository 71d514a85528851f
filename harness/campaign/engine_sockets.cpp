#include "campaign/engine_sockets.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
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

// Those that speak the Engine API, beside the endpoint's own.
constexpr std::array default_sockets = {"/run/docker.sock", "/run/podman/podman.sock"};

std::vector<std::string> sockets_of(const engine::Endpoint& endpoint) {
    std::vector<std::string> sockets(default_sockets.begin(), default_sockets.end());
    sockets.emplace_back("/run/containerd/containerd.sock");
    if (endpoint.kind == engine::Endpoint::Kind::unix_socket)
        sockets.push_back(without_var(followed(endpoint.path, endpoint)));
    return sockets;
}

// The same socket under another name: a hard link, or mounted elsewhere. std::filesystem::equivalent knows
// files and folders alone.
bool is_same(const std::string& path, const std::string& other) {
    struct stat here {
    }, there{};
    return stat(path.c_str(), &here) == 0 && S_ISSOCK(here.st_mode) && stat(other.c_str(), &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

}  // namespace

bool is_engine_socket(const std::string& source, const engine::Endpoint& endpoint) {
    const bool is_local = endpoint.kind == engine::Endpoint::Kind::unix_socket;
    const std::string path = without_var(followed(source, endpoint));
    if (is_local && path == without_var(followed(endpoint.path, endpoint))) return true;
    if (is_local &&
        (is_same(path, endpoint.path) ||
         std::ranges::any_of(default_sockets, [&](const char* each) { return is_same(path, each); })))
        return true;
    if (std::ranges::find(default_sockets, path) == default_sockets.end()) return false;
    // Another engine of this machine; where there is none, a bind makes a folder.
    std::error_code unknown;
    return !is_local || std::filesystem::is_socket(path, unknown);
}

std::vector<std::string> engine_sockets_below(const std::string& folder, const engine::Endpoint& endpoint) {
    std::vector<std::string> found;
    if (endpoint.kind != engine::Endpoint::Kind::unix_socket) return found;
    const std::string path = without_var(followed(folder, endpoint));
    std::vector<std::string> sockets(default_sockets.begin(), default_sockets.end());
    sockets.push_back(without_var(followed(endpoint.path, endpoint)));
    for (const std::string& socket : sockets) {
        std::error_code unknown;
        if (socket == path || !is_or_below(socket, path) || !std::filesystem::is_socket(socket, unknown))
            continue;
        const std::string below = path == "/" ? socket : socket.substr(path.size());
        if (std::ranges::find(found, below) == found.end()) found.push_back(below);
    }
    return found;
}

void put_in(const StandIn& stand_in, std::vector<engine::MountSpec>& mounts) {
    if (stand_in.source.empty()) return;
    std::vector<engine::MountSpec> covers;
    for (engine::MountSpec& mount : mounts) {
        if (mount.type != engine::MountSpec::Type::bind) continue;
        if (is_engine_socket(mount.source, stand_in.endpoint)) {
            mount.source = stand_in.source;
            continue;
        }
        for (const std::string& below : engine_sockets_below(mount.source, stand_in.endpoint)) {
            engine::MountSpec cover;
            cover.source = stand_in.source;
            cover.target = (mount.target == "/" ? "" : mount.target) + below;
            const bool is_there =
                std::ranges::find(mounts, cover.target, &engine::MountSpec::target) != mounts.end();
            if (!is_there) covers.push_back(std::move(cover));
        }
    }
    for (engine::MountSpec& cover : covers) mounts.push_back(std::move(cover));
}

std::string engine_socket_doubt(const Subject& subject, const engine::Endpoint& endpoint) {
    const auto sockets = sockets_of(endpoint);
    for (const Mount& mount : subject.mounts) {
        if (mount.type != MountType::bind || mount.source.empty()) continue;
        const std::string source = without_var(followed(mount.source, endpoint));
        const bool holds = std::any_of(sockets.begin(), sockets.end(), [&](const std::string& socket) {
            return source == "/" || is_or_below(socket, source) ||
                   (endpoint.kind == engine::Endpoint::Kind::unix_socket && is_same(source, socket));
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
