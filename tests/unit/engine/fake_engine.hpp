// An engine made of recorded replies: each connection gets the next one, and what was sent on it is kept.
#pragma once

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <deque>

#include "engine/client.hpp"

namespace rogate::engine {
namespace asio = boost::asio;
}

namespace rogate::engine::fake {

struct Exchange {
    std::string reply;
    bool hang = false;  // after the reply: neither more bytes nor an end
    std::string sent;
    std::optional<int> writes = {};  // that are taken; the next one fails, and those after it never end
};

struct Engine {
    std::deque<Exchange> exchanges;
    std::size_t next = 0;
    std::size_t piece = 1U << 20U;  // most bytes that one read gives

    // "METHOD /path?query" of each connection, and the body behind the header.
    std::string request_line(std::size_t i) const {
        return exchanges.at(i).sent.substr(0, exchanges.at(i).sent.find(" HTTP/"));
    }
    std::string body(std::size_t i) const {
        const std::string& sent = exchanges.at(i).sent;
        const auto length = sent.find("Content-Length: ");
        const std::size_t size = length == std::string::npos ? 0 : std::stoul(sent.substr(length + 16));
        return sent.substr(sent.find("\r\n\r\n") + 4, size);
    }
};

class FakeStream : public Stream {
  public:
    FakeStream(Engine& engine, Exchange& exchange) : engine_(engine), exchange_(exchange) {}
    Task<std::size_t> read_some(asio::mutable_buffer buffer) override {
        const std::size_t size = std::min({engine_.piece, buffer.size(), exchange_.reply.size() - at_});
        if (size == 0 && exchange_.hang) {
            asio::steady_timer forever(co_await asio::this_coro::executor,
                                       asio::steady_timer::time_point::max());
            [[maybe_unused]] const auto ended =
                co_await forever.async_wait(asio::as_tuple(asio::use_awaitable));
            co_return fail(ErrorKind::cancelled, "interrupted");
        }
        std::memcpy(buffer.data(), exchange_.reply.data() + at_, size);
        at_ += size;
        co_return size;
    }
    Task<> write_all(asio::const_buffer buffer) override {
        if (exchange_.writes && (*exchange_.writes)-- <= 0) {
            if (*exchange_.writes == -1) co_return fail(ErrorKind::engine, "Broken pipe");
            asio::steady_timer forever(co_await asio::this_coro::executor,
                                       asio::steady_timer::time_point::max());
            [[maybe_unused]] const auto ended =
                co_await forever.async_wait(asio::as_tuple(asio::use_awaitable));
            co_return fail(ErrorKind::cancelled, "interrupted");
        }
        exchange_.sent.append(static_cast<const char*>(buffer.data()), buffer.size());
        co_return Result<>{};
    }
    Task<> close_write() override { co_return Result<>{}; }
    void close() noexcept override {}

  private:
    Engine& engine_;
    Exchange& exchange_;
    std::size_t at_ = 0;
};

class FakeTransport : public Transport {
  public:
    explicit FakeTransport(Engine& engine) : engine_(engine) {}
    Task<std::unique_ptr<Stream>> connect() override {
        if (engine_.next >= engine_.exchanges.size()) co_return fail(ErrorKind::engine, "refused");
        std::unique_ptr<Stream> stream =
            std::make_unique<FakeStream>(engine_, engine_.exchanges[engine_.next++]);
        co_return stream;
    }

  private:
    Engine& engine_;
};

inline std::string reply(int status, const std::string& body, const std::string& headers = {}) {
    return fmt::format("HTTP/1.1 {} X\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(), body);
}
inline std::string chunked(const std::vector<std::string>& chunks) {
    std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string& chunk : chunks) text += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
    return text + "0\r\n\r\n";
}
inline std::string frame(char channel, const std::string& bytes) {
    std::string text(8, '\0');
    text[0] = channel;
    for (std::size_t i = 0; i < 4; ++i) text[7 - i] = static_cast<char>(bytes.size() >> (8 * i));
    return text + bytes;
}

// Runs one call of the client to its end.
template <class T>
Result<T> run(asio::io_context& context, Task<T> task) {
    Result<T> result = fail(ErrorKind::internal, "did not end");
    asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& thrown, Result<T> value) {
        if (thrown) std::rethrow_exception(thrown);
        result = std::move(value);
    });
    context.restart();
    context.run();
    return result;
}

}  // namespace rogate::engine::fake
