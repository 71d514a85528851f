#include "campaign/door.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstring>
#include <rogate/labels.hpp>
#include <set>
#include <utility>

#include "campaign/relay.hpp"

namespace rogate::campaign {

namespace asio = boost::asio;
using engine::Attachment;
using engine::Channel;
using engine::Task;

namespace {

constexpr const char *folder = "/door", *socket_name = "/door/engine.sock",
                     *takers_name = "/door/takers.sock", *original = "/engine.sock";
// Who wait for a connection at the same time: an exec takes a moment to begin.
constexpr int takers = 3;
// From the end of what a client was told until the program that tells it has ended.
constexpr std::chrono::seconds longest_under_way(60);
constexpr std::chrono::milliseconds between_looks(50);

// A connection by the standard streams of a program in the door's container (holder/holder.c, take).
class DoorStream : public engine::Stream {
  public:
    // `begun`: what came on standard output already; `told`: the same of standard error.
    DoorStream(asio::any_io_executor executor, std::unique_ptr<Attachment> attachment, std::string begun,
               std::string told)
        : executor_(std::move(executor)),
          line_(std::make_shared<Line>()),
          bytes_(std::move(begun)),
          told_(std::move(told)),
          received_(bytes_.size()) {
        line_->attachment = std::move(attachment);
    }

    Task<std::size_t> read_some(asio::mutable_buffer buffer) override {
        while (bytes_.empty()) {
            if (is_over_ || has_said_all()) co_return std::size_t{0};
            line_->is_read = true;
            auto chunk = co_await line_->attachment->read();
            line_->is_read = false;
            line_->has_ended = !chunk || !*chunk;
            if (!chunk) co_return fail(std::move(chunk.error()));
            if (!*chunk) {
                is_over_ = true;
            } else if ((*chunk)->channel == Channel::err) {
                told_ += (*chunk)->bytes;
            } else {
                bytes_ = std::move((*chunk)->bytes);
                received_ += bytes_.size();
            }
        }
        const std::size_t size = std::min(buffer.size(), bytes_.size());
        std::memcpy(buffer.data(), bytes_.data(), size);
        bytes_.erase(0, size);
        co_return size;
    }
    Task<> write_all(asio::const_buffer buffer) override {
        const std::string_view bytes(static_cast<const char*>(buffer.data()), buffer.size());
        co_return co_await line_->attachment->write(bytes);
    }
    // The end of what it is told is the connection's end. What is under way has to get there first: an engine
    // drops it when the other side has gone. So the program is told that this was all, and its end is waited
    // for.
    Task<> close_write() override {
        if (!std::exchange(is_told_all_, true)) asio::co_spawn(executor_, linger(line_), asio::detached);
        co_return Result<>{};
    }
    void close() noexcept override {
        if (!is_told_all_) line_->attachment->close();
    }

  private:
    struct Line {
        std::unique_ptr<Attachment> attachment;
        bool is_read = false;    // somebody waits for what comes next
        bool has_ended = false;  // the program, or the way to it
    };

    // The program's two streams overtake each other: its word of the end says how much there was.
    bool has_said_all() const {
        const std::size_t end = told_.find('e');  // behind what says that it is ready
        if (end == std::string::npos || told_.size() < end + 9) return false;
        std::uint64_t said = 0;
        for (std::size_t i = end + 8; i > end; --i) said = said << 8 | static_cast<unsigned char>(told_[i]);
        return received_ >= said;
    }
    static Task<> drain(std::shared_ptr<Line> line) {
        co_await asio::this_coro::throw_if_cancelled(false);
        while (!line->has_ended) {
            auto chunk = co_await line->attachment->read();
            line->has_ended = !chunk || !*chunk;
        }
        co_return Result<>{};
    }
    static Task<> pause(std::chrono::milliseconds time) {
        co_await asio::this_coro::throw_if_cancelled(false);
        asio::steady_timer until(co_await asio::this_coro::executor, time);
        co_await until.async_wait(asio::as_tuple(asio::use_awaitable));
        co_return Result<>{};
    }
    static Task<> linger(std::shared_ptr<Line> line) {
        using namespace asio::experimental::awaitable_operators;
        co_await asio::this_coro::throw_if_cancelled(false);
        const auto until = std::chrono::steady_clock::now() + longest_under_way;
        const auto told = co_await line->attachment->close_write();
        while (told && !line->has_ended && line->is_read && std::chrono::steady_clock::now() < until)
            co_await pause(between_looks);
        if (told && !line->has_ended && !line->is_read) {
            auto drained = drain(line);
            auto time = pause(longest_under_way);
            co_await (std::move(drained) || std::move(time));
        }
        line->attachment->close();
        co_return Result<>{};
    }

    asio::any_io_executor executor_;
    std::shared_ptr<Line> line_;
    bool is_told_all_ = false;
    std::string bytes_, told_;
    std::uint64_t received_ = 0;
    bool is_over_ = false;
};

}  // namespace

struct Door::Impl {
    Impl(engine::Client& to, asio::any_io_executor on, Taken then)
        : client(to), executor(on), taken(std::move(then)), changed(on) {
        changed.expires_at(asio::steady_timer::time_point::max());
    }

    engine::Client& client;
    asio::any_io_executor executor;
    Taken taken;
    std::string container, source, trouble;
    asio::steady_timer changed;  // a taker is ready, or has ended
    std::set<Attachment*> waiting;
    int ready = 0;
    bool is_closed = false;
};

// One connection after the other. The door may be gone meanwhile.
Task<> Door::take(std::shared_ptr<Impl> door) {
    while (!door->is_closed) {
        engine::ExecSpec spec;
        spec.command = {"/rogate-holder", "take", takers_name};
        spec.attach_stdin = true;
        auto begun = co_await door->client.exec_attached(door->container, std::move(spec));
        if (!begun) co_return fail(std::move(begun.error()));
        std::unique_ptr<Attachment> attachment = std::move(*begun);
        if (door->is_closed) co_return Result<>{};
        door->waiting.insert(attachment.get());
        std::string bytes, told;
        while (bytes.empty()) {
            auto chunk = co_await attachment->read();
            if (!chunk || !*chunk) {
                door->waiting.erase(attachment.get());
                if (door->is_closed) co_return Result<>{};
                if (!chunk) co_return fail(std::move(chunk.error()));
                co_return fail(ErrorKind::engine, "the program that takes connections has ended");
            }
            if ((*chunk)->channel == Channel::out) {
                bytes = std::move((*chunk)->bytes);
                continue;
            }
            if (told.empty()) {
                ++door->ready;
                door->changed.cancel();
            }
            told += (*chunk)->bytes;
        }
        door->waiting.erase(attachment.get());
        if (door->is_closed) co_return Result<>{};
        bytes.erase(0, 1);  // it says that a connection is there
        door->taken(std::make_unique<DoorStream>(door->executor, std::move(attachment), std::move(bytes),
                                                 std::move(told)));
    }
    co_return Result<>{};
}

Task<std::unique_ptr<Door>> Door::open(engine::Client& client, std::string session,
                                       std::vector<std::string> like, Taken taken) {
    auto impl = std::make_shared<Impl>(client, co_await asio::this_coro::executor, std::move(taken));
    std::unique_ptr<Door> door(new Door(impl));
    auto image = co_await import_holder(client, session);
    if (!image) co_return fail(std::move(image.error()));
    engine::VolumeSpec volume;
    volume.name = fmt::format("rogate-{}-door", session);
    volume.labels = labels(session, "door");
    auto made = co_await client.volume_create(std::move(volume));
    if (!made) co_return fail(std::move(made.error()).with_context("making the volume of a socket"));
    impl->source = made->mountpoint + "/engine.sock";
    engine::ContainerSpec spec = holder_container(std::move(*image));
    spec.name = fmt::format("rogate-{}-door", session);
    spec.labels = labels(session, "door");
    spec.cmd = std::vector<std::string>{"listen", socket_name, takers_name, original};
    spec.cap_add = {"CHOWN", "FOWNER"};
    spec.network_disabled = true;
    engine::MountSpec own;
    own.type = engine::MountSpec::Type::volume;
    own.source = made->name;
    own.target = folder;
    own.no_copy = true;
    spec.mounts.push_back(std::move(own));
    Result<std::string> created = fail(ErrorKind::internal, "no socket is named");
    for (std::string& each : like) {
        engine::ContainerSpec with = spec;
        engine::MountSpec real;
        real.source = std::move(each);
        real.target = original;
        real.read_only = true;
        with.mounts.push_back(std::move(real));
        created = co_await client.container_create(std::move(with));
        if (created || created.error().kind == ErrorKind::cancelled) break;
    }
    if (!created) co_return fail(std::move(created.error()).with_context("making a socket for containers"));
    impl->container = *created;
    auto started = co_await client.container_start(*created);
    if (!started) co_return fail(std::move(started.error()).with_context("starting a socket for containers"));
    for (int i = 0; i < takers; ++i)
        asio::co_spawn(impl->executor, take(impl), [impl](const std::exception_ptr&, const Result<>& done) {
            if (!done && impl->trouble.empty()) impl->trouble = done.error().message;
            impl->changed.cancel();
        });
    while (impl->ready == 0 && impl->trouble.empty()) {
        impl->changed.expires_at(asio::steady_timer::time_point::max());
        co_await impl->changed.async_wait(asio::as_tuple(asio::use_awaitable));
        const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none)
            co_return fail(ErrorKind::cancelled, "interrupted");
    }
    if (!impl->trouble.empty())
        co_return fail(ErrorKind::engine, "the socket for containers takes no connections: " + impl->trouble);
    co_return door;
}

Door::~Door() {
    impl_->is_closed = true;
    for (Attachment* each : impl_->waiting) each->close();
}

const std::string& Door::source() const {
    return impl_->source;
}

const std::string& Door::trouble() const {
    return impl_->trouble;
}

}  // namespace rogate::campaign
