// How the containers of a system become ready, are ended, and are held against the control run.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "campaign/containers.hpp"
#include "campaign/ending.hpp"
#include "campaign/members.hpp"
#include "campaign/readiness.hpp"
#include "campaign/silent_ports.hpp"
#include "campaign/together_launch.hpp"
#include "engine/together.hpp"
#include "scenario/step_runner.hpp"

namespace rogate::campaign {

using engine::Milliseconds;
using engine::Task;
using Clock = std::chrono::steady_clock;

namespace {

// Where nothing says when a container is ready, it gets as long to do its work, or to show that it goes on;
// and as long where a while of running is still to come.
constexpr std::chrono::milliseconds a_while{10'000}, a_moment{2000};
constexpr std::chrono::milliseconds between_looks{100}, shortest_wait{1000};
constexpr std::chrono::milliseconds between_looks_for_fallen{1000};
constexpr int grace_of_the_deaf = 1;  // in seconds; see runner.cpp

}  // namespace

Readiness TogetherLaunch::readiness_of(const Member& member) const {
    const ContainerRecord* there = before(member.name);
    const auto here = record_.containers.find(member.name);
    if (there == nullptr && here != record_.containers.end()) there = &here->second;
    Readiness asked =
        there == nullptr ? member.readiness : without_ports(member.readiness, there->silent_ports);
    // A probe of a cluster's has no end of its own either.
    asked.timeout_ms = patience(Milliseconds(asked.timeout_ms)).count();
    return asked;
}

std::chrono::milliseconds TogetherLaunch::patience(std::chrono::milliseconds most) const {
    return is_control() ? most : allowed_wait(*bench_.control, most);
}

// Empty: it is ready, or has done its work.
Task<std::string> TogetherLaunch::ready(const Member& member, bool makes_anew) {
    const ContainerRecord* there = before(member.name);
    if (there != nullptr && there->exited_early) co_return std::string();  // its end is waited for
    const auto until = Clock::now() + Milliseconds(readiness_of(member).timeout_ms);
    for (;;) {
        const Running& running = running_.at(member.name);
        scenario::StepRunner runner = runner_for(member);
        if (auto found = co_await runner.refresh(); !found) co_return fail(std::move(found.error()));
        scenario::StepOutcome outcome;
        Readiness asked = readiness_of(member);
        if (is_control() && asked.derived && !knows_ports_) {
            // All of them had the time that one of them was waited for.
            const auto since =
                std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - waits_since_);
            asked.timeout_ms =
                std::max<std::int64_t>(shortest_wait.count(), asked.timeout_ms - since.count());
            auto ports = co_await find_silent_ports(bench_.client, running.id, asked, runner);
            if (!ports) co_return fail(std::move(ports.error()).with_context(quoted(member.name)));
            for (const std::uint16_t port : ports->silent)
                bench_.status.warn(silent_port_note(quoted(member.name) + ": ", port));
            record_.containers[member.name].silent_ports.merge(ports->silent);
            outcome = std::move(ports->outcome);
        } else {
            auto looked_at = Clock::now();
            std::function<Task<>()> meanwhile;
            if (makes_anew && !is_control())
                meanwhile = [&]() -> Task<> {
                    if (Clock::now() - looked_at < between_looks_for_fallen) co_return Result<>{};
                    looked_at = Clock::now();
                    co_return co_await make_fallen_anew(member.name);
                };
            auto waited = co_await runner.wait_ready(asked, std::move(meanwhile));
            if (!waited) co_return fail(std::move(waited.error()).with_context(quoted(member.name)));
            outcome = std::move(*waited);
        }
        bench_.observer.own_processes(outcome.exec_pids);
        if (outcome.passed) co_return std::string();
        auto standing = co_await standing_of(member.name);
        if (!standing) co_return fail(std::move(standing.error()));
        auto state = co_await bench_.client.container_inspect(running.id);
        if (!state) co_return fail(std::move(state.error()));
        // A job that says how to ask for its health.
        if (*standing == Standing::ended && state->exit_code == 0 && is_control()) co_return std::string();
        if (*standing == Standing::comes_again && Clock::now() < until) continue;
        std::string why = state->running
                              ? fmt::format("{} is not ready: {}", quoted(member.name), outcome.message)
                              : ending_of(quoted(member.name), state->exit_code, state->oom_killed);
        co_return co_await with_log(member.name, std::move(why));
    }
}

std::chrono::milliseconds TogetherLaunch::time_for(const Member& member) const {
    const auto& steps = bench_.scenario.steps;
    const bool soaks = std::ranges::any_of(
        steps, [](const Step& step) { return std::holds_alternative<WaitAction>(step.action); });
    return soaks && !member.ends && !ended_before(member.name) ? a_moment : a_while;
}

// To those of which nothing says when they are ready, and to those which end by themselves: until they have
// ended, or a while is over.
Task<> TogetherLaunch::give_time() {
    for (auto waited = std::chrono::milliseconds(0);; waited += between_looks) {
        bool any = false;
        for (const Member& member : members_) {
            if (!running_.contains(member.name)) continue;
            auto standing = co_await standing_of(member.name);
            if (!standing) co_return fail(std::move(standing.error()));
            const bool has_no_word = readiness_of(member).checks.empty() || ended_before(member.name);
            const bool goes_on = *standing == Standing::comes_again ||
                                 (*standing == Standing::runs && has_no_word && !is_given_up(member.name));
            any = any || (goes_on && waited < time_for(member));
        }
        if (!any) co_return Result<>{};
        if (auto paused = co_await pause_for(between_looks); !paused) co_return paused;
    }
}

// Until each of them that goes on is ready, or has fallen; ends the phase.
Task<> TogetherLaunch::await_all(Names names, bool makes_anew) {
    for (const Member& member : members_) {
        if (!running_.contains(member.name) || !names.contains(member.name) || is_given_up(member.name))
            continue;
        // It has ended, or those behind it would not have been started.
        if (const PodMember* in_pod = bench_.pods.find(member.name); in_pod != nullptr && in_pod->init)
            continue;
        auto trouble = co_await ready(member, makes_anew);
        if (!trouble) co_return fail(std::move(trouble.error()));
        if (!trouble->empty()) fell(member.name, std::move(*trouble));
    }
    knows_ports_ = true;
    if (auto given = co_await give_time(); !given) co_return given;
    end();
    co_return Result<>{};
}

// What happens until all are ready still belongs to the entrypoints.
Task<> TogetherLaunch::ready() {
    phases_.begin_within("ready");
    waits_since_ = Clock::now();
    if (auto made = co_await make_fallen_anew(); !made) co_return made;
    if (auto waited = co_await await_all(all_running(), true); !waited) co_return waited;
    if (auto made = co_await make_fallen_anew(); !made) co_return made;
    co_return co_await await_anew();
}

std::string TogetherLaunch::stop_signal(const Member& member) const {
    if (member.subject.stop_signal) return *member.subject.stop_signal;
    const std::string& of_image = bench_.images->at(member.name).stop_signal;
    return of_image.empty() ? "SIGTERM" : of_image;
}

Task<> TogetherLaunch::stop(std::string name, bool kill) {
    Running& running = running_.at(name);
    const std::string who = quoted(name);
    const std::int64_t grace_ms = find_member(members_, name)->grace_ms;
    if (kill) {
        auto killed = co_await end_beside(bench_.client, running.id, true, grace_ms);
        if (!killed) co_return fail(std::move(killed.error()).with_context("killing " + who));
        co_return Result<>{};
    }
    int grace = static_cast<int>((grace_ms + 999) / 1000);
    if (running.was_deaf) grace = std::min(grace, grace_of_the_deaf);
    const auto start = Clock::now();
    auto stopped = co_await bench_.client.container_stop(running.id, grace);
    if (!stopped) co_return fail(std::move(stopped.error()).with_context("stopping " + who));
    running.killed = seconds_since(start) >= grace;
    co_return Result<>{};
}

// Of `names`, whoever depends on somebody before that one. Notes who ran until then, and who did not end in
// time.
Task<> TogetherLaunch::stop_all(Names names, bool kill) {
    for (const Member& member : members_) {
        const auto found = running_.find(member.name);
        if (found == running_.end() || !names.contains(member.name)) continue;
        Running& running = found->second;
        auto state = co_await bench_.client.container_inspect(running.id);
        if (!state) co_return fail(std::move(state.error()));
        running.was_running = state->running;
        running.killed = false;
        if (!state->running) continue;
        const ContainerRecord* there = before(member.name);
        running.was_deaf = there != nullptr && there->deaf_to_stop;
        if (there != nullptr) continue;
        auto masks = co_await bench_.client.container_signals(running.id);
        if (!masks) co_return fail(std::move(masks.error()).with_context("stopping " + quoted(member.name)));
        running.was_deaf = masks->has_value() && is_deaf_to(signal_number(stop_signal(member)), **masks);
    }
    for (const std::vector<std::string>& group : in_order_of_ending(members_)) {
        std::vector<Task<>> ends;
        for (const std::string& name : group)
            if (names.contains(name) && running_.contains(name) && running_.at(name).was_running)
                ends.push_back(stop(name, kill));
        auto all = engine::together(std::move(ends));
        if (auto ended = co_await std::move(all); !ended) co_return ended;
    }
    co_return Result<>{};
}

Task<> TogetherLaunch::judge(const Member& member) {
    if (were_anew_.contains(member.name)) co_return Result<>{};  // it has been judged
    const Running& running = running_.at(member.name);
    auto state = co_await bench_.client.container_inspect(running.id);
    if (!state) co_return fail(std::move(state.error()));
    ContainerRecord& record = record_.containers[member.name];
    record.exit_code = state->exit_code;
    record.exited_early = !running.was_running;
    record.killed = running.killed && state->exit_code == 137;
    record.deaf_to_stop = running.was_deaf;
    record.restarts = running.restarts;
    const ContainerRecord* there = before(member.name);
    std::string wrong = judge_ending({.exit_code = state->exit_code,
                                      .oom_killed = state->oom_killed,
                                      .told_to = running.was_running,
                                      .killed = record.killed,
                                      .who = quoted(member.name)},
                                     {.is_control = there == nullptr,
                                      .said = {},
                                      .control = there == nullptr ? std::nullopt : there->exit_code,
                                      .early = there != nullptr && there->exited_early,
                                      .killed = there != nullptr && there->killed,
                                      .grace_ms = member.grace_ms});
    // It would have been started again and again.
    const bool never_settled = there == nullptr && !running.was_running && !member.restart.name.empty() &&
                               running.restarts > 0 && wrong.empty() && member.restart.name != "on-failure";
    if (never_settled) wrong = fmt::format("{} ends and is started again without end", quoted(member.name));
    if (!wrong.empty() && running.restarts > 0)
        wrong += fmt::format(" (it was started again {} times)", running.restarts);
    if (wrong.empty()) {
        if (there == nullptr && record.killed)
            bench_.status.warn(
                killed_note(quoted(member.name), stop_signal(member), record.deaf_to_stop, member.grace_ms));
        co_return Result<>{};
    }
    auto told = co_await with_log(member.name, std::move(wrong));
    if (!told) co_return fail(std::move(told.error()));
    fell(member.name, std::move(*told));
    co_return Result<>{};
}

Task<> TogetherLaunch::shutdown() {
    if (auto begun = co_await begin("shutdown"); !begun) co_return begun;
    if (auto told = co_await bench_.observer.before_end(); !told) co_return told;
    if (auto stopped = co_await stop_all(all_running()); !stopped) co_return stopped;
    for (const Member& member : members_)
        if (running_.contains(member.name))
            if (auto judged = co_await judge(member); !judged) co_return judged;
    end();
    co_return Result<>{};
}

}  // namespace rogate::campaign
