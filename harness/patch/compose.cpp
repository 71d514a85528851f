// Compose: https://github.com/compose-spec/compose-spec, services.volumes, services.tmpfs and how several
// files are merged: by the mount's target, the later file wins.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/writable_place.hpp"
#include "patch/capabilities.hpp"
#include "patch/compose_services.hpp"
#include "patch/environment.hpp"
#include "patch/job.hpp"
#include "patch/volume_lists.hpp"

namespace rogate::patch {

namespace {

// The service that `extends` names, if it is in the same file.
NodePtr base_in_file(const OpenFile& file, const NodePtr& service) {
    const Found extends = find(service, "extends");
    if (!extends) return nullptr;
    const Node& value = *extends.value();
    const std::string name =
        value.kind == Node::Kind::scalar ? value.text : text_of(extends.pair->value, "service");
    if (value.kind == Node::Kind::mapping && find(extends.pair->value, "file")) {
        const std::string other = text_of(extends.pair->value, "file");
        const std::string& own = file.document.file;
        if (own != other && !own.ends_with("/" + other.substr(other.rfind('/') + 1))) return nullptr;
    }
    const NodePtr services = services_of(file);
    const Found base = services ? find(services, name) : Found{};
    return base ? base.pair->value : nullptr;
}

constexpr int longest_chain = 20;

std::string dollars_doubled(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '$' ? std::string("$$") : std::string(1, c);
    return out;
}

// In an entry of either syntax.
void move_source(Node& entry, const std::string& source, const std::string& moved) {
    if (entry.kind != Node::Kind::mapping) {
        if (entry.text.starts_with(source)) entry.text.replace(0, source.size(), moved);
        return;
    }
    for (auto& pair : entry.pairs)
        if (pair.key->text == "source" || pair.key->text == "src") pair.value = make_scalar(moved);
}

class Compose {
  public:
    explicit Compose(Job& job) : job_(job) {}

    void run() {
        if (!choose_service() || !open_lists()) return;
        for (const std::string& target : job_.result.recommendation.read_only)
            if (target == "/")
                root();
            else
                read_only(target);
        for (const std::string& target : job_.opened()) open_up(target);
        for (const WritablePath& writable : job_.result.recommendation.writable) add(writable);
        for (auto& lists : lists_) lists->finish();
        VolumeLists& own = *lists_.back();
        set_environment(job_, own.file(), own.service(), "service '" + service_ + "'", own.sharing, true);
        set_capabilities(job_, own.file(), own.service(), "service '" + service_ + "'", own.sharing);
        add_top_level();
    }

  private:
    struct Where {
        VolumeLists* lists = nullptr;
        VolumeLists::Entry entry;
    };
    struct MountSource {
        std::string source, below;  // below: the subpath of a volume
        bool is_bind = false;
    };

    bool choose_service();
    bool open_lists();
    void share(VolumeLists& lists, OpenFile& file, const std::string& name);
    void share_by_volumes_from();
    std::optional<Where> locate(const std::string& target);
    void root(bool read_only = true);
    void open_up(const std::string& target);
    void read_only(const std::string& target);
    bool inherited(const std::string& target);
    std::optional<Where> located_in_base(const std::string& target);
    std::optional<MountSource> source_of(const std::string& target);
    std::optional<std::string> seen_from(VolumeLists& own, VolumeLists& from,
                                         const std::string& source) const;
    bool override_entry(VolumeLists& from, const VolumeLists::Entry& entry, const std::string& target);
    void add(const WritablePath& writable);
    std::string named_volume(OpenFile& file, const std::string& target);
    void add_top_level();

    Job& job_;
    std::string service_;
    std::vector<std::unique_ptr<VolumeLists>> lists_;        // one for each file that has the service
    std::vector<std::unique_ptr<VolumeLists>> looked_at_;    // of other services; never changed
    std::map<OpenFile*, std::vector<std::string>> volumes_;  // to be declared at the top
};

bool Compose::choose_service() {
    std::vector<std::string> names;
    for (const auto& file : job_.files) {
        const NodePtr services = file->primary ? services_of(*file) : nullptr;
        if (!services) continue;
        for (const auto& pair : services->pairs)
            if (std::ranges::find(names, pair.key->text) == names.end()) names.push_back(pair.key->text);
    }
    service_ = job_.request.name;
    if (service_.empty() && names.size() == 1) service_ = names.front();
    if (!service_.empty()) return true;
    job_.refuse(names.empty() ? "no file with 'services' was given; name the Compose file with --file"
                              : fmt::format("which service is it? Give --service with one of: {}",
                                            fmt::join(names, ", ")));
    return false;
}

namespace {

// The service itself as well: a list that it has not yet would be taken over, too.
void reach_mounts(const NodePtr& service, std::set<const Node*>& seen) {
    seen.insert(service.get());
    for (const char* key : {"volumes", "tmpfs"})
        if (const Found list = find(service, key)) reach(list.pair->value, seen);
}

}  // namespace

void Compose::share(VolumeLists& lists, OpenFile& file, const std::string& name) {
    const NodePtr services = services_of(file);
    for (const auto& pair : services->pairs) {
        if (pair.key->text == name) continue;
        NodePtr service = pair.value;
        std::set<const Node*>& seen = lists.sharing.others[pair.key->text];
        for (int i = 0; service && i < longest_chain; ++i) {
            reach(service, seen);
            service = base_in_file(file, service);
        }
    }
}

void Compose::share_by_volumes_from() {
    const Takers takers = takers_of(job_.files, service_);
    for (const std::string& name : takers.names)
        for (auto& lists : lists_) reach_mounts(lists->service(), lists->sharing.others[name]);
    if (job_.request.change_shared) return;
    for (const std::string& unknown : takers.unknown)
        job_.refuse(
            fmt::format("{}, so that it is not known whether it takes over the mounts of '{}' by "
                        "'volumes_from'; give --shared to change them all the same",
                        unknown, service_));
}

bool Compose::open_lists() {
    const auto open = [&](bool primary) {
        for (const auto& file : job_.files) {
            if (file->primary != primary) continue;
            const NodePtr services = services_of(*file);
            const Found found = services ? find(services, service_) : Found{};
            if (!found) continue;
            const NodePtr& node = resolved(found.pair->value);
            if (node->kind == Node::Kind::null) continue;
            if (node->kind != Node::Kind::mapping) {
                job_.refuse(*file, *node, fmt::format("service '{}' is no mapping", service_));
                continue;
            }
            lists_.push_back(std::make_unique<VolumeLists>(job_, *file, node,
                                                           fmt::format("service '{}'", service_),
                                                           std::vector<std::string>{"volumes"}, true));
            share(*lists_.back(), *file, service_);
        }
    };
    open(true);
    // Files that are included are known by what is declared in them.
    if (lists_.empty()) open(false);
    if (!lists_.empty()) {
        share_by_volumes_from();
        return true;
    }
    std::string names;
    for (const auto& file : job_.files)
        if (file->primary) names += (names.empty() ? "" : ", ") + file->document.file;
    job_.refuse(
        fmt::format("{}: no service '{}'; give the file that has it with --file, or its name with --service",
                    names.empty() ? "no file" : names, service_));
    return false;
}

std::optional<Compose::Where> Compose::locate(const std::string& target) {
    for (auto lists = lists_.rbegin(); lists != lists_.rend(); ++lists) {
        if (const auto entry = (*lists)->locate(target, job_.mount(target)))
            return Where{lists->get(), *entry};
        if ((*lists)->replaces_earlier()) break;
    }
    return std::nullopt;
}

void Compose::root(bool read_only) {
    // The last file that says something about it decides.
    for (auto lists = lists_.rbegin(); lists != lists_.rend(); ++lists)
        if (find((*lists)->service(), "read_only")) return (*lists)->set_read_only_root(read_only);
    lists_.front()->set_read_only_root(read_only);
}

void Compose::open_up(const std::string& target) {
    if (target == "/") return root(false);
    if (const auto where = locate(target)) return where->lists->set_writable(where->entry, target);
    VolumeLists& lists = *lists_.front();
    job_.refuse(
        lists.file(), *lists.service(),
        fmt::format("{} has to be writable, and what makes it read-only is not found in service '{}'; "
                    "take it away by hand",
                    target, service_));
}

void Compose::read_only(const std::string& target) {
    const Mount* mount = job_.mount(target);
    if (const auto where = locate(target)) {
        const bool anonymous =
            is_anonymous(where->lists->value(where->entry), where->lists->is_tmpfs(where->entry));
        if (mount != nullptr && (mount->type == MountType::tmpfs) && anonymous) {
            job_.refuse(where->lists->file(), *where->lists->value(where->entry),
                        fmt::format("{} was a tmpfs when it was run, and is a volume here; run rogate again",
                                    target));
            return;
        }
        where->lists->set_read_only(where->entry, target, [&](const std::string& path) {
            return named_volume(where->lists->file(), path);
        });
        return;
    }
    if (inherited(target)) return;
    for (const auto& lists : lists_)
        if (const Node* node = lists->doubtful(target)) {
            job_.refuse(
                lists->file(), *node,
                fmt::format("no mount on {} is written in service '{}'; this one may be it, but that depends "
                            "on a variable; make it read-only by hand",
                            target, service_));
            return;
        }
    VolumeLists& lists = *lists_.front();
    if (mount != nullptr && mount->type == MountType::anonymous) {
        lists.add_volume(make_scalar(named_volume(lists.file(), target) + ":" + target + ":ro"));
        return;
    }
    if (mount != nullptr && mount->read_only) return;  // by the user, in some other way
    job_.refuse(
        lists.file(), *lists.service(),
        fmt::format(
            "service '{}' has no mount on {} here; the file has changed since the run, or another file "
            "has it (give it with --file)",
            service_, target));
}

// What a base service brings is overridden in the service itself: others may extend that base too.
bool Compose::inherited(const std::string& target) {
    const auto base = located_in_base(target);
    return base && override_entry(*base->lists, base->entry, target);
}

std::optional<Compose::Where> Compose::located_in_base(const std::string& target) {
    const Mount* mount = job_.mount(target);
    const auto look_at = [&](OpenFile& file, const NodePtr& service) -> VolumeLists& {
        looked_at_.push_back(std::make_unique<VolumeLists>(job_, file, service, "a base service",
                                                           std::vector<std::string>{"volumes"}, true));
        return *looked_at_.back();
    };
    for (auto& lists : lists_) {
        NodePtr base = base_in_file(lists->file(), lists->service());
        for (int i = 0; base && i < longest_chain; ++i) {
            VolumeLists& from = look_at(lists->file(), base);
            if (const auto entry = from.locate(target, mount)) return Where{&from, *entry};
            base = base_in_file(lists->file(), base);
        }
    }
    for (const auto& file : job_.files) {
        const NodePtr services = services_of(*file);
        if (!services || mount == nullptr) continue;
        for (const auto& pair : services->pairs) {
            if (resolved(pair.value)->kind != Node::Kind::mapping) continue;
            VolumeLists& from = look_at(*file, pair.value);
            if (const auto entry = from.locate(target, mount);
                entry && job_.declared_at(*file, *from.value(*entry), mount))
                return Where{&from, *entry};
        }
    }
    return std::nullopt;
}

// The bind source `source` of a base service as it has to be written in `own`: a relative path starts at the
// folder of the file that it stands in, and in the project's own files at that of the first one. Nothing:
// that is not to be told.
std::optional<std::string> Compose::seen_from(VolumeLists& own, VolumeLists& from,
                                              const std::string& source) const {
    const auto folder = [](const OpenFile& file) {
        return std::filesystem::path(file.document.file).parent_path().lexically_normal();
    };
    const std::filesystem::path there = folder(from.file()), here = folder(*job_.files.front());
    if (!source.starts_with('.') || there == folder(own.file())) return source;
    if (folder(own.file()) != here) return std::nullopt;
    const std::filesystem::path base = here.empty() ? std::filesystem::path(".") : here;
    const std::string way =
        (there.empty() ? std::filesystem::path(".") : there).lexically_relative(base).string();
    if (way.empty()) return std::nullopt;
    std::string moved = way + "/" + source;
    // A variable may hold anything, also a link.
    if (source.find('$') == std::string::npos)
        moved = std::filesystem::path(moved).lexically_normal().string();
    if (moved.size() > 1 && moved.ends_with('/')) moved.pop_back();
    return moved.starts_with('.') ? moved : "./" + moved;
}

bool Compose::override_entry(VolumeLists& from, const VolumeLists::Entry& entry, const std::string& target) {
    if (from.is_read_only(entry)) return true;
    const NodePtr node = from.value(entry);
    VolumeLists& own = *lists_.back();
    const std::string where = place(from.file().document, node->begin);
    const std::string source = from.bind_source(entry);
    const std::optional<std::string> moved = seen_from(own, from, source);
    if (from.is_tmpfs(entry) || is_anonymous(node, false) || !moved) {
        job_.refuse(fmt::format(
            "{}: service '{}' gets its mount on {} from here by 'extends'; write a read-only entry "
            "for it into the 'volumes' of '{}' by hand",
            where, service_, target, service_));
        return true;
    }
    NodePtr copy = flattened(*node);
    if (*moved != source) move_source(*copy, source, *moved);
    if (copy->kind == Node::Kind::mapping) {
        std::erase_if(copy->pairs, [](const auto& pair) { return pair.key->text == "read_only"; });
        NodePtr yes = make_scalar("true");
        yes->style = 'L';
        copy->pairs.push_back({make_scalar("read_only"), yes});
    } else {
        const auto mount = parse_short(copy->text);
        if (mount->variable_options) {
            job_.refuse(
                fmt::format("{}: the options of the mount on {} come from a variable; make it 'ro' by hand",
                            where, target));
            return true;
        }
        if (const auto change = short_read_only(copy->text, *mount))
            copy->text.replace(change->at, change->length, change->text);
    }
    own.add_volume(copy);
    job_.note(fmt::format(
        "the mount on {} comes from {} by 'extends'; service '{}' overrides it, and what else extends "
        "that base stays as it is",
        target, where, service_));
    return true;
}

void Compose::add(const WritablePath& writable) {
    if (const auto there = locate(writable.path)) {
        if (there->lists->is_read_only(there->entry))
            job_.refuse(
                there->lists->file(), *there->lists->value(there->entry),
                fmt::format(
                    "{} has to be writable, and is mounted read-only here; the file has changed since "
                    "the run",
                    writable.path));
        return;
    }
    const auto parent = locate(writable.mount);
    VolumeLists& lists = parent ? *parent->lists : *lists_.front();
    if (writable.path.find(':') != std::string::npos) {
        job_.refuse(
            lists.file(), *lists.service(),
            fmt::format(
                "{} has a ':', which the short syntax cannot say; add a mount of type {} on it by hand",
                writable.path, writable.as == WritableAs::tmpfs ? "tmpfs" : "volume"));
        return;
    }
    if (const std::string note = mount_point_note(writable, job_.mount(writable.mount)); !note.empty())
        job_.note(note);
    if (writable.as == WritableAs::tmpfs) {
        lists.add_tmpfs(writable.path, writable.tmpfs_options);
        return;
    }
    const WritablePlace place = writable_place(writable, job_.result);
    const auto from = source_of(writable.mount);
    const std::string path = dollars_doubled(writable.path);
    const bool inside = writable.mount != "/" && writable.path.starts_with(writable.mount + "/");
    const std::string below = inside ? dollars_doubled(writable.path.substr(writable.mount.size() + 1)) : "";
    // Below a bind the data are already on the host: they stay where they are.
    if (inside && from && from->is_bind) {
        const bool slash = from->source.ends_with('/');
        return lists.add_volume(make_scalar(from->source + (slash ? "" : "/") + below + ":" + path));
    }
    if (place.how == WritablePlace::How::new_volume)
        return lists.add_volume(make_scalar(named_volume(lists.file(), writable.path) + ":" + path));
    if (place.how == WritablePlace::How::move)
        return job_.refuse(
            lists.file(), *lists.service(),
            fmt::format(
                "{} has data, and this engine cannot mount a part of a volume (API 1.45, Docker 26): {}",
                writable.path, how_to_move(place, writable.path, job_.result)));
    if (!from || from->source.empty() || place.how == WritablePlace::How::bind)
        return job_.refuse(
            lists.file(), *lists.service(),
            fmt::format("{} has data, and what the run had mounted on {} is not in these files; mount the "
                        "directory '{}' of it on {} by hand",
                        writable.path, writable.mount, place.below, writable.path));
    const std::string sub = from->below.empty() ? below : from->below + "/" + below;
    lists.add_volume(make_mapping({{"type", make_scalar("volume")},
                                   {"source", make_scalar(from->source)},
                                   {"target", make_scalar(path)},
                                   {"volume", make_mapping({{"subpath", make_scalar(sub)}})}}));
}

// As it has to be written in the service's own list, whoever brings the mount.
std::optional<Compose::MountSource> Compose::source_of(const std::string& target) {
    const auto read = [&](VolumeLists& from, const VolumeLists::Entry& entry) -> std::optional<MountSource> {
        const NodePtr node = from.value(entry);
        if (from.is_tmpfs(entry) || is_anonymous(node, false)) return std::nullopt;
        std::string bind = from.bind_source(entry);
        if (!bind.empty()) {
            const auto moved = seen_from(*lists_.back(), from, bind);
            return moved ? std::optional(MountSource{*moved, "", true}) : std::nullopt;
        }
        if (node->kind == Node::Kind::scalar) return MountSource{parse_short(node->text)->source, "", false};
        const std::string source = text_of(node, "source");
        const Found volume = find(node, "volume");
        return MountSource{source.empty() ? text_of(node, "src") : source,
                           volume ? text_of(volume.pair->value, "subpath") : "", false};
    };
    if (const auto where = locate(target)) return read(*where->lists, where->entry);
    const auto base = located_in_base(target);
    return base ? read(*base->lists, base->entry) : std::nullopt;
}

std::string Compose::named_volume(OpenFile& file, const std::string& target) {
    std::vector<std::string> taken;
    for (const auto& each : job_.files)
        if (const Found found =
                each->document.roots.empty() ? Found{} : find(each->document.roots.front(), "volumes"))
            for (const auto& pair : found.value()->pairs) taken.push_back(pair.key->text);
    for (const auto& [where, names] : volumes_) taken.insert(taken.end(), names.begin(), names.end());
    const std::string name = volume_name(service_, target, '_', taken);
    volumes_[&file].push_back(name);
    job_.note(new_volume_note(target, name));
    return name;
}

void Compose::add_top_level() {
    for (const auto& [file, names] : volumes_) {
        const NodePtr& root = resolved(file->document.roots.front());
        const Found found = find(root, "volumes");
        if (found && found.value()->kind == Node::Kind::mapping) {
            const auto& pairs = found.value()->pairs;
            const bool braces = !pairs.empty() && pairs.back().value->kind == Node::Kind::mapping &&
                                pairs.back().value->flow && pairs.back().value->pairs.empty();
            for (const std::string& name : names) {
                NodePtr value = make_null();
                if (braces || found.value()->flow) value = make_mapping({});
                job_.take(file->editor->add(*found.value(), name, value));
            }
            continue;
        }
        std::vector<std::pair<std::string, NodePtr>> fresh;
        for (const std::string& name : names)
            fresh.emplace_back(name, root->flow ? make_mapping({}) : make_null());
        job_.take(file->editor->add(*root, "volumes", make_mapping(std::move(fresh))));
    }
}

}  // namespace

void patch_compose(Job& job) {
    Compose(job).run();
}

}  // namespace rogate::patch
