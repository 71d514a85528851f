#include "campaign/guests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <rogate/labels.hpp>

#include "proxy/guest.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

constexpr const char* guest_role = "guest";

// The containers of the runs, by their labels. Rogate's own are none of theirs.
class OfSession : public proxy::System {
  public:
    explicit OfSession(std::string session) : session_(std::move(session)) {}

    bool has_container(const std::string&, const proxy::Labels& found) const override {
        const auto session = found.find(session_label), role = found.find(role_label);
        return session != found.end() && session->second == session_ && role != found.end() &&
               (role->second == "subject" || role->second == "service" || role->second == guest_role);
    }
    void add_made(proxy::Belongings&) const override {}
    proxy::Labels labels_of_new() const override { return labels(session_, guest_role); }
    Task<> settled() override { co_return Result<>{}; }  // the engine itself knows labels
    void refused(const std::string& what) override {
        if (refused_.empty()) refused_ = what;
    }
    void looks(const std::string& what) override {
        if (looked_.empty()) looked_ = what;
    }
    // What is done by exec is seen; what others do that it starts is not.
    void acts(const std::string& what) override {
        if (what.ends_with("/exec") || what.ends_with("/attach") || what.ends_with("/resize")) return;
        if (done_.empty()) done_ = what;
    }
    // The first of its kind; empty: there was none.
    const std::string& first_refused() const { return refused_; }
    const std::string& first_look() const { return looked_; }
    const std::string& first_done() const { return done_; }
    const std::string& session() const { return session_; }

  private:
    std::string session_, refused_, looked_, done_;
};

// A connection that keeps what serves it, also when the runs have been given up.
class Kept : public engine::Stream {
  public:
    Kept(std::unique_ptr<engine::Stream> stream, std::shared_ptr<void> keeper)
        : keeper_(std::move(keeper)), stream_(std::move(stream)) {}
    Task<std::size_t> read_some(boost::asio::mutable_buffer buffer) override {
        return stream_->read_some(buffer);
    }
    Task<> write_all(boost::asio::const_buffer buffer) override { return stream_->write_all(buffer); }
    Task<> close_write() override { return stream_->close_write(); }
    void close() noexcept override { stream_->close(); }

  private:
    std::shared_ptr<void> keeper_;
    std::unique_ptr<engine::Stream> stream_;
};

}  // namespace

bool has_engine_socket(const Scenario& scenario, const engine::Endpoint& endpoint,
                       const BoundVolumes& bound) {
    const auto holds = [&](const Mount& mount) {
        const std::string place = place_on_host(mount, bound);
        return !place.empty() &&
               (is_engine_socket(place, endpoint) || !engine_sockets_below(place, endpoint).empty());
    };
    const auto of = [&](const Subject& subject) { return std::ranges::any_of(subject.mounts, holds); };
    return of(scenario.subject) || std::ranges::any_of(scenario.pod.volumes, holds, &PodVolume::data) ||
           std::ranges::any_of(scenario.companions,
                               [&](const Companion& each) { return of(each.subject); }) ||
           std::ranges::any_of(scenario.members, [&](const Member& each) { return of(each.subject); });
}

struct Guests::Impl {
    Impl(engine::Client& to, std::string session, std::unique_ptr<engine::Transport> by, BoundVolumes folders)
        : client(to), system(std::move(session)), transport(std::move(by)), bound(std::move(folders)) {}

    engine::Client& client;
    OfSession system;
    std::unique_ptr<engine::Transport> transport;
    BoundVolumes bound;
    std::unique_ptr<proxy::Guest> guest;
    std::unique_ptr<proxy::Proxy> passing;
    std::unique_ptr<Door> door;
};

Guests::Guests(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Guests::~Guests() {
    impl_->door.reset();
    impl_->passing.reset();
}

Task<std::unique_ptr<Guests>> Guests::open(engine::Client& client, std::string session, BoundVolumes bound) {
    const auto executor = co_await boost::asio::this_coro::executor;
    auto transport = engine::make_transport(executor, client.endpoint());
    if (!transport) co_return fail(std::move(transport.error()));
    auto impl = std::make_shared<Impl>(client, session, std::move(*transport), std::move(bound));
    const engine::Endpoint endpoint = client.endpoint();
    impl->guest = std::make_unique<proxy::Guest>(
        client, *impl->transport, impl->system, nullptr,
        proxy::GuestOptions{
            .is_socket = [endpoint](const std::string& source) { return is_engine_socket(source, endpoint); },
            .door = {}});
    impl->passing = std::make_unique<proxy::Proxy>(executor, *impl->transport, *impl->guest);
    std::vector<std::string> like;
    if (endpoint.kind == engine::Endpoint::Kind::unix_socket) like.push_back(endpoint.path);
    like.emplace_back("/var/run/docker.sock");
    const std::weak_ptr<Impl> serving = impl;
    Door::Taken taken = [serving](std::unique_ptr<engine::Stream> stream) {
        const std::shared_ptr<Impl> there = serving.lock();
        if (there != nullptr && there->passing != nullptr)
            there->passing->serve(std::make_unique<Kept>(std::move(stream), there));
    };
    auto door = co_await Door::open(client, std::move(session), std::move(like), std::move(taken));
    if (!door)
        co_return fail(
            std::move(door.error())
                .with_context("a container mounts the engine's socket; --engine-socket real gives it "
                              "the real one"));
    impl->door = std::move(*door);
    impl->guest->set_door(impl->door->source());
    co_return std::unique_ptr<Guests>(new Guests(std::move(impl)));
}

StandIn Guests::stand_in() const {
    return {.endpoint = impl_->client.endpoint(), .source = impl_->door->source(), .bound = impl_->bound};
}

std::string Guests::doubt(const Subject& subject) const {
    const engine::Endpoint& endpoint = impl_->client.endpoint();
    // What was made can have taken the mounts of any container along.
    if (const std::string& done = impl_->system.first_done(); !done.empty())
        return fmt::format(
            "a container that has the engine's socket has others made, changed or ended ({}), and what these "
            "write is not watched; `rogate wrap` watches them",
            done);
    Subject without = subject;
    std::erase_if(without.mounts, [&](const Mount& mount) {
        return mount.type == MountType::bind && is_engine_socket(mount.source, endpoint);
    });
    // A folder has other ways to the engine than this one socket.
    if (std::string other = engine_socket_doubt(without, endpoint, impl_->bound); !other.empty())
        return other;
    if (!impl_->door->trouble().empty())
        return "the socket that containers have in place of the engine's broke off: " +
               impl_->door->trouble();
    // Whoever asked: the socket may be one that others speak to through this container (a socket proxy), and
    // what a guest does not do, others do not see.
    if (const std::string& refused = impl_->system.first_refused(); !refused.empty())
        return fmt::format(
            "a container that has the engine's socket asked for what it was not given ({}), so that the run "
            "is not as in life; --engine-socket real gives it everything",
            refused);
    // Containers of the runs have neither the names nor the labels, networks and sources of those in life.
    // The labels are left out on purpose: whoever else looks at the engine (traefik, watchtower, docker
    // compose) would take these for the user's.
    if (const std::string& look = impl_->system.first_look(); !look.empty())
        return fmt::format(
            "a container that has the engine's socket read what there is of the system ({}), which in the "
            "runs has other names, labels, networks and mounts than in life, so that it may act otherwise; "
            "with `rogate wrap` it has its own",
            look);
    return {};
}

Task<> Guests::end_run() {
    auto cut = co_await impl_->passing->cut_off();
    if (!cut) co_return cut;
    engine::Client& client = impl_->client;
    const std::string label = fmt::format("{}={}", session_label, impl_->system.session());
    const auto is_guests = [](const auto& each) {
        const auto role = each.labels.find(role_label);
        return role != each.labels.end() && role->second == guest_role;
    };
    auto containers = co_await client.container_list(label);
    if (!containers) co_return fail(std::move(containers.error()));
    for (const engine::ContainerSummary& each : *containers)
        if (is_guests(each))
            if (auto removed = co_await client.container_remove(each.id); !removed) co_return removed;
    auto volumes = co_await client.volume_list(label);
    if (!volumes) co_return fail(std::move(volumes.error()));
    for (const engine::VolumeInfo& each : *volumes)
        if (is_guests(each))
            if (auto removed = co_await client.volume_remove(each.name); !removed) co_return removed;
    auto networks = co_await client.network_list(label);
    if (!networks) co_return fail(std::move(networks.error()));
    for (const engine::NetworkInfo& each : *networks)
        if (is_guests(each))
            if (auto removed = co_await client.network_remove(each.id); !removed) co_return removed;
    impl_->guest->forget();
    co_return Result<>{};
}

}  // namespace rogate::campaign
