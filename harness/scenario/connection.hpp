// How a port of the subject is reached: published on the engine's host, or through the engine, by a relay in
// a container on the subject's network.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <functional>

#include "scenario/step_runner.hpp"

namespace rogate::scenario {

// Either way the same to who speaks over it.
class Connection : public boost::beast::basic_stream<boost::asio::generic::stream_protocol> {
  public:
    using basic_stream::basic_stream;
};

// Where the subject's port is.
struct Address {
    std::string host;
    std::uint16_t port = 0;
    std::string relay;  // a container that can reach it; empty: it is reached from here
};

// Connects and talks, for `timeout` in all. A connection that cannot be made is a miss with the kernel's
// words; only the engine's own failure is an Error.
engine::Task<StepOutcome> converse(engine::Client& client, Address address, engine::Milliseconds timeout,
                                   Conversation talk);

}  // namespace rogate::scenario
