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
constexpr const char* pre_stop_name = "preStop hook";  // spec/kubernetes.hpp

bool has_health_check(const Subject& subject, const engine::ImageInfo& image) {
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

// What one container can be asked for.
struct Questions {
    bool health = false;
    std::vector<std::uint16_t> ports;
    bool any() const { return health || !ports.empty(); }
};

Questions questions_for(const Subject& subject, const engine::ImageInfo& image) {
    Questions asked;
    asked.health = has_health_check(subject, image);
    for (const Port& port : subject.ports)
        if (port.protocol == "tcp") asked.ports.push_back(port.container);
    return asked;
}

// `of`: behind the step's name.
void ask_for_health(const Questions& questions, const std::string& of, std::vector<Step>& steps) {
    if (!questions.health) return;
    steps.push_back(step_of(health_name + of, HealthAction{}));
    steps.back().retry_until_ms = 60'000;
}

void ask_for_pages(const Questions& questions, const std::string& of, std::vector<Step>& steps) {
    if (!questions.ports.empty())
        steps.push_back(step_of(pages_name + of, PagesAction{.ports = questions.ports}));
}

// A while of running, and a restart.
void run_and_restart(std::int64_t soak_ms, std::vector<Step>& steps) {
    if (soak_ms > 0) steps.push_back(step_of(soak_name, WaitAction{soak_ms}));
    steps.push_back(step_of(restart_name, RestartAction{}));
}

// "80/about" -> the number of pages of each port.
std::map<std::string, int> pages_by_port(const CampaignResult& result, const std::string& step) {
    std::map<std::string, int> pages;
    const auto control = std::ranges::find_if(
        result.runs, [](const RunRecord& run) { return run.plan.kind == RunKind::control; });
    if (control == result.runs.end()) return pages;
    const auto seen = control->observations.find(step);
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
    const auto first_of = [&](auto is_it) { return std::ranges::find_if(steps, is_it); };
    const auto health =
        first_of([](const Step& step) { return std::holds_alternative<HealthAction>(step.action); });
    const auto pages =
        first_of([](const Step& step) { return std::holds_alternative<PagesAction>(step.action); });
    if (health != steps.end()) told.emplace_back("its health check");
    if (pages != steps.end())
        for (const auto& [port, count] : pages_by_port(result, pages->name))
            told.push_back(fmt::format("{} page{} of port {}", count, count == 1 ? "" : "s", port));
    if (has(soak_name)) told.push_back(fmt::format("{} of running", seconds(result.scenario.soak_ms)));
    told.emplace_back(has(restart_name) ? "a restart" : "its start and its end");
    return told;
}

}  // namespace

void add_exercise(Scenario& scenario, const engine::ImageInfo& image) {
    if (!scenario.self_made) return;
    add_exposed_ports(scenario.subject, image);
    const Questions questions = questions_for(scenario.subject, image);
    if (!scenario.goes_on && !questions.any()) return;
    std::vector<Step> steps;
    const auto ask = [&](const std::string& again) {
        ask_for_health(questions, again, steps);
        ask_for_pages(questions, again, steps);
    };
    ask("");
    run_and_restart(scenario.soak_ms, steps);
    ask(" again");
    // A pod's last hook stays the last step.
    const auto at = std::ranges::find(scenario.steps, pre_stop_name, &Step::name);
    scenario.steps.insert(at, std::make_move_iterator(steps.begin()), std::make_move_iterator(steps.end()));
}

void add_exercise(Scenario& system, const std::map<std::string, engine::ImageInfo>& images) {
    if (!system.self_made) return;
    std::vector<std::pair<std::string, Questions>> all;
    for (Member& member : system.members) {
        if (member.ends) continue;
        const engine::ImageInfo& image = images.at(member.name);
        add_exposed_ports(member.subject, image);
        Questions questions = questions_for(member.subject, image);
        if (member.goes_on || questions.any()) all.emplace_back(member.name, std::move(questions));
    }
    if (all.empty()) return;
    std::vector<Step> steps;
    const auto ask = [&](const char* again) {
        for (const auto& add : {ask_for_health, ask_for_pages})
            for (const auto& [name, questions] : all) {
                const std::size_t before = steps.size();
                add(questions, fmt::format(" of {}{}", name, again), steps);
                if (steps.size() > before) steps.back().container = name;
            }
    };
    ask("");
    run_and_restart(system.soak_ms, steps);
    ask(" again");
    // What the containers of pods are asked before they end stays at the end.
    const auto at = std::ranges::find_if(system.steps, [](const Step& each) {
        return !each.container.empty() && each.name == std::string(pre_stop_name) + " of " + each.container;
    });
    system.steps.insert(at, std::make_move_iterator(steps.begin()), std::make_move_iterator(steps.end()));
}

std::vector<Step> steps_of(const CampaignResult& system, const std::string& container) {
    std::vector<Step> steps;
    const auto control = std::ranges::find_if(
        system.runs, [](const RunRecord& run) { return run.plan.kind == RunKind::control; });
    if (control == system.runs.end()) return steps;
    const auto record = control->containers.find(container);
    const bool restarted = record != control->containers.end() && record->second.restarted;
    const bool ended = record != control->containers.end() && record->second.exited_early;
    for (const Step& step : system.scenario.steps) {
        const auto seen = control->observations.find(step.name);
        const bool skipped = seen != control->observations.end() && seen->second.skipped;
        const bool of_it = step.container.empty() || (step.container == container && !skipped && !ended);
        const bool needs_it_running = std::holds_alternative<RestartAction>(step.action) ||
                                      std::holds_alternative<WaitAction>(step.action);
        if (!of_it || (needs_it_running && !restarted)) continue;
        steps.push_back(step);
    }
    return steps;
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
