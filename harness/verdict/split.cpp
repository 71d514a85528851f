#include "verdict/split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <rogate/place.hpp>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/text.hpp"
#include "verdict/compare.hpp"

namespace rogate::verdict {

namespace {

// More written directories beside each other than this are one: their parent.
constexpr std::size_t siblings_kept_apart = 8;

std::string_view above(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return "/";
    return path.substr(
        0, slash == path.size() - path_in(path).size() ? slash + 1 : slash);  // the root keeps its own
}

std::string parent_of(std::string_view path) {
    return std::string(above(path));
}

std::string_view name_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

bool only_attributes(const std::string& operation) {
    static constexpr std::array names = {"chmod", "chown", "utime", "setxattr", "removexattr", "ioctl"};
    return std::find(names.begin(), names.end(), operation) != names.end();
}

// What was written, or would have been, on the mount, in whichever run.
std::vector<const Attempt*> needs(const std::string& target, const std::vector<RunRecord>& runs) {
    std::vector<const Attempt*> found;
    for (const RunRecord& run : runs) {
        const bool control = run.plan.kind == RunKind::control;
        for (const Attempt& attempt : run.attempts) {
            if (attempt.mount != target || attempt.cls != AttemptClass::write) continue;
            if (!is_or_below(attempt.path, target) || attempt.path == target) continue;
            if (control ? attempt.error == 0 : failed_by_read_only(attempt)) found.push_back(&attempt);
        }
    }
    return found;
}

class Splitter {
  public:
    Splitter(const SplitQuestion& question, const std::vector<RunRecord>& runs, const Facts& facts)
        : question_(question), target_(question.mount.target), facts_(facts), needs_(needs(target_, runs)) {
        find_removed(runs.front());
    }

    SplitProposal go();

  private:
    const PathFacts* look(const std::string& path);
    std::optional<std::string> directory_for(const Attempt& need);
    std::optional<std::string> existing(std::string directory);
    std::set<std::string> narrowest(std::set<std::string> directories) const;
    using Below = std::vector<const Attempt*>;  // a directory
    WritablePath describe(const std::string& directory, const Below& below);
    void describe_all(const std::set<std::string>& directories, std::vector<WritablePath>& writable);
    std::set<std::string> with_hidden_ones(std::set<std::string> tops,
                                           const std::set<std::string>& directories,
                                           const std::vector<WritablePath>& described);
    bool is_for_passing_things(const std::string& directory, const Below& below) const;
    void find_removed(const RunRecord& control);

    const SplitQuestion& question_;
    const std::string& target_;
    const Facts& facts_;
    std::vector<const Attempt*> needs_;
    std::unordered_set<std::string_view> removed_;  // what the control run removed as often as it made it
    std::set<std::string> unknown_, by_name_, hides_;
};

// Null: not known yet, and asked for.
const PathFacts* Splitter::look(const std::string& path) {
    const auto found = facts_.find(path);
    if (found != facts_.end()) return &found->second;
    unknown_.insert(path);
    return nullptr;
}

// The nearest directory that is there, or else the topmost that would have to be made; never the mount
// itself.
std::optional<std::string> Splitter::existing(std::string directory) {
    if (directory == target_) return std::nullopt;
    for (;;) {
        const PathFacts* facts = look(directory);
        if (facts != nullptr && facts->exists && facts->is_directory) return directory;
        std::string over = parent_of(directory);
        if (over == target_) break;
        directory = std::move(over);
    }
    const PathFacts* facts = look(directory);
    if (facts != nullptr && facts->exists) return std::nullopt;  // a file in the mount's root
    if (!question_.can_make_mount_points) return std::nullopt;
    return directory;
}

std::optional<std::string> Splitter::directory_for(const Attempt& need) {
    const std::string path = need.path.str();
    if (only_attributes(need.operation)) {
        const PathFacts* facts = look(path);
        if (facts != nullptr && facts->exists && facts->is_directory) return path;
        return existing(parent_of(path));
    }
    // A directory that is made in the mount's root can be a mount point instead.
    if (need.operation == "mkdir" && parent_of(path) == target_) return existing(path);
    return existing(parent_of(path));
}

std::set<std::string> Splitter::narrowest(std::set<std::string> directories) const {
    std::map<std::string, std::size_t> children;
    for (const std::string& directory : directories) ++children[parent_of(directory)];
    for (const auto& [parent, count] : children)
        if (count > siblings_kept_apart && parent != target_) directories.insert(parent);
    std::set<std::string> kept;
    for (const std::string& directory : directories) {  // a parent sorts before what lies below it
        std::string over = directory;
        while (over.size() > target_.size() && !kept.contains(over)) over = parent_of(over);
        if (over.size() <= target_.size() && !kept.contains(over)) kept.insert(directory);
    }
    return kept;
}

// What is renamed lives on under another name.
void Splitter::find_removed(const RunRecord& control) {
    static constexpr std::array makes = {"create", "mkdir", "symlink", "link", "mknod", "bind", "rename"};
    struct Times {
        std::uint64_t made = 0, removed = 0;
    };
    std::unordered_map<std::string_view, Times> paths;
    for (const Attempt& attempt : control.attempts) {
        if (attempt.error != 0) continue;
        if (attempt.operation == "unlink" || attempt.operation == "rmdir")
            paths[attempt.path].removed += attempt.count;
        if (std::find(makes.begin(), makes.end(), attempt.operation) != makes.end())
            paths[attempt.path].made += attempt.count;
    }
    for (const auto& [path, times] : paths)
        if (times.removed > 0 && times.removed >= times.made) removed_.insert(path);
}

// Sockets, pid and lock files, and what is removed by the one who made it: nothing that anybody would look
// for after a restart.
bool Splitter::is_for_passing_things(const std::string& directory, const Below& below) const {
    // Lock files of package managers say which versions are wanted.
    static constexpr std::array<std::string_view, 15> contents = {
        "composer.lock", "yarn.lock",    "Cargo.lock", "Gemfile.lock", "Pipfile.lock",
        "poetry.lock",   "uv.lock",      "pdm.lock",   "mix.lock",     "flake.lock",
        "pubspec.lock",  "Podfile.lock", "bun.lock",   "Chart.lock",   "gems.lock"};
    static constexpr std::array endings = {".pid", ".lock", ".lck", ".sock", ".socket", ".tmp"};
    return std::all_of(below.begin(), below.end(), [&](const Attempt* need) {
        if (need->operation == "bind" || only_attributes(need->operation) || removed_.contains(need->path))
            return true;
        if (need->operation == "unlink" || need->operation == "rmdir") return true;
        const std::string_view name = name_of(need->path);
        if (std::find(contents.begin(), contents.end(), name) != contents.end()) return false;
        return std::any_of(endings.begin(), endings.end(),
                           [&](std::string_view ending) { return name.ends_with(ending); }) ||
               need->path == directory;
    });
}

bool is_temporary_by_name(const std::string& place) {
    const std::string_view directory = path_in(place);
    static constexpr std::array trees = {"/var/tmp", "/var/cache"};
    static constexpr std::array names = {"tmp", "temp", "cache", ".cache", "run", "lock", "locks"};
    const std::string_view name = name_of(directory);
    return std::any_of(trees.begin(), trees.end(),
                       [&](std::string_view tree) { return is_or_below(directory, tree); }) ||
           std::find(names.begin(), names.end(), name) != names.end();
}

using Owner = std::pair<std::uint32_t, std::uint32_t>;  // user and group; both 0: root's

// What is not there yet would belong to whoever made it.
Owner owner_of(const PathFacts& facts, const std::vector<const Attempt*>& below) {
    if (facts.exists || below.empty()) return {facts.uid, facts.gid};
    return {below.front()->process.uid, below.front()->process.uid};
}

std::string tmpfs_options(const SplitQuestion& question, const std::string& directory, const PathFacts& facts,
                          const Owner& owner) {
    if (!question.tmpfs_options.empty()) return question.tmpfs_options;
    std::string options = fmt::format("mode={:04o}", facts.exists ? facts.mode & 07777U : 0755U);
    if (owner.first != 0) options += fmt::format(",uid={}", owner.first);
    if (owner.second != 0) options += fmt::format(",gid={}", owner.second);
    if (question.executes.contains(directory)) options += ",exec";
    return options;
}

WritablePath Splitter::describe(const std::string& directory, const Below& below) {
    WritablePath path;
    path.path = directory;
    path.mount = target_;
    const PathFacts facts = facts_.at(directory);
    path.needs_mount_point = !facts.exists && question_.mount.type != MountType::rootfs;
    path.from_image = facts.exists && (question_.mount.type == MountType::rootfs ||
                                       question_.mount.type == MountType::anonymous);
    const Owner owner = owner_of(facts, below);
    const bool passing = is_for_passing_things(directory, below);
    const bool is_emptied = is_volatile(directory),
               has_files = facts.exists && !facts.empty && !facts.only_directories;
    const bool temporary = is_emptied || is_temporary_by_name(directory);
    const bool of_the_image = question_.mount.type == MountType::rootfs;
    if (has_files && !(is_emptied && of_the_image)) {
        path.as = WritableAs::volume;
        path.reason = "it holds files already, which a tmpfs would hide";
    } else if (question_.is_seen_elsewhere) {
        path.as = WritableAs::volume;
        path.reason = "others have the same data mounted, and would not see what is written to a tmpfs";
    } else if (!passing && !temporary && !question_.trips_over.contains(directory)) {
        path.as = WritableAs::volume;
        path.reason = "what is written there may have to survive a restart";
    } else if (!question_.tmpfs_has_owner && owner != Owner()) {
        path.as = WritableAs::volume;
        path.reason = "it is not root's, and this engine's tmpfs is always";
    } else {
        path.as = WritableAs::tmpfs;
        path.reason = has_files    ? "by its name it is for what nothing after a start may count on"
                      : passing    ? "only sockets, pid and lock files and temporary files are written there"
                      : is_emptied ? "by its name it is for what nobody may find again after a start"
                      : temporary
                          ? "by its name it is for temporary files"
                          : "with a volume it does not start again after a crash, and reads nothing there";
        if (has_files || (!passing && !is_emptied && temporary)) by_name_.insert(directory);
        if (has_files) hides_.insert(directory);
        path.tmpfs_options = tmpfs_options(question_, directory, facts, owner);
    }
    return path;
}

void Splitter::describe_all(const std::set<std::string>& directories, std::vector<WritablePath>& writable) {
    writable.clear();
    by_name_.clear();
    hides_.clear();
    for (const auto& [directory, below] : by_directory(directories, needs_))
        if (look(directory) != nullptr) writable.push_back(describe(directory, below));
}

// A tmpfs hides the directories that are there, too. Those that are written to are mounts of their own then.
std::set<std::string> Splitter::with_hidden_ones(std::set<std::string> tops,
                                                 const std::set<std::string>& directories,
                                                 const std::vector<WritablePath>& described) {
    for (const WritablePath& path : described) {
        if (path.as != WritableAs::tmpfs) continue;
        for (const std::string& each : directories) {
            if (each == path.path || !is_or_below(each, path.path)) continue;
            const PathFacts* facts = look(each);
            if (facts != nullptr && facts->exists && facts->is_directory) tops.insert(each);
        }
    }
    return tops;
}

SplitProposal Splitter::go() {
    SplitProposal proposal;
    if (question_.mount.type == MountType::tmpfs || needs_.empty()) return proposal;
    const PathFacts* whole = look(target_);
    // What has no files to begin with has nothing that read-only would protect.
    const bool root = question_.mount.type == MountType::rootfs;
    if (whole != nullptr && !root && (!whole->is_directory || whole->empty || whole->only_directories))
        return proposal;
    std::set<std::string> directories;
    for (const Attempt* need : needs_)
        if (auto directory = directory_for(*need)) directories.insert(*directory);
    const std::set<std::string> tops = narrowest(directories);
    describe_all(tops, proposal.writable);
    if (std::set<std::string> all = with_hidden_ones(tops, directories, proposal.writable); all != tops)
        describe_all(all, proposal.writable);
    proposal.by_name = std::move(by_name_);
    proposal.hides = std::move(hides_);
    if (!unknown_.empty()) {
        proposal.writable.clear();
        proposal.by_name.clear();
        proposal.hides.clear();
        proposal.look_at.assign(unknown_.begin(), unknown_.end());
    }
    return proposal;
}

}  // namespace

bool is_volatile(const std::string& place) {
    const std::string_view directory = path_in(place);
    static constexpr std::array trees = {"/tmp", "/run", "/var/run", "/var/lock", "/dev/shm"};
    return std::any_of(trees.begin(), trees.end(),
                       [&](std::string_view tree) { return is_or_below(directory, tree); });
}

ByDirectory by_directory(const std::set<std::string>& directories,
                         const std::vector<const Attempt*>& attempts) {
    ByDirectory lists;
    for (const std::string& directory : directories) lists.emplace_hint(lists.end(), directory, 0);
    for (const Attempt* attempt : attempts)
        for (std::string_view path = attempt->path;; path = above(path)) {
            if (const auto found = lists.find(path); found != lists.end()) {
                found->second.push_back(attempt);
                break;
            }
            if (is_root(path) || path.empty()) break;
        }
    return lists;
}

SplitProposal propose_split(const SplitQuestion& question, const std::vector<RunRecord>& runs,
                            const Facts& facts) {
    if (runs.empty()) return {};
    return Splitter(question, runs, facts).go();
}

}  // namespace rogate::verdict
