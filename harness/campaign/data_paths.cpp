// The part of the data plane that looks at single paths of the subject, and gives some of them mounts of
// their own.
#include <fmt/format.h>

#include <algorithm>
#include <rogate/place.hpp>

#include "base/text.hpp"
#include "campaign/data.hpp"

namespace rogate::campaign {

using engine::Task;

std::string DataPlane::writable_folder(int run, std::size_t number) const {
    return fmt::format("r{}w{}", run, number);
}

std::optional<DataPlane::NewRoot> DataPlane::new_root(const std::string& path) const {
    const auto found = new_roots_.find(std::string(container_of(path)));
    return found == new_roots_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t DataPlane::mount_of(const std::string& path) const {
    std::size_t best = 0, longest = 0;
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        const std::string& target = mounts_[i].mount.target;
        const std::size_t size = target == "/" ? 0 : target.size();
        const bool below = is_or_below(path, target);
        if (!below || (longest > 0 && size < longest)) continue;
        best = i;
        longest = size;
    }
    return best;
}

Task<DataPlane::SeenIn> DataPlane::seen_at(std::string path) {
    const std::size_t index = mount_of(path);
    const DataMount& data = mounts_[index];
    if (data.how != DataSource::fresh)
        co_return SeenIn{scratch_.helper(), seen_by_helper(index) + path.substr(data.mount.target.size())};
    // What is new is filled from the image, which the helper is made of too, if there is one image.
    const auto image = images_.find(std::string(container_of(path)));
    if (image == images_.end()) co_return SeenIn{scratch_.helper(), std::move(path)};
    auto container = co_await scratch_.container_of_image(image->second);
    if (!container) co_return fail(std::move(container.error()));
    co_return SeenIn{std::move(*container), std::string(path_in(path))};
}

std::set<std::string> DataPlane::can_make_mount_points() const {
    std::set<std::string> targets;
    for (const DataMount& data : mounts_)
        if (data.is_directory && !data.shares &&
            (data.how == DataSource::overlay || data.how == DataSource::copy || data.how == DataSource::made))
            targets.insert(data.mount.target);
    return targets;
}

Task<verdict::PathFacts> DataPlane::look(std::string path) {
    if (auto made = co_await make_scratch(); !made) co_return fail(std::move(made.error()));
    verdict::PathFacts facts;
    auto where = co_await seen_at(path);
    if (!where) co_return fail(std::move(where.error()));
    auto stat = co_await client_.archive_stat(where->container, where->path);
    if (!stat && stat.error().kind != ErrorKind::not_found)
        co_return fail(std::move(stat.error()).with_context(fmt::format("looking at {}", path)));
    facts.exists = stat.has_value();
    facts.is_directory = stat && stat->is_directory();
    if (facts.is_directory) {
        auto seen = co_await scratch_.look_at(where->container, where->path);
        if (!seen) co_return fail(std::move(seen.error()).with_context(fmt::format("looking at {}", path)));
        facts.empty = seen->only_one;
        if (!facts.empty) {
            auto files = co_await scratch_.holds_files(where->container, where->path);
            if (!files)
                co_return fail(std::move(files.error()).with_context(fmt::format("looking at {}", path)));
            facts.only_directories = !*files;
        }
        facts.uid = seen->entry.uid;
        facts.gid = seen->entry.gid;
        facts.mode = seen->entry.mode;
    }
    facts_[path] = facts;
    co_return facts;
}

// A mount point below a read-only mount must be there already, or the container does not start. Below a
// writable one the engine makes it, in the user's own source: so it will be there, and it is made for the
// runs.
Task<> DataPlane::find_missing_mount_points() {
    for (const DataMount& inner : mounts_) {
        const std::string& target = inner.mount.target;
        if (is_root(target) || inner.below_source) continue;
        const std::size_t above = mount_of(target.substr(0, std::max<std::size_t>(target.rfind('/'), 1)));
        DataMount& outer = mounts_[above];
        if (!outer.of_volume.empty()) continue;  // nobody can make one in there before the pod runs
        const bool made = outer.shares || outer.how == DataSource::overlay || outer.how == DataSource::copy ||
                          outer.how == DataSource::made;
        // The user's own container would not start either.
        const bool stays = outer.how == DataSource::as_it_is && outer.mount.read_only && has_source(outer);
        if (!outer.is_directory || (!made && !stays)) continue;
        if (!target.starts_with(outer.mount.target + "/")) continue;  // nothing is above it
        const std::string inside = target.substr(outer.mount.target.size() + 1);
        auto stat = co_await client_.archive_stat(scratch_.helper(),
                                                  fmt::format("{}/{}", seen_by_helper(above), inside));
        if (stat) continue;
        if (stat.error().kind != ErrorKind::not_found) co_return fail(std::move(stat.error()));
        outer.missing_mount_points.push_back({inside, inner.is_directory});
    }
    co_return Result<>{};
}

Task<engine::MountSpec> DataPlane::part_of(int run, std::string target, std::string sub_path) {
    const auto found =
        std::ranges::find_if(mounts_, [&](const DataMount& data) { return data.mount.target == target; });
    const SharedData owner = owner_of(static_cast<std::size_t>(found - mounts_.begin()));
    const std::string base = folder(run, owner.with) + "/data" + owner.part;
    engine::MountSpec spec;
    scratch_.bind(spec, fmt::format("{}{}{}", base, sub_path.empty() ? "" : "/", sub_path));
    // As the kubelet makes them: root's, with the mode of the volume's root (SafeMakeDir in
    // pkg/volume/util/subpath).
    const std::uint32_t group = (found->mode & 02000U) == 0 ? 0 : found->gid;
    std::vector<TarFolder> missing;
    for (std::size_t end = 0; !sub_path.empty() && end != std::string::npos;) {
        end = sub_path.find('/', end + 1);
        const std::string part = base + "/" + sub_path.substr(0, end);
        Result<engine::Client::PathStat> stat = engine::Client::PathStat{};
        if (missing.empty())
            stat = co_await client_.archive_stat(scratch_.helper(), Scratch::in_helper(part));
        if (!stat && stat.error().kind != ErrorKind::not_found) co_return fail(std::move(stat.error()));
        if (stat && !stat->link_target.empty())
            co_return fail(ErrorKind::usage,
                           fmt::format("'{}' of the volume is a symbolic link, which a mount must not follow",
                                       sub_path.substr(0, end)));
        if (!stat || !missing.empty()) missing.push_back({part, 0, group, found->mode});
    }
    if (missing.empty()) co_return spec;
    auto made = co_await scratch_.put_folders(std::move(missing));
    if (!made) co_return fail(std::move(made.error()));
    co_return spec;
}

Task<engine::MountSpec> DataPlane::tmpfs_for(const RunPlan& plan, const WritablePath& path,
                                             std::size_t number) {
    engine::VolumeSpec volume = scratch_.volume(scratch_.named(fmt::format("r{}-w{}", plan.id, number)));
    const NewRoot root = new_root(path.path).value_or(NewRoot{});
    std::string options = fmt::format("mode={:04o}", root.mode);
    if (root.group != 0) options += fmt::format(",gid={}", root.group);
    volume.options = {{"type", "tmpfs"}, {"device", "tmpfs"}, {"o", std::move(options)}};
    engine::MountSpec spec;
    spec.target = path.path;
    spec.type = engine::MountSpec::Type::volume;
    spec.source = volume.name;
    spec.no_copy = true;
    volumes_[plan.id].push_back(volume.name);
    auto made = co_await client_.volume_create(std::move(volume));
    if (!made)
        co_return fail(
            std::move(made.error()).with_context(fmt::format("making the tmpfs for {}", path.path)));
    co_return spec;
}

Task<engine::MountSpec> DataPlane::volume_for(const RunPlan& plan, const WritablePath& path,
                                              std::size_t number) {
    if (plan.data_of) co_return co_await writable_left(plan, path, number);
    const int run = plan.id;
    const DataMount& data = mounts_[mount_of(path.path)];
    engine::MountSpec spec;
    spec.target = path.path;
    const std::string inside =
        path.path.substr(data.mount.target.size() - (is_root(data.mount.target) ? 1 : 0));
    const bool empty = starts_empty(plan, data);
    const std::size_t index = mount_of(path.path);
    const auto facts = facts_.find(path.path);
    const bool there = facts != facts_.end() && facts->second.exists;
    if (is_shared(index) && there && !empty) {  // what is written there is seen by the others, too
        const SharedData owner = owner_of(index);
        if (is_in_folder(plan, mounts_[owner.with])) {
            scratch_.bind(spec, data_place(run, owner.with) + owner.part + inside);
            co_return spec;
        }
        std::string name = volume_name(run, owner.with);
        auto at = co_await held(run, std::move(name));
        if (!at) co_return fail(std::move(at.error()));
        spec.type = engine::MountSpec::Type::bind;
        spec.source = *at + owner.part + inside;
        co_return spec;
    }
    if (data.how == DataSource::copy &&
        !empty) {  // the run has a copy of its own, this part of it stays writable
        scratch_.bind(spec, fmt::format("{}/data{}", folder(run, mount_of(path.path)), inside));
        co_return spec;
    }
    const std::string& real = real_source(data);
    if (data.how == DataSource::as_it_is && there && !real.empty()) {
        spec.type = engine::MountSpec::Type::bind;
        spec.source = real + inside;
        co_return spec;
    }
    const std::optional<NewRoot> root = new_root(path.path);
    if (root && !there && data.mount.type == MountType::rootfs && !plan.leaves_data) {
        const std::string base = writable_folder(run, number);
        std::vector<TarFolder> folders = {{base, 0, 0, 0755}, {base + "/data", 0, root->group, root->mode}};
        if (auto put = co_await scratch_.put_folders(std::move(folders)); !put)
            co_return fail(
                std::move(put.error()).with_context(fmt::format("making the volume for {}", path.path)));
        scratch_.bind(spec, base + "/data");
        co_return spec;
    }
    engine::VolumeSpec volume = scratch_.volume(scratch_.named(fmt::format("r{}-w{}", run, number)));
    if (data.how == DataSource::overlay && there && !empty)
        volume = scratch_.overlay(
            volume.name, data.real_path + inside, writable_folder(run, number),
            {.path = {}, .uid = facts->second.uid, .gid = facts->second.gid, .mode = facts->second.mode},
            data.facts.flags);
    auto made = co_await client_.volume_create(volume);
    if (!made)
        co_return fail(
            std::move(made.error()).with_context(fmt::format("making the volume for {}", path.path)));
    volumes_[run].push_back(volume.name);
    spec.type = engine::MountSpec::Type::volume;
    spec.source = volume.name;
    // Filled from the image where the subject has the image's files; not below a mount of the user's.
    spec.no_copy = data.how == DataSource::overlay && !empty;
    co_return spec;
}

}  // namespace rogate::campaign
