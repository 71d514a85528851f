#include "campaign/data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <rogate/labels.hpp>
#include <set>
#include <tuple>

#include "base/text.hpp"
#include "campaign/companions.hpp"
#include "campaign/tar.hpp"
#include "engine/together.hpp"
#include "observe/observer.hpp"
#include "scenario/local_tar.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

// What is copied goes through this process: only so much of it.
constexpr std::size_t copy_limit = 512U << 20U;

// Go's os.FileMode type bits, as the archive call reports them.
constexpr std::uint32_t mode_device = 1U << 26U, mode_fifo = 1U << 25U, mode_socket = 1U << 24U;

const Fixture* fixture_for(const std::string& target, const std::vector<Fixture>& fixtures) {
    const auto found = std::find_if(fixtures.begin(), fixtures.end(),
                                    [&](const Fixture& fixture) { return fixture.target == target; });
    return found == fixtures.end() ? nullptr : &*found;
}

TarFolder root_of(const DataMount& data) {
    return {.path = {}, .uid = data.uid, .gid = data.gid, .mode = data.mode};
}

// Of the run's own, in the scratch volume.
bool has_folder(const DataMount& data) {
    return data.how == DataSource::overlay || data.how == DataSource::copy || data.how == DataSource::made;
}

}  // namespace

bool overlay_can_name(const std::string& path) {
    return path.find_first_of(":,\\") == std::string::npos;
}

bool has_source(const DataMount& data) {
    return data.how != DataSource::fresh && data.how != DataSource::made && data.how != DataSource::given;
}

RunPlan data_of(const RunPlan& plan) {
    RunPlan nothing_tried;
    nothing_tried.id = plan.id;
    nothing_tried.state = plan.state;
    nothing_tried.data_of = plan.data_of;
    return nothing_tried;
}

std::string DataPlane::scratch_name() const {
    return fmt::format("rogate-{}-{}scratch", session_, part_);
}

std::string DataPlane::volume_name(int run, std::size_t index) const {
    return fmt::format("rogate-{}-{}r{}-m{}", session_, part_, run, index);
}

// The other name may be that of an overlay which was tried.
std::string DataPlane::new_volume_name(int run, std::size_t index) const {
    return volume_name(run, index) + "-new";
}

std::string DataPlane::folder(int run, std::size_t index) const {
    return fmt::format("r{}m{}", run, index);
}

std::string DataPlane::mode() const {
    std::set<std::string> ways;
    for (const DataMount& data : mounts_) {
        if (data.fixture) continue;
        if (data.how == DataSource::overlay) ways.insert("overlay");
        if (data.how == DataSource::copy) ways.insert("copy");
        if (mode_ == DataMode::live && data.how == DataSource::as_it_is && !data.mount.read_only)
            ways.insert("live");
    }
    std::string text;
    for (const std::string& way : ways) text += (text.empty() ? "" : "+") + way;
    return text.empty() ? "none" : text;
}

Task<> DataPlane::survey(std::vector<Mount> mounts, std::vector<Fixture> fixtures,
                         std::set<std::string> written_elsewhere) {
    written_elsewhere_ = std::move(written_elsewhere);
    for (const Mount& mount : mounts) {
        DataMount data;
        const auto known = known_.find(mount.target);
        if (known != known_.end()) data = known->second;
        data.mount = mount;
        if (const Fixture* fixture = fixture_for(mount.target, fixtures)) {
            data.fixture = *fixture;
            data.how = DataSource::copy;
            mounts_.push_back(std::move(data));
            continue;
        }
        if (data.how == DataSource::made || data.how == DataSource::given) {
            mounts_.push_back(std::move(data));
            continue;
        }
        if (mount.type == MountType::bind && data.how == DataSource::fresh) data.how = DataSource::overlay;
        // A live container's anonymous volume is known by its name, and has data.
        const bool has_name = mount.type == MountType::anonymous && !mount.source.empty();
        if (mount.type == MountType::volume || has_name) {
            auto volume = co_await client_.volume_inspect(mount.source);
            Result<bool> unused = false;
            if (volume) unused = co_await client_.volume_awaits_first_use(mount.source);
            if (!unused) co_return fail(std::move(unused.error()));
            if (volume && *unused) {
                // As if it were not there: to look at it would be its first use.
            } else if (volume) {
                // A volume with options (NFS, a device) is mounted by the engine only while a container uses
                // it, so its mount point is no lower directory to count on.
                const bool plain = volume->driver == "local" && volume->options.empty();
                data.how = plain && data.how != DataSource::copy ? DataSource::overlay : DataSource::copy;
                data.real_path = volume->mountpoint;
            } else if (volume.error().kind != ErrorKind::not_found) {
                co_return fail(std::move(volume.error()));
            } else {
                // Runs with an empty volume in place of a full one would be no evidence.
                auto exists = co_await client_.volume_exists(mount.source);
                if (!exists) co_return fail(std::move(exists.error()));
                if (*exists)
                    co_return fail(std::move(volume.error()).with_context("a volume that the engine lists"));
            }
        }
        if (mode_ == DataMode::copy && data.how == DataSource::overlay) data.how = DataSource::copy;
        mounts_.push_back(std::move(data));
    }
    const bool any = std::any_of(mounts_.begin(), mounts_.end(), [](const DataMount& data) {
        return has_source(data) || data.how == DataSource::made;
    });
    if (!any) co_return Result<>{};
    if (auto made = co_await create_helper(); !made) co_return made;
    if (client_.server().is_podman())
        if (auto reached = co_await reach_single_files(); !reached) co_return reached;
    if (std::ranges::any_of(mounts_, has_source))
        if (auto found = co_await find_submounts(); !found) co_return found;
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        if (!has_source(mounts_[i])) continue;
        if (mounts_[i].fixture)
            if (auto put = co_await put_fixture(i); !put) co_return put;
        if (auto seen = co_await survey_source(mounts_[i], i); !seen) co_return seen;
    }
    if (auto checked = co_await check_overlays(); !checked) co_return checked;
    co_return co_await find_missing_mount_points();
}

std::string DataPlane::seen_by_helper(std::size_t index) const {
    const DataMount& data = mounts_[index];
    if (!data.seen_at.empty()) return data.seen_at;
    if (data.seen_in_folder)
        return fmt::format("/rogate/folder/{}/{}", index,
                           std::filesystem::path(data.mount.source).filename().string());
    if (!data.fixture) return fmt::format("/rogate/source/{}", index);
    return fmt::format("{}/f{}/data{}{}", scratch_path, index, data.file_name.empty() ? "" : "/",
                       data.file_name);
}

std::vector<engine::MountSpec> DataPlane::source_mounts(bool in_folders) const {
    std::vector<engine::MountSpec> specs;
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        const DataMount& data = mounts_[i];
        if (!has_source(data) || data.below_source || data.fixture) continue;
        // no_copy: an empty volume of the user's would otherwise be filled from the image.
        specs.push_back({.type = data.mount.type == MountType::bind ? engine::MountSpec::Type::bind
                                                                    : engine::MountSpec::Type::volume,
                         .source = data.mount.source,
                         .target = fmt::format("/rogate/source/{}", i),
                         .read_only = true,
                         .no_copy = data.mount.type != MountType::bind,
                         .propagation = {}});
        if (!in_folders || !data.seen_in_folder) continue;
        specs.back().source = std::filesystem::path(data.mount.source).parent_path().string();
        specs.back().target = fmt::format("/rogate/folder/{}", i);
    }
    return specs;
}

// Its archive calls mount what it has.
engine::ContainerSpec DataPlane::never_started(const std::string& name) const {
    engine::ContainerSpec spec;
    spec.name = fmt::format("rogate-{}-{}{}", session_, part_, name);
    spec.image = image_;
    spec.labels = labels(session_, "helper");
    spec.network_mode = "none";
    spec.entrypoint = std::vector<std::string>{"/rogate-helper-is-never-started"};
    return spec;
}

engine::ContainerSpec DataPlane::reader(const std::string& name, std::string image,
                                        std::vector<std::string> words,
                                        std::vector<engine::MountSpec> mounts) const {
    engine::ContainerSpec spec;
    spec.name = fmt::format("rogate-{}-{}{}", session_, part_, name);
    spec.image = std::move(image);
    spec.labels = labels(session_, "helper");
    spec.entrypoint = std::move(words);
    spec.entrypoint->insert(spec.entrypoint->begin(), "/rogate-observer");
    spec.network_mode = "none";
    spec.read_only_rootfs = true;
    spec.cap_drop = {"ALL"};
    spec.mounts = std::move(mounts);
    return spec;
}

Task<> DataPlane::create_helper() {
    engine::VolumeSpec scratch;
    scratch.name = scratch_name();
    scratch.labels = labels(session_, "data");
    auto volume = co_await client_.volume_create(scratch);
    if (!volume)
        co_return fail(std::move(volume.error()).with_context("making the volume for throw-away layers"));
    scratch_mountpoint_ = volume->mountpoint;
    co_return co_await create_helper_container();
}

Task<> DataPlane::create_helper_container() {
    engine::ContainerSpec spec = never_started("helper");
    spec.mounts.push_back({.type = engine::MountSpec::Type::volume,
                           .source = scratch_name(),
                           .target = scratch_path,
                           .read_only = false,
                           .no_copy = true,
                           .propagation = {}});
    for (engine::MountSpec& source : source_mounts(true)) spec.mounts.push_back(std::move(source));
    auto created = co_await client_.container_create(spec);
    if (!created) {
        Error error = std::move(created.error());
        if (error.message.find("bind source path does not exist") != std::string::npos)
            error.kind = ErrorKind::usage;
        co_return fail(std::move(error).with_context("looking at the mounts' sources"));
    }
    helper_ = *created;
    mounts_of_.insert_or_assign(helper_, std::move(spec.mounts));
    co_return Result<>{};
}

// Podman's archive calls enter what is mounted (buildah's copier changes its root to it), and answer 500
// where that is no folder, as long as the container does not run.
Task<> DataPlane::reach_single_files() {
    bool any = false;
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        DataMount& data = mounts_[i];
        if (data.mount.type != MountType::bind || !has_source(data) || data.fixture) continue;
        auto stat = co_await client_.archive_stat(helper_, seen_by_helper(i));
        data.seen_in_folder = !stat && stat.error().kind == ErrorKind::refused;
        any = any || data.seen_in_folder;
    }
    if (!any) co_return Result<>{};
    if (auto removed = co_await client_.container_remove(helper_); !removed) co_return removed;
    co_return co_await create_helper_container();
}

// Once, beside the throw-away layers; each run gets a copy of it, as of real data that cannot be overlaid.
Task<> DataPlane::put_fixture(std::size_t index) {
    const Fixture& fixture = *mounts_[index].fixture;
    auto tar = scenario::tar_of_content(fixture.from, fixture.uid, fixture.gid, fixture.mode);
    if (!tar) co_return fail(std::move(tar.error()).with_context("fixture for " + fixture.target));
    const bool is_folder = fixture.from.empty() || std::filesystem::is_directory(fixture.from);
    std::uint32_t mode = fixture.mode.value_or(0755);
    if (!fixture.mode && is_folder && !fixture.from.empty())
        mode = static_cast<std::uint32_t>(std::filesystem::status(fixture.from).permissions()) & 07777U;
    // The engine leaves out the entry of the folder itself ("./").
    std::vector<TarFolder> folders = {{fmt::format("f{}", index), 0, 0, 0755},
                                      {fmt::format("f{}/data", index), fixture.uid, fixture.gid, mode}};
    if (auto put = co_await put_folders(std::move(folders)); !put) co_return put;
    const std::string into = fmt::format("{}/f{}/data", scratch_path, index);
    if (auto put = co_await client_.archive_put(helper_, into, std::move(*tar)); !put)
        co_return fail(std::move(put.error()).with_context("fixture for " + fixture.target));
    if (!is_folder) mounts_[index].file_name = std::filesystem::path(fixture.from).filename().string();
    co_return Result<>{};
}

Task<> DataPlane::survey_source(DataMount& data, std::size_t index) {
    const std::string path = seen_by_helper(index);
    auto stat = co_await client_.archive_stat(helper_, path);
    if (!stat)
        co_return fail(std::move(stat.error())
                           .with_context(fmt::format("looking at the source of {}", data.mount.target)));
    data.is_directory = stat->is_directory();
    if ((stat->go_mode & mode_socket) != 0) data.special = "a unix socket";
    if ((stat->go_mode & mode_device) != 0) data.special = "a device";
    if ((stat->go_mode & mode_fifo) != 0) data.special = "a FIFO";
    if (!data.special.empty() || mode_ == DataMode::live ||
        (data.mount.read_only && !data.fixture && !written_elsewhere_.contains(source_key(data.mount)))) {
        data.how = DataSource::as_it_is;
        co_return Result<>{};
    }
    if (!data.is_directory) {
        data.how = DataSource::copy;
        data.file_name = stat->name;
        co_return Result<>{};
    }
    if (data.mount.type == MountType::bind) data.real_path = data.mount.source;
    if (!overlay_can_name(data.real_path)) data.how = DataSource::copy;
    if (auto read = co_await read_root_attributes(data, index); !read) co_return read;
    if (data.group) {  // the copy's own folder is made so; with_group() is for what is in it
        data.gid = *data.group;
        data.mode |= 02770U;
    }
    co_return Result<>{};
}

// The root of an overlay has the upper directory's owner and mode, so that must be made like the real one.
Task<> DataPlane::read_root_attributes(DataMount& data, std::size_t index) {
    auto root = co_await attributes_of(helper_, seen_by_helper(index));
    if (!root)
        co_return fail(
            std::move(root.error()).with_context(fmt::format("reading the source of {}", data.mount.target)));
    data.uid = root->uid;
    data.gid = root->gid;
    data.mode = root->mode;
    co_return Result<>{};
}

// Podman's archives do not tell, but a container that has the same mounts can look. Nothing for other
// engines, whose do, and for what the container has in no mount.
Task<std::optional<Owners>> DataPlane::owners(std::string container, std::string path, bool below) {
    const auto mounts = mounts_of_.find(container);
    if (!client_.server().is_podman() || mounts == mounts_of_.end()) co_return std::optional<Owners>();
    const bool in_a_mount = std::ranges::any_of(
        mounts->second, [&](const engine::MountSpec& mount) { return is_or_below(path, mount.target); });
    if (!in_a_mount) co_return std::optional<Owners>();
    if (reader_image_.empty()) {
        auto image = co_await observe::import_mount_reader(client_, session_);
        if (!image) co_return fail(std::move(image.error()));
        reader_image_ = std::move(*image);
    }
    std::vector<std::string> words = {below ? "owners-below" : "owners", std::move(path)};
    engine::ContainerSpec spec =
        reader(fmt::format("owners{}", checks_++), reader_image_, std::move(words), mounts->second);
    spec.cap_add = {"DAC_READ_SEARCH"};
    for (engine::MountSpec& mount : spec.mounts) mount.read_only = true;
    auto created = co_await client_.container_create(std::move(spec));
    if (!created) co_return fail(std::move(created.error()).with_context("looking who owns the data"));
    auto said = co_await client_.container_output(*created);
    if (!said) co_return fail(std::move(said.error()).with_context("looking who owns the data"));
    if (auto removed = co_await client_.container_remove(*created); !removed)
        co_return fail(std::move(removed.error()));
    auto known = owners_of(*said);
    if (!known) co_return fail(std::move(known.error()));
    co_return std::optional<Owners>(std::move(*known));
}

Task<TarFolder> DataPlane::attributes_of(std::string container, std::string path) {
    std::string head;
    Result<FirstEntry> first = FirstEntry{.need_more = true, .only_one = false, .entry = {}};
    engine::ByteSink sink = [&](std::string_view bytes) -> Result<bool> {
        head.append(bytes);
        first = first_tar_entry(head);
        return first.has_value() && first->need_more;
    };
    auto got = co_await client_.archive_get(container, path, sink);
    if (!got) co_return fail(std::move(got.error()));
    if (!first) co_return fail(std::move(first.error()));
    auto true_ones = co_await owners(std::move(container), path, false);
    if (!true_ones) co_return fail(std::move(true_ones.error()));
    if (*true_ones) {
        const auto known = (*true_ones)->find(path);
        if (known == (*true_ones)->end())
            co_return fail(ErrorKind::engine, fmt::format("{} went away while it was looked at", path));
        std::tie(first->entry.uid, first->entry.gid) = known->second;
    }
    co_return std::move(first->entry);
}

namespace {

// The volumes on which it is tried are those of the first run.
constexpr int trial_run = 1;

}  // namespace

// An engine whose data directory is itself on an overlay (an engine in a container) cannot stack another one
// on it. Mounting tells: all of them in one container, and each alone only if that fails.
Task<> DataPlane::check_overlays() {
    std::vector<std::size_t> overlays;
    for (std::size_t i = 0; i < mounts_.size(); ++i)
        if (mounts_[i].how == DataSource::overlay) overlays.push_back(i);
    if (overlays.empty()) co_return Result<>{};
    if (auto put = co_await make_plain_folders(trial_run); !put) co_return put;
    std::vector<Task<>> creations, removals;
    for (const std::size_t i : overlays)
        creations.push_back(make_volume(overlay_volume(volume_name(trial_run, i), mounts_[i].real_path,
                                                       folder(trial_run, i), root_of(mounts_[i]))));
    auto creating = engine::together(std::move(creations));
    if (auto made = co_await std::move(creating); !made) co_return made;
    const auto volumes_of = [&](const std::vector<std::size_t>& which) {
        std::vector<std::string> names;
        for (const std::size_t i : which) names.push_back(volume_name(trial_run, i));
        return names;
    };
    std::vector<std::string> all_names = volumes_of(overlays);
    auto all_work = co_await can_be_mounted(std::move(all_names));
    if (!all_work) co_return fail(std::move(all_work.error()));
    for (const std::size_t i : overlays) {
        if (*all_work) break;
        bool works = false;
        if (overlays.size() > 1) {
            std::vector<std::string> just_this(1, volume_name(trial_run, i));
            auto alone = co_await can_be_mounted(std::move(just_this));
            if (!alone) co_return fail(std::move(alone.error()));
            works = *alone;
        }
        if (works) continue;
        mounts_[i].how = DataSource::copy;
        runs_with_folders_ = 0;  // a copy has other folders than an overlay
        unowned_.erase(volume_name(trial_run, i));
        removals.push_back(client_.volume_remove(volume_name(trial_run, i)));
    }
    for (const std::size_t i : overlays)
        if (mounts_[i].how == DataSource::overlay) tried_.insert(volume_name(trial_run, i));
    auto removing = engine::together(std::move(removals));
    co_return co_await std::move(removing);
}

Task<> DataPlane::make_volume(engine::VolumeSpec volume) {
    auto made = co_await client_.volume_create(std::move(volume));
    if (!made) co_return fail(std::move(made.error()));
    co_return Result<>{};
}

// When a volume is mounted for the first time, podman gives its root the owner and mode of the folder that is
// there in the container (libpod: fixVolumePermissions), even if the volume is an overlay of the user's data:
// so it gets one that is like the volume's root.
Task<> DataPlane::put_roots_below(std::string container, const std::vector<engine::MountSpec>& mounts) {
    std::vector<TarFolder> folders;
    for (const engine::MountSpec& mount : mounts) {
        const auto root = unowned_.find(mount.source);
        if (root == unowned_.end()) continue;
        TarFolder folder = root->second;
        folder.path = mount.target.substr(1);
        folders.push_back(std::move(folder));
    }
    if (folders.empty()) co_return Result<>{};
    auto tar = tar_of_folders(folders);
    if (!tar) co_return fail(std::move(tar.error()));
    std::string at = "/";
    co_return co_await client_.archive_put(std::move(container), std::move(at), std::move(*tar));
}

Task<> DataPlane::give_back_owners() {
    std::vector<std::string> names;
    for (const auto& [name, root] : unowned_) names.push_back(name);
    if (names.empty()) co_return Result<>{};
    auto mounted = co_await can_be_mounted(std::move(names));
    if (!mounted) co_return fail(std::move(mounted.error()));
    if (!*mounted)
        co_return fail(ErrorKind::refused,
                       "the engine cannot mount an overlay of the data; 'data: copy' copies them");
    co_return Result<>{};
}

// The archive call on a container mounts its volumes, and fills new ones from its image, without starting it.
// Podman does that when it starts one, before it finds that there is no such program.
Task<> DataPlane::mount_volumes_of(std::string container) {
    if (!client_.server().is_podman()) co_return Result<>{};
    auto started = co_await client_.container_start(std::move(container));
    const bool mounted = started || (started.error().kind == ErrorKind::refused &&
                                     started.error().message.find("mounting volume") == std::string::npos);
    if (mounted) co_return Result<>{};
    co_return started;
}

Task<bool> DataPlane::can_be_mounted(std::vector<std::string> volumes) {
    engine::ContainerSpec spec = never_started(fmt::format("check{}", checks_++));
    for (std::size_t i = 0; i < volumes.size(); ++i)
        spec.mounts.push_back({.type = engine::MountSpec::Type::volume,
                               .source = volumes[i],
                               .target = fmt::format("/rogate/check/{}", i),
                               .read_only = true,
                               .no_copy = true,
                               .propagation = {}});
    const std::string looked_at = spec.mounts.front().target;
    const std::vector<engine::MountSpec> mounts = spec.mounts;
    auto checker = co_await client_.container_create(std::move(spec));
    // What the engine refuses is the overlay's fault; a connection that broke is not.
    const auto refused = [](const Error& error) {
        return error.kind == ErrorKind::refused || error.kind == ErrorKind::not_found;
    };
    if (!checker && !refused(checker.error())) co_return fail(std::move(checker.error()));
    if (!checker) co_return false;
    if (auto put = co_await put_roots_below(*checker, mounts); !put) co_return fail(std::move(put.error()));
    auto mounted = co_await mount_volumes_of(*checker);
    if (mounted) {
        auto stat = co_await client_.archive_stat(*checker, looked_at);
        if (!stat) mounted = fail(std::move(stat.error()));
    }
    if (!mounted && !refused(mounted.error())) co_return fail(std::move(mounted.error()));
    if (auto removed = co_await client_.container_remove(*checker); !removed)
        co_return fail(std::move(removed.error()));
    if (mounted)
        for (const engine::MountSpec& mount : mounts) unowned_.erase(mount.source);
    co_return mounted.has_value();
}

Task<std::string> DataPlane::read_tree(std::size_t index) {
    // "/." names what is in the directory, and the directory itself as "./".
    const std::string path = seen_by_helper(index) + (mounts_[index].is_directory ? "/." : "");
    co_return co_await tree_of(helper_, path, mounts_[index].mount.target);
}

Task<std::string> DataPlane::tree_of(std::string container, std::string path, std::string target) {
    std::string tar;
    bool too_large = false;
    engine::ByteSink sink = [&](std::string_view bytes) -> Result<bool> {
        too_large = tar.size() + bytes.size() > copy_limit;
        if (!too_large) tar.append(bytes);
        return !too_large;
    };
    auto got = co_await client_.archive_get(container, path, sink);
    if (!got)
        co_return fail(std::move(got.error()).with_context(fmt::format("copying the data of {}", target)));
    std::string of = path.ends_with("/.") ? path.substr(0, path.size() - 2) : path;
    auto true_ones = co_await owners(std::move(container), std::move(of), true);
    if (!true_ones)
        co_return fail(
            std::move(true_ones.error()).with_context(fmt::format("copying the data of {}", target)));
    if (too_large)
        co_return fail(
            ErrorKind::usage,
            fmt::format("the data of {} are to be copied for the runs, since an overlay is not possible or "
                        "'data: copy' asks for it, and are more than the {} MiB that are copied; give the "
                        "scenario a smaller data set",
                        target, copy_limit >> 20U));
    if (!*true_ones) co_return tar;
    co_return with_owners(tar, **true_ones);
}

// Writing into the helper takes the engine longer than making a volume, so it is done for several runs at
// once.
Task<> DataPlane::make_plain_folders(int run) {
    constexpr int runs_at_once = 8;
    if (run < runs_with_folders_) co_return Result<>{};
    std::vector<TarFolder> folders;
    for (int each = run; each < run + runs_at_once; ++each)
        for (std::size_t i = 0; i < mounts_.size(); ++i) {
            const DataMount& data = mounts_[i];
            if (!has_folder(data)) continue;
            const std::string base = folder(each, i);
            folders.push_back({base, 0, 0, 0755});
            if (data.how == DataSource::overlay) {
                folders.push_back({base + "/upper", data.uid, data.gid, data.mode});
                folders.push_back({base + "/work", 0, 0, 0755});
            } else {
                folders.push_back({base + "/data", data.uid, data.gid, data.mode});
            }
        }
    runs_with_folders_ = run + runs_at_once;
    co_return co_await put_folders(std::move(folders));
}

Task<> DataPlane::put_folders(std::vector<TarFolder> folders) {
    if (folders.empty()) co_return Result<>{};
    auto tar = tar_of_folders(folders);
    if (!tar) co_return fail(std::move(tar.error()));
    co_return co_await client_.archive_put(helper_, scratch_path, std::move(*tar));
}

Task<> DataPlane::make_folders(const RunPlan& plan) {
    const int run = plan.id;
    if (auto made = co_await make_plain_folders(run); !made) co_return made;
    std::vector<TarFolder> folders;
    std::vector<TarEntry> files;
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        const DataMount& data = mounts_[i];
        if (!has_folder(data)) continue;
        const std::string inside = folder(run, i) + (data.how == DataSource::overlay ? "/upper/" : "/data/");
        if (std::find(plan.read_only.begin(), plan.read_only.end(), data.mount.target) !=
            plan.read_only.end())
            for (const auto& [missing, is_directory] : data.missing_mount_points) {
                if (is_directory)
                    folders.push_back({inside + missing, 0, 0, 0755});
                else
                    files.push_back({.name = inside + missing, .mode = 0755});
            }
        for (const WritablePath& path : plan.writable)
            if (path.needs_mount_point && path.mount == data.mount.target)
                folders.push_back({inside + path.path.substr(path.mount.size() + 1), 0, 0, 0755});
    }
    for (std::size_t i = 0; i < plan.writable.size(); ++i) {
        const WritablePath& path = plan.writable[i];
        if (path.as != WritableAs::volume || mounts_[mount_of(path.path)].how != DataSource::overlay)
            continue;
        const auto facts = facts_.find(path.path);
        const verdict::PathFacts known = facts == facts_.end() ? verdict::PathFacts{} : facts->second;
        const std::string base = writable_folder(run, i);
        folders.push_back({base, 0, 0, 0755});
        folders.push_back({base + "/upper", known.uid, known.gid, known.mode});
        folders.push_back({base + "/work", 0, 0, 0755});
    }
    if (auto put = co_await put_folders(std::move(folders)); !put) co_return put;
    if (files.empty()) co_return Result<>{};
    auto tar = tar_of(files);
    if (!tar) co_return fail(std::move(tar.error()));
    co_return co_await client_.archive_put(helper_, scratch_path, std::move(*tar));
}

engine::VolumeSpec DataPlane::overlay_volume(std::string name, const std::string& lower,
                                             const std::string& folder_name, const TarFolder& root) {
    if (client_.server().is_podman()) unowned_.insert_or_assign(name, root);
    const std::string base = scratch_mountpoint_ + "/" + folder_name;
    engine::VolumeSpec volume;
    volume.name = std::move(name);
    volume.labels = labels(session_, "data");
    volume.options = {{"type", "overlay"},
                      {"device", "overlay"},
                      {"o", fmt::format("lowerdir={},upperdir={}/upper,workdir={}/work", lower, base, base)}};
    return volume;
}

Task<> DataPlane::source_for(const RunPlan& plan, std::size_t index, engine::MountSpec* made_so) {
    const int run = plan.id;
    const DataMount& data = mounts_[index];
    const Mount& mount = data.mount;
    engine::MountSpec& spec = *made_so;
    spec.target = mount.target;
    spec.type = engine::MountSpec::Type::volume;
    spec.no_copy = mount.no_copy || mount.type == MountType::bind;
    if (data.how == DataSource::as_it_is) {
        spec.type =
            mount.type == MountType::bind ? engine::MountSpec::Type::bind : engine::MountSpec::Type::volume;
        spec.no_copy = mount.type != MountType::bind;
        spec.source = mount.source;
        spec.propagation = mount.propagation;
        co_return Result<>{};
    }
    if (plan.data_of && left_.at(*plan.data_of).mounts.contains(index))
        co_return co_await source_left(plan, index, made_so);
    const bool empty = starts_empty(plan, data);
    if (empty && data.mode_when_new) co_return co_await empty_claim(plan, index, made_so);
    if (!empty && (data.how == DataSource::copy || data.how == DataSource::made)) {
        if (auto filled = co_await fill(run, index); !filled) co_return fail(std::move(filled.error()));
        spec.type = engine::MountSpec::Type::bind;
        spec.no_copy = false;
        spec.source = fmt::format("{}/{}/data{}{}", scratch_mountpoint_, folder(run, index),
                                  data.is_directory ? "" : "/", data.file_name);
        co_return Result<>{};
    }
    engine::VolumeSpec volume;
    volume.name = empty ? new_volume_name(run, index) : volume_name(run, index);
    volume.labels = labels(session_, "data");
    if (data.how == DataSource::overlay && !empty)
        volume = overlay_volume(volume.name, data.real_path, folder(run, index), root_of(data));
    spec.source = volume.name;
    if (tried_.erase(volume.name) == 0) {
        auto made = co_await make_volume(volume);
        if (!made)
            co_return fail(
                std::move(made.error()).with_context(fmt::format("making the volume for {}", mount.target)));
    }
    volumes_[run].push_back(volume.name);
    if (empty) co_return co_await make_mount_points(plan, index, spec);
    co_return Result<>{};
}

Task<> DataPlane::fill(int run, std::size_t index) {
    const DataMount& data = mounts_[index];
    if (data.how == DataSource::made && data.made_files.empty()) co_return Result<>{};
    Result<std::string> tree = std::string();
    if (data.how == DataSource::made)
        tree = tar_of(data.made_files);
    else
        tree = co_await read_tree(index);
    if (tree && data.group) tree = with_group(*tree, *data.group);
    if (!tree) co_return fail(std::move(tree.error()));
    const std::string into = fmt::format("{}/{}/data", scratch_path, folder(run, index));
    auto put = co_await client_.archive_put(helper_, into, std::move(*tree));
    if (!put)
        co_return fail(
            std::move(put.error()).with_context(fmt::format("copying the data of {}", data.mount.target)));
    co_return Result<>{};
}

Task<std::vector<engine::MountSpec>> DataPlane::prepare(RunPlan plan,
                                                        std::map<std::string, engine::MountSpec> given) {
    if ((!plan.writable.empty() || plan.data_of) && helper_.empty())
        if (auto made = co_await create_helper(); !made) co_return fail(std::move(made.error()));
    if (auto made = co_await make_folders(plan); !made)
        co_return fail(std::move(made.error()).with_context("making throw-away layers"));
    std::vector<engine::MountSpec> specs;
    std::vector<Task<>> sources;
    specs.reserve(mounts_.size());  // the tasks write into it
    // What stays writable below a read-only mount can be what is mounted below its source anyway.
    const auto stays_as = [&](const DataMount& data) -> std::optional<WritableAs> {
        const auto found = std::ranges::find(plan.writable, data.mount.target, &WritablePath::path);
        if (!data.below_source || found == plan.writable.end()) return std::nullopt;
        return found->as;
    };
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        const Mount& mount = mounts_[i].mount;
        if (mount.type == MountType::tmpfs || mount.type == MountType::rootfs) continue;
        if (stays_as(mounts_[i]) == WritableAs::tmpfs) continue;
        const auto told = given.find(mount.target);
        engine::MountSpec& spec =
            specs.emplace_back(told == given.end() ? engine::MountSpec{} : told->second);
        const auto tried = [&](const std::string& target) {
            return std::ranges::find(plan.read_only, target) != plan.read_only.end();
        };
        const bool stays = stays_as(mounts_[i]).has_value();
        spec.read_only = mount.read_only || tried(mount.target) || (tried(mounts_[i].follows) && !stays);
        if (told == given.end())
            sources.push_back(source_for(plan, i, &spec));
        else
            given.erase(told);
    }
    auto all = engine::together(std::move(sources));
    if (auto made = co_await std::move(all); !made) co_return fail(std::move(made.error()));
    for (auto& [target, spec] : given) specs.push_back(std::move(spec));  // below a given mount's source
    for (std::size_t i = 0; i < plan.writable.size(); ++i) {
        const std::string& path = plan.writable[i].path;
        const bool is_there = std::ranges::any_of(
            mounts_, [&](const DataMount& data) { return data.below_source && data.mount.target == path; });
        if (plan.writable[i].as != WritableAs::volume || is_given(path) || is_there) continue;
        auto spec = co_await volume_for(plan, plan.writable[i], i);
        if (!spec) co_return fail(std::move(spec.error()));
        specs.push_back(std::move(*spec));
    }
    if (auto given_back = co_await give_back_owners(); !given_back)
        co_return fail(std::move(given_back.error()).with_context("making throw-away layers"));
    co_return specs;
}

Task<> DataPlane::release(int run) {
    std::vector<Task<>> removals;
    for (const std::string& name : volumes_[run]) removals.push_back(client_.volume_remove(name));
    volumes_.erase(run);
    auto all = engine::together(std::move(removals));
    co_return co_await std::move(all);
}

}  // namespace rogate::campaign
