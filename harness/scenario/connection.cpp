#include "scenario/connection.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>

#include "scenario/outcome.hpp"

namespace rogate::scenario {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using engine::Milliseconds;
using engine::Task;
using Clock = std::chrono::steady_clock;
using LocalSocket = asio::local::stream_protocol::socket;

namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);

// How the relay is called in its image (harness/campaign/holder).
constexpr const char* relay_program = "/rogate-holder";

asio::awaitable<beast::error_code> connect(beast::tcp_stream& stream, const Address& address) {
    tcp::resolver resolver(stream.get_executor());
    auto [resolve_error, endpoints] =
        co_await resolver.async_resolve(address.host, std::to_string(address.port), token);
    if (resolve_error) co_return resolve_error;
    auto [connect_error, endpoint] = co_await stream.async_connect(endpoints, token);
    co_return connect_error;
}

Task<StepOutcome> converse_from_here(Address address, Milliseconds timeout, Conversation talk) {
    const auto until = Clock::now() + timeout;
    beast::tcp_stream stream(co_await asio::this_coro::executor);
    stream.expires_at(until);
    const beast::error_code refused = co_await connect(stream, address);
    if (refused) co_return miss(refused.message());
    Connection connection(stream.release_socket());
    connection.expires_at(until);
    co_return co_await talk(connection);
}

// What the relay and the engine between them do to the bytes on their way.
class Relayed {
  public:
    Relayed(std::unique_ptr<engine::Attachment> attachment, LocalSocket near)
        : attachment_(std::move(attachment)), near_(std::move(near)) {}

    // What became of connecting: the relay's first byte. ErrorKind::engine: the relay itself did not get
    // there.
    Task<beast::error_code> told() {
        auto chunk = co_await next();
        if (!chunk) co_return fail(std::move(chunk.error()));
        if (chunk->empty())
            co_return fail(ErrorKind::engine, "the relay on the run's network ended without a word");
        const auto number = static_cast<unsigned char>(chunk->front());
        early_ = chunk->substr(1);
        co_return beast::error_code(number, boost::system::system_category());
    }

    // To the subject, until the speaker hangs up; and from it, until it does. Neither ends the conversation:
    // the speaker has to read what came before the end.
    Task<> there() {
        std::array<char, 16 * 1024> bytes;  // NOLINT: filled by the read
        for (;;) {
            auto [error, size] = co_await near_.async_read_some(asio::buffer(bytes), token);
            if (error) co_return Result<>{};
            auto wrote = co_await attachment_->write(std::string_view(bytes.data(), size));
            // The relay ends with the connection; what it still had to say comes the other way.
            if (!wrote) co_return Result<>{};
        }
    }
    Task<> back() {
        std::string bytes = std::move(early_);
        for (;;) {
            if (!bytes.empty()) {
                auto [error, size] = co_await asio::async_write(near_, asio::buffer(bytes), token);
                if (error) co_return Result<>{};
            }
            auto chunk = co_await next();
            beast::error_code ignored;
            if (!chunk || chunk->empty()) near_.shutdown(LocalSocket::shutdown_send, ignored);
            if (!chunk) co_return fail(std::move(chunk.error()));
            if (chunk->empty()) co_return Result<>{};
            bytes = std::move(*chunk);
        }
    }

  private:
    // Empty: the end.
    Task<std::string> next() {
        auto chunk = co_await attachment_->read();
        if (!chunk) co_return fail(std::move(chunk.error()));
        if (!*chunk) co_return std::string();
        if ((*chunk)->channel == engine::Channel::err)  // the runtime's: it could not start the relay
            co_return fail(ErrorKind::engine, "the relay on the run's network: " + (*chunk)->bytes);
        co_return std::move((*chunk)->bytes);
    }

    std::unique_ptr<engine::Attachment> attachment_;
    LocalSocket near_;
    std::string early_;
};

asio::awaitable<void> pump(Relayed& relayed, Result<>& broken) {
    using namespace asio::experimental::awaitable_operators;
    co_await asio::this_coro::throw_if_cancelled(false);
    auto there = relayed.there();
    auto back = relayed.back();
    auto [sent, received] = co_await (std::move(there) && std::move(back));
    if (!received && received.error().kind != ErrorKind::cancelled) broken = std::move(received);
    // Until the conversation is over.
    asio::steady_timer forever(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    if ((co_await asio::this_coro::cancellation_state).cancelled() == asio::cancellation_type::none)
        co_await forever.async_wait(token);
}

asio::awaitable<void> speak(const Conversation& talk, Connection& connection, Result<StepOutcome>& outcome) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto talking = talk(connection);
    outcome = co_await std::move(talking);
}

Task<StepOutcome> converse_by_relay(engine::Client& client, Address address, Milliseconds timeout,
                                    Conversation talk) {
    using namespace asio::experimental::awaitable_operators;
    const auto until = Clock::now() + timeout;
    engine::ExecSpec spec;
    spec.command = {relay_program, address.host, std::to_string(address.port)};
    spec.attach_stdin = true;
    auto attached = co_await client.exec_attached(address.relay, std::move(spec));
    if (!attached)
        co_return fail(std::move(attached.error()).with_context("starting a relay on the run's network"));
    const auto executor = co_await asio::this_coro::executor;
    LocalSocket near(executor), far(executor);
    beast::error_code failed;
    asio::local::connect_pair(near, far, failed);
    if (failed) co_return fail(ErrorKind::internal, "socketpair: " + failed.message());
    Relayed relayed(std::move(*attached), std::move(near));
    // A host that does not answer at all would hold the relay for minutes.
    auto telling = relayed.told();
    auto waiting = sleep_for(std::chrono::duration_cast<Milliseconds>(until - Clock::now()));
    auto first = co_await (std::move(telling) || std::move(waiting));
    if (first.index() == 1) co_return miss("nobody answered in time");
    Result<beast::error_code> told = std::get<0>(std::move(first));
    if (!told) co_return fail(std::move(told.error()));
    if (*told) co_return miss(told->message());
    Connection connection((asio::generic::stream_protocol::socket(std::move(far))));
    connection.expires_at(until);
    Result<StepOutcome> outcome = miss("interrupted");
    Result<> broken;
    auto speaking = speak(talk, connection, outcome);
    auto pumping = pump(relayed, broken);
    co_await (std::move(speaking) || std::move(pumping));
    if (!broken) co_return fail(std::move(broken.error()));
    co_return outcome;
}

}  // namespace

Task<StepOutcome> converse(engine::Client& client, Address address, Milliseconds timeout, Conversation talk) {
    if (!address.relay.empty())
        co_return co_await converse_by_relay(client, std::move(address), timeout, std::move(talk));
    co_return co_await converse_from_here(std::move(address), timeout, std::move(talk));
}

}  // namespace rogate::scenario
