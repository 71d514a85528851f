// What is done to the subject: readiness, steps, shutdown. All times are in milliseconds.
#pragma once

#include <map>
#include <optional>
#include <rogate/pod.hpp>
#include <rogate/subject.hpp>
#include <string>
#include <variant>
#include <vector>

namespace rogate {

// What a step's observation must look like. Everything that is given must hold; an empty Expect always holds
// (but http without `status` expects 200..399 and exec without `exit_code` expects 0).
struct Expect {
    std::optional<int> status;            // http
    std::optional<int> exit_code;         // exec
    std::optional<std::string> contains;  // http body / exec stdout+stderr / log text
    std::optional<std::string> not_contains;
    std::optional<std::string> matches;  // ECMAScript regular expression, searched for
    std::optional<std::string> equals;   // whole text, one trailing newline ignored on both sides
    std::map<std::string, std::string>
        headers;  // http: name (any case) -> regular expression searched in the value
    bool operator==(const Expect&) const = default;
};

struct HttpAction {
    std::string method = "GET";
    std::uint16_t port = 0;  // the subject's container port
    std::string path = "/";
    std::map<std::string, std::string> headers;
    std::string body;
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

using Action = std::variant<HttpAction, ExecAction, SignalAction, RestartAction, WaitAction, LogAction,
                            TcpAction, HealthAction>;

struct Step {
    std::string name;
    Action action;
    Expect expect;
    std::int64_t timeout_ms = 30'000;            // for one try
    std::optional<std::int64_t> retry_until_ms;  // try again until it holds or this much time has passed
    std::int64_t retry_interval_ms = 200;
    SourcePlace declared;
    bool operator==(const Step&) const = default;
};

// All checks must hold, each tried again until `timeout_ms` after the start has passed.
struct Readiness {
    std::vector<Step> checks;  // http, tcp, log, exec or health; empty: ready when the container runs
    std::int64_t timeout_ms = 60'000;
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
    bool operator==(const Dependency&) const = default;
};

// A service beside the subject, on the run's network under its name. It is started anew for each run, its
// data are protected like the subject's, and its mounts are never tried.
struct Companion {
    std::string name;
    Subject subject;
    std::vector<Dependency> after;
    bool operator==(const Companion&) const = default;
};

struct Scenario {
    std::string name;
    std::string description;
    Subject subject;
    PodPeers pod;
    CloneNetwork clone_network = CloneNetwork::unsaid;
    std::vector<Companion> companions;                   // each one behind those that it waits for
    std::vector<Dependency> after;                       // what the subject waits for
    std::optional<std::vector<std::string>> candidates;  // targets; absent: every writable mount but "/"
    Readiness readiness;
    std::vector<Step> steps;
    Shutdown shutdown;
    std::string file;
    std::vector<std::string> notes;  // what was read and has no effect on a test run, for the user
    bool operator==(const Scenario&) const = default;
};

}  // namespace rogate
