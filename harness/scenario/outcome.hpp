// What the step runner's own sources share.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "scenario/step_runner.hpp"

namespace rogate::scenario {

inline StepOutcome pass() {
    return {.passed = true, .message = {}, .exec_pids = {}};
}
inline StepOutcome miss(std::string why) {
    return {.passed = false, .message = std::move(why), .exec_pids = {}};
}
inline StepOutcome judged(const Step& step, Observed observed, const Masker& masker) {
    std::string why = mismatch(step, observed, masker);
    return {
        .passed = why.empty(), .message = std::move(why), .exec_pids = {}, .observed = std::move(observed)};
}

// Ends early when cancelled.
inline boost::asio::awaitable<void> sleep_for(engine::Milliseconds time) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

}  // namespace rogate::scenario
