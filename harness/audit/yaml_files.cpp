// Compose files and rogate's own scenarios.
#include <algorithm>
#include <set>
#include <tuple>

#include "audit/readers.hpp"
#include "spec/compose_loader.hpp"

namespace rogate::audit {

using spec::Value;

const Value* member(const Value* value, std::string_view key) {
    if (value == nullptr || value->kind != Value::Kind::mapping) return nullptr;
    for (const auto& [name, child] : value->pairs)
        if (name->text == key) return child.get();
    return nullptr;
}

std::string text_of(const Value* value) {
    return value != nullptr && value->kind == Value::Kind::scalar ? value->text : std::string();
}

bool is_true(const Value* value) {
    return text_of(value) == "true";
}

namespace {

std::string without_slash(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
}

// The parts of "a:b:c", where a ':' within "${VAR:-x}" parts nothing.
std::vector<std::string> parts_of(std::string_view text) {
    std::vector<std::string> parts(1);
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '{' && i > 0 && text[i - 1] == '$') ++depth;
        if (text[i] == '}' && depth > 0) --depth;
        if (text[i] == ':' && depth == 0)
            parts.emplace_back();
        else
            parts.back() += text[i];
    }
    return parts;
}

bool has_option(std::string_view options, std::string_view wanted) {
    while (!options.empty()) {
        const std::size_t end = std::min(options.find(','), options.size());
        if (options.substr(0, end) == wanted) return true;
        options.remove_prefix(std::min(end + 1, options.size()));
    }
    return false;
}

Mount long_mount(const Value& value, SourcePlace declared) {
    const auto first = [&](std::initializer_list<std::string_view> keys) -> const Value* {
        for (const std::string_view key : keys)
            if (const Value* found = member(&value, key)) return found;
        return nullptr;
    };
    Mount mount;
    mount.declared = std::move(declared);
    mount.source = text_of(first({"source", "src"}));
    mount.target = without_slash(text_of(first({"target", "dst", "destination"})));
    mount.read_only = is_true(first({"read_only", "readonly"}));
    const std::string type = text_of(member(&value, "type"));
    mount.type = type == "tmpfs"        ? MountType::tmpfs
                 : type != "volume"     ? MountType::bind  // npipe and cluster too: something outside
                 : mount.source.empty() ? MountType::anonymous
                                        : MountType::volume;
    return mount;
}

void add(Audit& audit, const Found& about, Mount mount) {
    if (!mount.target.starts_with('/') && !mount.target.starts_with('$')) return;
    Found found = about;
    found.mount = std::move(mount);
    audit.mounts.push_back(std::move(found));
}

void read_service(const Value& service, const Source& source, const Found& about, Audit& audit) {
    for (const std::string_view key : {"volumes", "mounts"}) {
        const Value* list = member(&service, key);
        if (list == nullptr) continue;
        for (const spec::ValuePtr& item : list->items)
            add(audit, about,
                item->kind == Value::Kind::mapping ? long_mount(*item, source.place(*item))
                                                   : short_mount(item->text, source.place(*item)));
    }
    const auto add_tmpfs = [&](const Value& value) {
        Mount mount;
        mount.type = MountType::tmpfs;
        mount.declared = source.place(value);
        const std::vector<std::string> parts = parts_of(value.text);
        mount.target = without_slash(parts[0]);
        mount.read_only = parts.size() > 1 && has_option(parts[1], "ro");
        add(audit, about, std::move(mount));
    };
    if (const Value* tmpfs = member(&service, "tmpfs")) {
        if (tmpfs->kind == Value::Kind::scalar) add_tmpfs(*tmpfs);
        for (const spec::ValuePtr& item : tmpfs->items) add_tmpfs(*item);
    }
    Mount root;
    root.type = MountType::rootfs;
    root.target = "/";
    const Value* read_only = member(&service, "read_only");
    root.read_only = is_true(read_only);
    root.declared = source.place(read_only != nullptr ? *read_only : service);
    add(audit, about, std::move(root));
}

}  // namespace

Mount short_mount(std::string_view text, SourcePlace declared) {
    const std::vector<std::string> parts = parts_of(text);
    Mount mount;
    mount.declared = std::move(declared);
    mount.type = MountType::anonymous;
    mount.target = without_slash(parts.size() == 1 ? parts[0] : parts[1]);
    if (parts.size() == 1) return mount;
    mount.source = parts[0].size() > 1 && parts[0].ends_with('/') ? without_slash(parts[0]) : parts[0];
    const bool path = mount.source.find_first_of("/~.$") == 0;
    mount.type = path ? MountType::bind : MountType::volume;
    mount.read_only = parts.size() > 2 && has_option(parts[2], "ro");
    return mount;
}

void read_compose(std::string_view text, const std::string& file, const OtherFiles& others, Audit& audit) {
    spec::Problems problems(file);
    spec::Surroundings around;
    around.read_file = others.read;
    around.folder = others.folder;
    const spec::Context context{problems, around, file, others.folder};
    spec::ComposeLoader loader(context, others.folder);
    loader.read_as_written();
    loader.read_env_files({}, {});
    const std::string whole(text), path = spec::path_in(others.folder, file.substr(file.rfind('/') + 1));
    const spec::ValuePtr model = loader.load({{file, path}}, {}, &whole);
    if (!problems.empty()) audit.troubles.push_back({file, problems.error().message});
    const Value* services = model ? member(model.get(), "services") : nullptr;
    if (services == nullptr || services->kind != Value::Kind::mapping) return;
    const Source source{file, 0, &problems};
    Audit found;
    for (const auto& [name, service] : services->pairs) {
        if (service->kind != Value::Kind::mapping) continue;
        Found about;
        about.kind = "compose";
        about.name = name->text;
        about.read_from = file;
        about.image = text_of(member(service.get(), "image"));
        about.partial = about.image.empty() && member(service.get(), "build") == nullptr;
        read_service(*service, source, about, found);
    }
    // An included file may have been read by itself, or will be.
    std::set<std::tuple<std::string, std::string, std::string, int, int>> known;
    const auto key = [](const Found& each) {
        return std::tuple(each.name, each.mount.target, each.mount.declared.file, each.mount.declared.line,
                          each.mount.declared.column);
    };
    for (const Found& each : audit.mounts)
        if (each.kind == "compose") known.insert(key(each));
    for (Found& each : found.mounts)
        if (known.insert(key(each)).second) audit.mounts.push_back(std::move(each));
}

void read_scenario(const Value& root, const Source& source, Audit& audit) {
    const Value* subject = member(&root, "subject");
    if (member(subject, "image") == nullptr) return;
    Found about;
    about.kind = "scenario";
    about.name = text_of(member(&root, "name"));
    if (about.name.empty()) about.name = "subject";
    about.image = text_of(member(subject, "image"));
    read_service(*subject, source, about, audit);
}

}  // namespace rogate::audit
