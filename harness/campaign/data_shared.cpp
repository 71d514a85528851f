// The part of the data plane that gives mounts of one source the same data, and the runs the sockets and
// FIFOs that others serve within a source.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "campaign/companions.hpp"
#include "campaign/data.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

// Of one source. Each is a mount of its own.
constexpr std::size_t most_live_entries = 32;

// Only what can be there for others as well has a place.
DataPlace place_of(const DataMount& data) {
    DataPlace place{.target = data.mount.target, .device = {}, .root = {}};
    if (data.fixture || data.how == DataSource::given || !data.of_volume.empty()) return place;
    if (data.how == DataSource::fresh && data.mount.type == MountType::volume && !data.mount.source.empty()) {
        place.device = "a new volume";
        place.root = "/" + data.mount.source;
    } else if (data.how == DataSource::made && data.mount.type == MountType::bind) {
        place.device = "a new folder";
        place.root = data.mount.source;
    } else if (has_source(data) && !is_kernels_own(data)) {
        place.device = data.facts.device;
        place.root = data.facts.root;
    }
    return place;
}

// Calls on a name that need it not to be a mount: whoever makes them puts something else there.
bool makes_or_removes(const Attempt& attempt) {
    static constexpr std::string_view calls[] = {"unlink", "rename", "bind", "mknod", "link", "symlink"};
    return std::ranges::find(calls, attempt.operation.str()) != std::end(calls);
}

// Calls that the user's own entry is not to be changed by.
bool changes_attributes(const Attempt& attempt) {
    static constexpr std::string_view calls[] = {"chmod", "chown", "utime", "setxattr", "removexattr"};
    return std::ranges::find(calls, attempt.operation.str()) != std::end(calls) &&
           attempt.cls == AttemptClass::write;
}

}  // namespace

const std::string& DataPlane::real_source(const DataMount& data) const {
    return data.mount.type == MountType::bind ? data.mount.source : data.real_path;
}

SharedData DataPlane::owner_of(std::size_t index) const {
    return mounts_[index].shares.value_or(SharedData{index, {}});
}

bool DataPlane::is_shared(std::size_t index) const {
    return mounts_[index].shares || std::ranges::any_of(mounts_, [&](const DataMount& other) {
               return other.shares && other.shares->with == index;
           });
}

bool DataPlane::is_shared(const std::string& target) const {
    const auto found =
        std::ranges::find(mounts_, target, [](const DataMount& each) { return each.mount.target; });
    if (found == mounts_.end()) return false;
    if (!found->of_volume.empty())
        return std::ranges::count(mounts_, found->of_volume, &DataMount::of_volume) > 1;
    // Of live data nobody has looked where they lie.
    const std::string key = source_key(found->mount);
    return is_shared(static_cast<std::size_t>(found - mounts_.begin())) ||
           (!key.empty() && std::ranges::any_of(mounts_, [&](const DataMount& other) {
               return &other != &*found && source_key(other.mount) == key;
           }));
}

// By the subject, through one of the mounts of that source, or by somebody beside it.
bool DataPlane::is_written(std::size_t index) const {
    const std::size_t owner = owner_of(index).with;
    for (std::size_t i = 0; i < mounts_.size(); ++i)
        if (owner_of(i).with == owner &&
            (!mounts_[i].mount.read_only || written_elsewhere_.contains(source_key(mounts_[i].mount))))
            return true;
    return false;
}

// Also where nobody writes: each is made once.
void DataPlane::share_volumes() {
    for (DataMount& data : mounts_) {
        if (data.of_volume.empty()) continue;
        const auto volume = std::ranges::find(mounts_, data.of_volume,
                                              [](const DataMount& each) { return each.mount.target; });
        data.shares = SharedData{static_cast<std::size_t>(volume - mounts_.begin()),
                                 data.sub_path.empty() ? "" : "/" + data.sub_path};
    }
}

void DataPlane::find_shared() {
    if (mode_ == DataMode::live) return share_volumes();
    std::vector<DataPlace> places;
    for (const DataMount& data : mounts_) places.push_back(place_of(data));
    const auto shared = shared_data(places);
    for (std::size_t i = 0; i < mounts_.size(); ++i) mounts_[i].shares = shared[i];
    // What nobody writes is the same for all of them anyway.
    std::vector<bool> written;
    for (std::size_t i = 0; i < mounts_.size(); ++i) written.push_back(is_written(i));
    for (std::size_t i = 0; i < mounts_.size(); ++i)
        if (!written[i]) mounts_[i].shares.reset();
    share_volumes();
}

const DataMount* DataPlane::with_source(const SourceFacts& facts) const {
    const auto found = std::ranges::find_if(mounts_, [&](const DataMount& data) {
        return !facts.device.empty() && data.facts.device == facts.device && data.facts.root == facts.root &&
               data.how != DataSource::as_it_is && !data.fixture;
    });
    return found == mounts_.end() ? nullptr : &*found;
}

const DataMount* DataPlane::overlapping(const SourceFacts& facts) const {
    const auto found = std::ranges::find_if(mounts_, [&](const DataMount& data) {
        return !facts.device.empty() && data.facts.device == facts.device && !is_kernels_own(data) &&
               !data.fixture &&
               (is_or_below(data.facts.root, facts.root) || is_or_below(facts.root, data.facts.root));
    });
    return found == mounts_.end() ? nullptr : &*found;
}

// An archive has owner, mode and times alone; where it is used all the same, the runs lack the rest.
void DataPlane::check_attributes(DataMount& data) {
    if (data.how != DataSource::copy || !data.group) return;
    // What has not been found may be where nobody looked, which tell_of_live() doubts.
    if (!data.facts.more_attributes && data.facts.deep_attributes.empty()) return;
    data.lacks.push_back(
        {fmt::format(
             "the access control lists or extended attributes of its source{}{}, which a copy with the "
             "pod's fsGroup has not",
             data.facts.deep_attributes.empty() ? "" : ", as of ", data.facts.deep_attributes),
         "give it a fixture ('fixtures')"});
}

// Keeps a volume mounted on the engine's host for as long as the run goes on; where it is there.
Task<std::string> DataPlane::held(int run, std::string volume) {
    auto known = co_await client_.volume_inspect(volume);
    if (!known) co_return fail(std::move(known.error()));
    const std::string name = fmt::format("r{}-held{}", run, holders_[run].size());
    std::vector<engine::MountSpec> volumes;
    volumes.push_back({.type = engine::MountSpec::Type::volume,
                       .source = std::move(volume),
                       .target = "/rogate/held",
                       .read_only = true,
                       .no_copy = true,
                       .propagation = {}});
    auto holder = co_await scratch_.hold(name, std::move(volumes));
    if (!holder) co_return fail(std::move(holder.error()));
    holders_[run].push_back(std::move(*holder));
    co_return std::move(known->mountpoint);
}

Task<> DataPlane::hold_shared(RunPlan plan) {
    std::vector<engine::MountSpec> volumes;
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        const DataMount& data = mounts_[i];
        if (data.how != DataSource::overlay || data.shares || !is_shared(i) || starts_empty(plan, data))
            continue;
        volumes.push_back({.type = engine::MountSpec::Type::volume,
                           .source = volume_name(plan.id, i),
                           .target = fmt::format("/rogate/held/{}", i),
                           .read_only = true,
                           .no_copy = true,
                           .propagation = {}});
    }
    if (volumes.empty()) co_return Result<>{};
    auto holder = co_await scratch_.hold(fmt::format("r{}-shared", plan.id), std::move(volumes));
    if (!holder) co_return fail(std::move(holder.error()));
    holders_[plan.id].push_back(std::move(*holder));
    co_return Result<>{};
}

Task<> DataPlane::give_shared(int run, std::vector<std::pair<std::size_t, engine::MountSpec*>> by_mount) {
    std::map<std::string, std::string> mountpoints;
    for (auto& [index, spec] : by_mount) {
        if (!mounts_[index].shares) continue;
        const SharedData owner = owner_of(index);
        const auto whose =
            std::ranges::find(by_mount, owner.with, [](const auto& each) { return each.first; });
        if (whose == by_mount.end())
            co_return fail(ErrorKind::internal, fmt::format("no data for {}", mounts_[index].mount.target));
        const engine::MountSpec& data = *whose->second;
        spec->target = mounts_[index].mount.target;
        spec->type = data.type;
        spec->source = data.source + (data.type == engine::MountSpec::Type::bind ? owner.part : "");
        spec->no_copy = data.no_copy;
        if (data.type == engine::MountSpec::Type::bind || owner.part.empty()) continue;
        if (!mountpoints.contains(data.source)) {
            auto at = co_await held(run, data.source);
            if (!at) co_return fail(std::move(at.error()));
            mountpoints.emplace(data.source, std::move(*at));
        }
        spec->type = engine::MountSpec::Type::bind;
        spec->source = mountpoints.at(data.source) + owner.part;
        spec->no_copy = false;
    }
    co_return Result<>{};
}

// Those of the source that the runs are given, in the mount's own terms.
std::vector<LiveEntry> DataPlane::live_of(std::size_t index) const {
    std::vector<LiveEntry> found;
    const SharedData owner = owner_of(index);
    const DataMount& data = mounts_[owner.with];
    const bool layered = data.how == DataSource::overlay || data.how == DataSource::copy;
    if (!layered || data.fixture || real_source(data).empty()) return found;
    const std::string part = owner.part.empty() ? "" : owner.part.substr(1) + "/";
    for (const LiveEntry& entry : data.facts.live) {
        if (!entry.path.starts_with(part) || made_by_subject_.contains({owner.with, entry.path})) continue;
        const std::string inside = entry.path.substr(part.size());
        // What another mount covers is out of reach.
        if (mount_of(mounts_[index].mount.target + "/" + inside) == index)
            found.push_back({inside, entry.is_socket});
    }
    return found;
}

// Read-only: nothing can be done to the user's own entry, and a connection or what goes through a FIFO needs
// no more.
void DataPlane::give_live(const RunPlan& plan, std::vector<engine::MountSpec>& specs) const {
    std::vector<engine::MountSpec> live;
    for (const engine::MountSpec& spec : specs) {
        const auto data =
            std::ranges::find(mounts_, spec.target, [](const DataMount& each) { return each.mount.target; });
        if (data == mounts_.end() || starts_empty(plan, *data)) continue;
        const auto index = static_cast<std::size_t>(data - mounts_.begin());
        const SharedData owner = owner_of(index);
        for (const LiveEntry& entry : live_of(index))
            live.push_back({.type = engine::MountSpec::Type::bind,
                            .source = real_source(mounts_[owner.with]) + owner.part + "/" + entry.path,
                            .target = spec.target + "/" + entry.path,
                            .read_only = true,
                            .no_copy = false,
                            .propagation = {}});
    }
    for (engine::MountSpec& spec : live) specs.push_back(std::move(spec));
}

bool DataPlane::learn_from(const RunRecord& control,
                           const std::vector<std::pair<std::string, std::string>>& places) {
    // Where the subject has it.
    const auto paths_of = [&](const std::string& path) {
        std::vector<std::string> all;
        if (places.empty()) all.push_back(path);
        for (const auto& [subjects, own] : places)
            if (is_or_below(path, own)) all.push_back(subjects + path.substr(own.size()));
        return all;
    };
    const auto finds = [&](const auto& sought) {
        const auto found = std::ranges::find_if(control.attempts, sought);
        return found == control.attempts.end() ? std::string() : (*found).path.str();
    };
    bool again = false;
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        const std::string& target = mounts_[i].mount.target;
        for (const LiveEntry& entry : live_of(i)) {
            const std::vector<std::string> paths = paths_of(target + "/" + entry.path);
            const auto is_it = [&](const Attempt& attempt) {
                return std::ranges::find(paths, attempt.path.view()) != paths.end();
            };
            const std::string touched =
                finds([&](const Attempt& attempt) { return makes_or_removes(attempt) && is_it(attempt); });
            const std::string changed =
                finds([&](const Attempt& attempt) { return changes_attributes(attempt) && is_it(attempt); });
            if (touched.empty() && changed.empty()) continue;
            const SharedData owner = owner_of(i);
            const std::string part = owner.part.empty() ? "" : owner.part.substr(1) + "/";
            made_by_subject_.emplace(owner.with, part + entry.path);
            again = true;
            // Whether anybody else has a FIFO open cannot be asked without disturbing him.
            if (touched.empty() && entry.is_socket) {
                mounts_[owner.with].lacks.push_back(
                    {fmt::format("{}: the application changes its owner, mode or times, and that is not done "
                                 "to the one "
                                 "that others serve",
                                 changed),
                     "mount it by itself"});
                continue;
            }
            notes_.push_back(
                fmt::format("the application makes or changes {} itself, so the runs are made again without "
                            "the one that is there now",
                            touched.empty() ? changed : touched));
        }
        DataMount& data = mounts_[i];
        if (data.how != DataSource::overlay || data.shares || scratch_.renames_folders()) continue;
        const std::vector<std::string> paths = paths_of(target);
        const std::string refused = finds([&](const Attempt& attempt) {
            return attempt.operation == "rename" && attempt.error == EXDEV &&
                   std::ranges::any_of(paths, [&](const std::string& each) {
                       return is_or_below(attempt.path.view(), each);
                   });
        });
        if (refused.empty()) continue;
        data.how = DataSource::copy;
        runs_with_folders_ = 0;  // a copy has other folders than an overlay
        notes_.push_back(
            fmt::format("an overlay does not rename folders on this engine, as of {}, so the runs are made "
                        "again with a copy of the data",
                        refused));
        again = true;
    }
    return again;
}

// A name that is covered by another mount is out of reach.
std::map<std::string, std::vector<DataPlane::LinkedName>> DataPlane::linked_names() const {
    std::map<std::string, std::vector<LinkedName>> names;
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
        if (mounts_[i].fixture) continue;
        for (const auto& [path, file] : mounts_[i].facts.links) {
            const std::string at = mounts_[i].mount.target + (path.empty() ? "" : "/") + path;
            if (mount_of(at) == i) names[file].push_back({owner_of(i).with, at});
        }
    }
    return names;
}

// Each source has a layer or a copy of its own, so that what is written to the one name is not seen by the
// other.
void DataPlane::doubt_linked_files() {
    if (mode_ == DataMode::live) return;
    std::set<std::pair<std::size_t, std::size_t>> told;
    for (const auto& [file, names] : linked_names())
        for (const LinkedName& one : names)
            for (const LinkedName& other : names) {
                DataMount& data = mounts_[one.owner];
                const bool as_they_are =
                    data.how == DataSource::as_it_is && mounts_[other.owner].how == DataSource::as_it_is;
                if (one.owner == other.owner || as_they_are || !told.emplace(one.owner, other.owner).second)
                    continue;
                data.lacks.push_back({fmt::format("{} and {} are one file (a hard link), and two in the runs",
                                                  one.path, other.path),
                                      "mount a folder that holds both"});
            }
}

// More than are given, and those that somebody beside the subject may serve himself.
void DataPlane::tell_of_live() {
    for (DataMount& data : mounts_) {
        auto& live = data.facts.live;
        const bool layered = data.how == DataSource::overlay || data.how == DataSource::copy;
        if (!layered || data.shares || data.fixture) continue;
        if (data.facts.searched_in_part)
            data.lacks.push_back(
                {"its source has more files than are searched, or some that cannot be read, so that "
                 "there may be sockets and FIFOs in use which the runs do not have",
                 "mount the part of it that the application needs, or write 'data: live'"});
        if (live.empty()) continue;
        if (real_source(data).empty()) {
            data.lacks.push_back({fmt::format("{} is in use, on a volume that the engine mounts only while a "
                                              "container has it, so that the runs cannot be given it",
                                              live.front().path),
                                  "mount the folder of it that the application needs by a bind"});
            live.clear();
            continue;
        }
        if (written_elsewhere_.contains(source_key(data.mount)) || (of_services_ && !data.mount.read_only)) {
            notes_.push_back(
                fmt::format("{}/{} is in use, and a service that runs beside may serve it itself: the runs "
                            "have what that makes",
                            data.mount.target, live.front().path));
            live.clear();
        } else if (live.size() > most_live_entries) {
            data.lacks.push_back(
                {fmt::format("{} sockets and FIFOs, which is more than the {} that the runs are given "
                             "of one source",
                             live.size(), most_live_entries),
                 "mount the one that it uses by itself"});
            live.clear();
        }
    }
}

}  // namespace rogate::campaign
