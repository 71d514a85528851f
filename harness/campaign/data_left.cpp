// The part of the data plane that begins a run with new data, or with what another run left.
#include <fmt/format.h>

#include "campaign/data.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

bool is_new(DataSource how) {
    return how == DataSource::fresh;
}

}  // namespace

bool DataPlane::starts_empty(const RunPlan& plan, const DataMount& data) {
    const bool is_volume = data.mount.type == MountType::volume || data.mount.type == MountType::anonymous;
    return plan.state == DataState::fresh && is_volume && data.is_directory && !data.fixture &&
           (data.how == DataSource::overlay || data.how == DataSource::copy);
}

Task<> DataPlane::keep(RunPlan plan, std::string container) {
    LeftBehind& left = left_[plan.id];
    left.container = container;
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        const DataMount& data = mounts_[i];
        const bool in_volume =
            is_new(data.how) || data.how == DataSource::overlay || starts_empty(plan, data);
        if (data.mount.type == MountType::tmpfs || data.mount.type == MountType::rootfs || !in_volume)
            continue;
        Left& mount = left.mounts[i];
        auto root = co_await attributes_of(container, data.mount.target);
        if (!root)
            co_return fail(
                std::move(root.error())
                    .with_context(fmt::format("looking at what the run left in {}", data.mount.target)));
        mount.root = std::move(*root);
        if (!is_new(data.how) && !starts_empty(plan, data)) continue;
        std::string name = is_new(data.how) ? volume_name(plan.id, i) : new_volume_name(plan.id, i);
        auto volume = co_await client_.volume_inspect(std::move(name));
        if (!volume) co_return fail(std::move(volume.error()));
        mount.mountpoint = volume->mountpoint;
    }
    co_return Result<>{};
}

// An overlay on top of what the run left, itself an overlay or a new volume; or a copy of its copy.
Task<> DataPlane::source_left(const RunPlan& plan, std::size_t index, engine::MountSpec* made_so) {
    const DataMount& data = mounts_[index];
    const LeftBehind& behind = left_.at(*plan.data_of);
    const std::string base = folder(plan.id, index);
    const std::string before = folder(*plan.data_of, index);
    engine::MountSpec& spec = *made_so;
    const auto left = behind.mounts.find(index);
    if (left == behind.mounts.end()) {
        const std::string file = data.is_directory ? "/." : "/" + data.file_name;
        auto tree = co_await tree_of(helper_, fmt::format("{}/{}/data{}", scratch_path, before, file),
                                     data.mount.target);
        if (!tree) co_return fail(std::move(tree.error()));
        auto put = co_await client_.archive_put(helper_, fmt::format("{}/{}/data", scratch_path, base),
                                                std::move(*tree));
        if (!put) co_return put;
        spec.type = engine::MountSpec::Type::bind;
        spec.no_copy = false;
        spec.source = fmt::format("{}/{}/data{}{}", scratch_mountpoint_, base, data.is_directory ? "" : "/",
                                  data.file_name);
        co_return Result<>{};
    }
    const TarFolder& root = left->second.root;
    std::vector<TarFolder> layers = {
        {base, 0, 0, 0755}, {base + "/upper", root.uid, root.gid, root.mode}, {base + "/work", 0, 0, 0755}};
    auto folders = co_await put_folders(std::move(layers));
    if (!folders) co_return folders;
    const std::string lower =
        !left->second.mountpoint.empty()
            ? left->second.mountpoint
            : fmt::format("{}/{}/upper:{}", scratch_mountpoint_, before, data.real_path);
    const engine::VolumeSpec volume = overlay_volume(volume_name(plan.id, index), lower, base);
    auto made = co_await client_.volume_create(volume);
    if (!made)
        co_return fail(
            std::move(made.error()).with_context(fmt::format("making the volume for {}", data.mount.target)));
    volumes_[plan.id].push_back(volume.name);
    spec.source = volume.name;
    spec.no_copy = true;  // it was filled when it was new
    co_return Result<>{};
}

// What the other run left there, copied: where it lies in which of the layers is not to be found out.
Task<engine::MountSpec> DataPlane::writable_left(const RunPlan& plan, const WritablePath& path,
                                                 std::size_t number) {
    const std::string& container = left_.at(*plan.data_of).container;
    const std::string base = writable_folder(plan.id, number);
    const auto facts = facts_.find(path.path);
    const verdict::PathFacts known = facts == facts_.end() ? verdict::PathFacts{} : facts->second;
    TarFolder root{base + "/data", known.uid, known.gid, known.mode};
    std::string tree;
    auto stat = co_await client_.archive_stat(container, path.path);
    if (!stat && stat.error().kind != ErrorKind::not_found) co_return fail(std::move(stat.error()));
    if (stat && stat->is_directory()) {
        auto attributes = co_await attributes_of(container, path.path);
        if (!attributes) co_return fail(std::move(attributes.error()));
        root.uid = attributes->uid, root.gid = attributes->gid, root.mode = attributes->mode;
        auto content = co_await tree_of(container, path.path + "/.", path.path);
        if (!content) co_return fail(std::move(content.error()));
        tree = std::move(*content);
    }
    std::vector<TarFolder> folders = {{base, 0, 0, 0755}, root};
    auto put = co_await put_folders(std::move(folders));
    if (put && !tree.empty())
        put = co_await client_.archive_put(helper_, fmt::format("{}/{}/data", scratch_path, base),
                                           std::move(tree));
    if (!put)
        co_return fail(
            std::move(put.error()).with_context(fmt::format("making the volume for {}", path.path)));
    engine::MountSpec spec;
    spec.target = path.path;
    spec.type = engine::MountSpec::Type::bind;
    spec.source = fmt::format("{}/{}/data", scratch_mountpoint_, base);
    co_return spec;
}

}  // namespace rogate::campaign
