#include "campaign/together.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/place.hpp>
#include <utility>

#include "base/text.hpp"
#include "campaign/collected.hpp"
#include "campaign/containers.hpp"
#include "campaign/members.hpp"
#include "campaign/together_launch.hpp"
#include "scenario/expectation.hpp"
#include "scenario/step_runner.hpp"
#include "verdict/no_op.hpp"

namespace rogate::campaign {

using engine::Task;

bool is_tried_in(const RunPlan& plan, const std::string& target) {
    return std::ranges::find(plan.read_only, target) != plan.read_only.end();
}

TogetherLaunch::TogetherLaunch(Bench& bench, RunPlan plan)
    : bench_(bench), members_(bench.scenario.members), phases_(bench, record_) {
    record_.plan = std::move(plan);
    memory_.variables = bench.scenario.variables;
    memory_.scenario = &bench.scenario;
    if (bench.secrets != nullptr) memory_.hide(*bench.secrets);
    if (bench.control != nullptr) memory_.control = &bench.control->observations;
}

bool TogetherLaunch::all_given_up() const {
    return std::ranges::all_of(members_, [&](const Member& member) { return is_given_up(member.name); });
}

TogetherLaunch::Names TogetherLaunch::all_running() const {
    Names names;
    for (const auto& [name, running] : running_) names.insert(name);
    return names;
}

// The phase has failed if one of them fell in it.
void TogetherLaunch::end() {
    const std::string failure = std::exchange(failure_, {});
    phases_.end(failure.empty(), failure, memory_.masker);
}

// In the control run it is left out of what is tried; later the run fails for it, unless it was so there as
// well. The others go on: what is refused to them in this run shows, too.
void TogetherLaunch::fell(const std::string& name, std::string why) {
    if (is_given_up(name)) return;
    why = masked_beginning(memory_.masker, why, longest_message);
    ContainerRecord& record = record_.containers[name];
    record.trouble = why;
    const Member& member = *find_member(members_, name);
    // Behind one that was made anew, it found what it waits for.
    const bool is_behind = std::ranges::any_of(member.after, [&](const Dependency& each) {
        return each.required && is_given_up(each.service) && !is_anew(each.service);
    });
    record.behind_another = is_behind || shaken_.contains(name);
    if (is_control())
        bench_.status.warn(fmt::format("{}: its mounts are not tried", why));
    else if (failure_.empty())
        failure_ = std::move(why);
}

Task<std::string> TogetherLaunch::with_log(std::string name, std::string text) {
    const auto running = running_.find(name);
    if (running == running_.end()) co_return text;
    auto log =
        co_await scenario::last_lines(bench_.client, running->second.id, memory_.masker, 16 * 1024, 30);
    if (!log) co_return fail(std::move(log.error()));
    const std::string telling = scenario::excerpt_of_end(*log, memory_.masker, 500);
    record_.containers[name].log_tail = std::move(*log);
    if (!telling.empty()) text += fmt::format("; its last output: \"{}\"", telling);
    co_return text;
}

Task<> TogetherLaunch::canaries() {
    for (const DataMount& data : bench_.data.mounts()) {
        const std::string& target = data.mount.target;
        const bool read_only = data.mount.read_only || is_tried_in(record_.plan, target);
        if (!read_only || !data.special.empty() || data.below_source) continue;
        const std::string name(container_of(target));
        if (!running_.contains(name) || record_.containers[name].could_not_start) continue;
        if (were_anew_.contains(name)) continue;  // it is not read-only there
        auto canary = co_await bench_.observer.canary(target);
        if (!canary) co_return fail(std::move(canary.error()).with_context("canary write on " + target));
        const auto [at, fresh] = record_.canary.try_emplace(target, *canary);
        if (!fresh && *canary != Canary::seen) at->second = *canary;
    }
    co_return Result<>{};
}

Task<> TogetherLaunch::collect() {
    auto collecting = campaign::collect(bench_, record_);
    if (auto collected = co_await std::move(collecting); !collected) co_return collected;
    for (const Member& member : members_)
        if (std::string doubt = unseen_writers(bench_, member.subject); !doubt.empty())
            record_.unseen_writers.emplace(member.name, std::move(doubt));
    co_return Result<>{};
}

Task<> TogetherLaunch::run_phases() {
    if (auto started = co_await start_all(); !started) co_return started;
    if (auto tried = co_await canaries(); !tried) co_return tried;
    if (auto waited = co_await ready(); !waited) co_return waited;
    if (auto done = co_await steps(); !done) co_return done;
    if (auto again = co_await steps_again(); !again) co_return again;
    if (auto crashed = co_await start_after_crash(); !crashed) co_return crashed;
    if (auto stopped = co_await shutdown(); !stopped) co_return stopped;
    if (auto tried = co_await canaries(); !tried) co_return tried;
    if (auto collected = co_await collect(); !collected) co_return collected;
    if (is_control() && all_given_up()) {
        failure_ = record_.containers.at(members_.front().name).trouble;
        end();
    }
    record_.passed = !phases_.any_failed();
    record_.observations = std::move(memory_.observed);
    record_.secrets = std::move(memory_.secrets);
    co_return Result<>{};
}

Task<> TogetherLaunch::remove() {
    std::map<std::string, std::string> ids;
    for (const auto& [name, running] : running_) ids.emplace(name, running.id);
    for (const auto& [pod, holder] : holders_) ids.emplace("pod " + pod, holder);
    if (auto removed = co_await remove_all(bench_.client, std::move(ids)); !removed) co_return removed;
    if (bench_.guests != nullptr)
        if (auto ended = co_await bench_.guests->end_run(); !ended) co_return ended;
    co_return co_await bench_.data.release(record_.plan.id);
}

Task<RunRecord> TogetherLaunch::go() {
    const auto start = std::chrono::steady_clock::now();
    bench_.status.run_started(record_.plan);
    auto done = co_await run_phases();
    if (!done && done.error().kind == ErrorKind::cancelled) co_return fail(std::move(done.error()));
    auto removed = co_await remove();
    if (!done) co_return fail(std::move(done.error()).with_context(fmt::format("run {}", record_.plan.id)));
    if (!removed)
        bench_.status.warn(fmt::format("run {}: clean-up: {}", record_.plan.id, removed.error().message));
    record_.duration_s = seconds_since(start);
    bench_.status.run_finished(record_);
    co_return std::move(record_);
}

Task<RunRecord> launch_together(Bench& bench, RunPlan plan) {
    TogetherLaunch one(bench, std::move(plan));
    co_return co_await one.go();
}

}  // namespace rogate::campaign
