// What the fake engine mounts, and where the things that a container sees lie on its host.
#include <fmt/format.h>

#include <algorithm>

#include "support/fake_engine.hpp"

namespace rogate::test {

bool is_mounted_at(const std::string& path, const std::string& target) {
    return target == "/" || path == target || (path.starts_with(target) && path[target.size()] == '/');
}

std::string FakeEngine::mountpoint(const std::string& volume) {
    return "/var/lib/docker/volumes/" + volume + "/_data";
}

namespace {

// "lowerdir=a:b,upperdir=c,workdir=d,…", the upper one first.
std::vector<std::string> layers_of(const std::string& options, std::vector<std::string>* others) {
    std::string lower, upper, work;
    std::size_t begin = 0;
    while (begin < options.size()) {
        const std::size_t end = std::min(options.find(',', begin), options.size());
        const std::string option = options.substr(begin, end - begin);
        begin = end + 1;
        const std::string name = option.substr(0, option.find('=')),
                          value = option.substr(option.find('=') + 1);
        if (name == "lowerdir")
            lower = value;
        else if (name == "upperdir")
            upper = value;
        else if (name != "workdir")
            others->push_back(name);
    }
    std::vector<std::string> layers{upper};
    for (std::size_t at = 0; at < lower.size();) {
        const std::size_t end = std::min(lower.find(':', at), lower.size());
        layers.push_back(lower.substr(at, end - at));
        at = end + 1;
    }
    return layers;
}

}  // namespace

// A volume can be a folder of the host's by another name.
bool FakeEngine::is_bound(const FakeVolume& volume) {
    return volume.options.contains("o") && volume.options.at("o").starts_with("bind");
}

Place FakeEngine::place_of_volume(const FakeVolume& volume) const {
    if (is_bound(volume)) return {{volume.options.at("device")}};
    std::vector<std::string> others;
    if (volume.options.contains("o")) return {layers_of(volume.options.at("o"), &others)};
    return {{mountpoint(volume.name)}};
}

// Below the mount point of a volume with options there is something only while a container has it.
Place FakeEngine::place_on_host(const std::string& path) const {
    for (const auto& [id, container] : containers) {
        if (!container.runs()) continue;
        for (const FakeMount& mount : container.mounts)
            if (const auto volume = volumes.find(mount.source); mount.is_volume && volume != volumes.end())
                if (const std::string at = mountpoint(mount.source); is_mounted_at(path, at))
                    return place_of_volume(volume->second).inside(path.substr(at.size()));
    }
    return {{path}};
}

Place FakeEngine::place_of(const FakeMount& mount) const {
    Place found{{mount.source}};
    if (mount.is_volume) {
        const auto volume = volumes.find(mount.source);
        found = volume == volumes.end() ? Place{{mountpoint(mount.source)}} : place_of_volume(volume->second);
    } else if (!mount.is_tmpfs) {
        found = place_on_host(mount.source);
    }
    found.read_only = mount.read_only;
    return found;
}

Place FakeEngine::place(const FakeContainer& container, const std::string& path) const {
    const FakeMount* best = nullptr;
    for (const FakeMount& mount : container.mounts)
        if (is_mounted_at(path, mount.target) &&
            (best == nullptr || mount.target.size() > best->target.size()))
            best = &mount;
    if (best != nullptr) return place_of(*best).inside(path.substr(best->target.size()));
    const FakeImage* image = image_named(container.image);
    Place root{{"/containers/" + container.id, "/images/" + (image == nullptr ? "" : image->id)}};
    root.read_only = container.read_only_root;
    return root.inside(path == "/" ? "" : path);
}

std::string FakeEngine::mount_of(const FakeContainer& container, const std::string& path) const {
    std::string best = "/";
    for (const FakeMount& mount : container.mounts)
        if (is_mounted_at(path, mount.target) && mount.target.size() > best.size()) best = mount.target;
    return best;
}

std::string FakeEngine::why_not_mounted(const FakeContainer& container) const {
    for (const FakeMount& mount : container.mounts) {
        if (!mount.is_volume) {
            if (!mount.is_tmpfs && disk.look(place_on_host(mount.source)) == nullptr)
                return fmt::format("error mounting \"{}\": no such file or directory", mount.source);
            continue;
        }
        const auto volume = volumes.find(mount.source);
        if (volume == volumes.end())
            return fmt::format("error while mounting volume: no such volume {}", mount.source);
        if (!volume->second.options.contains("o") || is_bound(volume->second)) continue;
        std::vector<std::string> options;
        const auto layers = layers_of(volume->second.options.at("o"), &options);
        const auto failed = [&](const char* why) {
            return fmt::format("error while mounting volume '{}': failed to mount local volume: {}",
                               mountpoint(mount.source), why);
        };
        for (const std::string& layer : layers)
            if (const Node* node = disk.find(layer); node == nullptr || node->kind != Node::Kind::folder)
                return failed("no such file or directory");
        const auto is_unknown = [&](const std::string& option) { return !overlay_options.contains(option); };
        if (!mounts_overlays || std::ranges::any_of(options, is_unknown)) return failed("invalid argument");
    }
    return {};
}

// As runc does it: in what is mounted already, as far as that lets it. The root is made read-only afterwards.
std::string FakeEngine::make_mount_points(FakeContainer& container) {
    std::vector<FakeMount> all;
    std::swap(all, container.mounts);
    const bool read_only_root = std::exchange(container.read_only_root, false);
    std::string why;
    for (const FakeMount& mount : all) {
        const Place at = place(container, mount.target);
        const Place source = place_of(mount);
        if (why.empty() && disk.look(at) == nullptr) {
            const Node* node = disk.look(source);
            const bool is_folder = node == nullptr || node->kind == Node::Kind::folder;
            if (at.read_only)
                why = fmt::format(
                    "OCI runtime create failed: error mounting \"{}\" to rootfs: mkdir {}: read-only file "
                    "system",
                    mount.source, mount.target);
            else
                disk.write(at, is_folder ? folder() : file(""));
        }
        container.mounts.push_back(mount);
    }
    container.read_only_root = read_only_root;
    return why;
}

// A volume that is empty gets what the image has there.
void FakeEngine::fill_from_image(const FakeContainer& container, const FakeMount& mount) {
    const auto volume = volumes.find(mount.source);
    const FakeImage* image = image_named(container.image);
    if (volume == volumes.end() || image == nullptr) return;
    const Place to = place_of_volume(volume->second);
    if (disk.below(to).size() > 1) return;
    for (auto& [path, node] : disk.below("/images/" + image->id + mount.target))
        disk.write(to.inside(path), std::move(node));
}

const FakeEngine::HostMount& FakeEngine::host_mount_of(const std::string& path, std::string* at) const {
    static const HostMount root;
    const HostMount* best = &root;
    for (const auto& [point, mount] : host_mounts)
        if (is_mounted_at(path, point) && point.size() > at->size()) {
            *at = point;
            best = &mount;
        }
    return *best;
}

}  // namespace rogate::test
