// What rogate has on the run's network besides containers of the scenario: a program that holds a namespace,
// or relays connections (holder/holder.c).
#pragma once

#include <string>

#include "engine/client.hpp"

namespace rogate::campaign {

// Imports its image for the session; the image's id.
engine::Task<std::string> import_holder(engine::Client& client, std::string session);
// A container of that image with nothing that it does not need; its name, labels and network are left to the
// caller.
engine::ContainerSpec holder_container(std::string image);
// A container on `network` by which its addresses are reached through the Engine API alone
// (scenario::Neighbourhood).
engine::Task<std::string> start_relay(engine::Client& client, std::string session, std::string network);

// Published ports are on the loopback of the engine's host: whether that is another one.
bool needs_relay(const engine::Endpoint& endpoint);

}  // namespace rogate::campaign
