#include "campaign/data.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/text.hpp"
#include "campaign/companions.hpp"
#include "campaign/missing.hpp"
#include "campaign/tar.hpp"
#include "engine/together.hpp"
#include "scenario/local_tar.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

const Fixture* fixture_for(const std::string& target, const std::vector<Fixture>& fixtures) {
    const auto found = std::find_if(fixtures.begin(), fixtures.end(),
                                    [&](const Fixture& fixture) { return fixture.target == target; });
    return found == fixtures.end() ? nullptr : &*found;
}

TarFolder root_of(const DataMount& data) {
    return {.path = {}, .uid = data.uid, .gid = data.gid, .mode = data.mode, .modified = data.modified};
}

// In place of an archive of the engine's, which has times in whole seconds, by which programs take files for
// equally old, and no sockets.
bool is_copied_by_program(const DataMount& data) {
    return data.how == DataSource::copy && !data.fixture && !data.group &&
           (data.is_directory || data.facts.more_attributes);
}

// Of the run's own, in the scratch volume.
bool has_folder(const DataMount& data) {
    if (data.shares) return false;
    return data.how == DataSource::overlay || data.how == DataSource::copy || data.how == DataSource::made;
}

}  // namespace

bool overlay_can_name(const std::string& path) {
    return path.find_first_of(":,\\") == std::string::npos;
}

bool is_kernels_own(const DataMount& data) {
    return !data.facts.type.empty() && !holds_data(data.facts.type);
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

std::string DataPlane::volume_name(int run, std::size_t index) const {
    return scratch_.named(fmt::format("r{}-m{}", run, index));
}

// The other name may be that of an overlay which was tried.
std::string DataPlane::new_volume_name(int run, std::size_t index) const {
    return volume_name(run, index) + "-new";
}

std::string DataPlane::folder(int run, std::size_t index) const {
    return fmt::format("r{}m{}", run, index);
}

std::string DataPlane::data_place(int run, std::size_t index) const {
    const DataMount& data = mounts_[index];
    return fmt::format("{}/data{}{}", folder(run, index), data.is_directory ? "" : "/", data.file_name);
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
        if (!mount.sub_path.empty())
            if (auto found = co_await find_part(data); !found) co_return found;
        if (data.mount.type == MountType::bind && data.how == DataSource::fresh)
            data.how = DataSource::overlay;
        // A live container's anonymous volume is known by its name, and has data.
        const bool has_name = mount.type == MountType::anonymous && !mount.source.empty();
        if (data.mount.type == MountType::volume || has_name) {
            auto volume = co_await client_.volume_inspect(mount.source);
            Result<bool> unused = false;
            if (volume) unused = co_await client_.volume_awaits_first_use(mount.source);
            if (!unused) co_return fail(std::move(unused.error()));
            if (volume && *unused) {
                // As if it were not there: to look at it would be its first use.
            } else if (volume) {
                take_volume(data, *volume);
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
    if (auto made = co_await make_scratch(); !made) co_return made;
    if (!client_.server().archives_reach_single_files())
        if (auto reached = co_await reach_single_files(); !reached) co_return reached;
    if (std::ranges::any_of(mounts_, has_source))
        if (auto found = co_await learn_of_sources(); !found) co_return found;
    find_shared();
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        if (!has_source(mounts_[i])) continue;
        if (mounts_[i].fixture)
            if (auto put = co_await put_fixture(i); !put) co_return put;
        if (auto seen = co_await survey_source(mounts_[i], i); !seen) co_return seen;
    }
    if (auto checked = co_await check_overlays(); !checked) co_return checked;
    for (DataMount& data : mounts_) check_attributes(data);
    tell_of_live();
    doubt_linked_files();
    co_return co_await find_missing_mount_points();
}

// A volume with options (NFS, a device) is mounted by the engine only while a container uses it, so that its
// mount point is no lower directory to count on. A bind's folder is.
void DataPlane::take_volume(DataMount& data, const engine::VolumeInfo& volume) {
    const bool is_plain = volume.driver == "local" && volume.options.empty();
    const std::string folder = bound_folder(volume);
    data.real_path = is_plain ? volume.mountpoint : folder;
    const bool can_be_layered = !data.real_path.empty() && data.how != DataSource::copy;
    data.how = can_be_layered ? DataSource::overlay : DataSource::copy;
    if (!folder.empty()) bound_volumes_.emplace(volume.name, folder);
    // As the engine mounts it for everybody.
    const auto options = volume.options.find("o");
    if (options != volume.options.end() && ("," + options->second + ",").find(",ro,") != std::string::npos)
        data.mount.read_only = true;
}

// A directory of a volume is a directory of the engine's host, and the runs have it as a bind: so does an
// engine that cannot mount a part of a volume itself.
Task<> DataPlane::find_part(DataMount& data) {
    Mount& mount = data.mount;
    const SourcePlace& at = mount.declared;
    const std::string what =
        fmt::format("{}the directory {} of the volume {}, which is mounted on {},",
                    at.line == 0 ? "" : fmt::format("{}:{}:{}: ", at.file, at.line, at.column),
                    mount.sub_path, mount.source, mount.target);
    auto volume = co_await client_.volume_inspect(mount.source);
    if (!volume && volume.error().kind != ErrorKind::not_found) co_return fail(std::move(volume.error()));
    if (!volume)
        co_return fail(ErrorKind::usage,
                       what +
                           " is not there, since there is no such volume, so that no engine would start the "
                           "container; make the volume and the directory first");
    if (volume->driver != "local" || !volume->options.empty())
        co_return fail(ErrorKind::usage, what +
                                             " is on a volume with a driver or options of its own, which is "
                                             "not supported; mount the whole volume");
    std::string name = mount.source, sub_path = mount.sub_path;
    auto wrong = co_await scratch_.wrong_with_part(std::move(name), std::move(sub_path));
    if (!wrong) co_return fail(std::move(wrong.error()).with_context(what));
    if (!wrong->empty()) co_return fail(ErrorKind::usage, fmt::format("{} {}", what, *wrong));
    mount.type = MountType::bind;
    mount.source = volume->mountpoint + "/" + mount.sub_path;
    mount.no_copy = false;
    co_return Result<>{};
}

std::string DataPlane::seen_by_helper(std::size_t index) const {
    const DataMount& data = mounts_[index];
    if (!data.seen_at.empty()) return data.seen_at;
    if (data.seen_in_folder)
        return fmt::format("/rogate/folder/{}/{}", index,
                           std::filesystem::path(data.mount.source).filename().string());
    if (!data.fixture) return fmt::format("/rogate/source/{}", index);
    return Scratch::in_helper(
        fmt::format("f{}/data{}{}", index, data.file_name.empty() ? "" : "/", data.file_name));
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

Task<> DataPlane::make_scratch() {
    if (scratch_.is_made()) co_return Result<>{};
    for (;;) {
        std::vector<engine::MountSpec> sources = source_mounts(true);
        auto made = co_await scratch_.make(std::move(sources));
        if (made || made.error().kind != ErrorKind::usage) co_return made;
        const auto path = missing_bind_source(made.error().message);
        const auto mount = std::ranges::find_if(mounts_, [&](const DataMount& data) {
            return path && has_source(data) && data.mount.type == MountType::bind &&
                   data.mount.source == *path;
        });
        if (mount == mounts_.end()) co_return made;
        if (!mount->mount.made_if_missing) co_return fail(missing_error(mount->mount));
        mount->how = DataSource::made;
        notes_.push_back(made_up_note(mount->mount));
    }
}

// The folder that such a file lies in is mounted in its place.
Task<> DataPlane::reach_single_files() {
    bool any = false;
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        DataMount& data = mounts_[i];
        if (data.mount.type != MountType::bind || !has_source(data) || data.fixture) continue;
        auto stat = co_await client_.archive_stat(scratch_.helper(), seen_by_helper(i));
        data.seen_in_folder = !stat && stat.error().kind == ErrorKind::refused;
        any = any || data.seen_in_folder;
    }
    if (!any) co_return Result<>{};
    std::vector<engine::MountSpec> sources = source_mounts(true);
    co_return co_await scratch_.make_helper_again(std::move(sources));
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
    if (auto put = co_await scratch_.put_folders(std::move(folders)); !put) co_return put;
    if (auto put = co_await scratch_.put(fmt::format("f{}/data", index), std::move(*tar)); !put)
        co_return fail(std::move(put.error()).with_context("fixture for " + fixture.target));
    if (!is_folder) mounts_[index].file_name = std::filesystem::path(fixture.from).filename().string();
    co_return Result<>{};
}

Task<> DataPlane::survey_source(DataMount& data, std::size_t index) {
    auto root = co_await root_of_source(data, index);
    if (!root)
        co_return fail(std::move(root.error())
                           .with_context(fmt::format("looking at the source of {}", data.mount.target)));
    data.is_directory = S_ISDIR(root->mode);
    data.nanoseconds = root->nanoseconds;
    if (S_ISSOCK(root->mode)) data.special = "a unix socket";
    if (S_ISCHR(root->mode) || S_ISBLK(root->mode)) data.special = "a device";
    if (S_ISFIFO(root->mode)) data.special = "a FIFO";
    // What the host itself has mounted read-only stays so: a layer would make it writable.
    if (!data.special.empty() || mode_ == DataMode::live || (!data.fixture && is_kernels_own(data)) ||
        (!data.fixture && data.facts.read_only) ||
        (data.mount.read_only && !data.fixture && !is_written(index))) {
        data.how = DataSource::as_it_is;
        data.shares.reset();
        co_return Result<>{};
    }
    if (!data.is_directory) {
        data.how = DataSource::copy;
        data.file_name = std::filesystem::path(seen_by_helper(index)).filename().string();
        co_return Result<>{};
    }
    if (data.mount.type == MountType::bind) data.real_path = data.mount.source;
    if (!overlay_can_name(data.real_path)) data.how = DataSource::copy;
    // The root of an overlay has the upper directory's owner and mode, so that must be made like the real
    // one.
    data.uid = root->uid;
    data.gid = root->gid;
    data.mode = root->mode & 07777U;
    data.modified = root->modified;
    data.is_empty = root->is_empty;
    if (data.group) {  // the copy's own folder is made so; with_group() is for what is in it
        data.gid = *data.group;
        data.mode |= 02770U;
    }
    co_return Result<>{};
}

// A fixture is not there yet when the sources are looked at.
Task<SourceRoot> DataPlane::root_of_source(const DataMount& data, std::size_t index) {
    if (data.facts.itself && !data.fixture) co_return *data.facts.itself;
    const std::string path = seen_by_helper(index);
    auto stat = co_await client_.archive_stat(scratch_.helper(), path);
    if (!stat) co_return fail(std::move(stat.error()));
    if (!stat->is_directory()) co_return SourceRoot{.mode = S_IFREG};
    auto root = co_await scratch_.look_at(scratch_.helper(), path);
    if (!root) co_return fail(std::move(root.error()));
    co_return SourceRoot{.mode = S_IFDIR | root->entry.mode,
                         .uid = root->entry.uid,
                         .gid = root->entry.gid,
                         .modified = root->entry.modified,
                         .nanoseconds = 0,
                         .is_empty = root->only_one};
}

namespace {

// The volumes on which it is tried are those of the first run.
constexpr int trial_run = 1;

}  // namespace

// The volumes of the first run, mounted all at once.
Task<> DataPlane::try_overlays(const std::vector<std::size_t>& overlays, bool* all_work) {
    std::vector<Task<>> creations;
    std::vector<std::string> names;
    for (const std::size_t i : overlays) {
        names.push_back(volume_name(trial_run, i));
        creations.push_back(
            scratch_.make_volume(scratch_.overlay(names.back(), mounts_[i].real_path, folder(trial_run, i),
                                                  root_of(mounts_[i]), mounts_[i].facts.flags)));
    }
    auto creating = engine::together(std::move(creations));
    if (auto made = co_await std::move(creating); !made) co_return made;
    auto work = co_await scratch_.can_be_mounted(std::move(names));
    if (!work) co_return fail(std::move(work.error()));
    *all_work = *work;
    co_return Result<>{};
}

Task<> DataPlane::forget_overlays(const std::vector<std::size_t>& overlays) {
    std::vector<Task<>> removals;
    for (const std::size_t i : overlays) {
        scratch_.forget(volume_name(trial_run, i));
        removals.push_back(client_.volume_remove(volume_name(trial_run, i)));
    }
    auto removing = engine::together(std::move(removals));
    co_return co_await std::move(removing);
}

// An engine whose data directory is itself on an overlay (an engine in a container) cannot stack another one
// on it, and not every kernel or file system has every option. Mounting tells: all of them in one container,
// with ever fewer options, and each alone only if that fails.
Task<> DataPlane::check_overlays() {
    std::vector<std::size_t> overlays;
    for (std::size_t i = 0; i < mounts_.size(); ++i)
        if (mounts_[i].how == DataSource::overlay && !mounts_[i].shares) overlays.push_back(i);
    if (overlays.empty()) co_return Result<>{};
    if (auto put = co_await make_plain_folders(trial_run); !put) co_return put;
    bool work = false;
    for (;;) {
        if (auto tried = co_await try_overlays(overlays, &work); !tried) co_return tried;
        if (work || !scratch_.has_fewer_options()) break;
        if (auto removed = co_await forget_overlays(overlays); !removed) co_return removed;
        scratch_.use_fewer_options();
    }
    std::vector<std::size_t> impossible;
    for (const std::size_t i : overlays) {
        if (!work && overlays.size() > 1) {
            std::vector<std::string> just_this(1, volume_name(trial_run, i));
            auto alone = co_await scratch_.can_be_mounted(std::move(just_this));
            if (!alone) co_return fail(std::move(alone.error()));
            if (!*alone) impossible.push_back(i);
        } else if (!work) {
            impossible.push_back(i);
        }
    }
    for (const std::size_t i : overlays) tried_.insert(volume_name(trial_run, i));
    for (const std::size_t i : impossible) {
        mounts_[i].how = DataSource::copy;
        runs_with_folders_ = 0;  // a copy has other folders than an overlay
        tried_.erase(volume_name(trial_run, i));
    }
    co_return co_await forget_overlays(impossible);
}

Task<std::string> DataPlane::read_tree(std::size_t index) {
    // "/." names what is in the directory, and the directory itself as "./".
    const std::string path = seen_by_helper(index) + (mounts_[index].is_directory ? "/." : "");
    co_return co_await scratch_.tree_of(scratch_.helper(), path, mounts_[index].mount.target);
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
                folders.push_back(
                    {base + "/upper", data.uid, data.gid, data.mode, data.modified, data.nanoseconds});
                folders.push_back({base + "/work", 0, 0, 0755});
            } else {
                folders.push_back(
                    {base + "/data", data.uid, data.gid, data.mode, data.modified, data.nanoseconds});
            }
        }
    runs_with_folders_ = run + runs_at_once;
    if (auto put = co_await scratch_.put_folders(std::move(folders)); !put) co_return put;
    // An archive has not all of a root's attributes.
    std::vector<Scratch::Pair> alike;
    for (std::size_t i = 0; i < mounts_.size(); ++i)
        if (mounts_[i].facts.more_attributes && has_folder(mounts_[i]) &&
            mounts_[i].how == DataSource::overlay)
            for (int each = run; each < run + runs_at_once; ++each)
                alike.push_back({seen_by_helper(i), Scratch::in_helper(folder(each, i) + "/upper")});
    std::vector<engine::MountSpec> sources = source_mounts();
    co_return co_await scratch_.make_alike(std::move(alike), std::move(sources));
}

Task<> DataPlane::make_folders(const RunPlan& plan) {
    const int run = plan.id;
    if (auto made = co_await make_plain_folders(run); !made) co_return made;
    std::vector<TarFolder> folders;
    std::vector<TarEntry> files;
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        const DataMount& data = mounts_[i];
        const SharedData owner = owner_of(i);
        const DataMount& layered = mounts_[owner.with];
        // Further down in another one's data the folders between would not be like theirs.
        if (!has_folder(layered) || std::ranges::count(owner.part, '/') > 1) continue;
        const bool overlay = layered.how == DataSource::overlay;
        const std::string base = folder(run, owner.with) + (overlay ? "/upper" : "/data") + owner.part;
        const std::string inside = base + "/";
        if (overlay && !owner.part.empty() && !data.missing_mount_points.empty())
            folders.push_back({base, data.uid, data.gid, data.mode, data.modified, data.nanoseconds});
        if (std::find(plan.read_only.begin(), plan.read_only.end(), data.mount.target) !=
            plan.read_only.end())
            for (const auto& [missing, is_directory] : data.missing_mount_points) {
                if (is_directory)
                    folders.push_back({inside + missing, 0, 0, 0755});
                else
                    files.push_back({.name = inside + missing, .mode = 0755});
            }
        // An archive leaves sockets out.
        if (layered.how == DataSource::copy && data.is_directory && !is_copied_by_program(layered))
            for (const LiveEntry& entry : live_of(i))
                if (entry.is_socket) files.push_back({.name = inside + entry.path, .mode = 0755});
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
    if (auto put = co_await scratch_.put_folders(std::move(folders)); !put) co_return put;
    if (files.empty()) co_return Result<>{};
    auto tar = tar_of(files);
    if (!tar) co_return fail(std::move(tar.error()));
    std::string place;
    co_return co_await scratch_.put(std::move(place), std::move(*tar));
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
        scratch_.bind(spec, data_place(run, index));
        co_return Result<>{};
    }
    engine::VolumeSpec volume =
        scratch_.volume(empty ? new_volume_name(run, index) : volume_name(run, index));
    if (data.how == DataSource::overlay && !empty)
        volume = scratch_.overlay(volume.name, data.real_path, folder(run, index), root_of(data),
                                  data.facts.flags);
    spec.source = volume.name;
    if (tried_.erase(volume.name) == 0) {
        auto made = co_await scratch_.make_volume(volume);
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
    if (is_copied_by_program(data)) {
        std::vector<engine::MountSpec> sources = source_mounts();
        Scratch::Pair pair{seen_by_helper(index), Scratch::in_helper(data_place(run, index))};
        co_return co_await scratch_.copy(std::move(pair), std::move(sources), data.mount.target);
    }
    Result<std::string> tree = std::string();
    if (data.how == DataSource::made)
        tree = tar_of(data.made_files);
    else
        tree = co_await read_tree(index);
    if (tree && data.group) tree = with_group(*tree, *data.group);
    if (tree && data.how == DataSource::copy && !data.is_directory && data.nanoseconds != 0)
        tree = with_nanoseconds(*tree, data.nanoseconds);
    if (!tree) co_return fail(std::move(tree.error()));
    auto put = co_await scratch_.put(folder(run, index) + "/data", std::move(*tree));
    if (!put)
        co_return fail(
            std::move(put.error()).with_context(fmt::format("copying the data of {}", data.mount.target)));
    co_return Result<>{};
}

Task<std::vector<engine::MountSpec>> DataPlane::prepare(RunPlan plan,
                                                        std::map<std::string, engine::MountSpec> given) {
    if (!plan.writable.empty() || plan.data_of)
        if (auto made = co_await make_scratch(); !made) co_return fail(std::move(made.error()));
    if (auto made = co_await make_folders(plan); !made)
        co_return fail(std::move(made.error()).with_context("making throw-away layers"));
    std::vector<engine::MountSpec> specs;
    std::vector<Task<>> sources;
    std::vector<std::pair<std::size_t, engine::MountSpec*>> by_mount;
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
        by_mount.emplace_back(i, &spec);
        if (told != given.end())
            given.erase(told);
        else if (!mounts_[i].shares)
            sources.push_back(source_for(plan, i, &spec));
    }
    auto all = engine::together(std::move(sources));
    if (auto made = co_await std::move(all); !made) co_return fail(std::move(made.error()));
    if (auto shared = co_await give_shared(plan.id, std::move(by_mount)); !shared)
        co_return fail(std::move(shared.error()).with_context("giving mounts of one source the same data"));
    for (auto& [target, spec] : given) specs.push_back(std::move(spec));  // below a given mount's source
    for (std::size_t i = 0; i < plan.writable.size(); ++i) {
        const std::string& path = plan.writable[i].path;
        const bool is_there = std::ranges::any_of(
            mounts_, [&](const DataMount& data) { return data.below_source && data.mount.target == path; });
        if (plan.writable[i].as == WritableAs::tmpfs && makes_tmpfs()) {
            auto spec = co_await tmpfs_for(plan, plan.writable[i], i);
            if (!spec) co_return fail(std::move(spec.error()));
            specs.push_back(std::move(*spec));
            continue;
        }
        if (plan.writable[i].as != WritableAs::volume || is_given(path) || is_there) continue;
        auto spec = co_await volume_for(plan, plan.writable[i], i);
        if (!spec) co_return fail(std::move(spec.error()));
        specs.push_back(std::move(*spec));
    }
    give_live(plan, specs);
    campaign::put_in(stand_in_, specs);
    if (auto given_back = co_await scratch_.give_back_owners(); !given_back)
        co_return fail(std::move(given_back.error()).with_context("making throw-away layers"));
    co_return specs;
}

Task<> DataPlane::release(int run) {
    for (std::string& holder : holders_[run])
        if (auto removed = co_await client_.container_remove(holder); !removed) co_return removed;
    holders_.erase(run);
    std::vector<Task<>> removals;
    for (const std::string& name : volumes_[run]) removals.push_back(client_.volume_remove(name));
    volumes_.erase(run);
    auto all = engine::together(std::move(removals));
    co_return co_await std::move(all);
}

}  // namespace rogate::campaign
