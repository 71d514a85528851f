// What a running container was seen to do, nothing being tried.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <vector>

namespace rogate {

// The phase of what was open for writing before anybody watched.
inline constexpr const char* held_phase = "open already";

struct WatchedMount {
    Mount mount;
    std::uint64_t uses = 0;        // files and directories opened or executed on it
    std::vector<Attempt> writes;   // done, and what was open for writing when the watch began
    std::vector<Attempt> refused;  // with EROFS
    bool operator==(const WatchedMount&) const = default;
};

struct WatchResult {
    std::string container, image;
    EngineFacts engine;
    ObserverFacts observer;
    std::string started_at;  // RFC 3339, UTC: the watch, not the container
    double duration_s = 0;
    std::string ended;              // "until the time was over", "until it ended with code 0"
    int restarts = 0;               // of the container, meanwhile
    std::uint64_t lost_events = 0;  // writes that may have been made, and are not told here
    std::string problem;            // why the account is not whole; empty: it is, but for lost events
    std::vector<WatchedMount> mounts;
    bool whole() const { return lost_events == 0 && problem.empty(); }
    bool operator==(const WatchResult&) const = default;
};

}  // namespace rogate
