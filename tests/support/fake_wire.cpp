// The fake engine's side of a connection: HTTP/1.1, replies in an order of chance, and what can go wrong with
// a call.
#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "support/fake_engine.hpp"

namespace rogate::test {

namespace asio = boost::asio;
using engine::Stream;
using engine::Task;
using nlohmann::json;

namespace {

void poke(Wire& wire) {
    wire.wake.cancel();
}

class FakeStream : public Stream {
  public:
    FakeStream(FakeEngine& engine, WirePtr wire) : engine_(engine), wire_(std::move(wire)) {}
    ~FakeStream() override { close(); }

    Task<std::size_t> read_some(asio::mutable_buffer buffer) override {
        Wire& wire = *wire_;
        while (wire.taken == wire.sent.size() && !wire.is_over && !wire.client_has_gone) {
            wire.wake.expires_at(asio::steady_timer::time_point::max());
            [[maybe_unused]] const auto woken =
                co_await wire.wake.async_wait(asio::as_tuple(asio::use_awaitable));
            const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
            if (state.cancelled() != asio::cancellation_type::none)
                co_return fail(ErrorKind::cancelled, "interrupted");
        }
        if (wire.client_has_gone) co_return fail(ErrorKind::engine, "Bad file descriptor");
        const std::size_t size = std::min(buffer.size(), wire.sent.size() - wire.taken);
        std::memcpy(buffer.data(), wire.sent.data() + wire.taken, size);
        wire.taken += size;
        co_return size;
    }
    Task<> write_all(asio::const_buffer buffer) override {
        if (wire_->is_over) co_return fail(ErrorKind::engine, "Broken pipe");
        wire_->received.append(static_cast<const char*>(buffer.data()), buffer.size());
        if (wire_->on_bytes)
            wire_->on_bytes();
        else
            engine_.serve(wire_);
        co_return Result<>{};
    }
    Task<> close_write() override { co_return Result<>{}; }
    void close() noexcept override {
        wire_->client_has_gone = true;
        poke(*wire_);
    }

  private:
    FakeEngine& engine_;
    WirePtr wire_;
};

class FakeTransport : public engine::Transport {
  public:
    FakeTransport(FakeEngine& engine, std::vector<std::weak_ptr<Wire>>& wires)
        : engine_(engine), wires_(wires) {}
    Task<std::unique_ptr<Stream>> connect() override {
        auto wire = std::make_shared<Wire>(engine_.context());
        wires_.push_back(wire);
        std::unique_ptr<Stream> stream = std::make_unique<FakeStream>(engine_, std::move(wire));
        co_return stream;
    }

  private:
    FakeEngine& engine_;
    std::vector<std::weak_ptr<Wire>>& wires_;
};

std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%' || i + 2 >= text.size()) {
            plain += text[i];
            continue;
        }
        plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
    }
    return plain;
}

template <class Use>
void each_part(std::string_view text, char separator, Use use) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        if (end > 0) use(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

Call call_of(std::string_view head) {
    Call call;
    const std::size_t space = head.find(' ');
    call.method = head.substr(0, space);
    std::string_view target = head.substr(space + 1);
    target = target.substr(0, target.find(' '));
    const std::size_t question = std::min(target.find('?'), target.size());
    std::string_view path = target.substr(0, question);
    if (path.starts_with("/v1.")) path.remove_prefix(path.find('/', 1));
    call.path = path;
    each_part(path, '/', [&](std::string_view word) { call.words.push_back(unescaped(word)); });
    each_part(target.substr(std::min(question + 1, target.size())), '&', [&](std::string_view pair) {
        const std::size_t equals = std::min(pair.find('='), pair.size());
        call.query[std::string(pair.substr(0, equals))] =
            unescaped(pair.substr(std::min(equals + 1, pair.size())));
    });
    return call;
}

std::string without_chunks(std::string_view text) {
    std::string whole;
    for (;;) {
        const std::size_t size =
            std::strtoul(std::string(text.substr(0, text.find('\r'))).c_str(), nullptr, 16);
        text.remove_prefix(text.find('\n') + 1);
        if (size == 0) return whole;
        whole += text.substr(0, size);
        text.remove_prefix(size + 2);
    }
}

}  // namespace

std::string frame(char channel, const std::string& bytes) {
    std::string text(8, '\0');
    text[0] = channel;
    for (std::size_t i = 0; i < 4; ++i) text[7 - i] = static_cast<char>(bytes.size() >> (8 * i));
    return text + bytes;
}

std::unique_ptr<engine::Transport> FakeEngine::transport() {
    return std::make_unique<FakeTransport>(*this, wires_);
}

std::size_t FakeEngine::open_wires() const {
    std::size_t open = 0;
    for (const auto& each : wires_)
        if (const WirePtr wire = each.lock(); wire && !wire->client_has_gone) ++open;
    return open;
}

void FakeEngine::after(std::chrono::milliseconds time, std::function<void()> what) {
    auto timer = std::make_shared<asio::steady_timer>(context_, time);
    timer->async_wait([timer, what = std::move(what)](boost::system::error_code error) {
        if (!error) what();
    });
}

// A request that is whole is taken a moment later, so that requests overtake each other.
void FakeEngine::serve(const WirePtr& wire) {
    if (wire->is_served) return;
    const std::size_t end = wire->received.find("\r\n\r\n");
    if (end == std::string::npos) return;
    static constexpr std::string_view length_field = "Content-Length: ";
    const std::size_t length = wire->received.find(length_field);
    const std::size_t size =
        length < end ? std::strtoul(wire->received.c_str() + length + length_field.size(), nullptr, 10) : 0;
    const bool is_chunked = wire->received.find("Transfer-Encoding: chunked") < end;
    if (is_chunked ? !wire->received.ends_with("\r\n0\r\n\r\n") : wire->received.size() < end + 4 + size)
        return;
    wire->is_served = true;
    auto call = std::make_shared<Call>(call_of(wire->received));
    call->body = std::exchange(wire->received, {});
    call->body.erase(0, end + 4);
    if (is_chunked) call->body = without_chunks(call->body);
    call->wire = wire;
    after(std::chrono::milliseconds(random_() % static_cast<std::uint64_t>(slowest.count() + 1)),
          [this, call] { receive(std::move(*call)); });
}

void FakeEngine::receive(Call call) {
    calls_.push_back(call.name());
    if (fault) call.wire->fault = fault(static_cast<int>(calls_.size()), call);
    if (!call.wire->fault) return handle(call);
    switch (*call.wire->fault) {
        case Fault::refused:
            return refuse(call, 500, "the engine cannot do that now");
        case Fault::broken_before:
            return send(call.wire, {});
        case Fault::hangs:
            return;
        case Fault::slow: {
            auto later = std::make_shared<Call>(std::move(call));
            return after(std::chrono::seconds(30), [this, later] {
                if (!later->wire->client_has_gone) handle(*later);
            });
        }
        default:
            apply(*call.wire->fault);
            return handle(call);
    }
}

void FakeEngine::apply(Fault what) {
    if (what == Fault::forgets) forget_something();
    if (what == Fault::subject_dies) end_subject(137);
    if (what == Fault::subject_ends) end_subject(0);
}

void FakeEngine::send(const WirePtr& wire, std::string text, bool over) {
    if (wire->fault == Fault::broken_after) text.clear(), over = true;
    if (wire->fault == Fault::broken_within) text.resize(text.size() / 2), over = true;
    wire->sent += text;
    wire->is_over = wire->is_over || over;
    poke(*wire);
}

void FakeEngine::reply_raw(const Call& call, int status, const std::string& body,
                           const std::string& headers) {
    std::string text =
        fmt::format("HTTP/1.1 {} X\r\n{}Content-Length: {}\r\n\r\n", status, headers, body.size());
    if (call.method != "HEAD") text += body;
    send(call.wire, std::move(text));
}

void FakeEngine::reply(const Call& call, int status, const json& body, const std::string& headers) {
    reply_raw(call, status, status == 204 ? std::string() : body.dump(), headers);
}

void FakeEngine::refuse(const Call& call, int status, const std::string& message) {
    reply(call, status, {{"message", message}});
}

void FakeEngine::upgrade(const Call& call) {
    send(call.wire, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n", false);
}

}  // namespace rogate::test
