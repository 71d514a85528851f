#include "change/modes.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "audit/readers.hpp"
#include "spec/compose_loader.hpp"

namespace rogate::change {

namespace {

using audit::member;
using audit::text_of;
using spec::Value;

bool has_option(std::string_view options, std::string_view wanted) {
    for (std::size_t at = 0; at <= options.size();) {
        const std::size_t end = std::min(options.find(',', at), options.size());
        if (options.substr(at, end - at) == wanted) return true;
        at = end + 1;
    }
    return false;
}

bool is_yes(const Value* value) {
    const std::string text = text_of(value);
    return text == "true" || text == "True" || text == "TRUE" || text == "yes" || text == "on";
}

// Volumes that their driver mounts read-only whatever a service says.
std::set<std::string> read_only_volumes(const Value& root) {
    std::set<std::string> names;
    const Value* volumes = member(&root, "volumes");
    if (volumes == nullptr) return names;
    for (const auto& [name, volume] : volumes->pairs)
        if (has_option(text_of(member(member(volume.get(), "driver_opts"), "o")), "ro"))
            names.insert(name->text);
    return names;
}

struct Reading {
    spec::ValuePtr root;
    std::set<std::string> unset;  // variables that nothing sets, and that have no other value
    ProjectModes modes;
};

// The variables that the loader says it found unset: "variable 'MODE' is not set; …".
std::set<std::string> unset_in(const std::vector<std::string>& notes) {
    std::set<std::string> names;
    constexpr std::string_view before = "variable '", behind = "' is not set";
    for (const std::string& note : notes) {
        const std::size_t at = note.find(before), end = note.find(behind);
        if (at != std::string::npos && end != std::string::npos && at + before.size() < end)
            names.insert(note.substr(at + before.size(), end - at - before.size()));
    }
    return names;
}

Mount mount_of(const Value& item) {
    if (item.kind != Value::Kind::mapping) return audit::short_mount(item.text, {});
    const auto first = [&](std::initializer_list<std::string_view> keys) -> const Value* {
        for (const std::string_view key : keys)
            if (const Value* found = member(&item, key)) return found;
        return nullptr;
    };
    Mount mount;
    mount.source = text_of(first({"source", "src"}));
    mount.target = text_of(first({"target", "dst", "destination"}));
    mount.read_only = is_yes(first({"read_only", "readonly"}));
    while (mount.target.size() > 1 && mount.target.ends_with('/')) mount.target.pop_back();
    return mount;
}

std::optional<Reading> read(const ProjectFile& file, const std::set<std::string>& names,
                            const std::string& value) {
    const std::string folder = std::filesystem::path(file.path).parent_path().string();
    const auto text = file.read(file.path);
    if (!text) return std::nullopt;
    spec::Problems problems(file.name);
    spec::Surroundings around;
    around.folder = folder;
    around.read_file = file.read;
    around.environment = [&](const std::string& name) -> std::optional<std::string> {
        if (names.contains(name)) return value;
        return spec::process_environment(name);
    };
    const spec::Context context{problems, around, file.name, folder};
    spec::ComposeLoader loader(context, folder);
    loader.read_env_files({}, {});
    Reading reading;
    reading.root = loader.load({{file.name, file.path}}, {}, &*text);
    if (!reading.root) return std::nullopt;
    reading.unset = unset_in(loader.notes());
    const Value* services = member(reading.root.get(), "services");
    if (services == nullptr || services->kind != Value::Kind::mapping) return std::nullopt;
    const std::set<std::string> by_driver = read_only_volumes(*reading.root);
    const auto place = [&](const Value& at) { return context.declared(at.place); };
    for (const auto& [name, service] : services->pairs) {
        const auto add = [&, &of = name->text](const Mount& mount, const Value& at) {
            if (!mount.target.starts_with('/')) return;
            const bool read_only = mount.read_only || by_driver.contains(mount.source);
            reading.modes[{of, mount.target}] = {read_only ? Mode::read_only : Mode::writable, place(at), {}};
        };
        if (const Value* list = member(service.get(), "volumes"))
            for (const spec::ValuePtr& item : list->items) add(mount_of(*item), *item);
        if (const Value* root = member(service.get(), "read_only")) {
            Mount mount;
            mount.target = "/";
            mount.read_only = is_yes(root);
            add(mount, *root);
        }
    }
    return reading;
}

}  // namespace

std::optional<ProjectModes> modes_of(const ProjectFile& file) {
    auto reading = read(file, {}, "");
    if (!reading) return std::nullopt;
    if (reading->unset.empty()) return std::move(reading->modes);
    // Whatever the variables may be, these are what decides a mode.
    const std::string variables = fmt::format("{}", fmt::join(reading->unset, ", "));
    for (const char* value : {"ro", "rw", "true", "false"}) {
        const auto other = read(file, reading->unset, value);
        for (auto& [key, mount] : reading->modes) {
            const auto there = other ? other->modes.find(key) : ProjectModes::const_iterator{};
            const bool same = other && there != other->modes.end() && there->second.mode == mount.mode;
            if (!same && mount.mode != Mode::unknown) {
                mount.mode = Mode::unknown;
                mount.variables = variables;
            }
        }
    }
    return std::move(reading->modes);
}

ProjectChanges compare_modes(const std::optional<ProjectModes>& was, const ProjectModes& now, bool changed) {
    ProjectChanges found;
    for (const auto& [key, mount] : now) {
        const auto& [service, target] = key;
        if (mount.mode == Mode::writable) continue;
        const auto tell = [&, &of = service, &at = target](const std::string& why) {
            found.not_known.push_back(fmt::format("{} {} ({}:{}:{}): {}", of, at, mount.declared.file,
                                                  mount.declared.line, mount.declared.column, why));
        };
        if (!was) {
            if (changed) tell("the project of that revision cannot be read");
            continue;
        }
        const auto before = was->find(key);
        if (before == was->end()) continue;
        const Mode then = before->second.mode;
        if (mount.mode == Mode::read_only && then == Mode::writable)
            found.changes.push_back({"compose", service, "", target, mount.declared, {}, {}});
        else if (mount.mode == Mode::read_only && then == Mode::unknown)
            tell(fmt::format("its mode came from {}, which nothing in that revision sets",
                             before->second.variables));
        else if (mount.mode == Mode::unknown && then == Mode::writable)
            tell(fmt::format("its mode comes from {}, which nothing sets", mount.variables));
    }
    return found;
}

}  // namespace rogate::change
