// A step that runs a command of the user's on rogate's machine.
#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include "base/references.hpp"
#include "scenario/host_process.hpp"
#include "scenario/junit_files.hpp"
#include "scenario/outcome.hpp"
#include "scenario/output_lines.hpp"
#include "scenario/reach.hpp"
#include "secrets/collect.hpp"

namespace rogate::scenario {

namespace asio = boost::asio;
using engine::Milliseconds;
using engine::Task;

namespace {

constexpr std::size_t most_output = 16U << 10U, most_lines = 200;

asio::awaitable<void> serve(Forward& forward, Milliseconds longest) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto serving = forward.serve(longest);
    co_await std::move(serving);
}

// Until it is cancelled, also where there is nothing to serve.
asio::awaitable<void> serve_all(HostReach& reach, Milliseconds longest) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto executor = co_await asio::this_coro::executor;
    if (reach.forwards.empty()) {
        asio::steady_timer forever(executor, asio::steady_timer::time_point::max());
        co_await forever.async_wait(asio::as_tuple(asio::use_awaitable));
        co_return;
    }
    using Work = decltype(asio::co_spawn(executor, serve(*reach.forwards.front(), longest), asio::deferred));
    std::vector<Work> all;
    for (const auto& forward : reach.forwards)
        all.push_back(asio::co_spawn(executor, serve(*forward, longest), asio::deferred));
    auto group = asio::experimental::make_parallel_group(std::move(all));
    co_await group.async_wait(asio::experimental::wait_for_all(), asio::as_tuple(asio::use_awaitable));
}

Task<std::optional<int>> wait_for(HostProcess& process, Milliseconds patience, OutputLines& lines) {
    co_await asio::this_coro::throw_if_cancelled(false);
    HostProcess::Output take = [&](std::string_view bytes) { lines.add(bytes); };
    auto waiting = process.wait(patience, std::move(take));
    co_return co_await std::move(waiting);
}

std::map<std::string, std::string> own_environment() {
    std::map<std::string, std::string> all;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string_view entry(*each);
        if (const std::size_t equals = entry.find('='); equals != std::string_view::npos)
            all.emplace(entry.substr(0, equals), entry.substr(equals + 1));
    }
    return all;
}

// Of a port that nothing has, an address cannot be put in. Empty: there is none.
std::string unknown_reference(const CommandAction& action, const std::vector<Reached>& ports) {
    std::vector<std::string> texts = action.command;
    for (const auto& [name, value] : action.environment) texts.push_back(value);
    for (const std::string& text : texts)
        for (const std::string& name : references_in(text)) {
            std::string known = "ROGATE_RUN, ROGATE_RUN_KIND";
            if (!ports.empty()) known += ", ROGATE_URL";
            for (const Reached& each : ports) known += ", " + variable_of(each.name, each.port);
            return fmt::format(
                "'{}' is not known; there are {} (of the ports that Compose files, manifests, "
                "images or the scenario declare)",
                name, known);
        }
    return {};
}

}  // namespace

Task<HostReach> StepRunner::reach() {
    co_return co_await reach_from_here(client_, places_, neighbourhood_);
}

Variables StepRunner::variables_for_commands(const HostReach& reach) const {
    const std::optional<Front> front = memory_.scenario != nullptr ? memory_.scenario->front : std::nullopt;
    return command_variables(reach.ports, front, run_);
}

Task<StepOutcome> StepRunner::command(const Step& step, const std::string& key, HostReach& reach) {
    using namespace asio::experimental::awaitable_operators;
    const auto& action = std::get<CommandAction>(step.action);
    if (std::string why = unknown_reference(action, reach.ports); !why.empty())
        co_return miss(std::move(why));
    if (memory_.scenario != nullptr)
        memory_.hide(secrets::of_variables(own_environment(), *memory_.scenario));
    const JunitFiles junit(action.directory, action.junit);
    HostCommand command{action.command, action.directory, action.environment};
    for (auto& [name, value] : variables_for_commands(reach))
        command.environment.insert_or_assign(name, value);
    auto process = HostProcess::start(co_await asio::this_coro::executor, command);
    if (!process) co_return fail(std::move(process.error()));
    OutputLines lines(memory_.masker, show_output_);
    const Milliseconds patience(step.timeout_ms);
    auto waiting = wait_for(**process, patience, lines);
    auto serving = serve_all(reach, patience);
    auto first = co_await (std::move(waiting) || std::move(serving));
    lines.end();
    if (first.index() != 0 ||
        (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
        co_return fail(ErrorKind::cancelled, "interrupted");
    Result<std::optional<int>> code = std::get<0>(std::move(first));
    StepOutcome outcome;
    if (!code && code.error().kind != ErrorKind::scenario) co_return fail(std::move(code.error()));
    if (!code) co_return miss(code.error().message);
    if (*code) {
        Observed observed;
        observed.exit_code = **code;
        observed.text = lines.kept();
        if (lines.cut()) memory_.masker.mask_cut(observed.text, {.front = true});
        outcome = tested(step, key, std::move(observed), junit);
    } else {
        outcome = miss(fmt::format("'{}' did not end within {:g} s, and was ended; its last output: \"{}\"",
                                   action.command.back(), static_cast<double>(step.timeout_ms) / 1000.0,
                                   excerpt_of_end(lines.kept(), memory_.masker, 500)));
    }
    if (!outcome.passed) {
        for (const auto& forward : reach.forwards)
            if (!forward->broken()) co_return fail(Error(forward->broken().error()));
        outcome.output = masked_end(memory_.masker, lines.kept(), lines.cut(), most_output, most_lines);
    }
    co_return outcome;
}

StepOutcome StepRunner::tested(const Step& step, const std::string& key, Observed observed,
                               const JunitFiles& junit) {
    const auto& action = std::get<CommandAction>(step.action);
    const Observed* control = nullptr;
    if (memory_.control != nullptr)
        if (const auto there = memory_.control->find(key); there != memory_.control->end())
            control = &there->second;
    Step asked = step;
    suite::Judgement judged_tests;
    std::string trouble, about;
    if (!action.junit.empty()) {
        if (auto tests = junit.read()) {
            observed.tests = std::move(*tests);
            judged_tests = suite::judge(observed.tests, control != nullptr ? &control->tests : nullptr,
                                        action.known_failures);
            about = suite::about_known(action.known_failures, judged_tests.suite, observed.tests);
        } else {
            trouble = tests.error().message;
        }
    }
    if (!step.expect.exit_code &&
        suite::is_excused(*observed.exit_code, judged_tests,
                          control != nullptr ? control->exit_code : std::nullopt, control != nullptr))
        asked.expect.exit_code = observed.exit_code;
    memory_.observed[key].tests = observed.tests;
    memory_.observed[key].exit_code = observed.exit_code;
    StepOutcome outcome = judged(asked, std::move(observed), memory_.masker);
    if (!judged_tests.message.empty()) {
        outcome.passed = false;
        outcome.message = judged_tests.message;
    } else if (!trouble.empty()) {
        outcome.message += (outcome.passed ? "" : "; ") + trouble;
        outcome.passed = false;
    }
    if (!about.empty()) outcome.message += (outcome.message.empty() ? "" : "; ") + about;
    if (!action.junit.empty() && trouble.empty()) {
        for (auto* names : {&judged_tests.suite.failed, &judged_tests.suite.known})
            for (std::string& name : *names) memory_.masker.mask(name);
        outcome.suite = std::move(judged_tests.suite);
    }
    return outcome;
}

}  // namespace rogate::scenario
