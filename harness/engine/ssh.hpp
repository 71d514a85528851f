// Engines over ssh, as the docker client reaches them: an ssh for each connection, which runs `docker system
// dial-stdio` on the other side.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/child.hpp"
#include "engine/transport.hpp"

namespace rogate::engine {

// The words that connect to the engine at `endpoint` (an ssh one).
std::vector<std::string> ssh_to_engine(const Endpoint& endpoint);

std::unique_ptr<Transport> make_ssh_transport(boost::asio::any_io_executor executor,
                                              const Endpoint& endpoint);

}  // namespace rogate::engine
