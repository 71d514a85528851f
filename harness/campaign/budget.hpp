// How many runs, and how much time, the campaigns of one command may take in all.
#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "engine/client.hpp"

namespace rogate::campaign {

class Budget {
  public:
    using Clock = std::chrono::steady_clock;

    Budget() = default;  // without bounds
    // The time begins now.
    Budget(std::optional<int> max_runs, std::optional<std::chrono::milliseconds> max_time);

    // Why so many runs cannot be begun, as a clause ("--max-runs 4 is used up"); empty: they can be.
    std::string refusal(int runs) const;
    // Others cannot have them from now on; what was not made of them is given back.
    void take(int runs) { taken_ += runs; }
    void give_back(int runs) { taken_ -= runs; }

    // `work`, ended as by an interruption when the time is over: then `*ended` is true, and what was under
    // way has left on the engine what an interruption leaves.
    template <class T>
    engine::Task<T> within(engine::Task<T> work, bool* ended) const;

  private:
    template <class T>
    static engine::Task<T> without_throwing(engine::Task<T> work);
    static engine::Task<> wait_until(Clock::time_point when);

    std::optional<int> max_runs_;
    int taken_ = 0;
    std::chrono::milliseconds max_time_{};
    std::optional<Clock::time_point> deadline_;
};

// Each side of an operator|| is a coroutine thread of its own, and must be told by itself that cancellation
// is an answer.
template <class T>
engine::Task<T> Budget::without_throwing(engine::Task<T> work) {
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    co_return co_await std::move(work);
}

template <class T>
engine::Task<T> Budget::within(engine::Task<T> work, bool* ended) const {
    using namespace boost::asio::experimental::awaitable_operators;
    if (!deadline_) co_return co_await std::move(work);
    // One that came before would be lost otherwise: the new threads of || know nothing of it.
    const boost::asio::cancellation_state state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none)
        co_return fail(ErrorKind::cancelled, "interrupted");
    auto guarded = without_throwing(std::move(work));
    auto expiry = wait_until(*deadline_);
    auto outcome = co_await (std::move(guarded) || std::move(expiry));
    if (outcome.index() == 0) co_return std::get<0>(std::move(outcome));
    *ended = std::get<1>(outcome).has_value();
    co_return fail(ErrorKind::cancelled, "interrupted");
}

}  // namespace rogate::campaign
