#include "wrap/create.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace rogate::wrap {

namespace {

using nlohmann::json;

const json& nothing() {
    static const json none;
    return none;
}

const json& at(const json& object, const char* key) {
    if (!object.is_object()) return nothing();
    const auto found = object.find(key);
    return found == object.end() ? nothing() : *found;
}

std::string text(const json& object, const char* key) {
    const json& value = at(object, key);
    return value.is_string() ? value.get<std::string>() : std::string();
}

bool truth(const json& object, const char* key) {
    const json& value = at(object, key);
    return value.is_boolean() && value.get<bool>();
}

// A list of words; one word alone (Go's strslice takes both).
std::vector<std::string> words(const json& value) {
    std::vector<std::string> found;
    if (value.is_string()) found.push_back(value.get<std::string>());
    if (value.is_array())
        for (const json& each : value)
            if (each.is_string()) found.push_back(each.get<std::string>());
    return found;
}

std::map<std::string, std::string> texts(const json& object) {
    std::map<std::string, std::string> found;
    if (object.is_object())
        for (const auto& [key, value] : object.items())
            if (value.is_string()) found.emplace(key, value.get<std::string>());
    return found;
}

// "SOURCE:TARGET[:OPTIONS]", or "TARGET" of an anonymous volume.
struct Bind {
    std::string source, target;
    std::vector<std::string> options;
};

std::vector<std::string> split(const std::string& text, char by) {
    std::vector<std::string> parts;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find(by, start), text.size());
        parts.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    return parts;
}

Bind read_bind(const std::string& spec) {
    const std::vector<std::string> parts = split(spec, ':');
    if (parts.size() == 1) return {.source = {}, .target = parts[0], .options = {}};
    Bind bind{.source = parts[0], .target = parts[1], .options = {}};
    if (parts.size() > 2) bind.options = split(parts[2], ',');
    return bind;
}

std::string with_options(std::string before, std::vector<std::string> options, char by) {
    std::erase_if(options,
                  [](const std::string& each) { return each == "rw" || each == "ro" || each.empty(); });
    options.emplace_back("ro");
    return fmt::format("{}{}{}", before, by == '\0' ? "" : std::string(1, by), fmt::join(options, ","));
}

json& list_in(json& object, const char* key) {
    json& list = object[key];
    if (!list.is_array()) list = json::array();
    return list;
}

// One body that is being changed.
class Editor {
  public:
    Editor(json& body, const Change& change) : body_(body), change_(change) {
        if (!body_["HostConfig"].is_object()) body_["HostConfig"] = json::object();
    }

    Result<> go() {
        inherit();
        for (const std::string& target : change_.read_only)
            if (auto made = read_only(target); !made) return made;
        add_labels(body_, change_.labels);
        label_volumes();
        return {};
    }

  private:
    json& host() { return body_.at("HostConfig"); }

    bool has(const std::string& target) {
        const Asked asked = read_create(body_, {});
        return asked.targets.contains(target);
    }

    json volume(const std::string& name, const std::string& target, bool is_read_only) const {
        return {{"Type", "volume"}, {"Source", name}, {"Target", target}, {"ReadOnly", is_read_only}};
    }

    std::string next_volume() { return fmt::format("{}-{}", change_.new_volume, ++volumes_); }

    // Of volumes that are there already the engine keeps those that they have.
    void label_volumes() {
        if (change_.labels.empty() || !host().contains("Mounts") || !host().at("Mounts").is_array()) return;
        for (json& each : host().at("Mounts")) {
            if (text(each, "Type") != "volume") continue;
            json& options = each["VolumeOptions"];
            if (!options.is_object()) options = json::object();
            add_labels(options, change_.labels);
        }
    }

    // What another container has, said outright: inherited, it would be as read-only as it is there.
    void inherit() {
        if (change_.inherited.empty()) return;
        for (const Mount& mount : change_.inherited) {
            if (has(mount.target)) continue;
            json made = mount.type == MountType::bind
                            ? json{{"Type", "bind"}, {"Source", mount.source}, {"Target", mount.target}}
                            : json{{"Type", "volume"}, {"Source", mount.source}, {"Target", mount.target}};
            made["ReadOnly"] = mount.read_only;
            if (!mount.sub_path.empty()) made["VolumeOptions"] = {{"Subpath", mount.sub_path}};
            if (mount.type == MountType::bind && !mount.propagation.empty())
                made["BindOptions"] = {{"Propagation", mount.propagation}};
            list_in(host(), "Mounts").push_back(std::move(made));
        }
        host().erase("VolumesFrom");
    }

    Result<> read_only(const std::string& target) {
        if (target == "/") {
            host()["ReadonlyRootfs"] = true;
            return {};
        }
        if (in_tmpfs(target) || in_binds(target)) return {};
        auto done = in_mounts(target);
        if (!done) return fail(std::move(done.error()));
        if (!*done) anonymous(target);
        return {};
    }

    bool in_tmpfs(const std::string& target) {
        json& tmpfs = host()["Tmpfs"];
        if (!tmpfs.is_object()) {
            host().erase("Tmpfs");
            return false;
        }
        for (auto& [key, value] : tmpfs.items())
            if (normal_target(key) == target) {
                value = with_options({}, split(value.is_string() ? value.get<std::string>() : "", ','), '\0');
                return true;
            }
        return false;
    }

    bool in_binds(const std::string& target) {
        json& binds = host()["Binds"];
        if (!binds.is_array()) {
            host().erase("Binds");
            return false;
        }
        for (std::size_t i = 0; i < binds.size(); ++i) {
            if (!binds[i].is_string()) continue;
            Bind bind = read_bind(binds[i].get<std::string>());
            if (normal_target(bind.target) != target) continue;
            if (bind.source.empty()) {
                binds.erase(i);
                list_in(host(), "Mounts").push_back(volume(next_volume(), target, true));
            } else {
                binds[i] = with_options(bind.source + ":" + bind.target, std::move(bind.options), ':');
            }
            return true;
        }
        return false;
    }

    Result<bool> in_mounts(const std::string& target) {
        json& mounts = host()["Mounts"];
        if (!mounts.is_array()) {
            host().erase("Mounts");
            return false;
        }
        for (json& each : mounts) {
            if (!each.is_object() || normal_target(text(each, "Target")) != target) continue;
            const std::string type = text(each, "Type");
            if (type != "bind" && type != "volume" && type != "tmpfs")
                return fail(ErrorKind::usage,
                            fmt::format("a mount of the type '{}' is not tried read-only", type));
            each["ReadOnly"] = true;
            if (type == "volume" && text(each, "Source").empty()) each["Source"] = next_volume();
            return true;
        }
        return false;
    }

    // The image's, or one that the body asks for by its target alone.
    void anonymous(const std::string& target) {
        json& volumes = body_["Volumes"];
        if (!volumes.is_object()) body_.erase("Volumes");
        if (body_.contains("Volumes"))
            for (auto each = body_["Volumes"].begin(); each != body_["Volumes"].end();)
                each = normal_target(each.key()) == target ? body_["Volumes"].erase(each) : std::next(each);
        list_in(host(), "Mounts").push_back(volume(next_volume(), target, true));
    }

    json& body_;
    const Change& change_;
    int volumes_ = 0;
};

}  // namespace

std::string normal_target(std::string_view target) {
    std::string path = std::filesystem::path("/" + std::string(target)).lexically_normal().string();
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    while (path.starts_with("//")) path.erase(0, 1);
    return path;
}

Asked read_create(const json& body, std::string name) {
    Asked asked;
    asked.name = std::move(name);
    asked.image = text(body, "Image");
    asked.command = words(at(body, "Cmd"));
    asked.entrypoint = words(at(body, "Entrypoint"));
    asked.environment = words(at(body, "Env"));
    std::ranges::sort(asked.environment);
    asked.labels = texts(at(body, "Labels"));
    const json& host = at(body, "HostConfig");
    for (const std::string& each : words(at(host, "Binds")))
        asked.targets.insert(normal_target(read_bind(each).target));
    if (at(host, "Mounts").is_array())
        for (const json& each : at(host, "Mounts")) asked.targets.insert(normal_target(text(each, "Target")));
    for (const json* object : {&at(body, "Volumes"), &at(host, "Tmpfs")})
        if (object->is_object())
            for (const auto& [target, unused] : object->items()) asked.targets.insert(normal_target(target));
    asked.from_containers = words(at(host, "VolumesFrom"));
    return asked;
}

std::vector<Mount> mounts_asked(const json& body) {
    std::vector<Mount> binds;
    const auto add = [&](const std::string& source, const std::string& target) {
        Mount mount;
        mount.type = MountType::bind;
        mount.source = source;
        mount.target = normal_target(target);
        binds.push_back(std::move(mount));
    };
    const json& host = at(body, "HostConfig");
    for (const std::string& each : words(at(host, "Binds")))
        if (const Bind bind = read_bind(each); bind.source.starts_with('/')) add(bind.source, bind.target);
    if (at(host, "Mounts").is_array())
        for (const json& each : at(host, "Mounts"))
            if (text(each, "Type") == "bind") add(text(each, "Source"), text(each, "Target"));
    return binds;
}

void add_bind(json& body, const std::string& source, const std::string& target) {
    if (!body["HostConfig"].is_object()) body["HostConfig"] = json::object();
    list_in(body["HostConfig"], "Mounts")
        .push_back({{"Type", "bind"}, {"Source", source}, {"Target", target}});
}

std::vector<Mount> mounts_of(const json& inspected) {
    std::map<std::string, Mount> found;
    const auto is_anonymous = [](const std::string& name) {
        return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
    };
    const json& host = at(inspected, "HostConfig");
    for (const auto& [target, options] : texts(at(host, "Tmpfs"))) {
        Mount mount;
        mount.type = MountType::tmpfs;
        mount.target = normal_target(target);
        mount.tmpfs_options = options;
        const std::vector<std::string> parts = split(options, ',');
        mount.read_only = std::ranges::find(parts, "ro") != parts.end();
        found.emplace(mount.target, mount);
    }
    if (at(inspected, "Mounts").is_array())
        for (const json& each : at(inspected, "Mounts")) {
            Mount mount;
            const std::string type = text(each, "Type");
            mount.target = normal_target(text(each, "Destination"));
            mount.read_only = !truth(each, "RW");
            mount.type = type == "bind"    ? MountType::bind
                         : type == "tmpfs" ? MountType::tmpfs
                                           : MountType::volume;
            if (mount.type == MountType::bind) {
                mount.source = text(each, "Source");
                mount.propagation = text(each, "Propagation");
            } else if (mount.type == MountType::volume) {
                mount.source = text(each, "Name");
                if (is_anonymous(mount.source)) mount.type = MountType::anonymous;
            }
            found.insert_or_assign(mount.target, mount);
        }
    // A tmpfs of "Mounts" is told by some engines only there, and a part of a volume by all.
    if (at(host, "Mounts").is_array()) {
        for (const json& each : at(host, "Mounts")) {
            const std::string target = normal_target(text(each, "Target"));
            if (text(each, "Type") == "tmpfs") {
                Mount mount;
                mount.type = MountType::tmpfs;
                mount.target = target;
                mount.read_only = truth(each, "ReadOnly");
                found.insert_or_assign(target, mount);
            }
            if (const auto whole = found.find(target); whole != found.end())
                whole->second.sub_path = text(at(each, "VolumeOptions"), "Subpath");
        }
    }
    Mount root;
    root.type = MountType::rootfs;
    root.target = "/";
    root.read_only = truth(host, "ReadonlyRootfs");
    found.insert_or_assign("/", root);
    std::vector<Mount> mounts;
    for (auto& [target, mount] : found) mounts.push_back(std::move(mount));
    return mounts;
}

Result<> make_read_only(json& body, const Change& change) {
    if (!body.is_object())
        return fail(ErrorKind::protocol, "the body of POST /containers/create is no object");
    return Editor(body, change).go();
}

std::string mounts_differ(const std::vector<Mount>& control, const std::vector<Mount>& here,
                          const std::set<std::string>& read_only) {
    const auto find = [](const std::vector<Mount>& all, const std::string& target) {
        const auto found = std::ranges::find(all, target, &Mount::target);
        return found == all.end() ? nullptr : &*found;
    };
    const auto kind = [](const Mount& mount) {  // an anonymous volume gets a name
        return mount.type == MountType::anonymous ? MountType::volume : mount.type;
    };
    for (const Mount& there : control) {
        const Mount* mount = find(here, there.target);
        if (mount == nullptr) return fmt::format("it lacks the mount at {}", there.target);
        if (kind(*mount) != kind(there) || mount->sub_path != there.sub_path)
            return fmt::format("it has another mount at {}", there.target);
        if (mount->read_only != (there.read_only || read_only.contains(there.target)))
            return fmt::format("its mount at {} is {}", there.target,
                               mount->read_only ? "read-only" : "writable");
    }
    for (const Mount& mount : here)
        if (find(control, mount.target) == nullptr)
            return fmt::format("it has one more mount, at {}", mount.target);
    return {};
}

std::vector<Attempt> copies_to(const std::vector<Mount>& mounts, const std::string& path) {
    const Mount* nearest = nullptr;
    std::vector<const Mount*> touched;
    for (const Mount& mount : mounts) {
        if (is_or_below(path, mount.target) &&
            (nearest == nullptr || mount.target.size() > nearest->target.size()))
            nearest = &mount;
        else if (mount.target != path && is_or_below(mount.target, path))
            touched.push_back(&mount);
    }
    if (nearest != nullptr) touched.push_back(nearest);
    std::vector<Attempt> made;
    for (const Mount* mount : touched) {
        Attempt attempt;
        attempt.mount = mount->target;
        attempt.path = is_or_below(path, mount->target) ? path : mount->target;
        attempt.operation = "create";
        attempt.syscall = "docker cp";
        attempt.phase = "docker cp";
        attempt.process.comm = "docker cp";
        attempt.error = mount->read_only ? EROFS : 0;
        made.push_back(std::move(attempt));
    }
    return made;
}

std::map<std::string, std::string> volumes_by_name(const json& body) {
    std::map<std::string, std::string> found;
    const json& host = at(body, "HostConfig");
    const auto add = [&](const std::string& name, const std::string& driver) {
        if (!name.empty() && !name.starts_with('/') && !name.starts_with('.') && !name.starts_with('~'))
            found.emplace(name, driver);
    };
    for (const std::string& each : words(at(host, "Binds")))
        add(read_bind(each).source, text(host, "VolumeDriver"));
    return found;
}

void add_labels(json& body, const std::map<std::string, std::string>& labels) {
    json& all = body["Labels"];
    if (!all.is_object()) all = json::object();
    for (const auto& [key, value] : labels)
        if (!all.contains(key)) all[key] = value;
}

}  // namespace rogate::wrap
