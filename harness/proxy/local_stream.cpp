#include "proxy/local_stream.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

namespace rogate::proxy {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using boost::system::error_code;
using engine::Stream;
using engine::Task;

namespace {

constexpr auto locally = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t longest_pass = 256 * 1024;
// What a pipe holds, as far as the limits allow; and how much is passed before others have their turn.
constexpr std::size_t pipe_size = 1U << 20U, turn_size = 1U << 20U;

Error broken_off(const std::string& why) {
    return {ErrorKind::io, "a connection over a unix socket: " + why};
}

class LocalTransport : public engine::Transport {
  public:
    LocalTransport(asio::any_io_executor executor, std::string path)
        : executor_(std::move(executor)), path_(std::move(path)) {}

    Task<std::unique_ptr<Stream>> connect() override {
        stream_protocol::socket socket(executor_);
        const stream_protocol::endpoint address(path_);
        auto [error] = co_await socket.async_connect(address, locally);
        if (error)
            co_return fail(ErrorKind::engine,
                           fmt::format("cannot reach the engine at unix://{}: {}", path_, error.message()));
        std::unique_ptr<Stream> stream = std::make_unique<LocalStream>(std::move(socket));
        co_return stream;
    }

  private:
    asio::any_io_executor executor_;
    std::string path_;
};

struct BufferPipe {
    BufferPipe() {
        if (pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) ends = {-1, -1};
        // More is a matter of limits; the default does, too.
        if (is_open()) fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(pipe_size));
    }
    ~BufferPipe() {
        for (const int end : ends)
            if (end >= 0) ::close(end);
    }
    BufferPipe(const BufferPipe&) = delete;
    BufferPipe& operator=(const BufferPipe&) = delete;
    bool is_open() const { return ends[0] >= 0; }

    std::array<int, 2> ends{-1, -1};
};

bool would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

// One splice, waited for. `in` and `out`: as splice(2) has them; the socket is the one that is waited for. 0:
// the end.
Task<std::size_t> spliced(int in, int out, std::size_t size, stream_protocol::socket& waited_for,
                          stream_protocol::socket::wait_type what) {
    for (;;) {
        if (!waited_for.is_open()) co_return fail(broken_off("it was closed"));
        const ssize_t moved = splice(in, nullptr, out, nullptr, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (moved >= 0) co_return static_cast<std::size_t>(moved);
        if (errno == EINTR) continue;
        if (!would_block(errno)) co_return fail(broken_off(std::strerror(errno)));
        auto [error] = co_await waited_for.async_wait(what, locally);
        if (error) co_return fail(broken_off(error.message()));
    }
}

Task<> pass_spliced(stream_protocol::socket& from, stream_protocol::socket& to, BufferPipe& pipe) {
    error_code error;
    from.native_non_blocking(true, error);
    if (!error) to.native_non_blocking(true, error);
    if (error) co_return fail(broken_off(error.message()));
    std::size_t in_this_turn = 0;
    for (;;) {
        auto got = co_await spliced(from.native_handle(), pipe.ends[1], pipe_size, from,
                                    stream_protocol::socket::wait_read);
        if (!got) co_return fail(std::move(got.error()));
        if (*got == 0) break;
        for (std::size_t left = *got; left > 0;) {
            auto gone = co_await spliced(pipe.ends[0], to.native_handle(), left, to,
                                         stream_protocol::socket::wait_write);
            if (!gone) co_return fail(std::move(gone.error()));
            left -= *gone;
        }
        // Two ends that are always ready must not keep everybody else waiting.
        in_this_turn += *got;
        if (in_this_turn < turn_size) continue;
        in_this_turn = 0;
        co_await asio::post(from.get_executor(), asio::use_awaitable);
    }
    to.shutdown(stream_protocol::socket::shutdown_send, error);
    if (error) co_return fail(broken_off(error.message()));
    co_return Result<>{};
}

Task<> pass_copied(Stream& from, Stream& to) {
    const std::unique_ptr<char[]> buffer(new char[longest_pass]);  // not filled with zeros first
    for (;;) {
        auto size = co_await from.read_some(asio::buffer(buffer.get(), longest_pass));
        if (!size) co_return fail(std::move(size.error()));
        if (*size == 0) co_return co_await to.close_write();
        auto written = co_await to.write_all(asio::buffer(buffer.get(), *size));
        if (!written) co_return written;
    }
}

}  // namespace

Task<std::size_t> LocalStream::read_some(asio::mutable_buffer buffer) {
    auto [error, size] = co_await socket_.async_read_some(buffer, locally);
    if (error == asio::error::eof) co_return std::size_t{0};
    if (error) co_return fail(broken_off(error.message()));
    co_return size;
}

Task<> LocalStream::write_all(asio::const_buffer buffer) {
    auto [error, size] = co_await asio::async_write(socket_, buffer, locally);
    if (error) co_return fail(broken_off(error.message()));
    co_return Result<>{};
}

Task<> LocalStream::close_write() {
    error_code error;
    socket_.shutdown(stream_protocol::socket::shutdown_send, error);
    if (error) co_return fail(broken_off(error.message()));
    co_return Result<>{};
}

void LocalStream::close() noexcept {
    error_code ignored;
    socket_.close(ignored);
}

std::unique_ptr<engine::Transport> make_local_transport(asio::any_io_executor executor, std::string path) {
    return std::make_unique<LocalTransport>(std::move(executor), std::move(path));
}

Task<> pass(Stream& from, Stream& to) {
    auto* const local_from = dynamic_cast<LocalStream*>(&from);
    auto* const local_to = dynamic_cast<LocalStream*>(&to);
    if (local_from != nullptr && local_to != nullptr) {
        BufferPipe pipe;
        if (pipe.is_open()) co_return co_await pass_spliced(local_from->socket(), local_to->socket(), pipe);
    }
    co_return co_await pass_copied(from, to);
}

}  // namespace rogate::proxy
