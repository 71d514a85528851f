// What watches a run: the interface that the campaign sees, whatever does the watching.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <rogate/result.hpp>
#include <rogate/watch.hpp>
#include <string>
#include <vector>

#include "engine/client.hpp"

namespace rogate::observe {

// What was seen from arm() to collect().
struct Recording {
    // `mount` filled in, phases by name; mounts and paths by their places (place.hpp) where several were
    // armed.
    std::vector<Attempt> attempts;
    std::map<std::string, std::uint64_t> uses;  // by target, or its place
    // See RunRecord::read_back.
    std::optional<std::map<std::string, std::uint64_t>> read_back;
    std::map<std::string, std::uint64_t> listed = {};      // see RunRecord::listed
    std::map<std::string, std::string> exec_refused = {};  // see RunRecord::exec_refused
    std::optional<CapabilityChecks> checks = {};           // see RunRecord::checks
    double started_s = 0;  // when the container was started, on a clock that all of them have
    std::uint64_t lost_events = 0;
    std::string problem;    // the account is not whole, and why; empty: it is
    bool is_guess = false;  // … since it was looked up after the call which mount a path leads to
};

// A mount of the container under observation, as it is in this run.
struct ObservedMount {
    std::string target;
    bool is_directory = true;
    bool is_read_only = false;  // in this run, so that a canary write on it is refused
    bool below_source = false;  // no mount of the subject's own, but below the source of one
    // The runs' data lack something, on this mount or another: whoever looks for a name is recorded as well,
    // once for each mount, as an access check. Only the eBPF observer does.
    bool lacks_data = false;
};

class Observer {
  public:
    virtual ~Observer() = default;
    virtual const ObserverFacts& facts() const = 0;
    // Changes what the subject's container is made of, before it is created. `image`: the subject's.
    virtual void dress(engine::ContainerSpec& spec, const engine::ImageInfo& image) {
        (void)spec, (void)image;
    }
    // The command in whose place `command` is to be executed in the running container.
    virtual std::vector<std::string> wrap_exec(std::vector<std::string> command) const { return command; }
    // False: canaries have to be written while the subject runs.
    virtual bool sees_after_end() const { return true; }
    // How many containers it can watch at once.
    virtual std::size_t at_once() const { return 1; }
    // From the first instruction of `container` (created, not started yet) on, everything it does is
    // recorded; its first phase is `phase`. `name`: what it is called in a system of several, of which no
    // more are armed than at_once(), one after the other; empty: it is the only one.
    virtual engine::Task<> arm(std::string container, std::vector<ObservedMount> mounts, std::string phase,
                               std::string name) = 0;
    // As arm(), of a container that runs already; `pid`: its first process, on the engine's host. It is left
    // alone: never stopped, and nothing is written in it. What it has open for writing is recorded as
    // attempts of the phase `held_phase`. Only an observer with facts().kind "ebpf" can.
    virtual engine::Task<> join(std::string container, std::int64_t pid, std::vector<ObservedMount> mounts,
                                std::string phase) {
        (void)container, (void)pid, (void)mounts, (void)phase;
        co_return fail(ErrorKind::usage, "a container that runs already takes the eBPF observer");
    }
    // What comes from now on, of all of them, belongs to `phase`.
    virtual engine::Task<> phase(std::string name) = 0;
    // Call this before stopping the subject, so that its exit is expected.
    virtual engine::Task<> before_end() = 0;
    // To be called when the container has ended and is to be started anew: what the observer holds of its
    // mounts would be mounted twice. Not earlier: it is by them that the last writes before the end are
    // found. `name`: as it was armed.
    virtual engine::Task<> before_start_again(std::string name) = 0;
    // Processes that the harness itself started in the subject; every other one that the engine puts there
    // besides the first is a health check.
    virtual void own_processes(const std::vector<std::int64_t>& pids) = 0;
    // Tries to write on a read-only mount inside the subject's mount namespace, or in that of the container
    // of its place.
    virtual engine::Task<Canary> canary(std::string target) = 0;
    // Ends the recording of what is armed, as one.
    virtual engine::Task<Recording> collect() = 0;
    // Ends the observer; nothing of it stays on the engine.
    virtual engine::Task<> stop() = 0;
};

struct SidecarOptions {
    std::string session;                              // value of the label io.rogate.session
    std::string place = {};                           // tells observers of one session apart ("-2")
    std::size_t ring_bytes = 16U << 20U;              // of the kernel's ring buffer; a power of two
    std::chrono::milliseconds reply_timeout{30'000};  // for its answer to a command
    bool sees_capabilities = false;                   // checks of capabilities are recorded as well
};

// The eBPF observer: imports the agent's image, starts it as a sidecar, and waits until its programs are
// attached.
engine::Task<std::unique_ptr<Observer>> start_ebpf_observer(engine::Client& client, SidecarOptions options);
// The ptrace observer, for engines where no privileged container may run: an agent that is mounted into the
// subject's container traces it from there.
engine::Task<std::unique_ptr<Observer>> start_ptrace_observer(engine::Client& client, SidecarOptions options);
// The image of a program that needs no privileges: /rogate-observer, called with `mounts`, prints what is
// mounted in its container, as /proc/self/mountinfo has it.
engine::Task<std::string> import_mount_reader(engine::Client& client, std::string session);
// Sees nothing, and says so.
std::unique_ptr<Observer> no_observer();

}  // namespace rogate::observe
