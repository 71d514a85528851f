// Connections over unix sockets of this machine, between which bytes can be passed without copying them.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <memory>
#include <string>

#include "engine/transport.hpp"

namespace rogate::proxy {

class LocalStream : public engine::Stream {
  public:
    explicit LocalStream(boost::asio::local::stream_protocol::socket socket) : socket_(std::move(socket)) {}
    engine::Task<std::size_t> read_some(boost::asio::mutable_buffer buffer) override;
    engine::Task<> write_all(boost::asio::const_buffer buffer) override;
    engine::Task<> close_write() override;
    void close() noexcept override;
    boost::asio::local::stream_protocol::socket& socket() { return socket_; }

  private:
    boost::asio::local::stream_protocol::socket socket_;
};

// Connections to an engine's socket on this machine. SIGPIPE has to be ignored: splice(2) raises it.
std::unique_ptr<engine::Transport> make_local_transport(boost::asio::any_io_executor executor,
                                                        std::string path);

// Bytes as they come, until the end of `from`; then `to` is closed for writing. By splice(2) where both are
// local.
engine::Task<> pass(engine::Stream& from, engine::Stream& to);

}  // namespace rogate::proxy
