// The runs that it takes to settle every candidate of one scenario on one engine.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <rogate/pods.hpp>
#include <rogate/result.hpp>
#include <set>

#include "advise/knowledge.hpp"
#include "campaign/budget.hpp"
#include "campaign/images.hpp"
#include "campaign/status.hpp"
#include "engine/client.hpp"
#include "observe/observer.hpp"

namespace rogate::campaign {

// automatic: eBPF, or ptrace where that cannot run.
enum class ObserverChoice { automatic, ebpf, ptrace, none };

// How http and tcp steps reach the subject: on ports published on the loopback of the engine's host, or by a
// relay on the run's network, through the Engine API alone. automatic: published, unless the engine is on
// another host.
enum class Requests { automatic, ports, relay };

struct Options {
    ObserverChoice observer = ObserverChoice::automatic;
    std::size_t ring_bytes = 16U << 20U;      // of the observer's ring buffer
    Requests requests = Requests::automatic;  // relay where `offline` is true
    // The runs' network reaches nothing outside of it, and the subject joins no other one.
    bool offline = false;
    Pods pods = {};                                      // that members of the scenario are in
    int repeat = 1;                                      // how often each run is tried
    std::vector<advise::Setting> settings = {};          // that are tried where they match what is written
    std::chrono::milliseconds observer_timeout{30'000};  // for its answer to a command
    // Shared with the other campaigns of the command; null: no bounds.
    std::shared_ptr<Budget> budget = {};
    // Likewise; null: what the campaign builds is its own, and goes with its session.
    std::shared_ptr<Images> images = {};
    bool real_engine_socket = false;  // containers that mount the engine's socket get it as it is
    // Gives the campaign an observer of the caller's own, in place of the one that `observer` names.
    std::function<engine::Task<std::unique_ptr<observe::Observer>>()> own_observer = {};
};

// Twelve hex digits, from the system's random source: names one campaign's objects on the engine.
std::string new_session();

// The subject's mounts as the engine will make them: the declared ones, an anonymous volume for each VOLUME
// of the image that none of them covers, and "/". In order of target. Pure.
std::vector<Mount> effective_mounts(const Subject& subject, const std::vector<std::string>& image_volumes);

// The same of a system, by their places (place.hpp): those of one container after those of another. Pure.
std::vector<Mount> effective_mounts(const std::vector<Member>& members,
                                    const std::map<std::string, std::vector<std::string>>& image_volumes);

// The targets to be tried: the scenario's candidates, else every writable mount but "/"; and "/", if the
// scenario says `rootfs`. What is read-only already is left out. ErrorKind::usage
// names a candidate that is no mount of the subject, or of the containers that it is of; those in `unknown`
// have images, and so mounts, that nobody knows. Pure.
Result<std::vector<std::string>> choose_candidates(const Scenario& scenario, const std::vector<Mount>& mounts,
                                                   const std::set<std::string>& unknown = {});

// ErrorKind::usage names a fixture for what is no mount of the subject. Pure.
Result<> check_fixtures(const Scenario& scenario, const std::vector<Mount>& mounts);

// `client` must have negotiated. Objects made on the engine carry `session`; sweep() removes what is left of
// them. A campaign that its budget ended has a result, in which `stopped` says so; when it was the time that
// ended it, as much is left on the engine as after an interruption. The same is left of one whose
// `not_together` says why its system cannot be settled as a whole.
engine::Task<CampaignResult> run_campaign(engine::Client& client, Scenario scenario, std::string session,
                                          Options options, Status& status);

// Starts the observer that is asked for; a fallback is told to `status`, with the reason.
engine::Task<std::unique_ptr<observe::Observer>> start_observer(engine::Client& client, ObserverChoice choice,
                                                                observe::SidecarOptions options,
                                                                Status& status);

// What a result says of the engine.
engine::Task<EngineFacts> engine_facts(engine::Client& client);
// RFC 3339.
std::string now_utc();

// What rogate has on the engine.
struct Leftovers {
    std::size_t containers = 0, volumes = 0, networks = 0, images = 0;
    bool any() const { return containers + volumes + networks + images > 0; }
    bool operator==(const Leftovers&) const = default;
};

// Removes everything on the engine with the label io.rogate.session (of that session only, unless it is
// empty). Goes on past a failure and reports the first one. `dry_run` only counts.
engine::Task<Leftovers> sweep(engine::Client& client, std::string session, bool dry_run = false);

// Sweeps until `empty_looks` looks in a row find nothing. Two after a failure: an engine goes on with a call
// whose caller has gone (a container that was being created appears a moment later), and what was in use a
// moment ago can be removed now. Failures are tried again until `patience` is over; then the last one is the
// error.
engine::Task<Leftovers> sweep_until_settled(engine::Client& client, std::string session, int empty_looks = 2,
                                            std::chrono::milliseconds patience = std::chrono::seconds(20));

}  // namespace rogate::campaign
