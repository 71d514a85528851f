// Observes a container that runs, and leaves it alone.
#pragma once

#include <chrono>
#include <optional>
#include <rogate/watch.hpp>

#include "campaign/status.hpp"
#include "engine/client.hpp"
#include "observe/observer.hpp"

namespace rogate::campaign {

struct WatchSubject {
    std::string id, name, image;
    bool has_healthcheck = false;
    std::string runtime;        // empty: the engine's default
    std::vector<Mount> mounts;  // "/" among them
};

struct WatchOptions {
    std::size_t ring_bytes = 16U << 20U;                 // of the observer's ring buffer
    std::chrono::milliseconds observer_timeout{30'000};  // for its answer to a command
    std::optional<std::chrono::milliseconds> duration;   // absent: until stop, or until the container ends
};

// Set from outside, on the same thread: the watch ends, and tells what it saw.
struct WatchControl {
    bool stop = false;
};

// Sorts what was recorded by mount. Attempts that change nothing, and those that failed for another reason
// than a read-only mount, are left out. Pure.
std::vector<WatchedMount> by_mount(const WatchSubject& subject, observe::Recording recording);

// Until it is stopped, the time is over, or the container has ended for good; a restart does not end it. A
// canary in a container of rogate's own shows before and after that the observer sees. ErrorKind::usage: the
// container does not run.
engine::Task<WatchResult> watch(engine::Client& client, WatchSubject subject, std::string session,
                                WatchOptions options, const WatchControl& control, Status& status);

}  // namespace rogate::campaign
