// Who else can write by the subject's doing, where no observer sees it: whoever has the engine's socket can
// have containers started that take the subject's mounts along (VolumesFrom, docker-compose run, job
// runners).
#pragma once

#include <map>
#include <rogate/subject.hpp>
#include <string>
#include <vector>

#include "engine/client.hpp"

namespace rogate::campaign {

// Named volumes that are folders of the engine's host by another name (driver `local`, option o=bind).
using BoundVolumes = std::map<std::string, std::string>;
// The folder that such a volume is; empty: it is none.
std::string bound_folder(const engine::VolumeInfo& volume);

// Which of the subject's binds gives it the engine's socket, as a sentence; empty: none does. The socket is
// the endpoint's own if that is one of this machine's, and where engines have theirs by default. A folder
// that holds it counts as well, and a bind that is read-only does not keep anybody from connecting.
std::string engine_socket_doubt(const Subject& subject, const engine::Endpoint& endpoint,
                                const BoundVolumes& bound = {});
// The place on the engine's host that a bind, or a volume that is one, leads to; empty: another mount.
std::string place_on_host(const Mount& mount, const BoundVolumes& bound);

// Whether a bind of this source is a socket that speaks the Engine API, so that a Door can stand in for it:
// the endpoint's own, or one where engines have theirs by default.
bool is_engine_socket(const std::string& source, const engine::Endpoint& endpoint);

// Paths below a folder at which such sockets are, by whatever name (a hard link, or what is mounted there),
// each with a '/' before it; none where the engine is on another host, whose folders nobody can look into.
std::vector<std::string> engine_sockets_below(const std::string& folder, const engine::Endpoint& endpoint);

// A socket that stands in for the engine's wherever a run's containers mount that.
struct StandIn {
    engine::Endpoint endpoint;
    std::string source;  // on the engine's host; empty: nothing stands in
    BoundVolumes bound = {};
};
// Changes binds of sockets, and covers those within folders that are bound.
void put_in(const StandIn& stand_in, std::vector<engine::MountSpec>& mounts);

}  // namespace rogate::campaign
