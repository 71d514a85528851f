#include "campaign/engine_sockets.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "base/text.hpp"
#include "campaign/sources.hpp"

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

std::vector<std::string> speaking(const engine::Endpoint& endpoint) {
    std::vector<std::string> sockets(default_sockets.begin(), default_sockets.end());
    if (endpoint.kind == engine::Endpoint::Kind::unix_socket)
        sockets.push_back(without_var(followed(endpoint.path, endpoint)));
    return sockets;
}

std::vector<std::string> sockets_of(const engine::Endpoint& endpoint) {
    std::vector<std::string> sockets = speaking(endpoint);
    sockets.emplace_back("/run/containerd/containerd.sock");
    return sockets;
}

// The file that a name is, if it is a socket.
std::optional<struct stat> socket_at(const std::string& path) {
    struct stat found {};
    if (lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return std::nullopt;
    return found;
}

// Of this machine.
std::vector<struct stat> sockets_here(const std::vector<std::string>& names,
                                      const engine::Endpoint& endpoint) {
    std::vector<struct stat> sockets;
    if (endpoint.kind != engine::Endpoint::Kind::unix_socket) return sockets;
    for (const std::string& name : names) {
        struct stat found {};
        if (stat(name.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) sockets.push_back(found);
    }
    return sockets;
}

// The same socket under another name: a hard link, or mounted elsewhere. std::filesystem::equivalent knows
// files and folders alone.
bool is_one_of(const std::vector<struct stat>& sockets, const std::string& path) {
    const auto here = socket_at(path);
    return here && std::ranges::any_of(sockets, [&](const struct stat& each) {
               return each.st_dev == here->st_dev && each.st_ino == here->st_ino;
           });
}

// Names that the sockets have below a folder, by hard links and by what is mounted there.
std::vector<std::string> other_names(const std::string& folder, const std::vector<struct stat>& sockets) {
    std::vector<std::string> found;
    std::ifstream table("/proc/self/mountinfo");
    const std::string mountinfo{std::istreambuf_iterator<char>(table), {}};
    for (const Submount& each : submounts_below(folder, mountinfo))
        if (is_one_of(sockets, each.path)) found.push_back(each.path);
    // Without further names nothing has to be searched.
    std::vector<struct stat> linked = sockets;
    std::erase_if(linked, [](const struct stat& each) { return each.st_nlink < 2; });
    if (linked.empty()) return found;
    namespace fs = std::filesystem;
    std::error_code failed;
    fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, failed);
    for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
        std::error_code unknown;
        const fs::file_type type = entry->symlink_status(unknown).type();
        if (type == fs::file_type::socket && is_one_of(linked, entry->path().string()))
            found.push_back(entry->path().string());
        struct stat itself {};
        if (type == fs::file_type::directory && lstat(entry->path().c_str(), &itself) == 0 &&
            std::ranges::none_of(linked,
                                 [&](const struct stat& each) { return each.st_dev == itself.st_dev; }))
            entry.disable_recursion_pending();
    }
    return found;
}

}  // namespace

bool is_engine_socket(const std::string& source, const engine::Endpoint& endpoint) {
    const bool is_local = endpoint.kind == engine::Endpoint::Kind::unix_socket;
    const std::string path = without_var(followed(source, endpoint));
    if (is_local && path == without_var(followed(endpoint.path, endpoint))) return true;
    if (is_one_of(sockets_here(speaking(endpoint), endpoint), path)) return true;
    if (std::ranges::find(default_sockets, path) == default_sockets.end()) return false;
    // Another engine of this machine; where there is none, a bind makes a folder.
    std::error_code unknown;
    return !is_local || std::filesystem::is_socket(path, unknown);
}

std::vector<std::string> engine_sockets_below(const std::string& folder, const engine::Endpoint& endpoint) {
    std::vector<std::string> found;
    if (endpoint.kind != engine::Endpoint::Kind::unix_socket) return found;
    const std::string path = without_var(followed(folder, endpoint));
    const std::vector<std::string> sockets = speaking(endpoint);
    for (const std::string& socket : sockets) {
        std::error_code unknown;
        if (socket == path || !is_or_below(socket, path) || !std::filesystem::is_socket(socket, unknown))
            continue;
        const std::string below = path == "/" ? socket : socket.substr(path.size());
        if (std::ranges::find(found, below) == found.end()) found.push_back(below);
    }
    for (const std::string& name : other_names(path, sockets_here(sockets, endpoint))) {
        const std::string below = path == "/" ? name : name.substr(path.size());
        if (std::ranges::find(found, below) == found.end()) found.push_back(below);
    }
    return found;
}

std::string bound_folder(const engine::VolumeInfo& volume) {
    const auto option = [&](const char* name) {
        const auto found = volume.options.find(name);
        return found == volume.options.end() ? std::string() : found->second;
    };
    // The kernel makes a bind of whatever says `bind`, whatever its type is.
    const std::string options = "," + option("o") + ",", device = option("device");
    const bool binds =
        options.find(",bind,") != std::string::npos || options.find(",rbind,") != std::string::npos;
    return volume.driver == "local" && binds && device.starts_with('/') ? device : std::string();
}

std::string place_on_host(const Mount& mount, const BoundVolumes& bound) {
    if (mount.type == MountType::bind) return mount.source;
    const auto folder = mount.type == MountType::volume ? bound.find(mount.source) : bound.end();
    return folder == bound.end() ? std::string() : folder->second;
}

void put_in(const StandIn& stand_in, std::vector<engine::MountSpec>& mounts) {
    if (stand_in.source.empty()) return;
    std::vector<engine::MountSpec> covers;
    for (engine::MountSpec& mount : mounts) {
        std::string place = mount.source;
        if (mount.type != engine::MountSpec::Type::bind) {
            const auto folder = stand_in.bound.find(mount.source);
            if (folder == stand_in.bound.end()) continue;
            place = folder->second;
        } else if (is_engine_socket(mount.source, stand_in.endpoint)) {
            mount.source = stand_in.source;
            continue;
        }
        for (const std::string& below : engine_sockets_below(place, stand_in.endpoint)) {
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

std::string engine_socket_doubt(const Subject& subject, const engine::Endpoint& endpoint,
                                const BoundVolumes& bound) {
    const std::vector<std::string> sockets = sockets_of(endpoint);
    const std::vector<struct stat> here = sockets_here(sockets, endpoint);
    for (const Mount& mount : subject.mounts) {
        const std::string place = place_on_host(mount, bound);
        if (place.empty()) continue;
        const std::string source = without_var(followed(place, endpoint));
        const bool holds = std::ranges::any_of(
            sockets, [&](const std::string& socket) { return source == "/" || is_or_below(socket, source); });
        if (holds || is_one_of(here, source) || !other_names(source, here).empty())
            return fmt::format(
                "{} gives the application the engine's socket: containers that it has started can take its "
                "mounts along, and what they write is not seen",
                mount.target);
    }
    return {};
}

}  // namespace rogate::campaign
