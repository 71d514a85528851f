// What is done to the subject: readiness, steps, shutdown. All times are in milliseconds.
#pragma once

#include <map>
#include <optional>
#include <rogate/pod.hpp>
#include <rogate/state.hpp>
#include <rogate/subject.hpp>
#include <string>
#include <variant>
#include <vector>

namespace rogate {

// What a step's observation must look like. Everything that is given must hold; an empty Expect always holds
// (but http without `status` expects 200..399 and exec without `exit_code` expects 0).
struct Expect {
    std::optional<int> status;            // http; -500: any below 500
    std::optional<int> exit_code;         // exec
    std::optional<std::string> contains;  // http body / exec stdout+stderr / log text
    std::optional<std::string> not_contains;
    std::optional<std::string> matches;  // ECMAScript regular expression, searched for
    std::optional<std::string> equals;   // whole text, one trailing newline ignored on both sides
    std::map<std::string, std::string>
        headers;  // http: name (any case) -> regular expression searched in the value
    std::map<std::string, std::string> json = {};  // JSON pointer -> the value there, as JSON
    std::optional<bool> exists = {};               // file; absent: it must exist
    std::optional<std::uint32_t> mode = {};        // file: permission bits
    std::optional<std::uint64_t> size = {};        // file: bytes
    bool operator==(const Expect&) const = default;
};

// A field of a form; all together are sent as multipart/form-data.
struct FormField {
    std::string name, content;
    std::optional<std::string> file_name;  // an upload
    std::string type;                      // its media type; empty: the receiver's default
    bool operator==(const FormField&) const = default;
};

struct HttpAction {
    std::string method = "GET";
    std::uint16_t port = 0;  // the subject's container port
    std::string path = "/";
    std::map<std::string, std::string> headers;
    std::string body;
    std::vector<FormField> form = {};  // in place of `body`
    bool tls = false;                  // HTTPS; the certificate is not looked at
    bool operator==(const HttpAction&) const = default;
};
struct ExecAction {
    std::vector<std::string> command;
    std::optional<std::string> user, working_dir;
    std::map<std::string, std::string> environment;
    std::string stdin_text;
    bool operator==(const ExecAction&) const = default;
};
struct SignalAction {
    std::string signal;  // "HUP", "SIGHUP" or a number
    bool operator==(const SignalAction&) const = default;
};
struct RestartAction {
    bool kill = false;  // SIGKILL instead of the stop signal
    bool operator==(const RestartAction&) const = default;
};
struct WaitAction {
    std::int64_t duration_ms = 0;
    bool operator==(const WaitAction&) const = default;
};
struct LogAction {  // the subject's stdout and stderr since its start
    bool operator==(const LogAction&) const = default;
};
struct TcpAction {
    std::uint16_t port = 0;
    bool operator==(const TcpAction&) const = default;
};
struct HealthAction {  // the engine's health status is "healthy"
    bool operator==(const HealthAction&) const = default;
};

// A local file or folder, or a text, with its place in a container.
struct Load {
    std::string to;    // absolute
    std::string from;  // absolute path on rogate's machine; empty: `text` is its content
    std::string text;
    std::uint32_t uid = 0, gid = 0;
    std::optional<std::uint32_t> mode;  // absent: the file's own; of a text 0644
    bool operator==(const Load&) const = default;
};
struct CopyAction {
    Load load;
    bool operator==(const CopyAction&) const = default;
};
struct FileAction {  // looked at from outside: nothing is executed in the subject
    std::string path;
    bool operator==(const FileAction&) const = default;
};
// A container beside the subject, on the run's network, where the subject is called `subject`. Its exit code
// and output are what the step observes.
struct RunContainerAction {
    std::string image;
    std::optional<std::vector<std::string>> command, entrypoint;
    std::optional<std::string> user, working_dir;
    std::map<std::string, std::string> environment;
    std::vector<Load> files;
    bool operator==(const RunContainerAction&) const = default;
};

// A command of the user's, on rogate's machine. It is told by variables where the system is; its exit code
// decides, and what it says of its tests.
struct CommandAction {
    std::vector<std::string> command;
    std::string directory;                           // absolute; where it runs
    std::map<std::string, std::string> environment;  // beside rogate's own
    // Patterns of the JUnit files that it writes, relative to `directory`; none: it writes none.
    std::vector<std::string> junit;
    std::vector<std::string> known_failures;  // names of tests whose failure counts for nothing
    bool operator==(const CommandAction&) const = default;
};
// Asks each port that speaks HTTP for `/`, and for what that links to on the same port.
struct PagesAction {
    std::vector<std::uint16_t> ports = {};
    int most = 40;                  // pages of all ports together
    std::int64_t time_ms = 15'000;  // for all of them
    bool operator==(const PagesAction&) const = default;
};

struct Step;
struct ParallelAction {  // all at once; passed when each one passed
    std::vector<Step> steps;
    bool operator==(const ParallelAction&) const;
};
// From here to the last step, again and again; it must never fail.
struct BackgroundAction {
    std::vector<Step> steps;
    std::int64_t interval_ms = 100;  // between two rounds
    bool operator==(const BackgroundAction&) const;
};

using Action = std::variant<HttpAction, ExecAction, SignalAction, RestartAction, WaitAction, LogAction,
                            TcpAction, HealthAction, CopyAction, FileAction, RunContainerAction,
                            CommandAction, PagesAction, ParallelAction, BackgroundAction>;

// Part of what a step observed, kept under a name that later steps refer to as ${{ name }}.
struct Capture {
    enum class From { json, header, regex };
    std::string variable;
    From from = From::json;
    std::string what;  // JSON pointer, name of a header, or regular expression (its first group, or all)
    bool operator==(const Capture&) const = default;
};

// The step is left out when one of these holds.
struct SkipIf {
    std::vector<std::string> command;              // exits with 0 in the subject
    std::map<std::string, std::string> variables;  // each has this value
    bool operator==(const SkipIf&) const = default;
};

struct Step {
    std::string name;
    Action action;
    std::vector<Capture> captures;
    std::optional<SkipIf> skip_if;
    int repeat = 1;                   // times, each of which must pass
    bool same_as_control = false;     // what it observes must equal what the control run observed
    std::vector<std::string> ignore;  // regular expressions: what they match may differ
    Expect expect;
    std::int64_t timeout_ms = 30'000;            // for one try
    std::optional<std::int64_t> retry_until_ms;  // try again until it holds or this much time has passed
    std::int64_t retry_interval_ms = 200;
    SourcePlace declared;
    // Of a system: the container that is asked; empty: the step is of the system as a whole.
    std::string container = {};
    bool operator==(const Step&) const = default;
};

inline bool ParallelAction::operator==(const ParallelAction& other) const {
    return steps == other.steps;
}
inline bool BackgroundAction::operator==(const BackgroundAction& other) const {
    return steps == other.steps && interval_ms == other.interval_ms;
}

// The steps inside a group; null if it is none.
inline const std::vector<Step>* steps_inside(const Step& step) {
    if (const auto* parallel = std::get_if<ParallelAction>(&step.action)) return &parallel->steps;
    if (const auto* background = std::get_if<BackgroundAction>(&step.action)) return &background->steps;
    return nullptr;
}

// All checks must hold, each tried again until `timeout_ms` after the start has passed.
struct Readiness {
    std::vector<Step> checks;  // http, tcp, log, exec or health; empty: ready when the container runs
    std::int64_t timeout_ms = 60'000;
    // Nobody said what to wait for: the checks are what is declared, the image's declarations join them, and
    // a port that never answers in the control run is waited for no more.
    bool derived = false;
    bool operator==(const Readiness&) const = default;
};

struct Shutdown {
    std::optional<std::string> signal;  // absent: the subject's stop signal
    std::int64_t timeout_ms = 10'000;   // then SIGKILL, and the phase fails
    std::optional<int> exit_code;       // absent: must equal the control run's
    bool operator==(const Shutdown&) const = default;
};

// Of a clone of a live container. It is always on a network of the run's own; `join` puts it on the
// original's as well, without the original's aliases and addresses.
enum class CloneNetwork { unsaid, own, join };
// A service that another one must wait for, and until when.
struct Dependency {
    enum class Condition { started, healthy, completed };  // completed: exited with code 0
    std::string service;
    Condition condition = Condition::started;
    bool required = true;  // false: when it fails, the one that waits starts all the same
    bool operator==(const Dependency&) const = default;
};

// A service beside the subject, on the run's network under its name. It is started anew for each run, its
// data are protected like the subject's, and its mounts are never tried.
struct Companion {
    std::string name;
    Subject subject;
    std::vector<Dependency> after;
    std::int64_t grace_ms = 10'000;  // from its stop signal to SIGKILL
    RestartPolicy restart = {};
    bool behind = false;  // it waits for the subject, and is started when that is ready
    bool operator==(const Companion&) const = default;
};

// One of the containers of a system that is settled as a whole: each is watched, and none is the subject.
struct Member {
    std::string name;
    Subject subject;
    std::vector<Dependency> after;
    Readiness readiness;
    std::int64_t grace_ms = 10'000;  // from its stop signal to SIGKILL
    RestartPolicy restart = {};
    bool tried = true;     // its mounts are candidates
    bool ends = false;     // a job: others wait for its end
    bool goes_on = false;  // it runs until it is told to end, as far as the files tell
    bool operator==(const Member&) const = default;
};

// What a container beside the subject of a pod is asked before the pod counts as ready.
struct Probes {
    std::optional<Step> startup, readiness;
    bool operator==(const Probes&) const = default;
};

// What a mount holds when a run begins, in place of its real data.
struct Fixture {
    std::string target;
    std::string from;  // absolute path on rogate's machine: a folder's content, or a file; empty: nothing
    std::uint32_t uid = 0, gid = 0;
    std::optional<std::uint32_t> mode;  // of the mount's own directory; absent: the folder's, or 0755
    bool operator==(const Fixture&) const = default;
};

// How the user's data are given to the runs.
enum class DataMode {
    overlay,  // beneath a throw-away layer; copied where the engine or file system cannot
    copy,     // each run has a copy
    live      // the real ones: what the runs write stays
};

// A port by which users reach a system.
struct Front {
    std::string container;  // a service's name, or the subject's
    std::uint16_t port = 0;
    bool operator==(const Front&) const = default;
};

// Of a candidate that somebody named.
struct NamedCandidate {
    SourcePlace at;         // line 0: on the command line
    bool if_there = false;  // it was asked of several containers, of which not each one has it
    bool operator==(const NamedCandidate&) const = default;
};

struct Scenario {
    std::string name;
    std::string description;
    Subject subject;
    PodPeers pod;
    std::map<std::string, Probes> probes_beside;  // by container of the pod
    CloneNetwork clone_network = CloneNetwork::unsaid;
    std::vector<Companion> companions;  // each one behind those that it waits for
    std::vector<Dependency> after;      // what the subject waits for
    // A system that is settled as a whole: each one behind those that it waits for. There is no subject then,
    // and mounts, candidates and attempts are told apart by their places (place.hpp).
    std::vector<Member> members;
    // Targets; of a system also places, and a target without a container is of each that has it. Absent:
    // every writable mount but "/".
    std::optional<std::vector<std::string>> candidates;
    std::map<std::string, NamedCandidate> named_candidates = {};  // what is known of some of these
    bool rootfs = false;                   // "/" is a candidate as well, if it is writable
    bool tries_capabilities = false;       // the subject's capabilities are candidates to be dropped
    bool tries_no_new_privileges = false;  // and what gives processes more than their callers have
    Readiness readiness;
    std::vector<Step> steps;
    Shutdown shutdown;
    std::map<std::string, std::string> variables;  // given in the file or by --set
    std::vector<Fixture> fixtures;
    DataMode data = DataMode::overlay;
    std::vector<DataState> states;  // verdicts hold for all of them; empty: just as the data are
    std::optional<Front> front;     // what a command is told as ROGATE_URL; absent: a port of the subject's
    // Nobody wrote steps or gave a test: what can be asked without knowing the application is added to the
    // steps, and `soak_ms` of running for its timers.
    bool self_made = false;
    bool goes_on = false;  // the subject runs until it is told to end, as far as the files tell
    std::int64_t soak_ms = 10'000;
    std::string file;
    std::vector<std::string> notes;  // what was read and has no effect on a test run, for the user
    // What the runs do not do as a cluster would, and may be why something is not seen in them; results say
    // it.
    std::vector<std::string> unlike_cluster = {};
    bool operator==(const Scenario&) const = default;
};

}  // namespace rogate
