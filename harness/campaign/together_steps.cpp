// What the containers of a system are asked while they run, and how they are started again.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "campaign/containers.hpp"
#include "campaign/members.hpp"
#include "campaign/steppers.hpp"
#include "campaign/together_launch.hpp"
#include "verdict/plan.hpp"

namespace rogate::campaign {

using engine::Task;

std::vector<scenario::Place> TogetherLaunch::places() const {
    std::vector<scenario::Place> all;
    for (const Member& member : members_) {
        const auto running = running_.find(member.name);
        if (running == running_.end()) continue;
        scenario::Place place{.name = member.name,
                              .container = running->second.id,
                              .ports = {},
                              .is_subject = false,
                              .reached_by = network_of(member)};
        for (const Port& port : member.subject.ports)
            if (port.protocol == "tcp") place.ports.push_back(port.container);
        all.push_back(std::move(place));
    }
    return all;
}

scenario::StepRunner TogetherLaunch::runner_for(const Member& member) {
    Asked asked{
        .container = running_.at(member.name).id, .published_by = network_of(member), .name = member.name};
    scenario::StepRunner made = stepper(bench_, record_.plan, memory_, std::move(asked), places());
    if (!prefix_.empty()) made.read_log_from_start();
    made.show_output([this](const std::string& line) { bench_.status.output(line); });
    return made;
}

// What is refused to the others shows in the same run; but nothing is done with all of them any more.
Task<> TogetherLaunch::steps() {
    if (all_given_up()) co_return Result<>{};
    for (const Step& step : bench_.scenario.steps) {
        if (phases_.any_failed() && step.container.empty()) co_return Result<>{};
        auto asking = step.container.empty() ? ask_all(step) : ask(step);
        if (auto asked = co_await std::move(asking); !asked)
            co_return fail(std::move(asked.error()).with_context(fmt::format("step '{}'", step.name)));
    }
    co_return Result<>{};
}

// It did not give what was asked of it. One that has ended fell for that, whatever `why` says.
Task<> TogetherLaunch::fell_at_step(std::string name, std::string why) {
    auto state = co_await bench_.client.container_inspect(running_.at(name).id);
    if (!state) co_return fail(std::move(state.error()));
    if (!state->running) why = ending_of(quoted(name), state->exit_code, state->oom_killed);
    if (is_anew(name)) {  // what it was asked for can be another one's to give
        if (failure_.empty()) failure_ = masked_beginning(memory_.masker, why, longest_message);
        co_return Result<>{};
    }
    auto told = co_await with_log(name, std::move(why));
    if (!told) co_return fail(std::move(told.error()));
    record_.containers[name].fell_at_step = state->running && !is_given_up(name);
    fell(name, std::move(*told));
    co_return Result<>{};
}

// Of one container. What had ended by then in the control run is not asked in any other one either.
Task<> TogetherLaunch::ask(const Step& step) {
    const std::string& name = step.container;
    const Member* member = find_member(members_, name);
    bool left_out = member == nullptr || !running_.contains(name) || (is_given_up(name) && !is_anew(name)) ||
                    ended_before(name);
    if (memory_.control != nullptr)
        if (const auto there = memory_.control->find(step.name); there != memory_.control->end())
            left_out = left_out || there->second.skipped;
    auto standing = Standing::ended;
    if (!left_out) {
        auto found = co_await standing_of(name);
        if (!found) co_return fail(std::move(found.error()));
        standing = *found;
    }
    if (left_out || (standing == Standing::ended && is_control())) {
        memory_.observed[step.name].skipped = true;
        co_return Result<>{};
    }
    if (auto begun = co_await phases_.begin(prefix_ + "step " + step.name, name); !begun) co_return begun;
    if (standing == Standing::ended) {
        if (auto told = co_await fell_at_step(name, std::string()); !told) co_return told;
    } else {
        scenario::StepRunner runner = runner_for(*member);
        if (auto found = co_await runner.refresh(); !found) co_return found;
        auto outcome = co_await runner.perform(step);
        if (!outcome) co_return fail(std::move(outcome.error()));
        bench_.observer.own_processes(outcome->exec_pids);
        if (!outcome->passed) {
            std::string why = fmt::format("{}: {}", quoted(name), outcome->message);
            if (auto told = co_await fell_at_step(name, std::move(why)); !told) co_return told;
        }
    }
    end();
    co_return Result<>{};
}

// Of the system as a whole; what fails is nobody's own doing.
Task<> TogetherLaunch::ask_all(const Step& step) {
    const std::string phase = prefix_ + "step " + step.name;
    if (std::holds_alternative<RestartAction>(step.action)) co_return co_await restart(phase);
    if (auto begun = co_await begin(phase); !begun) co_return begun;
    if (const auto* wait = std::get_if<WaitAction>(&step.action)) {
        if (auto waited = co_await soak(std::chrono::milliseconds(wait->duration_ms)); !waited)
            co_return waited;
        end();
        co_return Result<>{};
    }
    const Member* any = find_member(members_, running_.begin()->first);
    scenario::StepRunner runner = runner_for(*any);
    auto outcome = co_await runner.perform(step);
    if (!outcome) co_return fail(std::move(outcome.error()));
    phases_.end(outcome->passed, outcome->message, memory_.masker);
    record_.phases.back().suite = std::move(outcome->suite);
    record_.phases.back().output = std::move(outcome->output);
    co_return Result<>{};
}

// Restart policies are followed meanwhile.
Task<> TogetherLaunch::soak(std::chrono::milliseconds time) {
    constexpr std::chrono::milliseconds between_looks{1000};
    const auto until = std::chrono::steady_clock::now() + time;
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (left <= std::chrono::milliseconds(0)) co_return Result<>{};
        if (auto paused = co_await pause_for(std::min(left, between_looks)); !paused) co_return paused;
        for (const std::string& name : all_running()) {
            auto standing = co_await standing_of(name);
            if (!standing) co_return fail(std::move(standing.error()));
        }
    }
}

// Of those that run by then in the control run. A restart would hide that one has ended by itself, where it
// had not in there.
Task<> TogetherLaunch::restart(std::string phase) {
    if (auto begun = co_await begin(std::move(phase)); !begun) co_return begun;
    Names names;
    for (const Member& member : members_) {
        const std::string& name = member.name;
        const ContainerRecord* there = before(name);
        if (!running_.contains(name) || is_given_up(name) || (there != nullptr && !there->restarted))
            continue;
        if (ended_before(name)) {  // in the end by itself, which may come a moment earlier here
            names.insert(name);
            continue;
        }
        auto standing = co_await standing_of(name);
        if (!standing) co_return fail(std::move(standing.error()));
        if (*standing != Standing::ended) {
            names.insert(name);
        } else if (there != nullptr) {
            if (auto told = co_await fell_at_step(name, std::string()); !told) co_return told;
        }
    }
    if (!failure_.empty()) {
        end();
        co_return Result<>{};
    }
    for (const std::string& name : names) record_.containers[name].restarted = true;
    co_return co_await end_and_start(std::move(names), false);
}

// Ends the phase.
Task<> TogetherLaunch::end_and_start(Names names, bool kill) {
    if (auto told = co_await bench_.observer.before_end(); !told) co_return told;
    if (auto stopped = co_await stop_all(names, kill); !stopped) co_return stopped;
    for (const std::string& name : names) started_up_.erase(name);
    for (const Member& member : members_) {
        if (!names.contains(member.name)) continue;
        std::string trouble;
        for (const Dependency& dependency : member.after) {
            auto waited = co_await wait_for(dependency, member.name);
            if (!waited) co_return fail(std::move(waited.error()));
            if (!waited->empty() && dependency.required) trouble = std::move(*waited);
        }
        if (trouble.empty()) {
            if (auto told = co_await bench_.observer.before_start_again(member.name); !told) co_return told;
            auto started =
                co_await start_beside(bench_.client, quoted(member.name), running_.at(member.name).id);
            if (!started) co_return fail(std::move(started.error()));
            trouble = std::move(*started);
        }
        if (!trouble.empty()) fell(member.name, std::move(trouble));
    }
    co_return co_await await_all(std::move(names), false);
}

// Whether anything is missed that a restart empties: the whole system, jobs as well, is ended and begins
// anew. What a pod's init containers have made is still there, and a cluster does not run them again for it.
Task<> TogetherLaunch::steps_again() {
    if (!record_.plan.again || phases_.any_failed()) co_return Result<>{};
    prefix_ = again_prefix;
    if (auto begun = co_await begin(verdict::restart_phase); !begun) co_return begun;
    Names names = all_running();
    for (const auto& [name, in_pod] : bench_.pods.members)
        if (in_pod.init) names.erase(name);
    if (auto started = co_await end_and_start(std::move(names), false); !started) co_return started;
    co_return co_await steps();
}

// What stays writable below the containers' own file systems must not keep them from starting after a crash.
Task<> TogetherLaunch::start_after_crash() {
    if (!record_.plan.crashes || phases_.any_failed()) co_return Result<>{};
    if (auto begun = co_await begin(verdict::crash_phase); !begun) co_return begun;
    Names names;
    for (const std::string& name : all_running()) {
        auto state = co_await bench_.client.container_inspect(running_.at(name).id);
        if (!state) co_return fail(std::move(state.error()));
        if (state->running && !ended_before(name)) names.insert(name);
    }
    co_return co_await end_and_start(std::move(names), true);
}

}  // namespace rogate::campaign
