// What the client's calls share: a connection each, a deadline, and the engine's errors made typed.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/client.hpp"
#include "engine/credentials.hpp"
#include "engine/http.hpp"

namespace rogate::engine {

namespace asio = boost::asio;
using nlohmann::json;

constexpr Milliseconds ordinary_deadline(60'000);
constexpr Milliseconds long_deadline(300'000);
constexpr std::size_t body_limit = 64U << 20U;  // of a reply that is kept whole

struct HttpReply {
    int status = 0;
    std::map<std::string, std::string> headers;
    std::string body;
};

struct Client::Impl {
    asio::any_io_executor executor;
    std::unique_ptr<Transport> transport;
    Endpoint endpoint;
    Version version;
    std::function<Task<RegistryCredentials>(std::string reference)> credentials;
    std::string api_version;  // empty until negotiated: paths then carry no version

    Milliseconds timeout = ordinary_deadline;  // of an ordinary call

    // Connections that another call can use, where making one is dear: over ssh each is a login.
    std::vector<std::unique_ptr<Stream>> idle;

    // By container, when its health was checked last, or first looked at; only podman's.
    struct HealthCheck {
        std::chrono::steady_clock::time_point last;
        bool ours = false;
    };
    std::map<std::string, HealthCheck> health_checks;
    bool is_health_check_due(const ContainerState& state);

    // Longer calls are given longer in proportion.
    Milliseconds scaled(Milliseconds deadline) const {
        return deadline * timeout.count() / ordinary_deadline.count();
    }

    // A whole reply, or an error that names the call.
    Task<HttpReply> call(HttpRequest request, Milliseconds deadline);
    // Like ask(), with a deadline that is taken as it is: it holds a time of the scenario's.
    Task<HttpReply> ask_within(HttpRequest request, Milliseconds deadline);
    // A reply whose status is a success; the engine's message otherwise.
    Task<HttpReply> ask(HttpRequest request, Milliseconds deadline = ordinary_deadline);
    Task<json> ask_json(HttpRequest request, Milliseconds deadline = ordinary_deadline);
    // A reply that is a stream of JSON progress messages: an "error" among them is the call's error although
    // the status is 200.
    Task<> ask_progress(HttpRequest request, Milliseconds deadline, std::function<void(const json&)> message);
    // Opens a connection and sends; for callers that read the body themselves.
    Task<std::pair<HttpExchange, HttpReplyHead>> open(HttpRequest request);
    Task<std::pair<HttpExchange, HttpReplyHead>> open_on(std::unique_ptr<Stream> stream, HttpRequest request);
    std::string path(const std::string& rest) const;
    std::string host_header() const;
};

// "POST /containers/create": a call's name in messages, without version and query.
std::string call_name(const HttpRequest& request);
// Method and target alone: enough to name the call after the request itself has been moved away.
HttpRequest name_of(const HttpRequest& request);
HttpRequest get(std::string target);
HttpRequest post(std::string target);
HttpRequest post_json(std::string target, const json& body);
HttpRequest erase(std::string target);

Error engine_error(const HttpRequest& request, int status, const std::string& body);
Result<json> parse_json_reply(const HttpRequest& request, const std::string& body);

namespace detail {

inline asio::awaitable<bool> interrupted() {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}
inline Task<> expire(Milliseconds after) {
    co_await asio::this_coro::throw_if_cancelled(false);
    asio::steady_timer timer(co_await asio::this_coro::executor, after);
    auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return fail(ErrorKind::cancelled, "interrupted");
    co_return Result<>{};
}
// Each side of an operator|| is a coroutine thread of its own, and must be told by itself that cancellation
// is no exception.
template <class T>
Task<T> without_throwing(Task<T> operation) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_return co_await std::move(operation);
}

}  // namespace detail

// `operation`, ended with ErrorKind::timeout when it takes longer than `limit`.
template <class T>
Task<T> within(Milliseconds limit, std::string what, Task<T> operation) {
    using namespace asio::experimental::awaitable_operators;
    // A cancellation that came between two calls would be lost otherwise: the new threads of || know nothing
    // of it.
    const bool stop = co_await detail::interrupted();
    if (stop) co_return fail(ErrorKind::cancelled, "interrupted");
    auto guarded = detail::without_throwing(std::move(operation));
    auto expiry = detail::expire(limit);
    auto outcome = co_await (std::move(guarded) || std::move(expiry));
    if (outcome.index() == 0) co_return std::get<0>(std::move(outcome));
    if (std::get<1>(outcome).has_value())
        co_return fail(ErrorKind::timeout,
                       what + ": no answer from the engine within " + std::to_string(limit.count()) + " ms");
    co_return fail(ErrorKind::cancelled, "interrupted");
}

// Lenient reading of replies: a field that is absent or null is the default.
template <class T>
T field(const json& object, const char* key, T otherwise = T{}) {
    if (!object.is_object()) return otherwise;
    const auto at = object.find(key);
    if (at == object.end() || at->is_null()) return otherwise;
    try {
        return at->template get<T>();
    } catch (const json::exception&) {
        return otherwise;
    }
}
inline json child(const json& object, const char* key) {
    if (!object.is_object()) return json::object();
    const auto at = object.find(key);
    return at == object.end() || at->is_null() ? json::object() : *at;
}

}  // namespace rogate::engine
