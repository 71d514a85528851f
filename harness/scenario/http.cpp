// The http step: one request, and what is expected of the answer.
#include <fmt/format.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "engine/feed.hpp"
#include "scenario/connection.hpp"
#include "scenario/expectation.hpp"
#include "scenario/form.hpp"
#include "scenario/outcome.hpp"

namespace rogate::scenario {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http_ns = boost::beast::http;
using engine::Task;

namespace {

using Answer = http_ns::response_parser<http_ns::string_body>;

constexpr auto answers = asio::as_tuple(asio::use_awaitable);
constexpr std::uint64_t body_limit = 16ULL << 20U;

http_ns::request<http_ns::string_body> to_request(const HttpAction& action) {
    http_ns::request<http_ns::string_body> request;
    request.version(11);
    request.method_string(action.method);
    request.target(action.path);
    request.set(http_ns::field::host, fmt::format("localhost:{}", action.port));
    request.set(http_ns::field::user_agent, "rogate");
    request.set(http_ns::field::connection, "close");
    if (action.form.empty()) {
        request.body() = action.body;
    } else {
        FormBody form = to_multipart(action.form);
        request.set(http_ns::field::content_type, form.content_type);
        request.body() = std::move(form.body);
    }
    for (const auto& [name, value] : action.headers) request.set(name, value);
    request.prepare_payload();
    return request;
}

// As Beast's own async_read, by way of feed(). A server that hangs up without a goodbye of TLS has ended,
// too.
template <class Stream>
asio::awaitable<beast::error_code> read_answer(Stream& stream, Answer& answer) {
    std::array<char, 16 * 1024> piece;  // NOLINT: filled by the read
    engine::Unparsed unparsed;
    answer.eager(true);
    while (!answer.is_done()) {
        auto [error, size] = co_await stream.async_read_some(asio::buffer(piece), answers);
        if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
            if (!answer.got_some()) co_return http_ns::error::end_of_stream;
            beast::error_code incomplete;
            answer.put_eof(incomplete);
            co_return incomplete;
        }
        if (error) co_return error;
        unparsed.bytes.append(piece.data(), size);
        if (const auto wrong = engine::feed(answer, unparsed)) co_return wrong;
    }
    co_return beast::error_code();
}

template <class Stream>
Task<StepOutcome> exchange(Stream& stream, const Step& step, const HttpAction& action, const Masker& masker) {
    const auto request = to_request(action);
    auto [write_error, written] = co_await http_ns::async_write(stream, request, answers);
    if (write_error)
        co_return miss(fmt::format("{} {}: {}", action.method, action.path, write_error.message()));
    Answer parser;
    parser.body_limit(body_limit);
    if (action.method == "HEAD") parser.skip(true);
    const beast::error_code read_error = co_await read_answer(stream, parser);
    if (read_error == beast::error::timeout)
        co_return miss(
            fmt::format("{} {}: no answer within {} ms", action.method, action.path, step.timeout_ms));
    if (read_error)
        co_return miss(fmt::format("{} {}: {}", action.method, action.path, read_error.message()));
    Observed observed;
    observed.status = static_cast<int>(parser.get().result_int());
    observed.text = parser.get().body();
    for (const auto& field : parser.get()) {
        std::string name(field.name_string());
        for (char& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        observed.headers.emplace(std::move(name), std::string(field.value()));
    }
    co_return judged(step, std::move(observed), masker);
}

// As the kubelet does: the certificate is not looked at, since nobody in a test has one for this address.
Task<StepOutcome> exchange_by_tls(Connection& connection, const Step& step, const HttpAction& action,
                                  const Masker& masker) {
    asio::ssl::context context(asio::ssl::context::tls_client);
    context.set_verify_mode(asio::ssl::verify_none);
    asio::ssl::stream<Connection&> stream(connection, context);
    auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, answers);
    if (error) co_return miss(fmt::format("{} {}: TLS: {}", action.method, action.path, error.message()));
    co_return co_await exchange(stream, step, action, masker);
}

}  // namespace

Task<StepOutcome> StepRunner::http(const Step& step, const HttpAction& action) {
    Conversation talk = [&](Connection& connection) {
        return action.tls ? exchange_by_tls(connection, step, action, memory_.masker)
                          : exchange(connection, step, action, memory_.masker);
    };
    co_return co_await over_connection(action.port, step.timeout_ms, std::move(talk));
}

}  // namespace rogate::scenario
