// One function per command: it wires the rooms together and prints; the logic is theirs.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace rogate::cli {

struct Global {
    std::optional<std::string> host;     // --host
    std::vector<std::string> hosts;      // all of them, where the command takes several
    std::optional<std::string> context;  // --context
    bool verbose = false;
    std::string colour = "auto";   // auto, always, never
    double engine_timeout_s = 60;  // of an ordinary call
};

struct RunOptions {
    std::vector<std::string> scenarios;
    std::vector<std::string> variables;   // --set NAME=VALUE
    std::vector<std::string> only;        // --only PATTERN, of scenarios' names; empty: all
    std::string shard;                    // --shard I/N; empty: all
    std::string since;                    // a revision: only what was made read-only since; empty: everything
    std::string container;                // --container NAME: the subject; empty: the scenarios' own
    std::vector<std::string> services;    // --service NAME, of a Compose file or manifests; empty: all
    std::vector<std::string> profiles;    // --profile NAME, of a Compose file
    std::vector<std::string> candidates;  // --candidate [CONTAINER:]TARGET; empty: every writable mount
    std::vector<std::string> without;     // --without KEY,…: what the runs cannot have
    std::string out;                      // --out DIR; empty: no files
    std::string summary;                  // --summary FILE; empty: none
    bool open_up = false;         // --open-up: what is read-only and fails is made writable, and tried
    bool quiet = false;           // no progress
    int repeat = 1;               // how often each run is tried
    std::optional<int> max_runs;  // --max-runs, of all scenarios together; absent: no bound
    std::optional<std::chrono::milliseconds> max_time;  // --max-time, likewise
    int jobs = 1;                                       // scenarios at a time on each engine
    std::size_t ring_bytes = 16U << 20U;
    std::string observer = "auto";           // auto, ebpf, ptrace, none
    std::string requests = "auto";           // auto, ports, relay
    std::string engine_socket = "filtered";  // as that of WrapOptions
    bool rootfs = false;                     // --rootfs: "/" of each subject is a candidate as well
    bool capabilities = false;  // --capabilities: what can be dropped of them, and no-new-privileges
    bool offline = false;       // --offline: the runs' network reaches nothing outside
    std::vector<std::string>
        settings;              // --settings FILE: what is tried beside the shipped ones, and before them
    bool no_settings = false;  // --no-settings: none is tried
    std::vector<std::string> tests;                         // --test COMMAND, for the shell
    std::string test_directory;                             // --test-directory; empty: the current one
    std::vector<std::string> junit;                         // --junit PATTERN, of files that the tests write
    std::vector<std::string> known_failures;                // --known-failures FILE|NAME
    std::optional<std::chrono::milliseconds> test_timeout;  // of each; absent: the default
    bool allow_commands =
        false;  // --allow-commands: steps of scenario files may run commands on this machine
    std::optional<std::chrono::milliseconds> soak;  // --soak, of rogate's own exercise
    bool one_by_one = false;  // --one-by-one: a campaign for each service of a Compose project
    bool build = false, no_build = false, pull = false, keep_images = false;  // as campaign::ImageOptions
};

struct PlanOptions {
    std::vector<std::string> paths;
    std::vector<std::string> services, profiles, candidates, without, variables;  // as those of RunOptions
    bool rootfs = false, offline = false, one_by_one = false;
    std::string format = "table";
    std::string output;  // --output FILE; empty: standard output
};

struct InitOptions {
    std::vector<std::string> paths;
    std::string container;                       // --container NAME, in place of paths
    std::string service;                         // the subject; empty: the one that is reached from outside
    std::vector<std::string> profiles, without;  // as those of RunOptions
    std::string output;                          // --output FILE; empty: standard output
    bool force = false;                          // over a file that is there
};

struct MergeOptions {
    std::vector<std::string> results;
    std::string out;  // --out FILE; empty: standard output
};

struct ReportOptions {
    std::vector<std::string> results;
    std::string format = "terminal";
    std::string output;    // --output FILE; empty: standard output
    std::string previous;  // --previous FILE; empty: none
};

struct WatchCommandOptions {
    std::string container;
    std::optional<std::chrono::milliseconds> duration;  // --for
    std::string format = "table";
    std::string output;  // --output FILE; empty: standard output
    bool quiet = false;  // no progress
    std::size_t ring_bytes = 16U << 20U;
};

struct WrapOptions {
    std::vector<std::string> command;  // behind --
    std::string out;                   // as those of RunOptions
    std::string summary;
    bool quiet = false;
    bool rootfs = false;
    std::string data = "live";                         // live; overlay is not there yet
    std::string engine_socket = "filtered";            // what containers that mount it get: filtered, real
    std::vector<std::string> junit, known_failures;    // as those of RunOptions
    std::optional<int> max_runs;                       // --max-runs; absent: no bound
    std::optional<std::chrono::milliseconds> timeout;  // --timeout, of one run of COMMAND
    std::size_t ring_bytes = 16U << 20U;
};

struct CleanOptions {
    bool dry_run = false;
    std::string session;  // empty: every session's
};

struct GateOptions {
    std::vector<std::string> results;
    std::string policy, lock;  // empty: none
    std::string since;         // a revision; empty: every mount is judged
    bool update_lock = false;
    std::string format = "terminal";
    std::string today;  // YYYY-MM-DD; empty: the clock's, UTC
};

struct AuditOptions {
    std::vector<std::string> paths;
    bool running = false;
    std::string format = "table";
    std::string init;  // folder for scenarios to begin with; empty: none
};

struct PatchOptions {
    std::vector<std::string>
        result_files;    // several: of containers of one system, whose files are changed together
    std::string format;  // compose, kubernetes, docker-run, scenario; empty: where the subject came from
    std::vector<std::string> files;  // --file; empty: those that the result names
    std::string name, container;     // --service, --container; empty: the result's, or the only one
    std::string command;             // --command "docker run …"
    std::string out;                 // --out FILE; empty: standard output
    bool in_place = false;
    std::string root;  // --root DIR: --in-place changes no file outside of it; empty: the current folder
    bool shared = false;
};

// Each returns the exit code.
int run_command(const Global& global, const RunOptions& options);
int merge_command(const Global& global, const MergeOptions& options);
int watch_command(const Global& global, const WatchCommandOptions& options);
int wrap_command(const Global& global, const WrapOptions& options);
int clean_command(const Global& global, const CleanOptions& options);
int gate_command(const Global& global, const GateOptions& options);
int plan_command(const Global& global, const PlanOptions& options);
int init_command(const Global& global, const InitOptions& options);
int audit_command(const Global& global, const AuditOptions& options);
int report_command(const Global& global, const ReportOptions& options);
int doctor_command(const Global& global);
int patch_command(const Global& global, const PatchOptions& options);

}  // namespace rogate::cli
