// The part of the pod that gives parts of its volumes to the subject alone: what a split keeps writable below
// a mount that is read-only.
#include <algorithm>

#include "base/text.hpp"
#include "campaign/pod.hpp"

namespace rogate::campaign {

using engine::Task;

const DataMount& Pod::data_of_volume(const std::string& volume) const {
    return *std::ranges::find(data_.mounts(), volume,
                              [](const DataMount& data) { return data.mount.target; });
}

std::optional<Pod::Inside> Pod::inside(const std::string& path) const {
    const PodMount* mount = nullptr;
    for (const PodMount& each : scenario_.pod.mounts)
        if (is_or_below(path, each.target) && (mount == nullptr || each.target.size() > mount->target.size()))
            mount = &each;
    if (mount == nullptr) return std::nullopt;
    Inside found{.path = "/" + mount->volume, .volume = "/" + mount->volume, .mount = mount};
    if (!mount->sub_path.empty()) found.path += "/" + mount->sub_path;
    found.path += path.substr(mount->target.size());
    return found;
}

// A copy can be given in parts, and everybody sees the same. An overlay cannot: its part is another overlay
// of the same directory, which does while nobody else has the volume.
bool Pod::comes_in_parts(const PodMount& mount) const {
    const DataMount& data = data_of_volume("/" + mount.volume);
    if (data.how == DataSource::copy) return data.is_directory;
    if (data.how != DataSource::overlay) return false;
    const auto of_it = [&](const PodMount& each) { return each.volume == mount.volume; };
    return std::ranges::count_if(scenario_.pod.mounts, of_it) == 1 &&
           std::ranges::none_of(scenario_.pod.containers, [&](const PodContainer& container) {
               return std::ranges::any_of(container.mounts, of_it);
           });
}

std::set<std::string> Pod::can_make_mount_points() const {
    std::set<std::string> targets;
    for (const PodMount& mount : scenario_.pod.mounts)
        if (comes_in_parts(mount)) targets.insert(mount.target);
    return targets;
}

Task<verdict::PathFacts> Pod::look(std::string path) {
    const auto where = inside(path);
    if (!where || !comes_in_parts(*where->mount)) co_return verdict::PathFacts{};
    auto facts = co_await data_.look(where->path);
    const DataMount& data = data_of_volume(where->volume);
    if (facts && data.group) {  // as with_group() makes them
        facts->gid = *data.group;
        facts->mode |= facts->is_directory ? 02770U : 0660U;
    }
    co_return facts;
}

RunPlan Pod::with_parts(const RunPlan& plan) const {
    RunPlan own = rogate::campaign::data_of(plan);
    for (const WritablePath& path : plan.writable) {
        const auto where = inside(path.path);
        if (!where) continue;
        // Given when the init containers have run, since they may change what lies there.
        if (path.as == WritableAs::volume && data_.is_in_folder(plan, where->volume)) continue;
        WritablePath part = path;
        part.path = where->path;
        part.mount = where->volume;
        own.writable.push_back(std::move(part));
    }
    return own;
}

Task<std::map<std::string, engine::MountSpec>> Pod::mounts(RunPlan plan) {
    std::map<std::string, engine::MountSpec> given;
    for (const PodMount& each : scenario_.pod.mounts) {
        auto specs = co_await mount(plan.id, each);
        if (!specs) co_return fail(std::move(specs.error()));
        for (engine::MountSpec& spec : *specs) given.emplace(spec.target, std::move(spec));
    }
    for (const WritablePath& path : plan.writable) {
        const auto where = inside(path.path);
        if (!where || path.as != WritableAs::volume) continue;
        engine::MountSpec spec;
        if (const auto made = parts_.find(where->path); made != parts_.end()) {
            spec = made->second;
        } else {
            auto part =
                co_await data_.part_of(plan.id, where->volume, where->path.substr(where->volume.size() + 1));
            if (!part) co_return fail(std::move(part.error()).with_context("mount " + path.path));
            spec = std::move(*part);
        }
        spec.target = path.path;
        spec.read_only = false;
        given.insert_or_assign(path.path, std::move(spec));
    }
    co_return given;
}

}  // namespace rogate::campaign
