#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <rogate/labels.hpp>

#include "campaign/campaign.hpp"
#include "engine/together.hpp"

namespace rogate::campaign {

namespace asio = boost::asio;
using engine::Task;

namespace {

// One kind of thing: what there is of it, and that it is gone. One thing that cannot be removed does not keep
// the others.
template <class Listed, class Remove>
Task<> remove_all(Task<std::vector<Listed>> listing, std::size_t* found, bool dry_run, Remove remove) {
    auto list = co_await std::move(listing);
    if (!list) co_return fail(std::move(list.error()));
    *found = list->size();
    std::vector<Task<>> removals;
    for (const Listed& each : *list)
        if (!dry_run) removals.push_back(remove(each));
    auto all = engine::together(std::move(removals));
    co_return co_await std::move(all);
}

}  // namespace

Task<Leftovers> sweep(engine::Client& client, std::string session, bool dry_run) {
    const std::string label = session.empty() ? session_label : fmt::format("{}={}", session_label, session);
    Leftovers found;
    // Containers first: they hold volumes, networks and images.
    auto containers = remove_all(client.container_list(label), &found.containers, dry_run,
                                 [&](const auto& each) { return client.container_remove(each.id); });
    Result<> first = co_await std::move(containers);
    std::vector<Task<>> others;
    others.push_back(remove_all(client.volume_list(label), &found.volumes, dry_run,
                                [&](const auto& each) { return client.volume_remove(each.name); }));
    others.push_back(remove_all(client.network_list(label), &found.networks, dry_run,
                                [&](const auto& each) { return client.network_remove(each.id); }));
    others.push_back(remove_all(client.image_list(label), &found.images, dry_run,
                                [&](const auto& each) { return client.image_remove(each.id, true); }));
    auto rest = engine::together(std::move(others));
    Result<> removed = co_await std::move(rest);
    if (!first) co_return fail(std::move(first.error()));
    if (!removed) co_return fail(std::move(removed.error()));
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
