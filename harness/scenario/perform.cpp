// A step as often as it is to be done: retries, repeats, groups, and what is kept of it.
#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <chrono>

#include "scenario/observation.hpp"
#include "scenario/outcome.hpp"
#include "scenario/reach.hpp"
#include "secrets/collect.hpp"

namespace rogate::scenario {

namespace asio = boost::asio;
using engine::Milliseconds;
using engine::Task;
using Clock = std::chrono::steady_clock;

namespace {

void add_pids(StepOutcome& to, const StepOutcome& from) {
    to.exec_pids.insert(to.exec_pids.end(), from.exec_pids.begin(), from.exec_pids.end());
}

// What commands told, of several steps or repetitions.
void add_tests(StepOutcome& to, StepOutcome& from) {
    to.output += from.output;
    if (!from.suite) return;
    if (!to.suite) {
        to.suite = std::move(from.suite);
        return;
    }
    to.suite->total += from.suite->total;
    for (auto list : {&SuiteRecord::failed, &SuiteRecord::known})
        ((*to.suite).*list)
            .insert(((*to.suite).*list).end(), ((*from.suite).*list).begin(), ((*from.suite).*list).end());
}

asio::awaitable<bool> is_cancelled() {
    co_return (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none;
}

// A coroutine of its own, in which cancellation does not throw either.
asio::awaitable<void> into(Task<StepOutcome> work, Result<StepOutcome>& result) {
    co_await asio::this_coro::throw_if_cancelled(false);
    result = co_await std::move(work);
}

}  // namespace

void StepRunner::settle(const Step& step, const std::string& key, StepOutcome& outcome) {
    if (!outcome.passed || !outcome.observed) return;
    if (auto kept = capture(step, *outcome.observed, memory_.variables, memory_.masker); !kept) {
        outcome.passed = false;
        outcome.message = kept.error().message;
        return;
    }
    if (!step.same_as_control) return;
    // Kept as it was seen: what is ignored is taken out of what is compared, and secrets out of what is told.
    Observed here = std::move(*outcome.observed);
    if (memory_.control != nullptr) {
        const auto there = memory_.control->find(key);
        const std::string differs = there == memory_.control->end()
                                        ? "the control run has nothing to compare with"
                                        : difference(step, there->second, here, memory_.masker);
        outcome.passed = differs.empty();
        if (!outcome.passed) outcome.message = "not the same as in the control run: " + differs;
    }
    memory_.observed.insert_or_assign(key, std::move(here));
}

Task<StepOutcome> StepRunner::once(const Step& step, std::string key) {
    if (const auto* group = std::get_if<ParallelAction>(&step.action))
        co_return co_await parallel(*group, key);
    const auto until = Clock::now() + Milliseconds(step.retry_until_ms.value_or(0));
    StepOutcome total;
    for (;;) {
        auto outcome = co_await attempt(step);
        if (!outcome) co_return fail(std::move(outcome.error()));
        settle(step, key, *outcome);
        total.passed = outcome->passed;
        total.message = std::move(outcome->message);
        add_pids(total, *outcome);
        if (total.passed) co_return total;
        if (!step.retry_until_ms || Clock::now() >= until) break;
        co_await sleep_for(Milliseconds(step.retry_interval_ms));
        const bool cancelled = co_await is_cancelled();
        if (cancelled) co_return fail(ErrorKind::cancelled, "interrupted");
    }
    if (step.retry_until_ms)
        total.message +=
            fmt::format(" (tried again for {:.1f} s)", static_cast<double>(*step.retry_until_ms) / 1000.0);
    co_return total;
}

Task<std::optional<std::string>> StepRunner::skip(const Step& step, StepOutcome& outcome) {
    for (const auto& [name, value] : step.skip_if->variables) {
        const auto found = memory_.variables.find(name);
        if (found != memory_.variables.end() && found->second == value)
            co_return fmt::format("variable '{}' is '{}'", name, value);
    }
    if (step.skip_if->command.empty()) co_return std::optional<std::string>();
    Step look;
    look.timeout_ms = step.timeout_ms;
    look.action = ExecAction{
        .command = step.skip_if->command, .user = {}, .working_dir = {}, .environment = {}, .stdin_text = {}};
    auto looked = co_await attempt(look);
    if (!looked) co_return fail(std::move(looked.error()));
    add_pids(outcome, *looked);
    if (!looked->passed) co_return std::optional<std::string>();
    co_return fmt::format("'{}' exits with 0", step.skip_if->command.back());
}

Task<StepOutcome> StepRunner::perform(const Step& written) {
    co_return co_await perform(written, written.name);
}

Task<StepOutcome> StepRunner::perform(const Step& written, std::string key) {
    StepOutcome total = pass();
    for (int time = 1; time <= written.repeat; ++time) {
        Variables variables = memory_.variables;
        variables.insert_or_assign("repetition", std::to_string(time));
        const bool is_command = std::holds_alternative<CommandAction>(written.action);
        HostReach reached;
        if (is_command) {
            auto found = co_await reach();
            if (!found) co_return fail(std::move(found.error()));
            reached = std::move(*found);
            variables.merge(variables_for_commands(reached));
        }
        const Step step = resolved(written, variables);
        if (memory_.scenario != nullptr) {
            memory_.hide(secrets::of_step(step, *memory_.scenario));
            memory_.hide(secrets::of_variables(variables, *memory_.scenario));
        }
        const std::string this_key = written.repeat == 1 ? key : fmt::format("{} #{}", key, time);
        if (step.skip_if) {
            auto skipped = co_await skip(step, total);
            if (!skipped) co_return fail(std::move(skipped.error()));
            memory_.observed[this_key].skipped = skipped->has_value();
            // What is left out only here hides what the control run showed.
            if (memory_.control != nullptr) {
                const auto there = memory_.control->find(this_key);
                if (there != memory_.control->end() && there->second.skipped != skipped->has_value()) {
                    total.passed = false;
                    total.message =
                        skipped->has_value()
                            ? fmt::format("left out here ({}), but not in the control run", **skipped)
                            : std::string("left out in the control run, but not here");
                    co_return total;
                }
            }
            if (*skipped) {
                total.message = fmt::format("left out: {}", **skipped);
                continue;
            }
        }
        Result<StepOutcome> outcome =
            pass();  // not with `?:` around co_await: g++ 12 destroys its answer twice
        if (is_command)
            outcome = co_await command(step, this_key, reached);
        else if (std::holds_alternative<PagesAction>(step.action))
            outcome = co_await pages(step, this_key);
        else
            outcome = co_await once(step, this_key);
        if (!outcome) co_return fail(std::move(outcome.error()));
        add_pids(total, *outcome);
        add_tests(total, *outcome);
        if (is_command) settle(step, this_key, *outcome);
        if (outcome->passed && !outcome->message.empty()) total.message = std::move(outcome->message);
        if (outcome->passed) continue;
        total.passed = false;
        total.message = written.repeat == 1
                            ? std::move(outcome->message)
                            : fmt::format("time {} of {}: {}", time, written.repeat, outcome->message);
        break;
    }
    co_return total;
}

Task<StepOutcome> StepRunner::parallel(const ParallelAction& action, std::string key) {
    const auto executor = co_await asio::this_coro::executor;
    std::vector<Result<StepOutcome>> results(action.steps.size(),
                                             fail(ErrorKind::internal, "the step did not end"));
    using Work = decltype(asio::co_spawn(executor, into({}, results.front()), asio::deferred));
    std::vector<Work> all;
    for (std::size_t i = 0; i < action.steps.size(); ++i) {
        const Step& step = action.steps[i];
        all.push_back(
            asio::co_spawn(executor, into(perform(step, key + "/" + step.name), results[i]), asio::deferred));
    }
    auto group = asio::experimental::make_parallel_group(std::move(all));
    co_await group.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    StepOutcome total = pass();
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (!results[i]) co_return fail(std::move(results[i].error()).with_context(action.steps[i].name));
        add_pids(total, *results[i]);
        add_tests(total, *results[i]);
        if (results[i]->passed) continue;
        total.passed = false;
        total.message += fmt::format("{}'{}': {}", total.message.empty() ? "" : "; ", action.steps[i].name,
                                     results[i]->message);
    }
    co_return total;
}

Task<StepOutcome> StepRunner::in_background(const Step& step, const bool& stop) {
    const auto& action = std::get<BackgroundAction>(step.action);
    StepOutcome total = pass();
    for (std::uint64_t round = 1; !stop; ++round) {
        for (const Step& each : action.steps) {
            auto outcome = co_await perform(each, step.name + "/" + each.name);
            if (!outcome) co_return fail(std::move(outcome.error()));
            add_pids(total, *outcome);
            if (outcome->passed) continue;
            total.passed = false;
            total.message = fmt::format("'{}' failed in round {}: {}", each.name, round, outcome->message);
            co_return total;
        }
        if (!stop) co_await sleep_for(Milliseconds(action.interval_ms));
        const bool cancelled = co_await is_cancelled();
        if (cancelled) co_return fail(ErrorKind::cancelled, "interrupted");
    }
    co_return total;
}

}  // namespace rogate::scenario
