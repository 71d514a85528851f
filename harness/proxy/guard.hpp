// What a container of the system may see and change when it has the engine's socket: what belongs to the
// system, and nothing else. What is not named here is refused. Pure.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <rogate/error.hpp>
#include <set>
#include <string>
#include <vector>

#include "proxy/call.hpp"

namespace rogate::proxy {

enum class Access {
    pass,             // tells of the engine itself: _ping, version, info, auth, distribution
    container,        // one container, `object`
    exec,             // something that was begun in a container by exec
    network,          // one network, to look at or to join
    network_remove,   // one that the system has made
    volume,           // one volume, to look at
    volume_remove,    // one that the system has made
    image,            // one image, to look at: a container can be made of any
    create,           // POST /containers/create
    network_create,   // POST /networks/create
    volume_create,    // POST /volumes/create
    pull,             // POST /images/create
    list_containers,  // GET /containers/json
    list_networks,
    list_volumes,
    list_images,
    list_all,  // GET /system/df
    events,
    absent,  // to look at one of what no system has: plugins, and what a swarm has
    refused  // whatever else
};

struct Wanted {
    Access access = Access::refused;
    std::string object = {};  // a name or an id, as the call has it
    bool changes = false;     // it is more than a look
};
Wanted wanted(std::string_view method, const Call& call);
// Whether the answer depends on what containers, images, networks and volumes there are, and on their names.
bool tells_of_system(Access access);

// Of an object as the engine tells of it in a list or by itself.
using Labels = std::map<std::string, std::string>;
Labels labels_of(const nlohmann::json& object);

// What there is of the system. Ids are whole.
struct Belongings {
    std::set<std::string> containers, networks, volumes, images, sources;  // sources: of binds
    std::set<std::string> networks_made, volumes_made;                     // which it may remove
};
// Adds what the containers of a list (GET /containers/json) have that `belong`, by id and labels.
void add_containers(Belongings& all, const nlohmann::json& list,
                    const std::function<bool(const std::string& id, const Labels&)>& belongs);

// The part of a reply that is of the system. The reply of list_all is the engine's own object.
nlohmann::json only_of(const Belongings& all, Access access, nlohmann::json reply);
// One network, without the containers of others on it.
nlohmann::json network_of(const Belongings& all, nlohmann::json network);
// Whether something that an event tells of is of the system.
bool is_told(const Belongings& all, const nlohmann::json& event);

// What a container that is to be created would reach besides what it brings.
struct Reach {
    std::vector<std::string> containers;  // names or ids, of namespaces, links and VolumesFrom
    std::vector<std::string> networks, volumes;
    std::vector<std::string> sources;  // of binds
};
// ErrorKind::refused names what is not given to a container that another one creates: the host's own devices,
// processes and privileges. ErrorKind::usage: a key is written in letters of another case, which an engine
// takes and this reader does not.
Result<Reach> reach_of(const nlohmann::json& body);
// The same of POST /volumes/create: a volume of the `local` driver can be a bind.
Result<Reach> reach_of_volume(const nlohmann::json& body);
// Of POST /networks/create: a bridge of its own is given. Of POST /containers/{id}/exec: all but privileges
// that the container has not. Errors are those of reach_of().
Result<> check_network(const nlohmann::json& body);
Result<> check_exec(const nlohmann::json& body);
// Of POST /networks/{id}/connect and disconnect: as the call has it.
Result<std::string> container_to_join(const nlohmann::json& body);
// Whether calls of this version ("v1.41"; empty: the newest) mean what is read here. Before 1.24, the start
// of a container can give it mounts.
bool is_known_version(std::string_view version);
// The first that is not of the system, as words; empty: there is none. Containers are left to the caller.
std::string beyond(const Belongings& all, const Reach& reach);

}  // namespace rogate::proxy
