#include "engine/http.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http.hpp>
#include <sstream>

#include "engine/feed.hpp"

namespace rogate::engine {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

// A body that is handed on piece by piece. Beast's string_body would reserve what Content-Length promises,
// however much.
struct PieceBody {
    using value_type = std::string;
    class reader {
      public:
        template <bool isRequest, class Fields>
        reader(http::header<isRequest, Fields>&, value_type& body) : body_(body) {}
        void init(const boost::optional<std::uint64_t>&, boost::system::error_code& error) { error = {}; }
        template <class Buffers>
        std::size_t put(const Buffers& buffers, boost::system::error_code& error) {
            error = {};
            std::size_t size = 0;
            for (const asio::const_buffer buffer : boost::beast::buffers_range_ref(buffers)) {
                body_.append(static_cast<const char*>(buffer.data()), buffer.size());
                size += buffer.size();
            }
            return size;
        }
        void finish(boost::system::error_code& error) { error = {}; }

      private:
        value_type& body_;
    };
};

// Cancellation is an edge: one that comes while a completed operation waits for its turn would be lost, and a
// deadline with it.
asio::awaitable<bool> interrupted() {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace

struct HttpExchange::Impl {
    std::unique_ptr<Stream> stream;
    Unparsed unparsed;
    http::response_parser<PieceBody> parser;
    bool keep_alive = false;  // as the request asked

    Task<> fill();
    Task<> send_pieces(const std::function<Task<std::string>()>& pieces);
    Result<> parse();
};

namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

std::string serialize(const HttpRequest& request, const std::string& host) {
    http::request<http::string_body> message;
    message.version(11);
    message.method_string(request.method);
    message.target(request.target);
    message.set(http::field::host, host);
    message.set(http::field::user_agent, "rogate");
    if (request.upgrade) {
        message.set(http::field::connection, "Upgrade");
        message.set(http::field::upgrade, "tcp");
    } else if (!request.keep_alive) {
        message.set(http::field::connection, "close");
    }
    for (const auto& [name, value] : request.headers) message.set(name, value);
    if (!request.content_type.empty()) message.set(http::field::content_type, request.content_type);
    if (request.pieces)
        message.chunked(true);
    else
        message.content_length(request.body.size());
    std::ostringstream head;
    head << message.base();
    return std::move(head).str();
}

}  // namespace

std::string url_escape(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '-' || c == '_' || c == '.' || c == '~';
        if (plain)
            escaped += c;
        else
            escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return escaped;
}

HttpExchange::HttpExchange(std::unique_ptr<Stream> stream) : impl_(std::make_unique<Impl>()) {
    impl_->stream = std::move(stream);
    impl_->parser.body_limit(boost::none);
    impl_->parser.header_limit(64 * 1024);
}
HttpExchange::~HttpExchange() {
    if (impl_ && impl_->stream) impl_->stream->close();
}
HttpExchange::HttpExchange(HttpExchange&&) noexcept = default;

Result<> HttpExchange::Impl::parse() {
    if (const auto error = feed(parser, unparsed))
        return fail(ErrorKind::protocol, "the engine's reply is not HTTP: " + error.message());
    return {};
}

Task<> HttpExchange::Impl::fill() {
    const bool stop = co_await interrupted();
    if (stop) co_return fail(ErrorKind::cancelled, "interrupted");
    std::array<char, 64 * 1024> bytes;  // NOLINT: filled by the read
    auto size = co_await stream->read_some(asio::buffer(bytes));
    if (!size) co_return fail(std::move(size.error()));
    if (*size == 0) {
        boost::system::error_code error;
        if (!parser.is_header_done())
            co_return fail(ErrorKind::engine, "the engine closed the connection before it answered");
        parser.put_eof(error);
        if (error) co_return fail(ErrorKind::engine, "the engine's reply broke off");
        co_return Result<>{};
    }
    unparsed.bytes.append(bytes.data(), *size);
    co_return Result<>{};
}

// An engine that refuses early closes its side, and what it said is still to be read: only what the pieces'
// source could not give is an error.
Task<> HttpExchange::Impl::send_pieces(const std::function<Task<std::string>()>& pieces) {
    for (;;) {
        auto piece = co_await pieces();
        if (!piece) co_return fail(std::move(piece.error()));
        const std::string chunk =
            piece->empty() ? std::string("0\r\n\r\n") : fmt::format("{:x}\r\n{}\r\n", piece->size(), *piece);
        auto sent = co_await stream->write_all(asio::buffer(chunk));
        if (!sent && sent.error().kind == ErrorKind::cancelled) co_return fail(std::move(sent.error()));
        if (!sent || piece->empty()) co_return Result<>{};
    }
}

Task<HttpReplyHead> HttpExchange::send(const HttpRequest& request, std::string host) {
    impl_->keep_alive = request.keep_alive;
    const std::string head = serialize(request, host);
    auto sent = co_await impl_->stream->write_all(asio::buffer(head));
    if (!sent) co_return fail(std::move(sent.error()));
    if (request.pieces) {
        auto streamed = co_await impl_->send_pieces(request.pieces);
        if (!streamed) co_return fail(std::move(streamed.error()));
    } else if (!request.body.empty()) {
        // An engine that refuses early closes its side; what it said is still to be read, so a failed write
        // is not the end.
        auto body_sent = co_await impl_->stream->write_all(asio::buffer(request.body));
        if (!body_sent && body_sent.error().kind == ErrorKind::cancelled)
            co_return fail(std::move(body_sent.error()));
    }
    if (request.method == "HEAD") impl_->parser.skip(true);
    impl_->parser.eager(false);
    while (!impl_->parser.is_header_done()) {
        auto filled = co_await impl_->fill();
        if (!filled) co_return fail(std::move(filled.error()));
        if (auto parsed = impl_->parse(); !parsed) co_return fail(std::move(parsed.error()));
    }
    impl_->parser.eager(true);
    HttpReplyHead reply;
    reply.status = static_cast<int>(impl_->parser.get().result_int());
    for (const auto& field : impl_->parser.get())
        reply.headers.emplace(lower(field.name_string()), std::string(field.value()));
    co_return reply;
}

Task<std::string> HttpExchange::read_body() {
    for (;;) {
        if (auto parsed = impl_->parse(); !parsed) co_return fail(std::move(parsed.error()));
        std::string& body = impl_->parser.get().body();
        if (!body.empty()) {
            std::string piece = std::move(body);
            body.clear();
            co_return piece;
        }
        if (impl_->parser.is_done()) co_return std::string();
        auto filled = co_await impl_->fill();
        if (!filled) co_return fail(std::move(filled.error()));
    }
}

Task<std::string> HttpExchange::read_rest_of_body(std::size_t limit) {
    std::string body;
    for (;;) {
        auto piece = co_await read_body();
        if (!piece) co_return fail(std::move(piece.error()));
        if (piece->empty()) co_return body;
        if (body.size() + piece->size() > limit)
            co_return fail(ErrorKind::protocol, fmt::format("the reply is larger than {} bytes", limit));
        body += *piece;
    }
}

std::unique_ptr<Stream> HttpExchange::take_idle_stream() {
    const bool is_idle = impl_->keep_alive && impl_->parser.is_done() && impl_->parser.keep_alive() &&
                         impl_->unparsed.bytes.empty();
    return is_idle ? std::move(impl_->stream) : nullptr;
}
std::string HttpExchange::take_rest() {
    return std::exchange(impl_->unparsed.bytes, {});
}
std::unique_ptr<Stream> HttpExchange::take_stream() {
    return std::move(impl_->stream);
}

}  // namespace rogate::engine
