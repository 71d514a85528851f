#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <rogate/labels.hpp>

#include "campaign/campaign.hpp"

namespace rogate::campaign {

namespace asio = boost::asio;
using engine::Task;

namespace {

// Notes the first failure and goes on: one thing that cannot be removed must not keep the others.
class FirstFailure {
  public:
    template <class T>
    bool note(const Result<T>& result) {
        if (!result && first_) first_ = fail(result.error());
        return result.has_value();
    }
    const Result<>& get() const { return first_; }

  private:
    Result<> first_;
};

}  // namespace

Task<Leftovers> sweep(engine::Client& client, std::string session, bool dry_run) {
    const std::string label = session.empty() ? session_label : fmt::format("{}={}", session_label, session);
    Leftovers found;
    FirstFailure failure;
    // Containers first: they hold volumes, networks and images.
    auto containers = co_await client.container_list(label);
    if (failure.note(containers))
        for (const auto& container : *containers) {
            ++found.containers;
            if (!dry_run) failure.note(co_await client.container_remove(container.id));
        }
    auto volumes = co_await client.volume_list(label);
    if (failure.note(volumes))
        for (const auto& volume : *volumes) {
            ++found.volumes;
            if (!dry_run) failure.note(co_await client.volume_remove(volume.name));
        }
    auto networks = co_await client.network_list(label);
    if (failure.note(networks))
        for (const auto& network : *networks) {
            ++found.networks;
            if (!dry_run) failure.note(co_await client.network_remove(network.id));
        }
    auto images = co_await client.image_list(label);
    if (failure.note(images))
        for (const auto& image : *images) {
            ++found.images;
            if (!dry_run) failure.note(co_await client.image_remove(image.id, true));
        }
    if (!failure.get()) co_return fail(Error(failure.get().error()));
    co_return found;
}

Task<Leftovers> sweep_until_settled(engine::Client& client, std::string session, int empty_looks,
                                    std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    Leftovers total;
    for (int empty = 0;;) {
        auto found = co_await sweep(client, session);
        const bool late = std::chrono::steady_clock::now() >= until;
        if (!found && (found.error().kind == ErrorKind::cancelled || late))
            co_return fail(std::move(found.error()));
        if (found) {
            total.containers += found->containers;
            total.volumes += found->volumes;
            total.networks += found->networks;
            total.images += found->images;
            empty = found->any() ? 0 : empty + 1;
            if (empty >= empty_looks) co_return total;
            if (late)
                co_return fail(ErrorKind::engine, "the engine has things of this session again and again");
            if (empty_looks == 1) continue;
        }
        asio::steady_timer pause(co_await asio::this_coro::executor, std::chrono::milliseconds(250));
        co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

}  // namespace rogate::campaign
