// The ports of a run's containers at addresses of rogate's machine.
#pragma once

#include <memory>

#include "scenario/forward.hpp"
#include "scenario/places.hpp"

namespace rogate::scenario {

struct HostReach {
    std::vector<Reached> ports;
    std::vector<std::unique_ptr<Forward>>
        forwards;  // by which those are reached that the engine does not publish
};

// As the containers are now: a port of one that does not run is left out. With a relay, each port gets a
// listener on the loopback of rogate's machine (Forward::serve is the caller's to await).
engine::Task<HostReach> reach_from_here(engine::Client& client, const std::vector<Place>& places,
                                        const Neighbourhood& neighbourhood);

}  // namespace rogate::scenario
