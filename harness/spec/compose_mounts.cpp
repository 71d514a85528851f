#include "spec/compose_mounts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "spec/compose_merge.hpp"
#include "spec/mounts.hpp"

namespace rogate::spec {

namespace {

ValuePtr without(const Value& mapping, std::initializer_list<std::string_view> names) {
    auto rest = std::make_shared<Value>(mapping);
    std::erase_if(rest->pairs, [&](const auto& pair) {
        return pair.second->kind == Value::Kind::null || pair.first->text.starts_with("x-") ||
               std::ranges::find(names, pair.first->text) != names.end();
    });
    return rest;
}

// Null as well if it is an empty text, as a variable leaves it that is not set.
ValuePtr text_of(const Value& mapping, std::string_view key) {
    const ValuePtr value = value_of(mapping, key);
    return value && value->kind == Value::Kind::scalar && value->text.empty() ? nullptr : value;
}

class Reader {
  public:
    Reader(const Value& model, const ComposeLoader& loader, const Context& context, Subject& subject)
        : model_(model), loader_(loader), context_(context), subject_(subject) {}

    void volume(const Value& item) const;
    void tmpfs(const Value& item) const { add(read_tmpfs_entry(item, loader_.context_of(item.place)), item); }
    void grant(const Value& item, bool secret) const;

  private:
    void add(std::optional<Mount> mount, const Value& at, bool replaces = false) const;
    ValuePtr plain_long_form(const Value& item) const;
    std::string relabel_of(const Value& item) const;
    void name_volume(Mount& mount, const Value& at) const;
    void bind_of_driver(const Value& volume, const Value& options, Mount& mount) const;
    ValuePtr declared(std::string_view part, const std::string& name, const Value& at,
                      std::string_view what) const;
    std::optional<std::string> content_of(const Value& source) const;
    bool is_refused(const Value& mapping, std::string_view key, std::string_view why) const;

    const Value& model_;
    const ComposeLoader& loader_;
    const Context& context_;
    Subject& subject_;
};

// Of two `volumes` with one target the last one counts (compose-go: EnforceUnicity).
void Reader::add(std::optional<Mount> mount, const Value& at, bool replaces) const {
    if (!mount) return;
    const auto twin = std::ranges::find(subject_.mounts, mount->target, &Mount::target);
    if (twin != subject_.mounts.end() && replaces) {
        Mount as_before = *mount;
        as_before.declared = twin->declared;
        if (as_before != *twin)
            context_.note(at,
                          fmt::format("this mount on {} replaces the one at {}:{}", in_quotes(mount->target),
                                      twin->declared.file, twin->declared.line));
        *twin = std::move(*mount);
        return;
    }
    if (twin != subject_.mounts.end())
        return context_.problem(
            at, fmt::format("two mounts on {}: here and at {}:{}; keep one of the two",
                            in_quotes(mount->target), twin->declared.file, twin->declared.line));
    subject_.mounts.push_back(std::move(*mount));
}

bool Reader::is_refused(const Value& mapping, std::string_view key, std::string_view why) const {
    const ValuePtr value = value_of(mapping, key);
    if (value) context_.problem(*value, fmt::format("'{}' of a volume is not supported; {}", key, why));
    return value != nullptr;
}

// What the reader of mounts knows; the rest is refused or has no effect (consistency), or is read beside it.
ValuePtr Reader::plain_long_form(const Value& item) const {
    auto plain = std::make_shared<Value>(*without(item, {"consistency"}));
    for (auto& [key, value] : plain->pairs) {
        if (value->kind != Value::Kind::mapping) continue;
        if (key->text == "bind" || key->text == "volume" || key->text == "tmpfs") {
            const ValuePtr type = value_of(item, "type");
            if (type && type->text != key->text) {
                context_.note(*key, fmt::format("{} is without effect on a mount of type {}",
                                                in_quotes(key->text), in_quotes(type->text)));
                value = std::make_shared<Value>(Value{});
                continue;
            }
        }
        if (is_refused(*value, "recursive", "leave it out")) return nullptr;
        auto options = std::make_shared<Value>(*without(*value, {"selinux", "labels"}));
        for (auto& [name, option] : options->pairs) {
            if (key->text != "tmpfs" || name->text != "mode") continue;
            const auto mode = compose_mode(*option, context_);
            if (!mode) return nullptr;
            auto octal = std::make_shared<Value>(*option);
            octal->text = *mode;
            option = octal;
        }
        value = options;
    }
    const ValuePtr type = value_of(*plain, "type");
    if (type && (type->text == "cluster" || type->text == "npipe" || type->text == "image")) {
        context_.problem(
            *type,
            fmt::format("a mount of type '{}' is not supported; use a volume or a bind mount", type->text));
        return nullptr;
    }
    std::erase_if(plain->pairs, [](const auto& pair) {
        return pair.second->kind == Value::Kind::null ||
               (pair.second->kind == Value::Kind::mapping && pair.second->pairs.empty());
    });
    return plain;
}

std::string Reader::relabel_of(const Value& item) const {
    const ValuePtr bind = value_of(item, "bind");
    const ValuePtr selinux =
        bind && bind->kind == Value::Kind::mapping ? value_of(*bind, "selinux") : nullptr;
    if (!selinux) return {};
    if (selinux->text == "z" || selinux->text == "Z") return selinux->text;
    context_.problem(*selinux, fmt::format("{} is no way to relabel; write z (shared) or Z (private)",
                                           in_quotes(selinux->text)));
    return {};
}

void Reader::volume(const Value& item) const {
    const Context own = loader_.context_of(item.place);
    ValuePtr plain;
    if (item.kind == Value::Kind::mapping) {
        plain = plain_long_form(item);
        if (!plain) return;
    }
    auto mount = read_mount(plain ? *plain : item, own, MountOptions::as_compose);
    const std::string relabel = plain ? relabel_of(item) : std::string();
    if (mount && !relabel.empty()) note_relabelling(*mount, relabel, own);
    if (mount && mount->type == MountType::volume) name_volume(*mount, item);
    add(std::move(mount), item, true);
}

ValuePtr Reader::declared(std::string_view part, const std::string& name, const Value& at,
                          std::string_view what) const {
    const ValuePtr all = value_of(model_, part);
    if (all && all->kind == Value::Kind::mapping)
        for (const auto& [key, value] : all->pairs)
            if (key->text == name) return value;
    context_.problem(at, fmt::format("{} {} is not declared; add it to '{}' at the top of the file", what,
                                     in_quotes(name), part));
    return nullptr;
}

// The real name on the engine: the user's data are looked for there (and never written to).
void Reader::name_volume(Mount& mount, const Value& at) const {
    const ValuePtr volume = declared("volumes", mount.source, at, "volume");
    if (!volume) return;
    const std::string key = mount.source;
    const bool has_options = volume->kind == Value::Kind::mapping;
    const ValuePtr external = has_options ? value_of(*volume, "external") : nullptr;
    const bool is_external = external && external->text != "false";
    const ValuePtr name = has_options ? text_of(*volume, "name") : nullptr;
    const ValuePtr old_name =
        external && external->kind == Value::Kind::mapping ? text_of(*external, "name") : nullptr;
    mount.source = name          ? name->text
                   : old_name    ? old_name->text
                   : is_external ? key
                                 : loader_.project_name() + "_" + key;
    if (!has_options || is_external) return;
    const ValuePtr driver = value_of(*volume, "driver");
    if (driver && driver->text != "local" && !driver->text.empty())
        return context_.problem(*driver,
                                fmt::format("a volume of the driver {} is not made here; make it first, and "
                                            "write 'external: true'",
                                            in_quotes(driver->text)));
    if (const ValuePtr options = value_of(*volume, "driver_opts")) bind_of_driver(*volume, *options, mount);
}

// {type: none, o: bind, device: /path} is a bind mount by another name.
void Reader::bind_of_driver(const Value& volume, const Value& options, Mount& mount) const {
    const ValuePtr type = text_of(options, "type"), o = text_of(options, "o"),
                   device = text_of(options, "device");
    if (std::ranges::all_of(options.pairs, [](const auto& pair) {
            return pair.second->text.empty() && pair.second->items.empty() && pair.second->pairs.empty();
        }))
        return;
    const auto has = [&](const char* option) {
        return o && ("," + o->text + ",").find(option) != std::string::npos;
    };
    if (!device || (!has(",bind,") && !has(",rbind,")) || (type && type->text != "none"))
        return context_.problem(
            options,
            "these options of a volume are not supported; make the volume first, and write "
            "'external: true'");
    const auto path = read_host_path(*device, device->text, loader_.context_of(volume.place));
    if (!path) return;
    mount.type = MountType::bind;
    mount.source = *path;
    mount.read_only = mount.read_only || has(",ro,");
    if (!mount.sub_path.empty()) mount.source += "/" + std::exchange(mount.sub_path, {});
    mount.no_copy = false;
}

std::optional<std::string> Reader::content_of(const Value& source) const {
    if (const ValuePtr content = value_of(source, "content")) return content->text;
    if (const ValuePtr variable = value_of(source, "environment")) {
        auto value = loader_.variable(variable->text);
        if (!value)
            context_.problem(*variable,
                             fmt::format("variable {} is not set; set it in the environment or in .env",
                                         in_quotes(variable->text)));
        return value;
    }
    context_.problem(
        source,
        "a config or secret that the engine would have to provide; give it a 'file', 'content' or "
        "'environment' in a second file");
    return std::nullopt;
}

void Reader::grant(const Value& item, bool secret) const {
    const std::string_view part = secret ? "secrets" : "configs";
    const std::string what = secret ? "secret" : "config";
    const ValuePtr name = item.kind == Value::Kind::mapping  ? value_of(item, "source")
                          : item.kind == Value::Kind::scalar ? std::make_shared<Value>(item)
                                                             : nullptr;
    if (!name)
        return context_.problem(item,
                                fmt::format("an entry of '{}' names no {}; write its name", part, what));
    const ValuePtr source = declared(part, name->text, *name, what);
    if (!source) return;
    std::string target = name->text;
    if (item.kind == Value::Kind::mapping)
        if (const ValuePtr given = value_of(item, "target")) target = given->text;
    if (!target.starts_with('/')) target = (secret ? "/run/secrets/" : "/") + target;
    const auto path = parse_container_path(target);
    if (!path) return context_.problem(item, path.error());
    if (source->kind != Value::Kind::mapping)
        return context_.problem(item,
                                fmt::format("{} {} is empty; give it a 'file'", what, in_quotes(name->text)));
    if (const ValuePtr file = value_of(*source, "file")) {
        // As docker compose does it: a read-only bind mount, whose owner and mode are the file's.
        const auto host = read_host_path(*file, file->text, loader_.context_of(file->place));
        if (!host) return;
        Mount mount;
        mount.source = *host;
        mount.target = *path;
        mount.read_only = true;
        mount.declared = context_.declared(item.place);
        // No result may show it. What cannot be read here is no secret that rogate could give away: where the
        // engine has it, the application has.
        if (secret)
            if (auto text = context_.surroundings.read_data(*host))
                subject_.secrets.push_back(std::move(*text));
        return add(std::move(mount), item, true);
    }
    auto content = content_of(*source);
    if (!content) return;
    if (secret) subject_.secrets.push_back(*content);
    SeedFile file;
    file.target = *path;
    file.content = std::move(*content);
    file.declared = context_.declared(item.place);
    if (item.kind == Value::Kind::mapping) {
        for (const auto& [key, id] : {std::pair{"uid", &file.uid}, std::pair{"gid", &file.gid}})
            if (const ValuePtr value = value_of(item, key))
                if (const auto number =
                        read_integer(*value, fmt::format("'{}'", key), context_, 0, 4'294'967'294))
                    *id = static_cast<std::uint32_t>(*number);
        if (const ValuePtr value = value_of(item, "mode"))
            if (const auto mode = compose_mode(*value, context_))
                file.mode = static_cast<std::uint32_t>(std::stoul(*mode, nullptr, 8));
    }
    subject_.files.push_back(std::move(file));
}

}  // namespace

std::optional<std::string> compose_mode(const Value& value, const Context& context) {
    const auto text = read_text(value, "'mode'", context);
    if (!text) return std::nullopt;
    const bool octal = text->starts_with('0') || !value.plain;
    Parsed<std::string> mode =
        octal ? parse_mode(*text) : parse_integer(*text, 0, 07777).map([](std::int64_t number) {
            return fmt::format("{:o}", number);
        });
    if (mode) return std::move(*mode);
    context.problem(value, "'mode': " + mode.error());
    return std::nullopt;
}

void read_compose_mounts(const Value& service, const Value& model, const ComposeLoader& loader,
                         const Context& context, Subject& subject) {
    const Reader reader(model, loader, context, subject);
    const auto each = [&](std::string_view key, auto read) {
        const ValuePtr list = value_of(service, key);
        if (!list) return;
        if (list->kind != Value::Kind::sequence)
            return context.problem(*list, fmt::format("'{}' is {}; write a list", key, kind_name(*list)));
        for (const ValuePtr& item : list->items) read(*item);
    };
    each("volumes", [&](const Value& item) { reader.volume(item); });
    each("tmpfs", [&](const Value& item) { reader.tmpfs(item); });
    each("configs", [&](const Value& item) { reader.grant(item, false); });
    each("secrets", [&](const Value& item) { reader.grant(item, true); });
}

}  // namespace rogate::spec
