#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "engine/ssh.hpp"
#include "engine/tls.hpp"
#include "engine/transport.hpp"

namespace rogate::engine {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);

Error stream_error(const error_code& error, std::string_view doing) {
    if (error == asio::error::operation_aborted) return {ErrorKind::cancelled, "interrupted"};
    return {ErrorKind::engine, fmt::format("{} the engine: {}", doing, error.message())};
}

template <class Socket>
class SocketStream : public Stream {
  public:
    explicit SocketStream(Socket socket) : socket_(std::move(socket)) {}

    Task<std::size_t> read_some(asio::mutable_buffer buffer) override {
        auto [error, size] = co_await socket_.async_read_some(buffer, token);
        if (error == asio::error::eof) co_return std::size_t{0};
        if (error) co_return fail(stream_error(error, "reading from"));
        co_return size;
    }
    Task<> write_all(asio::const_buffer buffer) override {
        auto [error, size] = co_await asio::async_write(socket_, buffer, token);
        if (error) co_return fail(stream_error(error, "writing to"));
        co_return Result<>{};
    }
    Task<> close_write() override {
        error_code error;
        socket_.shutdown(Socket::shutdown_send, error);
        if (error) co_return fail(stream_error(error, "closing the way to"));
        co_return Result<>{};
    }
    void close() noexcept override {
        error_code ignored;
        socket_.close(ignored);
    }

  private:
    Socket socket_;
};

Error unreachable(const Endpoint& endpoint, const error_code& error) {
    if (error == asio::error::operation_aborted) return {ErrorKind::cancelled, "interrupted"};
    std::string way_out = "is it running?";
    if (endpoint.kind == Endpoint::Kind::unix_socket) {
        if (error == boost::system::errc::permission_denied)
            way_out = "join the group that owns the socket (usually 'docker') or use sudo";
        else
            way_out = "is dockerd running? Start it, or name another engine with DOCKER_HOST or --host";
    }
    const std::string origin = endpoint.origin.empty() || endpoint.origin == "default"
                                   ? ""
                                   : fmt::format(" (from {})", endpoint.origin);
    return {ErrorKind::engine, fmt::format("cannot reach the engine at {}{}: {}; {}", endpoint.to_string(),
                                           origin, error.message(), way_out)};
}

class UnixTransport : public Transport {
  public:
    UnixTransport(asio::any_io_executor executor, Endpoint endpoint)
        : executor_(std::move(executor)), endpoint_(std::move(endpoint)) {}

    Task<std::unique_ptr<Stream>> connect() override {
        using Socket = asio::local::stream_protocol::socket;
        Socket socket(executor_);
        const asio::local::stream_protocol::endpoint address(endpoint_.path);
        auto [error] = co_await socket.async_connect(address, token);
        if (error) co_return fail(unreachable(endpoint_, error));
        std::unique_ptr<Stream> stream = std::make_unique<SocketStream<Socket>>(std::move(socket));
        co_return stream;
    }

  private:
    asio::any_io_executor executor_;
    Endpoint endpoint_;
};

class TcpTransport : public Transport {
  public:
    TcpTransport(asio::any_io_executor executor, Endpoint endpoint)
        : executor_(std::move(executor)), endpoint_(std::move(endpoint)) {}

    Task<std::unique_ptr<Stream>> connect() override {
        using asio::ip::tcp;
        tcp::resolver resolver(executor_);
        auto [resolve_error, addresses] =
            co_await resolver.async_resolve(endpoint_.host, std::to_string(endpoint_.port), token);
        if (resolve_error) co_return fail(unreachable(endpoint_, resolve_error));
        tcp::socket socket(executor_);
        auto [error, address] = co_await asio::async_connect(socket, addresses, token);
        if (error) co_return fail(unreachable(endpoint_, error));
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        std::unique_ptr<Stream> stream = std::make_unique<SocketStream<tcp::socket>>(std::move(socket));
        co_return stream;
    }

  private:
    asio::any_io_executor executor_;
    Endpoint endpoint_;
};

}  // namespace

Result<std::unique_ptr<Transport>> make_transport(asio::any_io_executor executor, const Endpoint& endpoint) {
    switch (endpoint.kind) {
        case Endpoint::Kind::unix_socket:
            // sockaddr_un holds 108 bytes with the final NUL; Asio throws beyond.
            if (endpoint.path.size() > 107)
                return fail(ErrorKind::usage,
                            fmt::format("the socket's path {} is longer than the 107 bytes of an address",
                                        endpoint.path));
            return std::make_unique<UnixTransport>(std::move(executor), endpoint);
        case Endpoint::Kind::tcp:
            return std::make_unique<TcpTransport>(std::move(executor), endpoint);
        case Endpoint::Kind::tls:
            return make_tls_transport(endpoint,
                                      std::make_unique<TcpTransport>(std::move(executor), endpoint));
        case Endpoint::Kind::ssh:
            return make_ssh_transport(std::move(executor), endpoint);
    }
    return fail(ErrorKind::internal, "an engine's address of a kind that is none");
}

}  // namespace rogate::engine
