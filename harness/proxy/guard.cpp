#include "proxy/guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace rogate::proxy {

namespace {

using nlohmann::json;

const json& at(const json& object, const char* key) {
    static const json none;
    if (!object.is_object()) return none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}

std::string text(const json& object, const char* key) {
    const json& value = at(object, key);
    return value.is_string() ? value.get<std::string>() : std::string();
}

bool truth(const json& object, const char* key) {
    const json& value = at(object, key);
    return value.is_boolean() && value.get<bool>();
}

// What every engine has.
bool is_everybodys_network(const std::string& name) {
    return name.empty() || name == "default" || name == "bridge" || name == "host" || name == "none" ||
           name == "podman";
}

std::string lower(std::string word) {
    for (char& c : word)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return word;
}

// Go's decoder takes a key in any case of its letters, and counts two letters beyond ASCII among them
// (encoding/json: a long s is an s, a Kelvin sign a k).
Result<> check_keys(const json& object, const std::vector<std::string>& known) {
    if (!object.is_object()) return {};
    for (const auto& [key, value] : object.items()) {
        if (std::ranges::any_of(key, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
            return fail(ErrorKind::usage, fmt::format("'{}' is no key of the Engine API", key));
        for (const std::string& each : known)
            if (key != each && lower(key) == lower(each))
                return fail(ErrorKind::usage, fmt::format("'{}' has to be written '{}'", key, each));
    }
    return {};
}

std::vector<std::string> parts_of(std::string_view text, char at) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(at, begin), text.size());
        parts.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

bool is_empty(const json& value) {
    return value.is_null() || value.empty() || (value.is_string() && value.get<std::string>().empty());
}

void add_namespace(Reach& reach, const std::string& mode) {
    constexpr std::string_view joins = "container:";
    if (mode.starts_with(joins)) reach.containers.push_back(mode.substr(joins.size()));
}

// Containers with a mode or an alias behind a colon.
void add_named(Reach& reach, const json& list) {
    for (const json& each : list) {
        if (!each.is_string()) continue;
        const std::string named = each.get<std::string>();
        reach.containers.push_back(named.substr(0, named.find(':')));
    }
}

// Of the options of a mount, those that name nothing else of the host ("lowerdir=/etc" does).
bool is_plain_option(std::string_view option) {
    constexpr std::array plain = {
        "ro",      "rw",         "suid",     "nosuid",  "dev",   "nodev",    "exec",   "noexec", "atime",
        "noatime", "nodiratime", "relatime", "private", "slave", "rprivate", "rslave", ""};
    constexpr std::array with_value = {"size=", "mode=", "uid=", "gid=", "nr_inodes=", "nr_blocks="};
    return std::ranges::find(plain, option) != plain.end() ||
           std::ranges::any_of(with_value, [&](const char* each) { return option.starts_with(each); });
}

// Of a volume of the driver `local`, whose options are those of mount(8). The kernel makes a bind of whatever
// says `bind`, whatever its type is.
Result<> add_driver(Reach& reach, const std::string& driver, const json& options) {
    if (!driver.empty() && driver != "local")
        return fail(ErrorKind::refused, fmt::format("a volume of the driver '{}'", driver));
    if (is_empty(options)) return {};
    const std::string device = text(options, "device"), type = text(options, "type");
    bool is_bind = false;
    for (const std::string& option : parts_of(text(options, "o"), ',')) {
        if (option == "bind" || option == "rbind")
            is_bind = true;
        else if (!is_plain_option(option))
            return fail(ErrorKind::refused, fmt::format("a volume with the option '{}'", option));
    }
    if (!is_bind && type == "tmpfs") return {};
    if (!is_bind || !device.starts_with('/'))
        return fail(ErrorKind::refused, "a volume of another file system");
    reach.sources.push_back(device);
    return {};
}

Result<> add_mount(Reach& reach, const json& mount) {
    if (auto checked = check_keys(mount, {"Type", "Source", "Target", "VolumeOptions"}); !checked)
        return checked;
    const std::string type = text(mount, "Type"), source = text(mount, "Source");
    if (type == "tmpfs") return {};
    if (type == "bind") {
        reach.sources.push_back(source);
        return {};
    }
    if (type != "volume") return fail(ErrorKind::refused, fmt::format("a mount of the type '{}'", type));
    if (!source.empty()) reach.volumes.push_back(source);
    const json& options = at(mount, "VolumeOptions");
    if (auto checked = check_keys(options, {"DriverConfig"}); !checked) return checked;
    const json& driver = at(options, "DriverConfig");
    if (auto checked = check_keys(driver, {"Name", "Options"}); !checked) return checked;
    return add_driver(reach, text(driver, "Name"), at(driver, "Options"));
}

// What the engine keeps from a container below /proc and /sys, unless a list says otherwise. One that is made
// from another one's inspection has the engine's own, which is longer in newer ones.
Result<> check_system_paths(const json& host) {
    const std::map<const char*, std::vector<const char*>> kept = {
        {"MaskedPaths", {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"}},
        {"ReadonlyPaths", {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}};
    for (const auto& [key, paths] : kept) {
        const json& list = at(host, key);
        if (list.is_null()) continue;
        for (const char* path : paths)
            if (std::ranges::find(list, json(path)) == list.end())
                return fail(ErrorKind::refused, fmt::format("a container that has {} open", path));
    }
    return {};
}

Result<> add_host(Reach& reach, const json& host) {
    if (auto checked =
            check_keys(host, {"Binds",        "Mounts",       "VolumesFrom",    "Links",
                              "NetworkMode",  "PidMode",      "IpcMode",        "UTSMode",
                              "UsernsMode",   "CgroupnsMode", "CgroupParent",   "Cgroup",
                              "Privileged",   "Devices",      "DeviceRequests", "DeviceCgroupRules",
                              "VolumeDriver", "CapAdd",       "SecurityOpt",    "MaskedPaths",
                              "ReadonlyPaths"});
        !checked)
        return checked;
    if (auto checked = check_system_paths(host); !checked) return checked;
    if (truth(host, "Privileged")) return fail(ErrorKind::refused, "a privileged container");
    for (const char* key : {"PidMode", "IpcMode", "UTSMode", "UsernsMode"})
        if (text(host, key) == "host") return fail(ErrorKind::refused, fmt::format("{} 'host'", key));
    for (const char* key : {"Devices", "DeviceRequests", "DeviceCgroupRules", "CapAdd", "SecurityOpt",
                            "CgroupParent", "Cgroup"})
        if (!is_empty(at(host, key)))
            return fail(ErrorKind::refused, fmt::format("a container with {}", key));
    for (const char* key : {"PidMode", "IpcMode", "UTSMode", "NetworkMode"})
        add_namespace(reach, text(host, key));
    if (const std::string mode = text(host, "NetworkMode"); !mode.starts_with("container:"))
        reach.networks.push_back(mode);
    add_named(reach, at(host, "VolumesFrom"));
    add_named(reach, at(host, "Links"));
    for (const json& each : at(host, "Binds")) {
        if (!each.is_string()) continue;
        const std::string bind = each.get<std::string>();
        const std::size_t colon = bind.find(':');
        if (colon == std::string::npos) continue;  // an anonymous volume
        const std::string source = bind.substr(0, colon);
        (source.starts_with('/') || source.starts_with('.') || source.starts_with('~') ? reach.sources
                                                                                       : reach.volumes)
            .push_back(source);
    }
    for (const json& each : at(host, "Mounts"))
        if (auto added = add_mount(reach, each); !added) return added;
    return add_driver(reach, text(host, "VolumeDriver"), json());
}

}  // namespace

Wanted wanted(std::string_view method, const Call& call) {
    const std::vector<std::string>& path = call.path;
    const bool is_get = method == "GET" || method == "HEAD", is_post = method == "POST";
    const bool is_put = method == "PUT", is_delete = method == "DELETE";
    // "..", and what an engine would take apart once more.
    for (const std::string& each : path)
        if (each == "." || each == ".." || each.find('\0') != std::string::npos ||
            (each.find('/') != std::string::npos && path.front() != "images"))
            return {};
    const auto is = [&](std::size_t place, std::string_view word) {
        return path.size() > place && path[place] == word;
    };
    if (path.size() == 1) {
        if (is_get && (is(0, "_ping") || is(0, "version") || is(0, "info"))) return {.access = Access::pass};
        if (is_post && is(0, "auth")) return {.access = Access::pass};
        if (is_get && is(0, "events")) return {.access = Access::events};
        if (is_get && is(0, "networks")) return {.access = Access::list_networks};
        if (is_get && is(0, "volumes")) return {.access = Access::list_volumes};
        return {};
    }
    if (path.size() == 2) {
        if (is_get && is(0, "containers") && is(1, "json")) return {.access = Access::list_containers};
        if (is_post && is(0, "containers") && is(1, "create"))
            return {.access = Access::create, .object = {}, .changes = true};
        if (is_get && is(0, "images") && is(1, "json")) return {.access = Access::list_images};
        if (is_post && is(0, "images") && is(1, "create"))
            return {.access = Access::pull, .object = {}, .changes = true};
        if (is_post && is(0, "networks") && is(1, "create"))
            return {.access = Access::network_create, .object = {}, .changes = true};
        if (is_post && is(0, "volumes") && is(1, "create"))
            return {.access = Access::volume_create, .object = {}, .changes = true};
        if (is_get && is(0, "system") && is(1, "df")) return {.access = Access::list_all};
    }
    if (is_get && is(0, "distribution")) return {.access = Access::pass};
    // A client that inspects a name looks for it among all kinds of things.
    for (const char* kind : {"plugins", "services", "tasks", "nodes", "secrets", "configs"})
        if (is_get && is(0, kind)) return {.access = Access::absent, .object = path[1]};
    if (is(0, "containers") && path.size() <= 3) {
        const bool known = path.size() == 2 ? is_delete
                           : is_get         ? !is(1, "prune")
                                            : is_post || (is_put && is(2, "archive"));
        if (!known || is(1, "prune") || is(1, "create") || is(1, "json")) return {};
        const bool looks = is_get || is(2, "wait") || is(2, "resize");
        return {.access = Access::container, .object = path[1], .changes = !looks};
    }
    if (is(0, "containers") && path.size() == 4 && is_get && is(2, "attach") && is(3, "ws"))
        return {.access = Access::container, .object = path[1], .changes = true};
    if (is(0, "exec") && path.size() == 3 && (is_get || is_post))
        return {.access = Access::exec, .object = path[1], .changes = is(2, "start")};
    if (is(0, "networks") && path.size() == 2 && (is_get || is_delete))
        return {.access = is_get ? Access::network : Access::network_remove,
                .object = path[1],
                .changes = is_delete};
    if (is(0, "networks") && path.size() == 3 && is_post && (is(2, "connect") || is(2, "disconnect")))
        return {.access = Access::network, .object = path[1], .changes = true};
    if (is(0, "volumes") && path.size() == 2 && (is_get || is_delete))
        return {.access = is_get ? Access::volume : Access::volume_remove,
                .object = path[1],
                .changes = is_delete};
    if (is(0, "images") && path.size() >= 3 && is_get && (path.back() == "json" || path.back() == "history"))
        return {.access = Access::image, .object = {}, .changes = false};
    return {};
}

bool tells_of_system(Access access) {
    return access != Access::pass && access != Access::absent && access != Access::refused &&
           access != Access::pull;
}

Labels labels_of(const json& object) {
    Labels found;
    const json& own = at(object, "Labels");
    const json& labels = own.is_object() ? own : at(at(object, "Config"), "Labels");
    if (labels.is_object())
        for (const auto& [key, value] : labels.items())
            if (value.is_string()) found.emplace(key, value.get<std::string>());
    return found;
}

void add_containers(Belongings& all, const json& list,
                    const std::function<bool(const std::string& id, const Labels&)>& belongs) {
    if (!list.is_array()) return;
    for (const json& each : list) {
        const std::string id = text(each, "Id");
        if (id.empty() || !belongs(id, labels_of(each))) continue;
        all.containers.insert(id);
        all.images.insert(text(each, "ImageID"));
        const json& networks = at(at(each, "NetworkSettings"), "Networks");
        if (networks.is_object())
            for (const auto& [name, network] : networks.items()) {
                if (is_everybodys_network(name)) continue;
                all.networks.insert(name);
                if (std::string number = text(network, "NetworkID"); !number.empty())
                    all.networks.insert(std::move(number));
            }
        for (const json& mount : at(each, "Mounts")) {
            if (text(mount, "Type") == "bind") all.sources.insert(text(mount, "Source"));
            if (text(mount, "Type") == "volume") all.volumes.insert(text(mount, "Name"));
        }
    }
}

namespace {

void keep(json& list, const std::function<bool(const json&)>& is_kept) {
    if (!list.is_array()) return;
    json kept = json::array();
    for (json& each : list)
        if (is_kept(each)) kept.push_back(std::move(each));
    list = std::move(kept);
}

bool has_network(const Belongings& all, const std::string& name, const std::string& id) {
    return is_everybodys_network(name) || all.networks.contains(id) || all.networks_made.contains(id);
}

bool has_volume(const Belongings& all, const std::string& name) {
    return all.volumes.contains(name) || all.volumes_made.contains(name);
}

}  // namespace

json network_of(const Belongings& all, json network) {
    if (network.is_object() && network.contains("Containers") && network["Containers"].is_object()) {
        json ours = json::object();
        for (auto& [id, value] : network["Containers"].items())
            if (all.containers.contains(id)) ours[id] = std::move(value);
        network["Containers"] = std::move(ours);
    }
    return network;
}

json only_of(const Belongings& all, Access access, json reply) {
    const auto of_containers = [&](const json& each) { return all.containers.contains(text(each, "Id")); };
    const auto of_images = [&](const json& each) { return all.images.contains(text(each, "Id")); };
    const auto of_volumes = [&](const json& each) { return has_volume(all, text(each, "Name")); };
    if (access == Access::list_containers) keep(reply, of_containers);
    if (access == Access::list_images) keep(reply, of_images);
    if (access == Access::list_networks) {
        keep(reply, [&](const json& each) { return has_network(all, text(each, "Name"), text(each, "Id")); });
        if (reply.is_array())
            for (json& each : reply) each = network_of(all, std::move(each));
    }
    if (access == Access::list_volumes && reply.is_object()) keep(reply["Volumes"], of_volumes);
    if (access == Access::list_all && reply.is_object()) {
        json made = json::object();
        for (const char* key : {"Containers", "Images", "Volumes"}) {
            if (!reply.contains(key)) continue;
            made[key] = std::move(reply[key]);
            keep(made[key], key[0] == 'C'   ? std::function<bool(const json&)>(of_containers)
                            : key[0] == 'I' ? std::function<bool(const json&)>(of_images)
                                            : std::function<bool(const json&)>(of_volumes));
        }
        made["LayersSize"] = 0;
        made["BuildCache"] = json::array();
        reply = std::move(made);
    }
    return reply;
}

bool is_told(const Belongings& all, const json& event) {
    const std::string type = text(event, "Type"), id = text(at(event, "Actor"), "ID");
    const json& attributes = at(at(event, "Actor"), "Attributes");
    if (type == "container") return all.containers.contains(id);
    if (type == "network") {
        const std::string container = text(attributes, "container");
        return container.empty() ? all.networks.contains(id) || all.networks_made.contains(id)
                                 : all.containers.contains(container);
    }
    if (type == "volume") return has_volume(all, id);
    return type == "image" && all.images.contains(id);
}

Result<Reach> reach_of(const json& body) {
    if (!body.is_object()) return fail(ErrorKind::usage, "the body is no object");
    if (auto checked = check_keys(body, {"HostConfig", "NetworkingConfig", "Labels", "Volumes", "Image"});
        !checked)
        return fail(std::move(checked.error()));
    Reach reach;
    if (auto added = add_host(reach, at(body, "HostConfig")); !added) return fail(std::move(added.error()));
    const json& networking = at(body, "NetworkingConfig");
    if (auto checked = check_keys(networking, {"EndpointsConfig"}); !checked)
        return fail(std::move(checked.error()));
    const json& endpoints = at(networking, "EndpointsConfig");
    if (endpoints.is_object())
        for (const auto& [name, endpoint] : endpoints.items()) {
            if (auto checked = check_keys(endpoint, {"NetworkID", "Links"}); !checked)
                return fail(std::move(checked.error()));
            reach.networks.push_back(name);
            if (const std::string id = text(endpoint, "NetworkID"); !id.empty()) reach.networks.push_back(id);
            add_named(reach, at(endpoint, "Links"));
        }
    return reach;
}

Result<Reach> reach_of_volume(const json& body) {
    if (!body.is_object()) return fail(ErrorKind::usage, "the body is no object");
    if (auto checked = check_keys(body, {"Name", "Driver", "DriverOpts", "Labels", "ClusterVolumeSpec"});
        !checked)
        return fail(std::move(checked.error()));
    if (!is_empty(at(body, "ClusterVolumeSpec"))) return fail(ErrorKind::refused, "a volume of a swarm");
    Reach reach;
    if (auto added = add_driver(reach, text(body, "Driver"), at(body, "DriverOpts")); !added)
        return fail(std::move(added.error()));
    return reach;
}

Result<> check_network(const json& body) {
    if (!body.is_object()) return fail(ErrorKind::usage, "the body is no object");
    if (auto checked = check_keys(body, {"Name", "Driver", "Options", "Labels", "ConfigFrom"}); !checked)
        return checked;
    const std::string driver = text(body, "Driver");
    if (!driver.empty() && driver != "bridge" && driver != "default")
        return fail(ErrorKind::refused, fmt::format("a network of the driver '{}'", driver));
    if (!is_empty(at(at(body, "Options"), "com.docker.network.bridge.name")))
        return fail(ErrorKind::refused, "a network on a bridge of the host's");
    if (!is_empty(at(body, "ConfigFrom"))) return fail(ErrorKind::refused, "a network made like another one");
    return {};
}

Result<> check_exec(const json& body) {
    if (!body.is_object()) return fail(ErrorKind::usage, "the body is no object");
    if (auto checked = check_keys(body, {"Privileged"}); !checked) return checked;
    if (truth(body, "Privileged")) return fail(ErrorKind::refused, "a privileged exec");
    return {};
}

Result<std::string> container_to_join(const json& body) {
    if (!body.is_object()) return fail(ErrorKind::usage, "the body is no object");
    if (auto checked = check_keys(body, {"Container"}); !checked) return fail(std::move(checked.error()));
    return text(body, "Container");
}

bool is_known_version(std::string_view version) {
    if (version.empty()) return true;
    const std::vector<std::string> numbers = parts_of(version.substr(1), '.');
    const int major = std::atoi(numbers[0].c_str());
    return major > 1 || (major == 1 && numbers.size() > 1 && std::atoi(numbers[1].c_str()) >= 24);
}

std::string beyond(const Belongings& all, const Reach& reach) {
    // Every engine lists its host's network, which is a namespace of the host's all the same.
    for (const std::string& network : reach.networks)
        if (network == "host" || !has_network(all, network, network))
            return fmt::format("network '{}'", network);
    for (const std::string& volume : reach.volumes)
        if (!has_volume(all, volume)) return fmt::format("volume '{}'", volume);
    for (const std::string& source : reach.sources) {
        // What leads elsewhere on the way is not followed.
        const bool leads_up = (source + "/").find("/../") != std::string::npos;
        const bool is_ours = !leads_up && std::ranges::any_of(all.sources, [&](const std::string& each) {
            return !each.empty() && is_or_below(source, each);
        });
        if (!is_ours) return fmt::format("'{}' of the engine's host", source);
    }
    return {};
}

}  // namespace rogate::proxy
