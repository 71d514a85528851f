// The seam between the client and the wire: unix sockets, TCP, TLS, ssh.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <memory>
#include <rogate/error.hpp>

#include "engine/endpoint.hpp"

namespace rogate::engine {

template <class T = void>
using Task = boost::asio::awaitable<Result<T>>;

// One connection. Cancelling the awaiting coroutine (asio cancellation) aborts a pending operation with
// ErrorKind::cancelled.
class Stream {
  public:
    virtual ~Stream() = default;
    // Bytes read; 0 at end of stream.
    virtual Task<std::size_t> read_some(boost::asio::mutable_buffer) = 0;
    virtual Task<> write_all(boost::asio::const_buffer) = 0;
    // Half-close: the peer sees end of stream (how the engine learns that stdin ended).
    virtual Task<> close_write() = 0;
    virtual void close() noexcept = 0;
};

class Transport {
  public:
    virtual ~Transport() = default;
    virtual Task<std::unique_ptr<Stream>> connect() = 0;
};

// ErrorKind::usage for an address that can be none, and for TLS files that are none.
Result<std::unique_ptr<Transport>> make_transport(boost::asio::any_io_executor, const Endpoint&);

}  // namespace rogate::engine
