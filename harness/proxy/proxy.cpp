#include "proxy/proxy.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <list>
#include <nlohmann/json.hpp>

#include "proxy/ask.hpp"
#include "proxy/head.hpp"
#include "proxy/local_stream.hpp"

namespace rogate::proxy {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using boost::system::error_code;
using engine::Stream;
using engine::Task;

namespace {

constexpr auto as_pair = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t piece = 256 * 1024;
// So many bytes, some of which are in `begun`.
Task<> pass_exactly(std::string begun, std::uint64_t bytes, Stream& from, Stream& to) {
    while (bytes > 0) {
        if (begun.empty()) {
            begun.resize(piece);
            auto size = co_await from.read_some(asio::buffer(begun));
            if (!size) co_return fail(std::move(size.error()));
            if (*size == 0) break;
            begun.resize(*size);
        }
        if (begun.size() > bytes) begun.resize(bytes);
        auto written = co_await to.write_all(asio::buffer(begun));
        if (!written) co_return written;
        bytes -= begun.size();
        begun.clear();
    }
    co_return Result<>{};
}

std::string reply(int status, std::string_view words, const std::string& message) {
    const std::string body =
        nlohmann::json{{"message", message}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
        "\n";
    return fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: "
        "close\r\n\r\n{}",
        status, words, body.size(), body);
}

// One connection of a client's, for one request: the client is told that the connection ends with the reply,
// so that all behind the head can be passed on as it is.
class Connection {
  public:
    Connection(std::unique_ptr<Stream> client, engine::Transport& transport, Overseer& overseer)
        : client_(std::move(client)), transport_(transport), overseer_(overseer) {}

    Task<> serve();
    void cut_off() {
        is_over_ = true;
        client_->close();
        if (engine_) engine_->close();
    }

  private:
    Task<bool> read_request();
    Task<> connect();
    Task<> pass_on();
    Task<> answer_upgrade(bool* is_raw);
    Task<> up();
    Task<> down(bool asks_for_upgrade);
    Task<> oversee(Call call);
    Task<> pass_lines(const Admission& admission);
    Task<> read_whole_body();
    void state_length();
    Task<> answer(const Reply& said);
    Task<> refuse(int status, std::string_view words, const std::string& message);

    std::unique_ptr<Stream> client_, engine_;
    engine::Transport& transport_;
    Overseer& overseer_;
    Head head_;
    std::string rest_;  // of the client's bytes, behind the head
    bool is_over_ = false;
};

// False: the client has gone without a word.
Task<bool> Connection::read_request() {
    std::optional<std::size_t> size;
    while (!(size = head_size(rest_))) {
        if (rest_.size() > longest_head)
            co_return fail(ErrorKind::protocol, "the head of a request has no end");
        auto read = co_await more(*client_, rest_);
        if (!read && rest_.empty()) co_return false;
        if (!read) co_return fail(std::move(read.error()));
    }
    auto head = read_head(std::string_view(rest_).substr(0, *size));
    if (!head) co_return fail(std::move(head.error()));
    head_ = std::move(*head);
    rest_.erase(0, *size);
    co_return true;
}

Task<> Connection::refuse(int status, std::string_view words, const std::string& message) {
    const std::string text = reply(status, words, message);
    auto written = co_await client_->write_all(asio::buffer(text));
    if (written) written = co_await client_->close_write();
    co_return written;
}

Task<> Connection::connect() {
    auto connected = co_await transport_.connect();
    if (!connected) co_return fail(std::move(connected.error()));
    engine_ = std::move(*connected);
    // Everybody was cut off meanwhile.
    if (is_over_) co_return fail(ErrorKind::cancelled, "interrupted");
    co_return Result<>{};
}

Task<> Connection::serve() {
    auto read = co_await read_request();
    if (!read && read.error().kind == ErrorKind::protocol)
        co_return co_await refuse(400, "Bad Request", read.error().message);
    if (!read || !*read) co_return Result<>{};
    Call call = call_of(head_.method(), head_.target());
    const bool is_whole = overseer_.wants(call) || overseer_.reads(call);
    if (is_whole) {
        auto body = co_await read_whole_body();
        if (!body) co_return co_await refuse(400, "Bad Request", "rogate: " + body.error().message);
    }
    std::string method(head_.method());
    auto admission = co_await overseer_.admit(std::move(method), call, is_whole ? &rest_ : nullptr);
    if (!admission)
        co_return co_await refuse(500, "Internal Server Error", "rogate: " + admission.error().message);
    if (admission->reply) co_return co_await answer(*admission->reply);
    if (!admission->target.empty()) {
        head_.first = fmt::format("{} {} HTTP/1.1", head_.method(), admission->target);
        call = call_of(head_.method(), head_.target());
    }
    if (!admission->may_upgrade) head_.remove("Upgrade");
    if (admission->keeps) co_return co_await pass_lines(*admission);
    if (overseer_.wants(call)) co_return co_await oversee(std::move(call));
    if (is_whole) state_length();
    overseer_.passes(call);
    co_return co_await pass_on();
}

Task<> Connection::up() {
    auto passed = co_await pass(*client_, *engine_);
    // A client that is gone is told to the engine, which may wait for it.
    if (!passed) engine_->close();
    co_return Result<>{};
}

// What the engine says to an upgrade. Refused, the connection is an ordinary one, and would be good for
// another request, which nobody would look at.
Task<> Connection::answer_upgrade(bool* is_raw) {
    std::string bytes;
    std::optional<std::size_t> size;
    while (!(size = head_size(bytes))) {
        if (bytes.size() > longest_head)
            co_return fail(ErrorKind::protocol, "the head of a reply has no end");
        auto read = co_await more(*engine_, bytes);
        if (!read) co_return read;
    }
    auto head = read_head(std::string_view(bytes).substr(0, *size));
    if (!head) co_return fail(std::move(head.error()));
    const auto length = content_length(*head);
    *is_raw = head->status() == 101 || (head->status() == 200 && !length && !is_chunked(*head));
    if (*is_raw) co_return co_await client_->write_all(asio::buffer(bytes));
    head->set("Connection", "close");
    const std::string text = to_text(*head);
    auto written = co_await client_->write_all(asio::buffer(text));
    if (!written) co_return written;
    bytes.erase(0, *size);
    if (length) co_return co_await pass_exactly(std::move(bytes), *length, *engine_, *client_);
    written = co_await client_->write_all(asio::buffer(bytes));
    if (!written) co_return written;
    co_return co_await pass(*engine_, *client_);
}

Task<> Connection::down(bool asks_for_upgrade) {
    bool is_raw = false;
    Result<> passed;
    if (asks_for_upgrade) passed = co_await answer_upgrade(&is_raw);
    if (passed && (is_raw || !asks_for_upgrade)) passed = co_await pass(*engine_, *client_);
    // The other direction of a raw connection goes on until its own end.
    if (!passed || !is_raw) {
        client_->close();
        engine_->close();
    }
    co_return Result<>{};
}

Task<> Connection::pass_on() {
    using namespace asio::experimental::awaitable_operators;
    auto connected = co_await connect();
    if (!connected) co_return co_await refuse(502, "Bad Gateway", "rogate: " + connected.error().message);
    const bool asks_for_upgrade = is_upgrade(head_);
    if (!asks_for_upgrade) head_.set("Connection", "close");
    rest_.insert(0, to_text(head_));
    auto written = co_await engine_->write_all(asio::buffer(rest_));
    if (!written) co_return written;
    rest_.clear();
    auto sending = up();
    auto answering = down(asks_for_upgrade);
    auto both = co_await (std::move(sending) && std::move(answering));
    co_return std::get<1>(both);
}

Task<> Connection::read_whole_body() {
    if (const std::string* expected = head_.find("Expect"); expected != nullptr && rest_.empty()) {
        static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        auto told = co_await client_->write_all(asio::buffer(go_on));
        if (!told) co_return told;
    }
    for (;;) {
        auto body = whole_body(head_, rest_, false, false);
        if (!body) co_return fail(std::move(body.error()));
        if (*body) {
            rest_ = std::move(**body);
            co_return Result<>{};
        }
        if (rest_.size() > longest_body)
            co_return fail(ErrorKind::protocol, "the body of a request is too long");
        auto read = co_await more(*client_, rest_);
        if (!read) co_return read;
    }
}

// Of a body that was read whole.
void Connection::state_length() {
    for (const char* field : {"Transfer-Encoding", "Expect", "Content-Length"}) head_.remove(field);
    head_.set("Content-Length", std::to_string(rest_.size()));
}

Task<> Connection::answer(const Reply& said) {
    const std::string text = fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: "
        "close\r\n\r\n{}",
        said.status, said.status < 300 ? "OK" : "Refused", said.body.size(),
        head_.method() == "HEAD" ? "" : said.body);
    auto written = co_await client_->write_all(asio::buffer(text));
    if (written) written = co_await client_->close_write();
    co_return written;
}

// JSON objects, each in a line, as they come.
Task<> Connection::pass_lines(const Admission& admission) {
    auto done = co_await connect();
    if (!done) co_return co_await refuse(502, "Bad Gateway", "rogate: " + done.error().message);
    head_.set("Connection", "close");
    const std::string asked = to_text(head_) + rest_;
    if (done = co_await engine_->write_all(asio::buffer(asked)); !done) co_return done;
    std::string bytes;
    std::optional<std::size_t> size;
    while (!(size = head_size(bytes)))
        if (done = co_await more(*engine_, bytes); !done) co_return done;
    auto head = read_head(std::string_view(bytes).substr(0, *size));
    if (!head) co_return fail(std::move(head.error()));
    bytes.erase(0, *size);
    Unchunker unchunker(is_chunked(*head));
    head->remove("Transfer-Encoding");
    head->remove("Content-Length");  // some lines are left out
    head->set("Connection", "close");
    const std::string told = to_text(*head);
    if (done = co_await client_->write_all(asio::buffer(told)); !done) co_return done;
    const bool is_kept_whole = head->status() >= 300;  // an error
    std::string lines;
    for (;;) {
        if (auto taken = unchunker.take(bytes, lines); !taken) co_return taken;
        for (std::size_t end = 0; (end = lines.find('\n')) != std::string::npos;) {
            const std::string line = lines.substr(0, end + 1);
            lines.erase(0, end + 1);
            auto kept = is_kept_whole ? Result<bool>(true) : co_await admission.keeps(line);
            if (!kept) co_return fail(std::move(kept.error()));
            if (!*kept) continue;
            if (done = co_await client_->write_all(asio::buffer(line)); !done) co_return done;
        }
        if (lines.size() > longest_body) co_return fail(ErrorKind::protocol, "a line of a reply is too long");
        if (unchunker.is_over()) break;
        if (done = co_await more(*engine_, bytes); !done) break;
    }
    co_return co_await client_->close_write();
}

Task<> Connection::oversee(Call call) {
    Exchange exchange{.call = std::move(call), .body = std::move(rest_)};
    auto ready = co_await overseer_.before(exchange);
    if (!ready) co_return co_await refuse(500, "Internal Server Error", "rogate: " + ready.error().message);
    rest_ = exchange.body;  // after() looks at it, too
    state_length();
    head_.set("Connection", "close");
    std::string sent = to_text(head_) + rest_;
    Head replied;
    std::string bytes, said;
    auto done = co_await connect();
    if (done) done = co_await engine_->write_all(asio::buffer(sent));
    if (done) {
        auto reading = co_await read_reply(*engine_, &replied, &said);
        if (reading)
            bytes = std::move(*reading);
        else
            done = fail(std::move(reading.error()));
    }
    if (!done) bytes = reply(502, "Bad Gateway", "rogate: " + done.error().message);
    // Also without a reply: what was begun for the call is waited for by somebody.
    auto seen = co_await overseer_.after(exchange, done ? replied.status() : 502, said);
    if (!seen) co_return co_await refuse(500, "Internal Server Error", "rogate: " + seen.error().message);
    auto written = co_await client_->write_all(asio::buffer(bytes));
    if (written) written = co_await client_->close_write();
    co_return written;
}

}  // namespace

struct Proxy::Impl : std::enable_shared_from_this<Proxy::Impl> {
    Impl(asio::any_io_executor executor, engine::Transport& to, Overseer& over)
        : transport(to), overseer(over), acceptor(executor), changed(executor) {
        changed.expires_at(asio::steady_timer::time_point::max());
    }

    void accept();
    void serve(std::unique_ptr<Stream> client);
    void cut_off() {
        for (const auto& each : connections) each->cut_off();
    }
    void close();

    engine::Transport& transport;
    Overseer& overseer;
    stream_protocol::acceptor acceptor;
    asio::steady_timer changed;  // a connection has ended
    std::list<std::shared_ptr<Connection>> connections;
    std::string path;
};

void Proxy::Impl::accept() {
    acceptor.async_accept(
        [self = shared_from_this()](const error_code& error, stream_protocol::socket socket) {
            if (!self->acceptor.is_open() || error == asio::error::operation_aborted) return;
            if (!error) self->serve(std::make_unique<LocalStream>(std::move(socket)));
            if (!error) return self->accept();
            // Too many open files: some will be closed.
            auto pause = std::make_shared<asio::steady_timer>(self->acceptor.get_executor(),
                                                              std::chrono::milliseconds(50));
            pause->async_wait([self, pause](const error_code&) {
                if (self->acceptor.is_open()) self->accept();
            });
        });
}

void Proxy::Impl::serve(std::unique_ptr<Stream> client) {
    auto connection = std::make_shared<Connection>(std::move(client), transport, overseer);
    const auto place = connections.insert(connections.end(), connection);
    asio::co_spawn(
        acceptor.get_executor(), connection->serve(),
        [self = shared_from_this(), connection, place](const std::exception_ptr&, const Result<>&) {
            connection->cut_off();
            self->connections.erase(place);
            self->changed.cancel();
        });
}

void Proxy::Impl::close() {
    error_code ignored;
    acceptor.close(ignored);
    cut_off();
    if (!path.empty()) unlink(path.c_str());
}

Proxy::Proxy(asio::any_io_executor executor, engine::Transport& transport, Overseer& overseer)
    : impl_(std::make_shared<Impl>(std::move(executor), transport, overseer)) {}

Proxy::~Proxy() {
    impl_->close();
}

Result<> Proxy::listen(const std::string& folder) {
    const std::string path = folder + "/engine.sock";
    const auto could_not = [&](const std::string& why) {
        return fail(ErrorKind::io, fmt::format("the socket {} cannot be made: {}", path, why));
    };
    // sockaddr_un holds 108 bytes with the final NUL; Asio throws beyond.
    if (path.size() > 107)
        return could_not("its path is longer than the 107 bytes of an address; set TMPDIR to a shorter one");
    error_code error;
    impl_->acceptor.open(stream_protocol(), error);
    if (!error) impl_->acceptor.bind(stream_protocol::endpoint(path), error);
    if (error) return could_not(error.message());
    impl_->path = path;
    if (chmod(path.c_str(), 0600) != 0) return could_not(std::strerror(errno));
    impl_->acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return could_not(error.message());
    impl_->accept();
    return {};
}

std::string Proxy::address() const {
    return "unix://" + impl_->path;
}

void Proxy::serve(std::unique_ptr<Stream> client) {
    impl_->serve(std::move(client));
}

Task<> Proxy::stop() {
    impl_->close();
    co_return co_await cut_off();
}

Task<> Proxy::cut_off() {
    impl_->cut_off();
    while (!impl_->connections.empty()) {
        impl_->changed.expires_at(asio::steady_timer::time_point::max());
        [[maybe_unused]] const auto waited = co_await impl_->changed.async_wait(as_pair);
        const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none)
            co_return fail(ErrorKind::cancelled, "interrupted");
    }
    co_return Result<>{};
}

}  // namespace rogate::proxy
