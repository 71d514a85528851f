#include "scenario/forward.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <list>

#include "scenario/outcome.hpp"

namespace rogate::scenario {

namespace asio = boost::asio;
using asio::ip::tcp;
using engine::Milliseconds;
using engine::Task;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);

// How long an answer may pause when the speaker has said all that it wants to (or has gone).
constexpr std::chrono::seconds longest_pause{5};

// Until `from` hangs up, or nobody takes it at `to`.
template <class From, class To>
asio::awaitable<void> pass_on(From& from, To& to, Clock::time_point& last) {
    co_await asio::this_coro::throw_if_cancelled(false);
    std::array<char, 16 * 1024> bytes;  // NOLINT: filled by the read
    for (;;) {
        auto [error, size] = co_await from.async_read_some(asio::buffer(bytes), token);
        if (error) co_return;
        last = Clock::now();
        auto [failed, written] = co_await asio::async_write(to, asio::buffer(bytes.data(), size), token);
        if (failed) co_return;
    }
}

asio::awaitable<void> ask(tcp::socket& here, Connection& there, Clock::time_point& last) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto asking = pass_on(here, there, last);
    co_await std::move(asking);
    last = Clock::now();
    while (Clock::now() - last < longest_pause) {
        co_await sleep_for(Milliseconds(200));
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
            co_return;
    }
}

Task<StepOutcome> between(tcp::socket& here, Connection& there) {
    using namespace asio::experimental::awaitable_operators;
    Clock::time_point last = Clock::now();
    auto asking = ask(here, there, last);
    auto answering = pass_on(there, here, last);
    co_await (std::move(asking) || std::move(answering));
    co_return pass();
}

// Those that are open, each with what ends it.
struct Open {
    asio::cancellation_signal cancel;
    bool done = false;
};

}  // namespace

Forward::Forward(Acceptor acceptor, engine::Client& client, Address address)
    : acceptor_(std::move(acceptor)),
      client_(client),
      address_(std::move(address)),
      port_(acceptor_.local_endpoint().port()) {}

Result<std::unique_ptr<Forward>> Forward::open(asio::any_io_executor executor, engine::Client& client,
                                               Address address) {
    Acceptor acceptor(executor);
    boost::system::error_code failed;
    const tcp::endpoint loopback(asio::ip::address_v4::loopback(), 0);
    acceptor.open(loopback.protocol(), failed);
    if (!failed) acceptor.bind(loopback, failed);
    if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) return fail(ErrorKind::io, "listening on 127.0.0.1: " + failed.message());
    return std::unique_ptr<Forward>(new Forward(std::move(acceptor), client, std::move(address)));
}

Task<> Forward::serve(Milliseconds longest) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto executor = co_await asio::this_coro::executor;
    std::list<Open> connections;
    asio::steady_timer all_gone(executor, asio::steady_timer::time_point::max());
    const auto carry = [&](tcp::socket here) -> Task<> {
        co_await asio::this_coro::throw_if_cancelled(false);
        Conversation talk = [&](Connection& there) { return between(here, there); };
        auto outcome = co_await converse(client_, address_, longest, std::move(talk));
        if (!outcome) co_return fail(std::move(outcome.error()));
        co_return Result<>{};
    };
    for (;;) {
        auto [error, socket] = co_await acceptor_.async_accept(token);
        if (error) break;
        connections.remove_if([](const Open& each) { return each.done; });
        Open* mine = &connections.emplace_back();
        asio::co_spawn(executor, carry(std::move(socket)),
                       asio::bind_cancellation_slot(
                           mine->cancel.slot(), [&, mine](const std::exception_ptr&, Result<> done) {
                               mine->done = true;
                               if (!done && done.error().kind != ErrorKind::cancelled && broken_)
                                   broken_ = std::move(done);
                               all_gone.cancel();
                           }));
    }
    // They refer to what is here.
    for (Open& each : connections)
        if (!each.done) each.cancel.emit(asio::cancellation_type::terminal);
    co_await asio::this_coro::reset_cancellation_state();
    for (const Open& each : connections)
        while (!each.done) co_await all_gone.async_wait(token);
    co_return Result<>{};
}

}  // namespace rogate::scenario
