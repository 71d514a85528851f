// Which port of a container speaks HTTP, and what to ask it for. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <rogate/system.hpp>
#include <string>

namespace rogate::init {

// The path that a probe or a health check asks this port for; "/" if the port's number says that HTTP is
// spoken there. Nothing: it may be anything. A path that holds more than plain names (a query, an address)
// may be a secret, and is not taken.
std::optional<std::string> page_of(const SystemContainer& container, std::uint16_t port);

}  // namespace rogate::init
