#include "campaign/exercise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "campaign/readiness.hpp"

namespace rogate::campaign {

namespace {

// Not those that a user could have given, since steps of a pod are named by the files.
constexpr const char* health_name = "health check";
constexpr const char* pages_name = "pages";
constexpr const char* soak_name = "running";
constexpr const char* restart_name = "restart";

bool has_health_check(const Scenario& scenario, const engine::ImageInfo& image) {
    const Subject& subject = scenario.subject;
    if (subject.origin.kind == Origin::Kind::kubernetes) return false;  // a cluster passes over it
    if (subject.healthcheck && !subject.healthcheck->test.empty())
        return subject.healthcheck->test.front() != "NONE";
    return image.has_healthcheck;
}

Step step_of(std::string name, Action action) {
    Step step;
    step.name = std::move(name);
    step.action = std::move(action);
    return step;
}

std::string seconds(std::int64_t ms) {
    return fmt::format("{:g} s", static_cast<double>(ms) / 1000.0);
}

// "80/about" -> the number of pages of each port.
std::map<std::string, int> pages_by_port(const CampaignResult& result) {
    std::map<std::string, int> pages;
    const auto control = std::ranges::find_if(
        result.runs, [](const RunRecord& run) { return run.plan.kind == RunKind::control; });
    if (control == result.runs.end()) return pages;
    const auto seen = control->observations.find(pages_name);
    if (seen == control->observations.end()) return pages;
    for (const auto& [where, answer] : seen->second.answers) ++pages[where.substr(0, where.find('/'))];
    return pages;
}

std::vector<std::string> exercised(const CampaignResult& result) {
    const std::vector<Step>& steps = result.scenario.steps;
    const auto has = [&](const char* name) {
        return std::ranges::find(steps, name, &Step::name) != steps.end();
    };
    std::vector<std::string> told;
    if (!has(restart_name)) return {"its start and its end"};
    if (has(health_name)) told.emplace_back("its health check");
    for (const auto& [port, count] : pages_by_port(result))
        told.push_back(fmt::format("{} page{} of port {}", count, count == 1 ? "" : "s", port));
    if (has(soak_name)) told.push_back(fmt::format("{} of running", seconds(result.scenario.soak_ms)));
    told.emplace_back("a restart");
    return told;
}

}  // namespace

void add_exercise(Scenario& scenario, const engine::ImageInfo& image) {
    if (!scenario.self_made) return;
    add_exposed_ports(scenario.subject, image);
    const bool has_ports =
        std::ranges::any_of(scenario.subject.ports, [](const Port& port) { return port.protocol == "tcp"; });
    const bool has_check = has_health_check(scenario, image);
    if (!scenario.goes_on && !has_ports && !has_check) return;
    std::vector<Step> steps;
    const auto ask = [&](const std::string& again) {
        if (has_check) {
            Step check = step_of(health_name + again, HealthAction{});
            check.retry_until_ms = 60'000;
            steps.push_back(std::move(check));
        }
        if (has_ports) steps.push_back(step_of(pages_name + again, PagesAction{}));
    };
    ask("");
    if (scenario.soak_ms > 0) steps.push_back(step_of(soak_name, WaitAction{scenario.soak_ms}));
    steps.push_back(step_of(restart_name, RestartAction{}));
    ask(" again");
    // A pod's last hook stays the last step.
    const auto at = std::ranges::find(scenario.steps, "preStop hook", &Step::name);
    scenario.steps.insert(at, std::make_move_iterator(steps.begin()), std::make_move_iterator(steps.end()));
}

void tell_exercise(CampaignResult& result) {
    if (!result.scenario.self_made) return;
    result.exercised = exercised(result);
    const std::string all = fmt::format("{}", fmt::join(result.exercised, ", "));
    for (MountResult& mount : result.mounts) {
        if (!mount.candidate) continue;
        if (mount.verdict == Verdict::untested)
            mount.reason += "; nothing in rogate's own exercise came near it: give a test that does (--test)";
        const bool rests_on_it = mount.verdict == Verdict::safe || mount.verdict == Verdict::tolerated ||
                                 mount.verdict == Verdict::split;
        if (!rests_on_it) continue;
        mount.self_made = true;
        mount.reason += fmt::format("; only rogate's own exercise vouches for it ({})", all);
    }
}

}  // namespace rogate::campaign
