#include "campaign/phases.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "scenario/outcome.hpp"

namespace rogate::campaign {

using engine::Task;

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Task<> pause_for(std::chrono::milliseconds time) {
    co_await scenario::sleep_for(time);
    const boost::asio::cancellation_state state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none)
        co_return rogate::fail(ErrorKind::cancelled, "interrupted");
    co_return Result<>{};
}

void Phases::begin_within(std::string name) {
    bench_.status.phase_started(name);
    start_ = std::chrono::steady_clock::now();
    record_.phases.push_back({.name = std::move(name), .passed = false, .message = {}, .duration_s = 0});
}

Task<> Phases::begin(std::string name, std::string container) {
    begin_within(name);
    record_.phases.back().container = std::move(container);
    if (record_.phases.size() == 1) co_return Result<>{};
    co_return co_await bench_.observer.phase(std::move(name));
}

void Phases::end(bool passed, const std::string& message, const Masker& masker) {
    PhaseRecord& phase = record_.phases.back();
    phase.passed = passed;
    phase.message = masked_beginning(masker, message, longest_message);
    phase.duration_s = seconds_since(start_);
    any_failed_ = any_failed_ || !passed;
}

}  // namespace rogate::campaign
