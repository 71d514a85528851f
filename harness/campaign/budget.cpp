#include "campaign/budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace rogate::campaign {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// As it is given on the command line.
std::string duration_text(milliseconds time) {
    if (time % std::chrono::hours(1) == milliseconds(0))
        return fmt::format("{}h", time / std::chrono::hours(1));
    if (time % std::chrono::minutes(1) == milliseconds(0))
        return fmt::format("{}m", time / std::chrono::minutes(1));
    if (time % std::chrono::seconds(1) == milliseconds(0))
        return fmt::format("{}s", time / std::chrono::seconds(1));
    return fmt::format("{}ms", time.count());
}

}  // namespace

Budget::Budget(std::optional<int> max_runs, std::optional<milliseconds> max_time) : max_runs_(max_runs) {
    if (!max_time) return;
    max_time_ = *max_time;
    // A clock's range is shorter than what can be asked for.
    deadline_ = Clock::now() + std::min<milliseconds>(*max_time, std::chrono::hours(24 * 365));
}

std::string Budget::refusal(int runs) const {
    if (deadline_ && Clock::now() >= *deadline_)
        return fmt::format("--max-time {} is over", duration_text(max_time_));
    if (!max_runs_ || taken_ + runs <= *max_runs_) return {};
    const int left = *max_runs_ - taken_;
    if (left <= 0) return fmt::format("--max-runs {} is used up", *max_runs_);
    return fmt::format("{} of --max-runs {} {} left, and what is next takes {}", left, *max_runs_,
                       left == 1 ? "is" : "are", runs);
}

engine::Task<> Budget::wait_until(Clock::time_point when) {
    co_await asio::this_coro::throw_if_cancelled(false);
    asio::steady_timer timer(co_await asio::this_coro::executor, when);
    auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return fail(ErrorKind::cancelled, "interrupted");
    co_return Result<>{};
}

}  // namespace rogate::campaign
