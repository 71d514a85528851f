#include "scenario/reach.hpp"

#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>

namespace rogate::scenario {

using engine::Task;

Task<HostReach> reach_from_here(engine::Client& client, const std::vector<Place>& places,
                                const Neighbourhood& neighbourhood) {
    const auto executor = co_await boost::asio::this_coro::executor;
    HostReach reach;
    for (const Place& place : places) {
        auto state =
            co_await client.container_inspect(place.reached_by.empty() ? place.container : place.reached_by);
        if (!state) co_return fail(std::move(state.error()));
        if (!state->running) continue;
        const auto address = state->addresses.find(neighbourhood.network);
        for (const std::uint16_t port : place.ports) {
            Reached reached{.name = place.name, .is_subject = place.is_subject, .port = port, .host = {}};
            if (neighbourhood.relay.empty()) {
                const auto published = state->published.find(fmt::format("{}/tcp", port));
                if (published == state->published.end()) continue;
                reached.host = client.endpoint().published_host();
                reached.host_port = published->second;
            } else if (address != state->addresses.end() && !address->second.empty()) {
                auto forward =
                    Forward::open(executor, client, Address{address->second, port, neighbourhood.relay});
                if (!forward) co_return fail(std::move(forward.error()));
                reached.host = "127.0.0.1";
                reached.host_port = (*forward)->port();
                reach.forwards.push_back(std::move(*forward));
            } else {
                continue;
            }
            reach.ports.push_back(std::move(reached));
        }
    }
    co_return reach;
}

}  // namespace rogate::scenario
