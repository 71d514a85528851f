// The answer of a campaign; rogate.result/1 is rendered from it.
#pragma once

#include <map>
#include <optional>
#include <rogate/run.hpp>
#include <rogate/scenario.hpp>
#include <string>
#include <vector>

namespace rogate {

enum class Verdict { safe, tolerated, split, required, untested, ineffective, already_ro, inconclusive };

// A phase that took longer read-only than in the control run.
struct PhaseCost {
    std::string phase;
    double control_s = 0, read_only_s = 0;
    bool operator==(const PhaseCost&) const = default;
};

// How the application differs elsewhere when a mount is read-only: only what was so in every run compared.
struct Difference {
    Attempts left_out;                // writes that every control run made, and no run with it read-only
    std::vector<std::string> unused;  // targets that every control run opened something on, and none of those
    Attempts instead;                 // writes that each of those made, and no control run
    std::vector<std::string> with;    // other mounts that may be to blame instead
    bool empty() const { return left_out.empty() && unused.empty(); }
    bool operator==(const Difference&) const = default;
};

// What a verdict saw of the application: the run with the mount read-only.
struct Watched {
    int steps = 0;
    double seconds = 0;  // from its start to its end
    bool operator==(const Watched&) const = default;
};

struct MountResult {
    Mount mount;
    bool candidate = false;
    Verdict verdict = Verdict::inconclusive;
    std::string reason;                  // one sentence
    Attempts attempts;                   // the telling ones: failed on this mount in the run that decided it
    std::vector<int> runs;               // ids of the runs that the verdict rests on
    Attempts writes;                     // what the control run wrote on it: successful ones of class `write`
    std::vector<WritablePath> writable;  // split: what has to stay writable on it
    // split: writes on it that failed in the run that passed with just `writable`. Absent: not known.
    std::optional<Attempts> still_failing;
    std::vector<PhaseCost> costs;         // tolerated, split: where it is slower
    std::uint64_t writes_in_control = 0;  // successful writes of class `write` on it in the control run
    Difference difference = {};
    std::optional<Watched> watched = {};  // absent: no run with it read-only passed
    std::string made_up = {};  // what the runs had there in place of the user's data; empty: nothing
    bool self_made = false;    // nothing but rogate's own exercise vouches for it
    bool opened_up = false;    // the user has it read-only; it was made writable to be settled
    bool operator==(const MountResult&) const = default;
};

// Names of files that differed from run to run, as a pattern of their path: "/data/foo{random:6}".
struct VaryingName {
    std::string pattern;             // of the whole path (base/name_pattern.hpp)
    std::vector<std::string> names;  // last components (raw bytes) that it stands for, without looking so
    auto operator<=>(const VaryingName&) const = default;
};

struct Recommendation {
    std::vector<std::string> read_only;
    std::vector<WritablePath> writable;
    std::optional<int> verified_by_run;  // the run that had exactly these mounts read-only and passed
    std::map<std::string, std::string> environment =
        {};  // variables that the subject is to have beside its own
    // Every capability is dropped, and these are added. Absent: they stay as they are.
    std::optional<std::vector<std::string>> capabilities = {};
    bool no_new_privileges = false;
    bool operator==(const Recommendation&) const = default;
};

// A setting of the application or its runtime that removes a write, and what came of trying it.
struct SettingResult {
    enum class Outcome {
        offered,    // it passed with it, the writes are gone, and less stays writable
        no_help,    // it passed with it, and what was written is still written
        breaks,     // the scenario does not pass with it
        not_tried,  // a flag or a key of a configuration file, which rogate does not change
        unsettled   // no run was made, or none that can be relied on
    };
    std::string id, what;  // of the knowledge base: "python-bytecode", "Python byte code"
    std::map<std::string, std::string> environment;  // what sets it; empty: `how` says what does
    std::string how;                                 // "PYTHONDONTWRITEBYTECODE=1", for a person
    std::string cost, since, source;                 // each can be empty
    Outcome outcome = Outcome::not_tried;
    std::vector<std::string> mounts;  // targets with writes that it is about
    std::vector<std::string> paths;   // of these writes, some of them
    std::vector<int> runs;            // that had it
    std::string reason;               // one sentence
    bool operator==(const SettingResult&) const = default;
};

struct EngineFacts {
    std::string name;  // "Docker Engine", "Podman Engine"
    std::string version, api_version, kernel, os, cgroup_version, host;
    bool operator==(const EngineFacts&) const = default;
};

struct ObserverFacts {
    std::string kind;   // "ebpf", "ptrace", "none"
    std::string hooks;  // which tiers ran, for a person: "sys_exit, mount fexit, io_uring"
    bool operator==(const ObserverFacts&) const = default;
};

// Data of the user's that exist and that the runs did not have.
struct DataDifference {
    std::string target;   // of the subject's mount; empty: it is a container's beside the subject
    std::string what;     // one clause
    std::string way_out;  // what to do about it, in the imperative
    bool used = true;     // something used that mount in a run, or it is not known that nothing did
    bool operator==(const DataDifference&) const = default;
};

struct CampaignResult {
    Scenario scenario;
    EngineFacts engine;
    ObserverFacts observer;
    std::string image_id;
    std::map<std::string, std::string> image_ids =
        {};  // of a system that is settled as a whole, by container
    std::vector<RunRecord> runs;
    std::vector<MountResult> mounts;
    Recommendation recommendation;
    std::string started_at;  // RFC 3339, UTC
    double duration_s = 0;
    std::vector<VaryingName> varying_names;  // of files, as the runs showed
    std::string data_mode;  // how the user's data was kept out of reach: "overlay", "copy", …
    std::vector<DataDifference> data_differences = {};
    // Why no more runs were made though some were wanted ("--max-runs 4 is used up"); empty: all were made.
    std::string stopped = {};
    std::vector<SettingResult> settings = {};         // that match what was written
    std::vector<CapabilityResult> capabilities = {};  // where they were to be settled, by name
    // What rogate's own exercise consisted of ("12 pages of port 80"); empty: there was another one.
    std::vector<std::string> exercised = {};
    // Why the system cannot be settled as a whole here, so that nothing was run: a clause; empty: it was.
    std::string not_together = {};
    bool operator==(const CampaignResult&) const = default;
};

}  // namespace rogate
