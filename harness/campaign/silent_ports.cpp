#include "campaign/silent_ports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace rogate::campaign {

using engine::Milliseconds;
using engine::Task;

namespace {

// What a second port may take behind the first.
constexpr std::chrono::seconds time_for_other_ports{15};

}  // namespace

std::string silent_port_note(const std::string& who, std::uint16_t port) {
    return fmt::format("{}port {} is declared, and nothing answered on it; it is not waited for", who, port);
}

Task<PortsAsked> find_silent_ports(engine::Client& client, std::string container, Readiness readiness,
                                   scenario::StepRunner& runner) {
    using Clock = std::chrono::steady_clock;
    PortsAsked asked{.outcome = {.passed = true, .message = {}, .exec_pids = {}}, .silent = {}};
    std::vector<Step> pending = readiness.checks;
    const bool ports = std::ranges::all_of(
        pending, [](const Step& check) { return std::holds_alternative<TcpAction>(check.action); });
    if (!ports || pending.empty()) {
        auto outcome = co_await runner.wait_ready(readiness);
        if (!outcome) co_return fail(std::move(outcome.error()));
        asked.outcome = std::move(*outcome);
        co_return asked;
    }
    auto until = Clock::now() + Milliseconds(readiness.timeout_ms);
    while (!pending.empty()) {
        const Readiness one{.checks = {pending.front()}, .timeout_ms = 300, .derived = true};
        auto answer = co_await runner.wait_ready(one);
        if (!answer) co_return fail(std::move(answer.error()));
        if (answer->passed) {
            pending.erase(pending.begin());
            until = std::min(until, Clock::now() + time_for_other_ports);
            continue;
        }
        auto state = co_await client.container_inspect(container);
        if (!state) co_return fail(std::move(state.error()));
        if (!state->running && state->exit_code != 0) {
            asked.outcome = std::move(*answer);
            co_return asked;
        }
        if (!state->running || Clock::now() >= until) break;
        std::ranges::rotate(pending, pending.begin() + 1);
    }
    for (const Step& check : pending) asked.silent.insert(std::get<TcpAction>(check.action).port);
    co_return asked;
}

}  // namespace rogate::campaign
