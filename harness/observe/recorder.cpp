#include "observe/recorder.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <tuple>

#include "base/capabilities.hpp"
#include "base/text.hpp"

namespace rogate::observe {

namespace {

// A mount that is not known counts as the root's.
bool is_within(const std::string& mount_point, const std::string& target) {
    return target == "/" || is_or_below(mount_point, target);
}

// What the engine mounts into every container.
bool is_engines(const std::string& mount_point) {
    for (const char* file : {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv"})
        if (mount_point == file) return true;
    for (const char* folder : {"/proc", "/sys", "/dev", "/.rogate"})
        if (is_within(mount_point, folder)) return true;
    return false;
}

// A mount that was not there at the start: the subject has bound something to another place. It may be any
// of the user's mounts that is seen there, and read-only because that one is.
bool is_made_by_subject(const std::string& mount_point, const std::string& target) {
    return !mount_point.empty() && mount_point != "/" && mount_point != target && !is_engines(mount_point);
}
// Answered EOPNOTSUPP; otherwise it is not told.
bool is_asking_for_handle(const AttemptEvent& event) {
    return event.syscall == "name_to_handle_at";
}
bool is_on_root(const std::string& target) {
    return target.empty() || target == "/";
}

bool is_read_instead(const AttemptEvent& event) {
    return (event.fixed.flags & ATTEMPT_READ_INSTEAD) != 0;
}
// Refused to open, for reading and writing and nothing else, a file that is there and is known.
bool could_be_read_instead(const AttemptEvent& event) {
    constexpr std::uint32_t unknown =
        ATTEMPT_LEXICAL | ATTEMPT_TRUNCATED | ATTEMPT_DOUBTFUL | ATTEMPT_IO_URING | ATTEMPT_CREATES;
    constexpr std::uint32_t changes = O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY) | O_PATH;
    const std::uint32_t asked = event.fixed.open_flags;
    return (event.fixed.flags & unknown) == 0 && (asked & O_ACCMODE) == O_RDWR && (asked & changes) == 0;
}

std::size_t text_bytes(const AttemptEvent& event) {
    return event.path.size() + event.mount.size() + event.syscall.size() + event.comm.size() +
           event.exe.size();
}

}  // namespace

std::string target_of(const std::string& mount_point, const std::vector<std::string>& targets) {
    if (mount_point.empty()) return {};
    std::string best;
    for (const std::string& target : targets)
        if (is_within(mount_point, target) && target.size() > best.size()) best = target;
    if (best == "/")
        for (const char* engines : {"/proc", "/sys", "/dev"})
            if (is_within(mount_point, engines)) return {};
    return best;
}

std::string operation_of(const AttemptEvent& event) {
    constexpr std::string_view by_ring = "io_uring:";  // its operations are named like the calls
    std::string_view call = event.syscall;
    if (call.starts_with(by_ring)) call.remove_prefix(by_ring.size());
    if (call.starts_with("open") || call == "creat") {
        if ((event.fixed.flags & ATTEMPT_CREATES) != 0) return "create";
        if ((event.fixed.open_flags & O_TMPFILE) == O_TMPFILE) return "create";
        const bool writes = (event.fixed.open_flags & O_ACCMODE) != O_RDONLY;
        return !writes && (event.fixed.open_flags & O_TRUNC) != 0 ? "truncate" : "open-write";
    }
    // The *at and fd forms are the same operation.
    static constexpr std::pair<std::string_view, std::string_view> operations[] = {
        {"mkdir", "mkdir"},
        {"rmdir", "rmdir"},
        {"unlink", "unlink"},
        {"rename", "rename"},
        {"link", "link"},
        {"symlink", "symlink"},
        {"mknod", "mknod"},
        {"chmod", "chmod"},
        {"fchmod", "chmod"},
        {"chown", "chown"},
        {"lchown", "chown"},
        {"fchown", "chown"},
        {"utime", "utime"},
        {"futime", "utime"},
        {"setxattr", "setxattr"},
        {"lsetxattr", "setxattr"},
        {"fsetxattr", "setxattr"},
        {"removexattr", "removexattr"},
        {"lremovexattr", "removexattr"},
        {"fremovexattr", "removexattr"},
        {"truncate", "truncate"},
        {"access", "access"},
        {"faccess", "access"},
        {"bind", "bind"},
        {"ioctl", "ioctl"},
        {"file_setattr", "ioctl"}};
    for (const auto& [prefix, operation] : operations)
        if (call.starts_with(prefix)) return std::string(operation);
    return std::string(call);
}

std::uint32_t Recorder::add_phase(std::string name) {
    phases_.push_back(std::move(name));
    return static_cast<std::uint32_t>(phases_.size() - 1);
}

void Recorder::own_processes(const std::vector<std::int64_t>& pids) {
    own_.insert(pids.begin(), pids.end());
}
// The path with a mount's target in place of where the runtime has put it.
std::string Recorder::as_asked_for(std::string path) const {
    const std::pair<const std::string, std::string>* best = nullptr;
    for (const auto& place : places_)
        if (is_or_below(path, place.second) && (!best || place.second.size() > best->second.size()))
            best = &place;
    return best ? best->first + path.substr(best->second.size()) : path;
}

void Recorder::take(AttemptEvent event) {
    event.path = as_asked_for(std::move(event.path));
    event.mount = as_asked_for(std::move(event.mount));
    if (events_.size() >= limits_.kinds || text_bytes_ >= limits_.text_bytes) {
        ++dropped_;
        return;
    }
    text_bytes_ += text_bytes(event);
    events_.push_back(std::move(event));
}
void Recorder::take(const CountEvent& event) {
    if (counts_.size() < limits_.kinds || counts_.contains(event.id)) counts_[event.id] = event.count;
}
void Recorder::take(const UseEvent& event) {
    const std::string mount = as_asked_for(event.mount);
    if (const std::string target = target_of(mount, targets_); !target.empty()) uses_[target] += event.count;
}
void Recorder::take(const ReadEvent& event) {
    Reads& reads = reads_of_start_[as_asked_for(event.mount)];
    reads.files += event.files;
    reads.directories += event.directories;
}
void Recorder::take(DoubtEvent event) {
    if (event.kind == DOUBT_STATE) {
        if (changed_.size() < limits_.kinds) changed_.insert(event.id);
    } else if (doubt_.empty()) {
        doubt_ = std::move(event.text);
    }
}
void Recorder::take(const RootEvent& event) {
    // The container's first process; after a restart there is another one.
    if (event.pid_inside != 1) return;
    first_processes_.insert(event.pid);
    if (started_) {
        // The uses of before have been told by now.
        if (!restarted_) reads_of_start_.clear();
        restarted_ = event.time;
    } else {
        started_ = event.time;
    }
}

bool Recorder::is_refused_on_unknown(const AttemptEvent& event, const Word& target) const {
    if (event.fixed.error != EROFS || !is_made_by_subject(event.mount, target)) return false;
    return is_on_root(target) || (below_ && !below_->contains(event.mount));
}

// Why the account is not whole, though the attempt was seen; empty: it is none the worse for it.
std::string Recorder::problem_of(const AttemptEvent& event, const std::string& target) const {
    if (is_asking_for_handle(event))
        return target.empty() || target == "/"
                   ? std::string()
                   : fmt::format(
                         "{} asked for a file handle of {} by name_to_handle_at, which the runs' copy "
                         "of its data does not give (EOPNOTSUPP): it did not do what it does in use",
                         event.comm, event.path);
    // A refused write whose mount is not known could be on any of them, so that none is called safe.
    if ((event.fixed.flags & ATTEMPT_DOUBTFUL) != 0 || is_refused_on_unknown(event, target))
        return fmt::format("{} was refused '{}' at {} by {}, and it is not known which mount refused it",
                           event.comm, operation_of(event), event.path, event.syscall);
    return {};
}

// What was refused and then read, by mount, path, phase and program.
std::set<Recorder::Opener> Recorder::readers() const {
    struct Opens {
        std::uint64_t refused = 0, read = 0;
        bool others = false;
    };
    std::map<Opener, Opens> all;
    for (const AttemptEvent& event : events_) {
        const bool read = is_read_instead(event);
        if (!read && (event.fixed.error != EROFS || operation_of(event) == "access")) continue;
        Opens& opens = all[opener_of(event)];
        const std::uint64_t count = count_of(event);
        (read ? opens.read : opens.refused) += count;
        opens.others = opens.others || (!read && !could_be_read_instead(event));
    }
    std::set<Opener> readers;
    for (const auto& [opener, opens] : all)
        if (!opens.others && opens.refused > 0 && opens.read >= opens.refused) readers.insert(opener);
    return readers;
}

Recorder::Opener Recorder::opener_of(const AttemptEvent& event) const {
    return {event.mount, event.path, phase_of(event), event.comm, event.exe};
}

std::uint64_t Recorder::count_of(const AttemptEvent& event) const {
    const auto count = counts_.find(event.fixed.id);
    return count == counts_.end() ? 1 : count->second;
}

// Whether something that was made there before the last start was still there then, as far as names tell.
bool Recorder::was_anything_left(const std::string& mount) const {
    static constexpr std::array makes = {"create", "symlink", "link", "mknod", "bind", "rename"};
    std::map<std::string_view, std::int64_t> left;  // by path: how often it was made, less how often removed
    for (const AttemptEvent& event : events_) {
        if (event.fixed.error != 0 || event.fixed.time >= *restarted_ || event.mount != mount) continue;
        const std::string operation = operation_of(event);
        const auto times = static_cast<std::int64_t>(count_of(event));
        const bool comes = operation != "rename" || (event.fixed.flags & ATTEMPT_SECOND) != 0;
        if (operation == "unlink" || !comes)
            left[event.path] -= times;
        else if (std::ranges::find(makes, operation) != makes.end())
            left[event.path] += times;
    }
    return std::ranges::any_of(left, [](const auto& each) { return each.second > 0; });
}

// What was opened and can have been read. A directory in which nothing was left has nothing to read. Opens
// through io_uring are attempts, but no uses.
std::optional<std::map<std::string, std::uint64_t>> Recorder::read_back() const {
    if (!restarted_) return std::nullopt;
    std::map<std::string, std::uint64_t> opens;
    for (const auto& [mount, reads] : reads_of_start_) {
        const bool lists = reads.directories > 0 && was_anything_left(mount);
        opens[mount] = reads.files + (lists ? reads.directories : 0);
    }
    return opens;
}

std::string Recorder::phase_of(const AttemptEvent& event) const {
    if ((event.fixed.flags & ATTEMPT_HELD) != 0) return held_phase;
    return phase_of(event.fixed.phase, event.fixed.root);
}

std::string Recorder::phase_of(std::uint32_t phase, std::uint32_t root) const {
    // A process that neither the container's start nor the harness put there is the engine's: a health check.
    if (!first_processes_.contains(root) && !own_.contains(root)) return "healthcheck";
    return phase < phases_.size() ? phases_[phase] : "?";
}

void Recorder::take(const CapabilityEvent& event) {
    checks_.push_back(event);
}
void Recorder::take(const ChecksEvent& event) {
    checks_end_ = event;
}

// Those of several processes that agree in everything else are one.
std::optional<CapabilityChecks> Recorder::checks() const {
    if (!checks_end_) return std::nullopt;
    CapabilityChecks found;
    found.audited_only = checks_end_->audited_only;
    found.lost = checks_end_->lost;
    std::map<std::tuple<Word, Word, Word, Word, std::uint32_t, int>, std::size_t> places;
    for (const CapabilityEvent& event : checks_) {
        CapabilityCheck check;
        if (event.fixed.capability >= 0) check.capability = capability_name(event.fixed.capability);
        check.call = event.call;
        check.comm = event.comm;
        check.phase = phase_of(event.fixed.phase, event.fixed.root);
        check.uid = event.fixed.uid;
        check.error = event.fixed.error;
        check.count = event.fixed.count;
        const auto [at, fresh] = places.try_emplace(
            std::tuple(check.capability, check.call, check.comm, check.phase, check.uid, check.error),
            found.all.size());
        if (fresh)
            found.all.push_back(std::move(check));
        else
            found.all[at->second].count += check.count;
    }
    return found;
}

Recording Recorder::finish() {
    Recording recording;
    recording.lost_events = lost_ + dropped_;
    recording.uses = std::move(uses_);
    recording.read_back = read_back();
    recording.checks = checks();
    if (restarted_)
        for (const auto& [mount, reads] : reads_of_start_) recording.listed[mount] = reads.directories;
    if (started_) recording.started_s = static_cast<double>(*started_) / 1e9;
    using Key = std::tuple<Word, SharedText, Word, Word, int, Word, Word, Word, bool>;
    std::map<Key, Attempt> merged;
    std::size_t problems = 0;
    const std::set<Opener> readers = this->readers();
    std::set<std::string> looked_at;
    for (AttemptEvent& event : events_) {
        if (is_read_instead(event)) continue;
        if ((event.fixed.flags & ATTEMPT_NOEXEC) != 0) {
            recording.exec_refused.try_emplace(event.mount, event.path);
            continue;
        }
        const bool looks = (event.fixed.flags & ATTEMPT_LOOK) != 0;
        if (looks && (is_engines(event.mount) || !looked_at.insert(target_of(event.mount, targets_)).second))
            continue;
        Attempt attempt;
        attempt.mount = target_of(event.mount, targets_);
        attempt.path = event.path;
        attempt.operation = looks ? "access" : operation_of(event);
        attempt.syscall = event.syscall;
        attempt.error = event.fixed.error;
        attempt.phase = phase_of(event);
        attempt.process = {.pid = event.fixed.pid,
                           .comm = event.comm,
                           .exe = event.exe,
                           .uid = event.fixed.uid,
                           .parent = event.fixed.parent};
        attempt.open_flags = event.fixed.open_flags;
        if (started_ && event.fixed.time > *started_)
            attempt.first_s = static_cast<double>(event.fixed.time - *started_) / 1e9;
        if (std::string problem = problem_of(event, attempt.mount); !problem.empty()) {
            recording.is_guess = recording.is_guess || !is_asking_for_handle(event);
            if (problems++ == 0) recording.problem = std::move(problem);
        }
        if (is_asking_for_handle(event)) continue;
        // One that succeeds there is not on the root: podman mounts a tmpfs on /run, /tmp and /var/tmp of a
        // container whose root is read-only, and what is written to it is no proof that the root can be.
        if (event.fixed.error == 0 && is_on_root(attempt.mount) &&
            is_made_by_subject(event.mount, attempt.mount))
            attempt.mount = {};
        attempt.read_instead = attempt.error == EROFS && readers.contains(opener_of(event));
        if (attempt.operation == "access")
            attempt.cls = AttemptClass::access_check;
        else if ((event.fixed.flags & ATTEMPT_NO_OP) != 0 && !changed_.contains(event.fixed.id))
            attempt.cls = AttemptClass::no_op;
        attempt.count = count_of(event);
        Key key{attempt.mount,        attempt.path,        attempt.operation,
                attempt.syscall,      attempt.error,       attempt.phase,
                attempt.process.comm, attempt.process.exe, attempt.cls == AttemptClass::no_op};
        const auto [at, fresh] = merged.try_emplace(std::move(key), attempt);
        if (fresh) continue;
        const std::uint64_t sum = at->second.count + attempt.count;
        // The first of them speaks for all; events of two processors can come in either order.
        if (attempt.first_s < at->second.first_s) at->second = std::move(attempt);
        at->second.count = sum;
    }
    if (!doubt_.empty()) {
        recording.is_guess = false;
        recording.problem = std::move(doubt_);
    } else if (problems > 1) {
        recording.problem += fmt::format(" (the first of {} such)", problems);
    }
    recording.attempts.reserve(merged.size());
    for (auto& [key, attempt] : merged) recording.attempts.push_back(std::move(attempt));
    events_.clear();
    return recording;
}

}  // namespace rogate::observe
