// One launch of the subject: what was asked for and what came out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <rogate/attempts.hpp>
#include <rogate/capability.hpp>
#include <rogate/error.hpp>
#include <rogate/observation.hpp>
#include <rogate/secret.hpp>
#include <rogate/state.hpp>
#include <set>
#include <string>
#include <vector>

namespace rogate {

enum class RunKind { control, probe, verify };

// A path that stays writable below a read-only mount: a mount of its own.
// volume: a new one, empty or filled from the image. subpath: this directory of the mount's own source (of
// the volume, or of the folder that is bound), with the data in it.
enum class WritableAs { tmpfs, volume, subpath };
struct WritablePath {
    std::string path;  // as the subject sees it
    WritableAs as = WritableAs::tmpfs;
    std::string mount;          // target of the read-only mount that it lies on
    std::string tmpfs_options;  // as mount(8) takes them: "uid=33,gid=33,mode=0755"
    std::string reason;         // one sentence: why a tmpfs will do, or why it takes a volume
    bool needs_mount_point =
        false;  // the directory is not there yet and has to be made in the mount's source
    // volume: a new one begins with what the image has there, which is not nothing: its files, owner and
    // mode.
    bool from_image = false;
    bool operator==(const WritablePath&) const = default;
};

// Begins the names of the phases in which the steps are performed anew.
inline constexpr const char* again_prefix = "again: ";

struct RunPlan {
    int id = 1;
    RunKind kind = RunKind::control;
    std::vector<std::string> read_only;  // targets tried read-only in this run, beside those the user made so
    std::vector<WritablePath> writable;  // what stays writable below them
    std::optional<int> expected_exit_code;  // the control run's
    bool expected_early_exit = false;  // the control run's subject ended by itself, before it was told to
    DataState state = DataState::current;
    std::optional<int> data_of = {};  // begins with the data that this run left
    bool leaves_data = false;         // they are kept for later runs
    bool ends_by_kill = false;        // SIGKILL in place of the shutdown
    bool again = false;               // after the steps the subject is restarted, and they are performed anew
    // The run whose plan is tried once more, to see which of its differences from the control run stay.
    std::optional<int> repeats = {};
    bool blames = false;  // made to find the mount for whose sake something is left out
    // The subject is killed and started anew at the end: what stays writable below its own file systems must
    // not keep it from starting after a crash.
    bool crashes = false;
    // Variables that the subject has beside its own in this run: settings that are tried.
    std::map<std::string, std::string> environment = {};
    // The subject has these capabilities and no others (docker's names, without CAP_). Absent: as configured.
    std::optional<std::vector<std::string>> capabilities = {};
    bool no_new_privileges = false;  // no program gives its caller more than it has
    bool operator==(const RunPlan&) const = default;
};

// What a command told of its tests.
struct SuiteRecord {
    std::size_t total = 0;
    std::vector<std::string> failed;  // in order of name
    std::vector<std::string> known;   // of those that failed: left out, since the user knows them
    bool operator==(const SuiteRecord&) const = default;
};

struct PhaseRecord {
    std::string name;  // entrypoint, ready, "step <name>", "again: …", shutdown
    bool passed = false;
    std::string message;  // why it failed; empty if it passed
    double duration_s = 0;
    std::optional<SuiteRecord> suite = {};
    std::string output = {};     // the end of what a command wrote, where the phase failed
    std::string container = {};  // of a system: the one that is asked; empty: it is of all of them
    bool operator==(const PhaseRecord&) const = default;
};

enum class Canary { seen, not_seen, not_refused, failed };

// What became of one container of a system that is settled as a whole.
struct ContainerRecord {
    std::optional<int> exit_code;               // of its first process; absent: it never started
    bool exited_early = false;                  // it ended by itself, before it was told to
    bool killed = false;                        // it had not ended when its grace was over
    bool deaf_to_stop = false;                  // see RunRecord
    int restarts = 0;                           // as its restart policy has it
    std::set<std::uint16_t> silent_ports = {};  // see RunRecord
    // Why it was not what its configuration promises (control run), or not what it was in the control run,
    // with its last output; empty: it was. In a control run nothing follows from it for the others.
    std::string trouble = {};
    std::string log_tail = {};     // its last output then
    bool behind_another = false;   // it waits for one with trouble of its own
    bool could_not_start = false;  // see RunRecord
    // The trouble is that it did not give what a step asked of it. Another one may be to blame, whom it asks.
    bool fell_at_step = false;
    // In a probe run: it fell, and was made anew as it is configured, for the others' sake. What is said here
    // is of before.
    bool made_anew = false;
    bool restarted = false;  // by rogate's own exercise, so that what it keeps in a tmpfs was emptied
    bool operator==(const ContainerRecord&) const = default;
};

// One of several tries that are read as one run.
struct Try {
    int run = 0;
    DataState state = DataState::current;
    Attempts attempts;
    std::map<std::string, std::uint64_t> uses;
    bool operator==(const Try&) const = default;
};

struct RunRecord {
    RunPlan plan;
    bool passed = false;
    std::vector<PhaseRecord> phases;
    Attempts attempts;
    std::map<std::string, Canary> canary;       // by target, for every read-only mount
    std::map<std::string, std::uint64_t> uses;  // by target: files and directories opened or executed on it
    // Of a control run, not for reports: files that it opened for reading and writing, and to which nothing
    // was done, as the layer shows that the run had over the data. What has no layer is not among them.
    std::set<std::string> unwritten = {};
    // Not for reports: what was written by runs that were made for their data alone, in a state that was not
    // asked for.
    Attempts made_data = {};
    // By mount point: opens since the subject was last started anew that may have read what was there before.
    // Absent: it was not started anew, or the observer cannot tell.
    std::optional<std::map<std::string, std::uint64_t>> read_back;
    // By mount point: directories opened since the subject was first started anew.
    std::map<std::string, std::uint64_t> listed = {};
    // By mount point: a file there that was not executed, or not mapped for that, since the mount does not
    // allow it (noexec).
    std::map<std::string, std::string> exec_refused = {};
    // Absent: the observer does not see them, or was not asked to.
    std::optional<CapabilityChecks> checks = {};
    std::uint64_t lost_events = 0;
    std::optional<int> exit_code;  // of the subject's first process; absent: it never started
    bool exited_early = false;     // it ended by itself, before it was told to
    bool killed = false;           // it had not ended when its grace was over
    // When it was told to end, its first process had no handler for the signal, which the kernel then drops.
    bool deaf_to_stop = false;
    // Declared ports that had not answered when the control run counted as ready; nobody waits for them.
    std::set<std::uint16_t> silent_ports;
    bool could_not_start = false;  // the engine refused to start the container: not the application's doing
    std::string observer;          // "ebpf", "ptrace", "none"; empty: not known
    std::string observer_problem;  // why the observer's account is not whole; empty: it is
    std::string
        services_problem;  // which service beside the subject was not there, so that it was not started
    std::string doubt;     // several tries of one plan did not end alike: how; empty: they did
    std::string log_tail;  // the subject's last output, for a failed run
    double duration_s = 0;
    // Who else can write by the subject's doing, where no observer sees it, as a sentence; by container of a
    // system, and of one subject by "". Where there is none, nobody can.
    std::map<std::string, std::string> unseen_writers = {};
    std::map<std::string, ContainerRecord> containers =
        {};  // of a system that is settled as a whole, by name
    // What was read-only in other containers meanwhile, of a run that is told of one container of a system.
    std::vector<std::string> beside = {};
    // Not for reports. What it was read together of (verdict::merged); empty: it is one try.
    std::vector<Try> tries = {};
    std::vector<int> repeated_by = {};  // records of the same plan that are read together with this one
    // What steps observed, by step, and the secrets that they brought.
    std::map<std::string, Observation> observations;
    Secrets secrets;
    bool operator==(const RunRecord&) const = default;
};

}  // namespace rogate
