#include "engine/client_impl.hpp"

#include <fmt/format.h>

namespace rogate::engine {

namespace {

std::string_view without_version(std::string_view target) {
    if (!target.starts_with("/v1.")) return target;
    const auto slash = target.find('/', 1);
    return slash == std::string_view::npos ? target : target.substr(slash);
}

constexpr std::size_t longest_error = 256U << 10U;

// Here or on the other side of ssh: the endpoint's path is the socket's.
bool is_socket(const Endpoint& endpoint) {
    return endpoint.kind == Endpoint::Kind::unix_socket || endpoint.kind == Endpoint::Kind::ssh;
}

}  // namespace

std::string call_name(const HttpRequest& request) {
    const std::string_view target = without_version(request.target);
    return fmt::format("{} {}", request.method, target.substr(0, target.find('?')));
}

HttpRequest name_of(const HttpRequest& request) {
    HttpRequest named;
    named.method = request.method;
    named.target = request.target;
    return named;
}
HttpRequest get(std::string target) {
    HttpRequest request;
    request.target = std::move(target);
    return request;
}
HttpRequest post(std::string target) {
    HttpRequest request = get(std::move(target));
    request.method = "POST";
    return request;
}
HttpRequest post_json(std::string target, const json& body) {
    HttpRequest request = post(std::move(target));
    request.content_type = "application/json";
    // Bytes that are not UTF-8 cannot be JSON; they are replaced rather than thrown over.
    request.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
    return request;
}
HttpRequest erase(std::string target) {
    HttpRequest request = get(std::move(target));
    request.method = "DELETE";
    return request;
}

Error engine_error(const HttpRequest& request, int status, const std::string& body) {
    std::string message = body;
    const json parsed = json::parse(body, nullptr, false);
    if (parsed.is_object()) message = field<std::string>(parsed, "message", body);
    while (message.ends_with('\n')) message.pop_back();
    if (message.empty()) message = status == 404 ? "not found" : "no message";
    // Whoever shows it masks it before it is made short: half a secret would not be found.
    if (message.size() > longest_error) message.resize(longest_error);
    // Podman answers 500 for a container that went away while it was asked for.
    const bool missing = status == 404 || (status == 500 && message.ends_with(": no such container"));
    return {missing ? ErrorKind::not_found : ErrorKind::refused,
            fmt::format("engine: {}: {} {}", call_name(request), status, message)};
}

Result<json> parse_json_reply(const HttpRequest& request, const std::string& body) {
    json parsed = json::parse(body, nullptr, false);
    if (parsed.is_discarded())
        return fail(ErrorKind::protocol,
                    fmt::format("engine: {}: the reply is not JSON", call_name(request)));
    return parsed;
}

std::string Client::Impl::path(const std::string& rest) const {
    const std::string prefix = is_socket(endpoint) ? std::string() : endpoint.path;
    return api_version.empty() ? prefix + rest : prefix + "/v" + api_version + rest;
}

std::string Client::Impl::host_header() const {
    return is_socket(endpoint) ? "docker" : endpoint.authority();
}

// An idle connection may have broken since. A call that may be made twice is made again on a new one then; of
// another one nobody knows whether the engine has done it.
Task<std::pair<HttpExchange, HttpReplyHead>> Client::Impl::open(HttpRequest request) {
    request.keep_alive = endpoint.kind == Endpoint::Kind::ssh && !request.upgrade;
    if (!idle.empty() && (request.method == "GET" || request.method == "HEAD")) {
        std::unique_ptr<Stream> stream = std::move(idle.back());
        idle.pop_back();
        HttpRequest once_more = request;
        auto opened = co_await open_on(std::move(stream), std::move(once_more));
        if (opened || opened.error().kind == ErrorKind::cancelled) co_return opened;
        idle.clear();
    }
    if (!idle.empty()) {
        std::unique_ptr<Stream> stream = std::move(idle.back());
        idle.pop_back();
        co_return co_await open_on(std::move(stream), std::move(request));
    }
    auto stream = co_await transport->connect();
    if (!stream) {
        Error error = std::move(stream.error());
        // The first call of all says where the engine is not; a later one, what could not be done for it.
        if (error.kind != ErrorKind::cancelled && !api_version.empty())
            error = std::move(error).with_context("engine: " + call_name(request));
        co_return fail(std::move(error));
    }
    co_return co_await open_on(std::move(*stream), std::move(request));
}

Task<std::pair<HttpExchange, HttpReplyHead>> Client::Impl::open_on(std::unique_ptr<Stream> stream,
                                                                   HttpRequest request) {
    HttpExchange exchange(std::move(stream));
    auto head = co_await exchange.send(request, host_header());
    if (!head) {
        Error error = std::move(head.error());
        if (error.kind != ErrorKind::cancelled)
            error = std::move(error).with_context("engine: " + call_name(request));
        co_return fail(std::move(error));
    }
    co_return std::pair<HttpExchange, HttpReplyHead>(std::move(exchange), std::move(*head));
}

namespace {

Task<HttpReply> read_whole(Client::Impl* impl, HttpRequest request) {
    const std::string name = call_name(request);
    auto opened = co_await impl->open(std::move(request));
    if (!opened) co_return fail(std::move(opened.error()));
    HttpReply reply;
    reply.status = opened->second.status;
    reply.headers = std::move(opened->second.headers);
    auto body = co_await opened->first.read_rest_of_body(body_limit);
    if (!body) co_return fail(std::move(body.error()).with_context("engine: " + name));
    reply.body = std::move(*body);
    if (auto stream = opened->first.take_idle_stream()) impl->idle.push_back(std::move(stream));
    co_return reply;
}

}  // namespace

Task<HttpReply> Client::Impl::call(HttpRequest request, Milliseconds deadline) {
    std::string name = "engine: " + call_name(request);
    auto reading = read_whole(this, std::move(request));
    co_return co_await within(deadline, std::move(name), std::move(reading));
}

Task<HttpReply> Client::Impl::ask(HttpRequest request, Milliseconds deadline) {
    co_return co_await ask_within(std::move(request), scaled(deadline));
}

Task<HttpReply> Client::Impl::ask_within(HttpRequest request, Milliseconds deadline) {
    const HttpRequest named = name_of(request);
    auto reply = co_await call(std::move(request), deadline);
    if (reply && reply->status >= 400) co_return fail(engine_error(named, reply->status, reply->body));
    co_return reply;
}

Task<json> Client::Impl::ask_json(HttpRequest request, Milliseconds deadline) {
    const HttpRequest named = name_of(request);
    auto reply = co_await ask(std::move(request), deadline);
    if (!reply) co_return fail(std::move(reply.error()));
    co_return parse_json_reply(named, reply->body);
}

namespace {

// Why a call failed that had begun well. API 1.48 deprecates `error` in favour of `errorDetail`; later ones
// may leave it out.
std::string failure_in(const json& message) {
    std::string error = field<std::string>(child(message, "errorDetail"), "message");
    return error.empty() ? field<std::string>(message, "error") : error;
}

Task<> read_progress(Client::Impl* impl, HttpRequest request, std::function<void(const json&)> message) {
    const HttpRequest named = name_of(request);
    auto opened = co_await impl->open(std::move(request));
    if (!opened) co_return fail(std::move(opened.error()));
    const int status = opened->second.status;
    std::string pending;
    for (;;) {
        auto piece = co_await opened->first.read_body();
        if (!piece) co_return fail(std::move(piece.error()).with_context("engine: " + call_name(named)));
        pending += *piece;
        if (pending.size() > body_limit)
            co_return fail(ErrorKind::protocol,
                           fmt::format("engine: {}: a progress message without end", call_name(named)));
        if (status >= 400) {
            if (!piece->empty()) continue;
            co_return fail(engine_error(named, status, pending));
        }
        for (std::size_t end = 0;
             (end = pending.find('\n')) != std::string::npos || (piece->empty() && !pending.empty());) {
            const json each = json::parse(pending.substr(0, end), nullptr, false);
            pending.erase(0, end == std::string::npos ? end : end + 1);
            if (!each.is_object()) continue;
            if (const std::string error = failure_in(each); !error.empty())
                co_return fail(ErrorKind::refused, fmt::format("engine: {}: {}", call_name(named), error));
            if (message) message(each);
        }
        if (piece->empty()) co_return Result<>{};
    }
}

}  // namespace

Task<> Client::Impl::ask_progress(HttpRequest request, Milliseconds deadline,
                                  std::function<void(const json&)> message) {
    std::string name = "engine: " + call_name(request);
    auto reading = read_progress(this, std::move(request), std::move(message));
    co_return co_await within(scaled(deadline), std::move(name), std::move(reading));
}

}  // namespace rogate::engine
