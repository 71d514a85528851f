// The part of the data plane that begins a run with new data, or with what another run left.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "campaign/data.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

bool is_volume(const Mount& mount) {
    return mount.type == MountType::volume || mount.type == MountType::anonymous;
}

}  // namespace

bool DataPlane::starts_empty(const RunPlan& plan, const DataMount& data) {
    if (!is_volume(data.mount) || !data.is_directory || data.fixture) return false;
    // The engine fills an empty volume from the image, and would not fill a folder.
    if (data.how == DataSource::copy && data.is_empty && !data.mount.no_copy) return true;
    return plan.state == DataState::fresh &&
           (data.how == DataSource::overlay || data.how == DataSource::copy);
}

bool DataPlane::is_in_folder(const RunPlan& plan, const DataMount& data) {
    if (starts_empty(plan, data)) return data.mode_when_new.has_value();
    return data.how == DataSource::copy || data.how == DataSource::made;
}

// As one of `empty`: there is no image that it could be filled from, and its root is not root's alone.
Task<> DataPlane::empty_claim(const RunPlan& plan, std::size_t index, engine::MountSpec* made_so) {
    const DataMount& data = mounts_[index];
    const std::string base = folder(plan.id, index);
    std::uint32_t mode = *data.mode_when_new;
    if (data.group) mode |= 02770U;
    std::vector<TarFolder> folders = {{base, 0, 0, 0755}, {base + "/data", 0, data.group.value_or(0), mode}};
    auto put = co_await scratch_.put_folders(std::move(folders));
    if (!put)
        co_return fail(
            std::move(put.error()).with_context(fmt::format("making the volume for {}", data.mount.target)));
    scratch_.bind(*made_so, base + "/data");
    co_return Result<>{};
}

// A new volume has the directories of the image, and no others. It is filled from there by the first
// container that is made with it, so that is done before anything is put into it.
Task<> DataPlane::make_mount_points(const RunPlan& plan, std::size_t index, engine::MountSpec volume) {
    const std::string target = mounts_[index].mount.target;
    if (std::ranges::find(plan.read_only, target) == plan.read_only.end()) co_return Result<>{};
    std::set<std::string> inside;
    const auto note = [&](const std::string& path) {
        const std::string above = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
        if (path.starts_with(target + "/") && mount_of(above) == index)
            inside.insert(path.substr(target.size() + 1));
    };
    for (const DataMount& other : mounts_)
        if (other.is_directory && !other.below_source) note(other.mount.target);
    for (const WritablePath& path : plan.writable) note(path.path);
    if (inside.empty()) co_return Result<>{};
    engine::ContainerSpec spec = scratch_.never_started(fmt::format("r{}-fill{}", plan.id, index));
    volume.read_only = false;
    spec.mounts.push_back(std::move(volume));
    auto filler = co_await client_.container_create(std::move(spec));
    if (!filler) co_return fail(std::move(filler.error()).with_context("filling a new volume"));
    if (auto filled = co_await scratch_.mount_volumes_of(*filler); !filled)
        co_return fail(std::move(filled.error()).with_context("filling a new volume"));
    std::vector<TarFolder> missing;
    for (const std::string& each : inside) {
        for (std::size_t end = 0; end != std::string::npos;) {
            end = each.find('/', end + 1);
            const std::string part = each.substr(0, end);
            auto stat = co_await client_.archive_stat(*filler, target + "/" + part);
            if (!stat && stat.error().kind != ErrorKind::not_found) co_return fail(std::move(stat.error()));
            if (!stat) missing.push_back({part, 0, 0, 0755});
            if (!stat && end == std::string::npos) made_in_new_volumes_[target].insert(each);
        }
    }
    Result<> put;
    auto tar = tar_of_folders(missing);
    if (!tar) co_return fail(std::move(tar.error()));
    if (!missing.empty()) put = co_await client_.archive_put(*filler, target, std::move(*tar));
    auto removed = co_await client_.container_remove(*filler);
    if (!put)
        co_return fail(std::move(put.error()).with_context(fmt::format("making mount points in {}", target)));
    co_return removed;
}

// Asked once: all new volumes lie where the engine has its own.
Task<bool> DataPlane::can_be_overlaid(const RunPlan& plan, const std::string& mountpoint) {
    if (new_volumes_can_be_overlaid_) co_return *new_volumes_can_be_overlaid_;
    bool works = overlay_can_name(mountpoint);
    if (auto made = co_await make_scratch(); !made) co_return fail(std::move(made.error()));
    if (works) {
        const std::string base = fmt::format("r{}try", plan.id);
        std::vector<TarFolder> layers = {
            {base, 0, 0, 0755}, {base + "/upper", 0, 0, 0755}, {base + "/work", 0, 0, 0755}};
        auto folders = co_await scratch_.put_folders(std::move(layers));
        if (!folders) co_return fail(std::move(folders.error()));
        const std::string name = scratch_.named(fmt::format("r{}-try", plan.id));
        engine::VolumeSpec volume = scratch_.overlay(name, mountpoint, base, TarFolder{});
        auto made = co_await scratch_.make_volume(std::move(volume));
        if (!made) co_return fail(std::move(made.error()));
        std::vector<std::string> names(1, name);
        auto mounted = co_await scratch_.can_be_mounted(std::move(names));
        if (!mounted) co_return fail(std::move(mounted.error()));
        works = *mounted;
        scratch_.forget(name);
        auto removed = co_await client_.volume_remove(name);
        if (!removed) co_return fail(std::move(removed.error()));
    }
    new_volumes_can_be_overlaid_ = works;
    co_return works;
}

bool DataPlane::is_kept(const DataMount& data) {
    return data.mount.type != MountType::tmpfs && data.mount.type != MountType::rootfs &&
           data.how != DataSource::as_it_is && data.how != DataSource::given && data.outlasts_pod &&
           !data.shares;
}

std::string DataPlane::volume_of_run(const RunPlan& plan, std::size_t index) const {
    return starts_empty(plan, mounts_[index]) ? new_volume_name(plan.id, index) : volume_name(plan.id, index);
}

// Where archive calls on a container that has ended do not find what its volumes had, they are looked at in
// one that goes on.
Task<> DataPlane::hold_volumes(const RunPlan& plan, std::map<std::string, SeenIn>* seen_in) {
    std::vector<engine::MountSpec> volumes;
    std::map<std::string, std::string> held;
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        const DataMount& data = mounts_[i];
        if (!is_kept(data) || is_in_folder(plan, data) || !seen_in->contains(data.mount.target)) continue;
        const std::string at = fmt::format("/rogate/kept/{}", i);
        held.emplace(data.mount.target, at);
        volumes.push_back({.type = engine::MountSpec::Type::volume,
                           .source = volume_of_run(plan, i),
                           .target = at,
                           .read_only = true,
                           .no_copy = true,
                           .propagation = {}});
    }
    if (volumes.empty()) co_return Result<>{};
    auto holder = co_await scratch_.hold(fmt::format("r{}-kept", plan.id), std::move(volumes));
    if (!holder) co_return fail(std::move(holder.error()).with_context("looking at what the run left"));
    for (auto& [target, at] : held) seen_in->insert_or_assign(target, SeenIn{*holder, std::move(at)});
    co_return Result<>{};
}

Task<> DataPlane::keep(RunPlan plan, std::string subject, std::map<std::string, SeenIn> seen_in) {
    LeftBehind& left = left_[plan.id];
    left.subject = subject;
    for (std::string& holder : std::exchange(holders_[plan.id], {}))
        if (auto removed = co_await client_.container_remove(holder); !removed) co_return removed;
    if (!client_.server().archives_mount_volumes())
        if (auto held = co_await hold_volumes(plan, &seen_in); !held) co_return held;
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        const DataMount& data = mounts_[i];
        if (!is_kept(data)) continue;
        Left mount;
        if (is_in_folder(plan, data)) {
            mount.seen_in = {scratch_.helper(), Scratch::in_helper(folder(plan.id, i) + "/data")};
        } else {
            const auto place = seen_in.find(data.mount.target);
            if (place == seen_in.end()) continue;
            mount.seen_in = place->second;
            if (data.how == DataSource::overlay && !starts_empty(plan, data)) {
                mount.lower =
                    fmt::format("{}/upper:{}", scratch_.on_host(folder(plan.id, i)), data.real_path);
            } else {
                std::string name = volume_of_run(plan, i);
                auto volume = co_await client_.volume_inspect(std::move(name));
                if (!volume) co_return fail(std::move(volume.error()));
                auto works = co_await can_be_overlaid(plan, volume->mountpoint);
                if (!works) co_return fail(std::move(works.error()));
                if (*works) mount.lower = volume->mountpoint;
            }
        }
        auto root = co_await scratch_.look_at(mount.seen_in.container, mount.seen_in.path);
        if (!root)
            co_return fail(
                std::move(root.error())
                    .with_context(fmt::format("looking at what the run left in {}", data.mount.target)));
        mount.root = std::move(root->entry);
        if (mount.lower.empty() && mount.seen_in.container != scratch_.helper())
            if (auto copied = co_await keep_copy(plan, i, mount); !copied) co_return copied;
        left.mounts.emplace(i, std::move(mount));
    }
    co_return Result<>{};
}

// What lies at `from`, into the run's own folder for that mount.
Task<> DataPlane::copy_into_folder(int run, std::size_t index, TarFolder root, SeenIn from) {
    const std::string base = folder(run, index), target = mounts_[index].mount.target;
    auto tree = co_await scratch_.tree_of(from.container, from.path, target);
    if (!tree) co_return fail(std::move(tree.error()));
    std::vector<TarFolder> folders = {{base, 0, 0, 0755}, {base + "/data", root.uid, root.gid, root.mode}};
    auto put = co_await scratch_.put_folders(std::move(folders));
    if (put) put = co_await scratch_.put(base + "/data", std::move(*tree));
    if (!put)
        co_return fail(
            std::move(put.error()).with_context(fmt::format("copying what a run left in {}", target)));
    co_return Result<>{};
}

// Out of a container that may be removed then.
Task<> DataPlane::keep_copy(const RunPlan& plan, std::size_t index, Left& left) {
    SeenIn from{left.seen_in.container, left.seen_in.path + "/."};
    left.seen_in = {scratch_.helper(), Scratch::in_helper(folder(plan.id, index) + "/data")};
    co_return co_await copy_into_folder(plan.id, index, left.root, std::move(from));
}

// An overlay on top of what the run left, itself an overlay or a new volume; or a copy of it.
Task<> DataPlane::source_left(const RunPlan& plan, std::size_t index, engine::MountSpec* made_so) {
    const DataMount& data = mounts_[index];
    const Left& left = left_.at(*plan.data_of).mounts.at(index);
    if (left.lower.empty()) co_return co_await copy_left(plan, index, made_so);
    const std::string base = folder(plan.id, index);
    engine::MountSpec& spec = *made_so;
    std::vector<TarFolder> layers = {{base, 0, 0, 0755},
                                     {base + "/upper", left.root.uid, left.root.gid, left.root.mode},
                                     {base + "/work", 0, 0, 0755}};
    auto folders = co_await scratch_.put_folders(std::move(layers));
    if (!folders) co_return folders;
    if (data.facts.more_attributes && data.how == DataSource::overlay) {
        std::vector<Scratch::Pair> alike;
        alike.push_back({Scratch::in_helper(folder(*plan.data_of, index) + "/upper"),
                         Scratch::in_helper(base + "/upper")});
        auto made_alike = co_await scratch_.make_alike(std::move(alike), {});
        if (!made_alike) co_return made_alike;
    }
    const engine::VolumeSpec volume =
        scratch_.overlay(volume_name(plan.id, index), left.lower, base, left.root, data.facts.flags);
    auto made = co_await client_.volume_create(volume);
    if (!made)
        co_return fail(
            std::move(made.error()).with_context(fmt::format("making the volume for {}", data.mount.target)));
    volumes_[plan.id].push_back(volume.name);
    spec.source = volume.name;
    spec.no_copy = true;  // it was filled when it was new
    co_return Result<>{};
}

Task<> DataPlane::copy_left(const RunPlan& plan, std::size_t index, engine::MountSpec* made_so) {
    const DataMount& data = mounts_[index];
    const Left& left = left_.at(*plan.data_of).mounts.at(index);
    std::string path = left.seen_in.path + "/.";
    if (!data.is_directory) path = left.seen_in.path + "/" + data.file_name;
    SeenIn from{left.seen_in.container, std::move(path)};
    auto copied = co_await copy_into_folder(plan.id, index, left.root, std::move(from));
    if (!copied) co_return copied;
    scratch_.bind(*made_so, data_place(plan.id, index));
    co_return Result<>{};
}

// What the other run left there, copied: where it lies in which of the layers is not to be found out.
Task<engine::MountSpec> DataPlane::writable_left(const RunPlan& plan, const WritablePath& path,
                                                 std::size_t number) {
    const LeftBehind& behind = left_.at(*plan.data_of);
    SeenIn from{behind.subject, path.path};
    const std::size_t index = mount_of(path.path);
    const SharedData owner = owner_of(index);
    if (const auto left = behind.mounts.find(owner.with); left != behind.mounts.end())
        from = {left->second.seen_in.container, left->second.seen_in.path + owner.part +
                                                    path.path.substr(mounts_[index].mount.target.size())};
    const std::string base = writable_folder(plan.id, number);
    const auto facts = facts_.find(path.path);
    const verdict::PathFacts known = facts == facts_.end() ? verdict::PathFacts{} : facts->second;
    TarFolder root{base + "/data", known.uid, known.gid, known.mode};
    std::string tree;
    auto stat = co_await client_.archive_stat(from.container, from.path);
    if (!stat && stat.error().kind != ErrorKind::not_found) co_return fail(std::move(stat.error()));
    if (stat && stat->is_directory()) {
        auto seen = co_await scratch_.look_at(from.container, from.path);
        if (!seen) co_return fail(std::move(seen.error()));
        root.uid = seen->entry.uid, root.gid = seen->entry.gid, root.mode = seen->entry.mode;
        auto content = co_await scratch_.tree_of(from.container, from.path + "/.", path.path);
        if (!content) co_return fail(std::move(content.error()));
        tree = std::move(*content);
    }
    std::vector<TarFolder> folders = {{base, 0, 0, 0755}, root};
    auto put = co_await scratch_.put_folders(std::move(folders));
    if (put && !tree.empty()) put = co_await scratch_.put(base + "/data", std::move(tree));
    if (!put)
        co_return fail(
            std::move(put.error()).with_context(fmt::format("making the volume for {}", path.path)));
    engine::MountSpec spec;
    spec.target = path.path;
    scratch_.bind(spec, base + "/data");
    co_return spec;
}

}  // namespace rogate::campaign
