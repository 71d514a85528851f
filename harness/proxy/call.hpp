// Which calls of the Engine API make, start and end containers, or make what outlives COMMAND. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::proxy {

enum class CallKind {
    create,          // POST /containers/create
    start,           // POST /containers/{id}/start
    stop,            // stop, kill: the container may end by it
    restart,         // POST /containers/{id}/restart
    remove,          // DELETE /containers/{id}
    prune,           // POST /containers/prune
    exec,            // POST /containers/{id}/exec: what is done in it is COMMAND's
    copy_in,         // PUT /containers/{id}/archive: the engine writes, unseen; its body has no limit
    network_create,  // POST /networks/create
    volume_create,   // POST /volumes/create
    foreign,         // makes containers in a way that is not read: swarm's services, podman's own API
    other            // anything else is passed on unread
};

struct Call {
    CallKind kind = CallKind::other;
    std::string object = {};                        // a container's id or name, as the call has it
    std::map<std::string, std::string> query = {};  // decoded
    std::string name = {};                          // "POST /containers/create", for messages
    std::vector<std::string> path = {};             // decoded: {"containers", "create"}
    std::string version = {};                       // "v1.41"; empty: not said
};

Call call_of(std::string_view method, std::string_view target);

// Path and query of the call, written in the one way that nobody reads otherwise.
std::string target_of(const Call& call);

}  // namespace rogate::proxy
