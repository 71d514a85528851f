// A port of a container at an address of rogate's machine, where the engine's own are not reached from here.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "scenario/connection.hpp"

namespace rogate::scenario {

class Forward {
  public:
    // Listens on a free port of the loopback. ErrorKind::io: there is none. `client` outlives it.
    static Result<std::unique_ptr<Forward>> open(boost::asio::any_io_executor executor,
                                                 engine::Client& client, Address address);
    std::uint16_t port() const { return port_; }
    // Takes connections, each for `longest` at most, until it is cancelled. One that leads nowhere is closed.
    engine::Task<> serve(engine::Milliseconds longest);
    // What the engine failed with, if it did: then the connection says nothing of the application.
    const Result<>& broken() const { return broken_; }

  private:
    using Acceptor = boost::asio::ip::tcp::acceptor;
    Forward(Acceptor acceptor, engine::Client& client, Address address);

    Acceptor acceptor_;
    engine::Client& client_;
    Address address_;
    std::uint16_t port_ = 0;
    Result<> broken_;
};

}  // namespace rogate::scenario
