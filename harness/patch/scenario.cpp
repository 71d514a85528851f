// rogate's own scenario files: `subject` has Compose's notation of mounts, without variables.
#include <fmt/format.h>

#include "base/writable_place.hpp"
#include "patch/capabilities.hpp"
#include "patch/environment.hpp"
#include "patch/job.hpp"
#include "patch/volume_lists.hpp"

namespace rogate::patch {

namespace {

// The directory `below` of the named volume that an entry of `mounts` has; null: it has none.
NodePtr part_of(const NodePtr& entry, const std::string& below, const std::string& target) {
    std::string source, within;
    if (entry->kind == Node::Kind::scalar) {
        const auto parsed = parse_short(entry->text);
        if (parsed) source = parsed->source;
    } else {
        source = text_of(entry, "source").empty() ? text_of(entry, "src") : text_of(entry, "source");
        if (const Found volume = find(entry, "volume")) within = text_of(volume.pair->value, "subpath");
    }
    if (source.empty()) return nullptr;
    return make_mapping(
        {{"type", make_scalar("volume")},
         {"source", make_scalar(source)},
         {"target", make_scalar(target)},
         {"volume",
          make_mapping({{"subpath", make_scalar(within.empty() ? below : within + "/" + below)}})}});
}

void add(Job& job, VolumeLists& lists, const WritablePath& writable, std::vector<std::string>& names) {
    const std::string name = job.result.scenario.name.empty() ? "subject" : job.result.scenario.name;
    if (const auto there = lists.locate(writable.path, nullptr)) {
        if (lists.is_read_only(*there))
            job.refuse(lists.file(), *lists.value(*there),
                       fmt::format("{} has to be writable, and is mounted read-only here", writable.path));
        return;
    }
    if (writable.path.find(':') != std::string::npos)
        return job.refuse(
            lists.file(), *lists.service(),
            fmt::format("{} has a ':', which the short syntax cannot say; add it by hand", writable.path));
    if (const std::string note = mount_point_note(writable, job.mount(writable.mount)); !note.empty())
        job.note(note);
    if (writable.as == WritableAs::tmpfs) return lists.add_tmpfs(writable.path, writable.tmpfs_options);
    const WritablePlace place = writable_place(writable, job.result);
    const auto parent = lists.locate(writable.mount, nullptr);
    const std::string bind = parent ? lists.bind_source(*parent) : "";
    if (place.how == WritablePlace::How::new_volume) {
        names.push_back(volume_name(name, writable.path, '_', names));
        return lists.add_volume(make_scalar(names.back() + ":" + writable.path));
    }
    if (place.how == WritablePlace::How::bind && !bind.empty())
        return lists.add_volume(
            make_scalar(bind + (bind.ends_with('/') ? "" : "/") + place.below + ":" + writable.path));
    if (place.how == WritablePlace::How::subpath && parent && !lists.is_tmpfs(*parent))
        if (NodePtr part = part_of(lists.value(*parent), place.below, writable.path))
            return lists.add_volume(std::move(part));
    job.refuse(
        lists.file(), *lists.service(),
        place.how == WritablePlace::How::move
            ? fmt::format(
                  "{} has data, and this engine cannot mount a part of a volume (API 1.45, Docker 26): {}",
                  writable.path, how_to_move(place, writable.path, job.result))
            : fmt::format("{} has data, and what the run had mounted on {} is not in this file; mount the "
                          "directory '{}' of it on {} by hand",
                          writable.path, writable.mount, place.below, writable.path));
}

void patch_subject(Job& job, OpenFile& file, const NodePtr& subject) {
    VolumeLists lists(job, file, subject, "the subject", {"mounts", "volumes"}, false);
    const std::string name = job.result.scenario.name.empty() ? "subject" : job.result.scenario.name;
    std::vector<std::string> names;
    for (const auto& each : job.result.mounts) names.push_back(each.mount.source);
    const auto named = [&](const std::string& target) {
        names.push_back(volume_name(name, target, '_', names));
        return names.back();
    };
    for (const std::string& target : job.result.recommendation.read_only) {
        if (target == "/") {
            lists.set_read_only_root();
            continue;
        }
        const Mount* mount = job.mount(target);
        if (const auto entry = lists.locate(target, mount))
            lists.set_read_only(*entry, target, named);
        else if (mount != nullptr && mount->type == MountType::anonymous)
            lists.add_volume(make_scalar(named(target) + ":" + target + ":ro"));
        else if (mount == nullptr || !mount->read_only)
            job.refuse(file, *subject,
                       fmt::format("the subject has no mount on {} here; the file has changed since the run",
                                   target));
    }
    for (const std::string& target : job.opened()) {
        const auto entry = target == "/" ? std::nullopt : lists.locate(target, job.mount(target));
        if (target == "/")
            lists.set_read_only_root(false);
        else if (entry)
            lists.set_writable(*entry, target);
        else
            job.refuse(file, *subject,
                       fmt::format("the subject has no mount on {} here; the file has changed since the run",
                                   target));
    }
    for (const WritablePath& writable : job.result.recommendation.writable) add(job, lists, writable, names);
    lists.finish();
    set_environment(job, file, subject, "the subject", lists.sharing, false);
    set_capabilities(job, file, subject, "the subject", lists.sharing);
}

}  // namespace

void patch_scenario(Job& job) {
    for (const auto& file : job.files) {
        if (!file->primary || file->document.roots.empty()) continue;
        const Found subject = find(file->document.roots.front(), "subject");
        if (!subject || subject.value()->kind != Node::Kind::mapping)
            job.refuse(file->document.file + ": no 'subject'; is this a scenario file?");
        else
            patch_subject(job, *file, resolved(subject.pair->value));
    }
    if (job.files.empty()) job.refuse("no scenario file was given; name it with --file");
}

}  // namespace rogate::patch
