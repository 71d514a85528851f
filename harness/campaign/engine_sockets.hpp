// Who else can write by the subject's doing, where no observer sees it: whoever has the engine's socket can
// have containers started that take the subject's mounts along (VolumesFrom, docker-compose run, job
// runners). Pure.
#pragma once

#include <rogate/subject.hpp>
#include <string>

#include "engine/endpoint.hpp"

namespace rogate::campaign {

// Which of the subject's binds gives it the engine's socket, as a sentence; empty: none does. The socket is
// the endpoint's own if that is one of this machine's, and where engines have theirs by default. A folder
// that holds it counts as well, and a bind that is read-only does not keep anybody from connecting.
std::string engine_socket_doubt(const Subject& subject, const engine::Endpoint& endpoint);

}  // namespace rogate::campaign
