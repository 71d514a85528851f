// Who else can write by the subject's doing, where no observer sees it: whoever has the engine's socket can
// have containers started that take the subject's mounts along (VolumesFrom, docker-compose run, job
// runners).
#pragma once

#include <rogate/subject.hpp>
#include <string>
#include <vector>

#include "engine/client.hpp"

namespace rogate::campaign {

// Which of the subject's binds gives it the engine's socket, as a sentence; empty: none does. The socket is
// the endpoint's own if that is one of this machine's, and where engines have theirs by default. A folder
// that holds it counts as well, and a bind that is read-only does not keep anybody from connecting.
std::string engine_socket_doubt(const Subject& subject, const engine::Endpoint& endpoint);

// Whether a bind of this source is a socket that speaks the Engine API, so that a Door can stand in for it:
// the endpoint's own, or one where engines have theirs by default.
bool is_engine_socket(const std::string& source, const engine::Endpoint& endpoint);

// Paths below a folder at which such sockets are, each with a '/' before it; none where the engine is on
// another host, whose folders nobody can look into.
std::vector<std::string> engine_sockets_below(const std::string& folder, const engine::Endpoint& endpoint);

// A socket that stands in for the engine's wherever a run's containers mount that.
struct StandIn {
    engine::Endpoint endpoint;
    std::string source;  // on the engine's host; empty: nothing stands in
};
// Changes binds of sockets, and covers those within folders that are bound.
void put_in(const StandIn& stand_in, std::vector<engine::MountSpec>& mounts);

}  // namespace rogate::campaign
