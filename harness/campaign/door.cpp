#include "campaign/door.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
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
// What was told to a client through an exec.
constexpr std::chrono::seconds longest_under_way(2);

// A connection by the standard streams of a program in the door's container (holder/holder.c, take).
class DoorStream : public engine::Stream {
  public:
    DoorStream(asio::any_io_executor executor, std::unique_ptr<Attachment> attachment, std::string begun)
        : executor_(std::move(executor)), attachment_(std::move(attachment)), bytes_(std::move(begun)) {}

    Task<std::size_t> read_some(asio::mutable_buffer buffer) override {
        while (bytes_.empty()) {
            if (is_over_) co_return std::size_t{0};
            auto chunk = co_await attachment_->read();
            if (!chunk) co_return fail(std::move(chunk.error()));
            if (!*chunk || (*chunk)->channel == Channel::err) is_over_ = true;
            if (*chunk && (*chunk)->channel == Channel::out) bytes_ = std::move((*chunk)->bytes);
        }
        const std::size_t size = std::min(buffer.size(), bytes_.size());
        std::memcpy(buffer.data(), bytes_.data(), size);
        bytes_.erase(0, size);
        co_return size;
    }
    Task<> write_all(asio::const_buffer buffer) override {
        const std::string_view bytes(static_cast<const char*>(buffer.data()), buffer.size());
        co_return co_await attachment_->write(bytes);
    }
    // The end of what it is told is the connection's end. What is under way must get there first: an engine
    // drops it when the other side has gone. Most clients close by themselves when they have it all.
    Task<> close_write() override {
        if (!std::exchange(is_told_all_, true))
            asio::co_spawn(executor_, linger(attachment_), asio::detached);
        co_return Result<>{};
    }
    void close() noexcept override {
        if (!is_told_all_) attachment_->close();
    }

  private:
    static Task<> linger(std::shared_ptr<Attachment> attachment) {
        co_await asio::this_coro::throw_if_cancelled(false);
        asio::steady_timer until(co_await asio::this_coro::executor, longest_under_way);
        co_await until.async_wait(asio::as_tuple(asio::use_awaitable));
        attachment->close();
        co_return Result<>{};
    }

    asio::any_io_executor executor_;
    std::shared_ptr<Attachment> attachment_;
    bool is_told_all_ = false;
    std::string bytes_;
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
        std::string bytes;
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
            } else {
                ++door->ready;
                door->changed.cancel();
            }
        }
        door->waiting.erase(attachment.get());
        if (door->is_closed) co_return Result<>{};
        bytes.erase(0, 1);  // it says that a connection is there
        door->taken(std::make_unique<DoorStream>(door->executor, std::move(attachment), std::move(bytes)));
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
