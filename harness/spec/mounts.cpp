#include "spec/mounts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "spec/nearest_name.hpp"

namespace rogate::spec {

namespace {

constexpr std::string_view propagations[] = {"rprivate", "private", "rshared", "shared", "rslave", "slave"};
constexpr std::string_view short_options[] = {"ro",       "rw",        "z",       "Z",         "nocopy",
                                              "rprivate", "private",   "rshared", "shared",    "rslave",
                                              "slave",    "delegated", "cached",  "consistent"};
// Docker's list (moby/sys/mount, MergeTmpfsOptions), without those that make no sense on a fresh tmpfs.
constexpr std::string_view tmpfs_flags[] = {
    "ro",      "rw",       "exec",       "noexec",   "suid",       "nosuid",      "dev",
    "nodev",   "sync",     "async",      "dirsync",  "mand",       "nomand",      "atime",
    "noatime", "diratime", "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime"};
constexpr std::string_view tmpfs_settings[] = {"size",      "mode",      "uid", "gid",
                                               "nr_inodes", "nr_blocks", "mpol"};
constexpr std::string_view mount_types[] = {"bind", "volume", "tmpfs"};

template <std::size_t n>
bool is_one_of(std::string_view word, const std::string_view (&words)[n]) {
    return std::ranges::find(words, word) != std::end(words);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

// "[a-zA-Z0-9][a-zA-Z0-9_.-]+", as Docker requires.
bool is_volume_name(std::string_view name) {
    const auto is_word = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return name.size() >= 2 && is_word(name[0]) &&
           std::ranges::all_of(name, [&](char c) { return is_word(c) || c == '_' || c == '.' || c == '-'; });
}

class MountReader {
  public:
    explicit MountReader(const Context& context, MountOptions options = MountOptions::strict)
        : context_(context), lenient_(options == MountOptions::as_compose) {}

    std::optional<Mount> read(const Value& value) const {
        if (value.kind == Value::Kind::mapping) return read_long(value);
        const auto text = read_text(value, "a mount", context_);
        return text ? read_short(value, *text) : std::nullopt;
    }
    std::optional<Mount> read_tmpfs(const Value& value) const;
    std::optional<std::string> host_path(const Value& value, std::string_view text) const;

  private:
    std::optional<Mount> read_short(const Value& value, const std::string& text) const;
    std::optional<Mount> read_long(const Value& value) const;
    void read_long_options(const Mapping& mapping, Mount& mount) const;
    void read_sub_path(const Value& value, const std::string& text, Mount& mount) const;
    bool apply_option(const Value& value, std::string_view option, Mount& mount) const;
    void take_option(const Value& value, std::string_view option, Mount& mount) const;
    bool apply_tmpfs_option(const Value& value, std::string_view option, Mount& mount) const;
    std::optional<std::string> target(const Value& value, std::string_view text) const;
    // The value of whichever of the names is given; two of them are a problem.
    const Value* one_of(const Mapping& mapping, std::initializer_list<std::string_view> names) const;
    std::nullopt_t refuse(const Value& value, std::string text) const {
        context_.problem(value, std::move(text));
        return std::nullopt;
    }

    const Context& context_;
    bool lenient_;
};

std::optional<std::string> MountReader::target(const Value& value, std::string_view text) const {
    auto path = parse_container_path(text);
    if (!path && is_one_of(text, short_options))
        return refuse(value, fmt::format("{} is an option where the target should be; write SOURCE:TARGET:{}",
                                         in_quotes(text), text));
    if (!path) return refuse(value, std::move(path.error()));
    if (*path == "/")
        return refuse(
            value,
            "a mount cannot be the root filesystem; write 'read_only: true' in 'subject' to have it "
            "read-only");
    return *path;
}

std::optional<std::string> MountReader::host_path(const Value& value, std::string_view text) const {
    std::filesystem::path path(text);
    if (text == "~" || text.starts_with("~/")) {
        const auto home = context_.surroundings.environment("HOME");
        if (!home || !home->starts_with('/'))
            return refuse(value,
                          "'~' is used, but HOME is not set to an absolute path; write the path in full");
        path = std::filesystem::path(*home) / text.substr(std::min<std::size_t>(2, text.size()));
    } else if (text.starts_with('~')) {
        return refuse(value,
                      fmt::format("{} names another user's home; write the path in full", in_quotes(text)));
    }
    std::string absolute = (std::filesystem::path(context_.folder) / path).lexically_normal().string();
    if (absolute.size() > 1 && absolute.ends_with('/')) absolute.pop_back();
    return absolute;
}

std::optional<Mount> MountReader::read_short(const Value& value, const std::string& text) const {
    const auto parts = split(text, ':');
    if (parts.size() > 3)
        return refuse(value, fmt::format("mount {} has more than three parts; write SOURCE:TARGET or "
                                         "SOURCE:TARGET:OPTIONS",
                                         in_quotes(text)));
    Mount mount;
    mount.declared = context_.declared(value.place);
    const std::string_view source = parts.size() == 1 ? std::string_view() : parts[0];
    if (parts.size() == 1) {
        mount.type = MountType::anonymous;
    } else if (source.empty()) {
        return refuse(value,
                      fmt::format("mount {} has no source; write SOURCE:TARGET, or TARGET alone for an "
                                  "anonymous volume",
                                  in_quotes(text)));
    } else if (source[0] == '/' || source[0] == '.' || source[0] == '~') {
        auto path = host_path(value, source);
        if (!path) return std::nullopt;
        mount.source = std::move(*path);
        mount.made_if_missing = lenient_;
    } else if (is_volume_name(source)) {
        mount.type = MountType::volume;
        mount.source = source;
    } else {
        return refuse(value,
                      fmt::format("{} is not the name of a volume; write './{}' for a path beside this file",
                                  in_quotes(source), source));
    }
    auto path = target(value, parts.size() == 1 ? parts[0] : parts[1]);
    if (!path) return std::nullopt;
    mount.target = std::move(*path);
    if (parts.size() == 3) {
        const auto options = split(parts[2], ',');
        if (lenient_) {
            for (const std::string_view option : options) take_option(value, option, mount);
            return mount;
        }
        if (std::ranges::find(options, "ro") != options.end() &&
            std::ranges::find(options, "rw") != options.end())
            return refuse(value, "a mount cannot be both 'ro' and 'rw'; keep one of the two");
        const bool shared = std::ranges::find(options, "z") != options.end();
        const bool own = std::ranges::find(options, "Z") != options.end();
        if (shared && own) return refuse(value, "both 'z' and 'Z' are given; keep one of the two");
        if (shared || own) note_relabelling(mount, shared ? "z" : "Z", context_);
        for (const std::string_view option : options)
            if (!apply_option(value, option, mount)) return std::nullopt;
    }
    return mount;
}

void MountReader::take_option(const Value& value, std::string_view option, Mount& mount) const {
    const bool is_propagation = is_one_of(option, propagations);
    if (option == "ro" || option == "rw")
        mount.read_only = option == "ro";
    else if (option == "z" || option == "Z")
        note_relabelling(mount, option, context_);
    else if (option == "nocopy" && mount.type == MountType::volume)
        mount.no_copy = true;
    else if (is_propagation && mount.type == MountType::bind)
        mount.propagation = option;
    else if (!is_one_of(option, short_options) || is_propagation || option == "nocopy")
        context_.note(value, fmt::format("mount {}: the option {} is passed over, as docker compose does",
                                         mount.target, in_quotes(option)));
}

bool MountReader::apply_option(const Value& value, std::string_view option, Mount& mount) const {
    if (!is_one_of(option, short_options)) {
        context_.problem(value, fmt::format("unknown mount option {}; {}", in_quotes(option),
                                            suggestion(option, short_options)));
        return false;
    }
    if (option == "ro") mount.read_only = true;
    if (option == "nocopy") {
        if (mount.type != MountType::volume) {
            context_.problem(value, "'nocopy' is for volumes only; leave it out for a path of the host");
            return false;
        }
        mount.no_copy = true;
    }
    if (is_one_of(option, propagations)) {
        if (mount.type != MountType::bind) {
            context_.problem(
                value, fmt::format("'{}' is for paths of the host only; leave it out for a volume", option));
            return false;
        }
        if (!mount.propagation.empty()) {
            context_.problem(value, fmt::format("both '{}' and '{}' are given; keep one of the two",
                                                mount.propagation, option));
            return false;
        }
        mount.propagation = option;
    }
    return true;  // z and Z are noted; delegated, cached and consistent (macOS) do not bear on writing
}

const Value* MountReader::one_of(const Mapping& mapping,
                                 std::initializer_list<std::string_view> names) const {
    std::string_view chosen;
    for (const std::string_view name : names) {
        if (!mapping.has(name)) continue;
        if (!chosen.empty())
            context_.problems.add(
                mapping.place_of(name),
                fmt::format("'{}' and '{}' mean the same; keep one of the two", chosen, name));
        else
            chosen = name;
    }
    return chosen.empty() ? nullptr : mapping.get(chosen);
}

std::optional<Mount> MountReader::read_long(const Value& value) const {
    const Mapping mapping(value, "a mount", keys::mount, context_);
    Mount mount;
    mount.declared = context_.declared(value.place);
    const Value* type = mapping.get("type");
    const Value* source = one_of(mapping, {"source", "src"});
    const Value* target_value = one_of(mapping, {"target", "dst", "destination"});
    const Value* read_only = one_of(mapping, {"read_only", "readonly"});
    if (read_only != nullptr)
        mount.read_only = read_bool(*read_only, "'read_only'", context_).value_or(false);
    if (type == nullptr)
        return mapping.has("type") ? std::optional<Mount>()
                                   : refuse(value, "a mount has no 'type'; write bind, volume or tmpfs");
    const auto type_name = read_text(*type, "'type'", context_);
    if (!type_name) return std::nullopt;
    if (!is_one_of(*type_name, mount_types))
        return refuse(*type, fmt::format("unknown type of mount {}; {}", in_quotes(*type_name),
                                         suggestion(*type_name, mount_types)));
    mount.type = *type_name == "bind"    ? MountType::bind
                 : *type_name == "tmpfs" ? MountType::tmpfs
                 : source != nullptr     ? MountType::volume
                                         : MountType::anonymous;
    mount.made_if_missing = lenient_ && mount.type == MountType::bind;
    read_long_options(mapping, mount);
    if (source != nullptr) {
        const auto text = read_line(*source, "'source'", context_);
        if (!text) return std::nullopt;
        if (mount.type == MountType::tmpfs)
            return refuse(*source, "a tmpfs has no source; leave it out, or write type: bind");
        // Of a Compose file it is a key, which may be one letter; the engine's name is another.
        const bool is_key = lenient_ && text->size() == 1 && is_volume_name(*text + *text);
        if (mount.type == MountType::volume && !is_key && !is_volume_name(*text))
            return refuse(*source, fmt::format("{} is not the name of a volume; write type: bind for a path",
                                               in_quotes(*text)));
        auto path = mount.type == MountType::bind ? host_path(*source, *text) : text;
        if (!path) return std::nullopt;
        mount.source = std::move(*path);
    } else if (mount.type == MountType::bind) {
        return refuse(value, "a bind mount has no 'source'; write the path of the host");
    }
    if (target_value == nullptr)
        return refuse(value, "a mount has no 'target'; write the path in the container");
    const auto text = read_text(*target_value, "'target'", context_);
    auto path = text ? target(*target_value, *text) : std::nullopt;
    if (!path) return std::nullopt;
    mount.target = std::move(*path);
    // The engine: "must not set ReadOnly mode when using anonymous volumes".
    if (mount.type == MountType::anonymous && mount.read_only)
        return refuse(value, "no engine accepts a read-only anonymous volume; give it a 'source'");
    return mount;
}

void MountReader::read_long_options(const Mapping& mapping, Mount& mount) const {
    const bool is_volume = mount.type == MountType::volume || mount.type == MountType::anonymous;
    const std::pair<std::string_view, bool> sections[] = {{"bind", mount.type == MountType::bind},
                                                          {"volume", is_volume},
                                                          {"tmpfs", mount.type == MountType::tmpfs}};
    for (const auto& [section, fits] : sections)
        if (mapping.has(section) && !fits)
            context_.problems.add(
                mapping.place_of(section),
                fmt::format("'{}' does not fit this type of mount; leave it out, or write type: {}", section,
                            section));
    if (const Value* bind = mapping.get("bind")) {
        const Mapping options(*bind, "'bind' of a mount", keys::mount_bind, context_);
        mount.made_if_missing = options.flag("create_host_path", mount.made_if_missing);
        if (const auto propagation = options.text("propagation")) {
            if (!is_one_of(*propagation, propagations))
                context_.problem(*options.get("propagation"),
                                 fmt::format("unknown propagation {}; {}", in_quotes(*propagation),
                                             suggestion(*propagation, propagations)));
            mount.propagation = *propagation;
        }
    }
    if (const Value* volume = mapping.get("volume")) {
        const Mapping options(*volume, "'volume' of a mount", keys::mount_volume, context_);
        mount.no_copy = options.flag("nocopy", false);
        if (const auto sub_path = options.text("subpath"))
            read_sub_path(*options.get("subpath"), *sub_path, mount);
    }
    if (const Value* tmpfs = mapping.get("tmpfs")) {
        const Mapping options(*tmpfs, "'tmpfs' of a mount", keys::mount_tmpfs, context_);
        for (const std::string_view key : {"size", "mode"})
            if (const auto text = options.text(key))
                apply_tmpfs_option(*options.get(key), fmt::format("{}={}", key, *text), mount);
    }
}

// As the engine takes it (Go's filepath.IsLocal): it must not lead out of the volume.
void MountReader::read_sub_path(const Value& value, const std::string& text, Mount& mount) const {
    if (mount.type == MountType::anonymous) {
        context_.problem(value,
                         "a new volume has no directories, so that the container would not start; name the "
                         "volume ('source')");
        return;
    }
    std::string path;
    for (const std::string_view part : split(text, '/')) {
        if (text.starts_with('/') || part == "..") {
            context_.problem(value,
                             fmt::format("{} is no path within the volume; write it without a '/' at its "
                                         "beginning and without '..'",
                                         in_quotes(text)));
            return;
        }
        if (!part.empty() && part != ".") path.append(path.empty() ? "" : "/").append(part);
    }
    mount.sub_path = std::move(path);
}

std::optional<Mount> MountReader::read_tmpfs(const Value& value) const {
    const auto text = read_text(value, "an entry of 'tmpfs'", context_);
    if (!text) return std::nullopt;
    const std::size_t colon = text->find(':');
    Mount mount;
    mount.type = MountType::tmpfs;
    mount.declared = context_.declared(value.place);
    auto path = target(value, std::string_view(*text).substr(0, colon));
    if (!path) return std::nullopt;
    mount.target = std::move(*path);
    if (colon != std::string::npos)
        for (const std::string_view option : split(std::string_view(*text).substr(colon + 1), ','))
            if (!apply_tmpfs_option(value, option, mount)) return std::nullopt;
    return mount;
}

bool MountReader::apply_tmpfs_option(const Value& value, std::string_view option, Mount& mount) const {
    const std::size_t equals = option.find('=');
    const std::string_view name = option.substr(0, equals);
    std::string canonical(option);
    if (equals == std::string_view::npos) {
        if (!is_one_of(name, tmpfs_flags)) {
            std::vector<std::string_view> known(std::begin(tmpfs_settings), std::end(tmpfs_settings));
            known.insert(known.end(), std::begin(tmpfs_flags), std::end(tmpfs_flags));
            context_.problem(
                value,
                is_one_of(name, tmpfs_settings)
                    ? fmt::format("tmpfs option '{}' has no value; write {}=VALUE", name, name)
                    : fmt::format("unknown tmpfs option {}; {}", in_quotes(name), suggestion(name, known)));
            return false;
        }
        if (name == "ro") mount.read_only = true;
        if (name == "ro" || name == "rw") return true;  // said by Mount::read_only alone
    } else {
        if (!is_one_of(name, tmpfs_settings)) {
            context_.problem(value, fmt::format("unknown tmpfs option {}; {}", in_quotes(name),
                                                suggestion(name, tmpfs_settings)));
            return false;
        }
        const std::string_view setting = option.substr(equals + 1);
        Parsed<std::string> parsed{std::string(setting)};
        const bool is_share = setting.ends_with('%');  // of the memory; the kernel reckons it (tmpfs(5))
        if (name == "size" && is_share)
            parsed = parse_integer(setting.substr(0, setting.size() - 1), 1, 100).map([&](auto) {
                return std::string(setting);
            });
        else if (name == "size")
            parsed = parse_size(setting).map([](std::int64_t bytes) { return std::to_string(bytes); });
        else if (name == "mode")
            parsed = parse_mode(setting);
        else if (name == "uid" || name == "gid")
            parsed = parse_integer(setting, 0, 4'294'967'294).map([](auto id) { return std::to_string(id); });
        if (!parsed) {
            context_.problem(value, fmt::format("tmpfs option '{}': {}", name, parsed.error()));
            return false;
        }
        canonical = fmt::format("{}={}", name, *parsed);
    }
    if (!mount.tmpfs_options.empty()) mount.tmpfs_options += ',';
    mount.tmpfs_options += canonical;
    return true;
}

void refuse_equal_targets(std::vector<Mount>& mounts, const Context& context) {
    std::vector<Mount> kept;
    for (Mount& mount : mounts) {
        const auto first = std::ranges::find(kept, mount.target, &Mount::target);
        if (first == kept.end()) {
            kept.push_back(std::move(mount));
            continue;
        }
        context.problems.add({mount.declared.line, mount.declared.column},
                             fmt::format("two mounts on {}: at line {} and at line {}; keep one of the two",
                                         in_quotes(mount.target), first->declared.line, mount.declared.line));
    }
    mounts = std::move(kept);
}

}  // namespace

std::vector<Mount> read_mounts(const Mapping& subject, const Context& context) {
    const MountReader reader(context);
    std::vector<Mount> mounts;
    const auto take = [&](std::optional<Mount> mount) {
        if (mount) mounts.push_back(std::move(*mount));
    };
    if (subject.has("mounts") && subject.has("volumes"))
        context.problems.add(subject.place_of("volumes"),
                             "'mounts' and 'volumes' mean the same; write all of them under one of the two");
    for (const std::string_view key : {"mounts", "volumes"}) {
        const Value* list = subject.get(key);
        if (list == nullptr) continue;
        if (list->kind != Value::Kind::sequence)
            context.problem(
                *list, fmt::format("'{}' is {}; write a list (- ./conf:/etc/app:ro)", key, kind_name(*list)));
        for (const ValuePtr& item : list->items) take(reader.read(*item));
    }
    if (const Value* tmpfs = subject.get("tmpfs")) {
        if (tmpfs->kind == Value::Kind::sequence)
            for (const ValuePtr& item : tmpfs->items) take(reader.read_tmpfs(*item));
        else
            take(reader.read_tmpfs(*tmpfs));
    }
    std::ranges::stable_sort(
        mounts, {}, [](const Mount& mount) { return std::pair(mount.declared.line, mount.declared.column); });
    refuse_equal_targets(mounts, context);
    return mounts;
}

std::optional<Mount> read_mount(const Value& value, const Context& context, MountOptions options) {
    return MountReader(context, options).read(value);
}

std::optional<Mount> read_tmpfs_entry(const Value& value, const Context& context) {
    return MountReader(context).read_tmpfs(value);
}

std::optional<std::string> read_host_path(const Value& value, std::string_view text, const Context& context) {
    return MountReader(context).host_path(value, text);
}

// The runs have overlays and copies, which need no relabelling, and the user's files keep the labels they
// have. In real use it is the engine that relabels, by the path on the host and before the container is
// there: read-only for the container does not stop it.
std::string relabelling_note(const Mount& mount, std::string_view how) {
    return fmt::format(
        "mount {}: the runs leave out the relabelling for SELinux (:{}); in use the engine relabels {} "
        "whenever it makes the container, read-only (:ro,{}) or not, so that it has to stay writable for the "
        "engine itself",
        mount.target, how, mount.source.empty() ? "its volume" : mount.source, how);
}

void note_relabelling(const Mount& mount, std::string_view how, const Context& context) {
    context.problems.note(relabelling_note(mount, how));
}

}  // namespace rogate::spec
