// Runs a simulation, and then asks whether everything is as it has to be, whatever happened.
#include "support/simulated_campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/labels.hpp>
#include <rogate/names.hpp>
#include <rogate/place.hpp>

#include "campaign/campaign.hpp"
#include "support/session.hpp"

namespace rogate::test {

namespace {

constexpr const char* session_name = "5eed";

void furnish(FakeEngine& fake, const Simulation& simulation) {
    fake.api_version = simulation.api_version;
    fake.mounts_overlays = simulation.mounts_overlays;
    fake.overlay_options = simulation.overlay_options;
    for (const auto& [path, node] : simulation.user_data) fake.disk.put(path, node);
    for (const std::string& volume : simulation.user_volumes) {
        fake.add_volume(volume);
        fake.disk.put(FakeEngine::mountpoint(volume) + "/a", file("a of the volume's"));
    }
    fake.add_image("app:1", simulation.script);
    for (const auto& [name, script] : simulation.scripts) fake.add_image(image_of(name), script);
}

// Everything of the user's on the engine's host.
std::map<std::string, Node> users_data(const FakeEngine& fake, const Simulation& simulation) {
    std::map<std::string, Node> all = fake.disk.below("/srv");
    for (const std::string& volume : simulation.user_volumes)
        for (auto& [path, node] : fake.disk.below(FakeEngine::mountpoint(volume)))
            all.emplace(volume + path, std::move(node));
    return all;
}

std::string difference(const std::map<std::string, Node>& before, const std::map<std::string, Node>& after) {
    for (const auto& [path, node] : before)
        if (!after.contains(path) || after.at(path) != node) return path;
    for (const auto& [path, node] : after)
        if (!before.contains(path)) return path;
    return {};
}

// The mount of the scenario's that it lies on, tried or not.
std::string mount_of(const Simulation& simulation, const std::string& path) {
    const std::string container(container_of(path));
    std::string best = place_in(container, "/");
    for (const Member& member : simulation.scenario.members)
        for (const Mount& each : member.subject.mounts)
            if (const std::string target = place_in(member.name, each.target);
                is_mounted_at(path, target) && target.size() > best.size())
                best = target;
    for (const Mount& each : simulation.scenario.subject.mounts)
        if (is_mounted_at(path, each.target) && each.target.size() > best.size()) best = each.target;
    return best;
}

bool names_a_call(const std::string& message) {
    return message.find("engine: ") != std::string::npos || message.find("observer: ") != std::string::npos;
}

// The runs that a verdict rests on have passed, and were watched all the time.
std::string why_no_proof(const CampaignResult& result, const MountResult& mount) {
    for (const RunRecord& run : result.runs) {
        if (run.plan.kind == RunKind::control && !std::ranges::all_of(run.phases, &PhaseRecord::passed))
            return fmt::format("control run {} failed", run.plan.id);
        if (std::ranges::find(mount.runs, run.plan.id) == mount.runs.end()) continue;
        // One that repeats another counts by what it shows; if it cannot be relied on, that is nothing.
        if (run.passed && run.plan.repeats) continue;
        if (!run.passed) return fmt::format("run {} failed", run.plan.id);
        if (run.lost_events > 0) return fmt::format("events of run {} were lost", run.plan.id);
        for (const auto& [target, canary] : run.canary)
            if (canary != Canary::seen) return fmt::format("a canary of run {} was not seen", run.plan.id);
    }
    return {};
}

void check_verdicts(const Simulation& simulation, const FakeEngine& fake, Outcome& outcome) {
    const CampaignResult& result = *outcome.result;
    // A control run may be told to end before it comes to a write; then nothing is missed where that is left
    // out.
    const auto is_in_every_control = [&](const std::string& path) {
        return std::ranges::all_of(result.runs, [&](const RunRecord& run) {
            return run.plan.kind != RunKind::control ||
                   std::ranges::any_of(fake.truth.written, [&](const Truth::Write& write) {
                       return write.run == run.plan.id && write.path == path;
                   });
        });
    };
    // What is written there brings the data into the state that is asked for; that it was written is no part
    // of it.
    const auto makes_data = [&](int id) {
        return std::ranges::any_of(
            result.runs, [&](const RunRecord& run) { return run.plan.id == id && run.plan.leaves_data; });
    };
    for (const MountResult& each : result.mounts) {
        const std::string& target = each.mount.target;
        if (each.verdict != Verdict::safe) continue;
        for (const Truth::Write& write : fake.truth.written)
            if (mount_of(simulation, write.path) == target && !makes_data(write.run))
                outcome.wrong.push_back(
                    fmt::format("{} is called safe, and the application writes {} in run {}", target,
                                write.path, write.run));
        for (const Truth::LeftOut& left : fake.truth.left_out)
            if (mount_of(simulation, left.because_of) == target && is_in_every_control(left.path))
                outcome.wrong.push_back(fmt::format(
                    "{} is called safe, and the application leaves out {} for its sake", target, left.path));
    }
    for (const MountResult& each : result.mounts)
        if (const std::string why = why_no_proof(result, each); each.verdict == Verdict::safe && !why.empty())
            outcome.wrong.push_back(fmt::format("{} is called safe, and {}", each.mount.target, why));
    for (const std::string& target : result.recommendation.read_only) {
        const auto found = std::ranges::find_if(
            result.mounts, [&](const MountResult& each) { return each.mount.target == target; });
        if (found == result.mounts.end() || found->verdict == Verdict::required)
            outcome.wrong.push_back(
                fmt::format("{} is recommended read-only, and required writable", target));
    }
}

// Of a system: what a mount is required for is refused there, or missed by another container for its sake.
void check_blame(const Simulation& simulation, Outcome& outcome) {
    const auto is_missed = [&](const std::string& target) {
        for (const auto& [name, script] : simulation.scripts)
            for (const Act& act : script.at_start)
                if (act.path == shared_path && place_in(name, shared_folder) == target) return true;
        return false;
    };
    const auto ends_it = [&](const std::string& target) {
        const auto ends = [&](const std::vector<Act>& acts) {
            return std::ranges::any_of(acts, [&](const Act& act) {
                return act.refused == Act::Refused::end &&
                       mount_of(simulation, place_in(container_of(target), act.path)) == target;
            });
        };
        const Script& script = simulation.scripts.at(std::string(container_of(target)));
        return ends(script.at_start) || ends(script.at_stop) ||
               std::ranges::any_of(script.on_exec, [&](const auto& each) { return ends(each.second); });
    };
    for (const MountResult& each : outcome.result->mounts) {
        const std::string& target = each.mount.target;
        const bool cannot_start = each.reason.starts_with("the container cannot start");
        if (each.verdict != Verdict::required || cannot_start || ends_it(target) || is_missed(target))
            continue;
        outcome.wrong.push_back(
            fmt::format("{} is called required, and nothing ends for its sake: {}", target, each.reason));
    }
}

// A verdict was settled within the bounds, or it is none.
void check_bounds(const Simulation& simulation, Outcome& outcome) {
    if (simulation.max_runs && outcome.runs > *simulation.max_runs)
        outcome.wrong.push_back(fmt::format("{} runs were made of {}", outcome.runs, *simulation.max_runs));
    if (!outcome.result) return;
    const CampaignResult& result = *outcome.result;
    if (result.stopped.empty() && result.runs.empty())
        outcome.wrong.push_back("no run was made, without a word");
    for (const MountResult& each : result.mounts) {
        const bool passes = each.verdict == Verdict::safe || each.verdict == Verdict::tolerated ||
                            each.verdict == Verdict::split;
        if (each.candidate && passes && !result.stopped.empty() &&
            std::ranges::find(result.recommendation.read_only, each.mount.target) ==
                result.recommendation.read_only.end())
            outcome.wrong.push_back(fmt::format("{} is {}, and no run passed with what is recommended and it",
                                                each.mount.target, to_string(each.verdict)));
    }
}

// Of a system: what its own container's configuration promises was not so.
bool fell_in_control(const RunRecord& control, const std::string& place) {
    const auto own = control.containers.find(std::string(container_of(place)));
    return own != control.containers.end() && !own->second.trouble.empty();
}

// Without trouble there is an answer for each mount that was tried.
void check_answers(const Simulation& simulation, Outcome& outcome) {
    if (simulation.trouble.any()) return;
    if (!outcome.error.empty()) return outcome.wrong.push_back("it failed though nothing went wrong");
    if (!outcome.result || !outcome.result->stopped.empty()) return;
    const RunRecord& control = outcome.result->runs.front();
    if (!control.passed) return;
    for (const MountResult& each : outcome.result->mounts)
        // How it ends can be chance, where it is told to end while it still begins.
        if (each.candidate && each.verdict == Verdict::inconclusive &&
            outcome.result->data_differences.empty() && each.reason.find("exit code") == std::string::npos &&
            !fell_in_control(control, each.mount.target))
            outcome.wrong.push_back(fmt::format("nothing went wrong, and {} is inconclusive: {}",
                                                each.mount.target, each.reason));
}

campaign::Options options_of(const Simulation& simulation, FakeEngine& fake) {
    campaign::Options options;
    options.repeat = simulation.repeat;
    options.pods = simulation.pods;
    if (simulation.max_runs || simulation.max_time)
        options.budget = std::make_shared<campaign::Budget>(simulation.max_runs, simulation.max_time);
    options.own_observer =
        [&fake, trouble = simulation.trouble.observer]() -> engine::Task<std::unique_ptr<observe::Observer>> {
        std::unique_ptr<observe::Observer> observer = std::make_unique<FakeObserver>(fake, trouble);
        co_return observer;
    };
    return options;
}

// The campaign, and its clean-up as soon as that is over, while the engine still does what was under way.
struct Course {
    std::optional<Result<CampaignResult>> campaign;
    std::optional<Result<campaign::Leftovers>> clean_up;
};

void go(Session& session, const Simulation& simulation, RecordedStatus& status, Outcome& outcome,
        Course& course) {
    FakeEngine& fake = session.fake;
    const auto began = session.time.passed();
    const auto clean_up = [&, began](Result<CampaignResult> result) {
        outcome.calls = static_cast<int>(fake.calls().size());
        outcome.took = std::chrono::duration_cast<std::chrono::milliseconds>(session.time.passed() - began);
        fake.fault = {};
        course.campaign = std::move(result);
        session.spawn(
            campaign::sweep_until_settled(session.client, session_name,
                                          *course.campaign && (*course.campaign)->stopped.empty() ? 1 : 2),
            false, [&](Result<campaign::Leftovers> swept) { course.clean_up = std::move(swept); });
    };
    session.spawn(campaign::run_campaign(session.client, simulation.scenario, session_name,
                                         options_of(simulation, fake), status),
                  true, clean_up);
    session.run_dry();
}

void check_end(const Session& session, const Course& course, bool may_be_cancelled, Outcome& outcome) {
    if (!session.ran_dry) outcome.wrong.push_back("something goes on without end");
    if (const auto open = session.fake.open_wires(); open != 0)
        outcome.wrong.push_back(fmt::format("{} connections were not closed", open));
    if (!course.campaign || !course.clean_up)
        return outcome.wrong.push_back("a task waits for what never comes");
    if (!*course.clean_up)
        outcome.wrong.push_back("the clean-up failed: " + course.clean_up->error().message);
    if (*course.campaign) return;
    const Error& error = course.campaign->error();
    if (error.message.starts_with("an exception")) outcome.wrong.push_back(error.message);
    if (error.kind == ErrorKind::cancelled && !may_be_cancelled)
        outcome.wrong.push_back("it says that it was cancelled, and nobody did that");
    if (error.kind != ErrorKind::cancelled && !names_a_call(error.message))
        outcome.wrong.push_back("its error names no call: " + error.message);
}

}  // namespace

Outcome simulate(const Simulation& simulation) {
    Outcome outcome;
    Session session(simulation.seed);
    FakeEngine& fake = session.fake;
    furnish(fake, simulation);
    const auto before = users_data(fake, simulation);
    if (auto reached = session.run(session.client.negotiate()); !reached)
        outcome.wrong.push_back(reached.error().message);
    fake.fault = [&](int number, const Call&) -> std::optional<Fault> {
        if (number == simulation.trouble.cancelled_at)
            session.stop.emit(boost::asio::cancellation_type::terminal);
        const auto found = simulation.trouble.calls.find(number);
        return found == simulation.trouble.calls.end() ? std::nullopt : std::optional(found->second);
    };
    RecordedStatus status;
    Course course;
    go(session, simulation, status, outcome, course);
    outcome.runs = status.runs;
    check_end(session, course, simulation.trouble.cancelled_at.has_value(), outcome);
    if (course.campaign && *course.campaign) outcome.result = std::move(**course.campaign);
    if (course.campaign && !*course.campaign) outcome.error = course.campaign->error().message;
    for (const std::string& left : fake.left_of(session_label))
        outcome.wrong.push_back("left on the engine: " + left);
    if (const std::string path = difference(before, users_data(fake, simulation)); !path.empty())
        outcome.wrong.push_back("the user's data were touched: " + path);
    if (outcome.result) check_verdicts(simulation, fake, outcome);
    if (outcome.result && !simulation.scripts.empty() && !simulation.trouble.any())
        check_blame(simulation, outcome);
    check_bounds(simulation, outcome);
    check_answers(simulation, outcome);
    return outcome;
}

std::string described(const Simulation& simulation, const Outcome& outcome) {
    static constexpr const char* acts[] = {"read", "write", "mkdir", "unlink", "bind",
                                           "ask",  "look",  "say",   "need"};
    static constexpr const char* refused[] = {"go on", "end", "skip"};
    std::string text;
    const auto add = [&](const char* when, const std::vector<Act>& all) {
        for (const Act& act : all)
            text += fmt::format("  {}: {} {} (refused: {})\n", when, acts[static_cast<int>(act.kind)],
                                act.path, refused[static_cast<int>(act.refused)]);
    };
    for (const Mount& mount : simulation.scenario.subject.mounts)
        text +=
            fmt::format("  mount {} of '{}'{}\n", mount.target, mount.source, mount.read_only ? " (ro)" : "");
    for (const auto& [name, script] : simulation.scripts) {
        for (const Member& member : simulation.scenario.members)
            for (const Mount& mount : member.subject.mounts)
                if (member.name == name)
                    text += fmt::format("  {}: mount {} of '{}'{}\n", name, mount.target, mount.source,
                                        mount.read_only ? " (ro)" : "");
        add((name + " start").c_str(), script.at_start);
        for (const auto& [step, acts] : script.on_exec) add((name + " " + step).c_str(), acts);
        add((name + " stop").c_str(), script.at_stop);
        if (script.ends_with) text += fmt::format("  {} ends with {}\n", name, *script.ends_with);
    }
    add("start", simulation.script.at_start);
    for (const auto& [step, all] : simulation.script.on_exec) add(step.c_str(), all);
    add("stop", simulation.script.at_stop);
    for (const auto& [call, fault] : simulation.trouble.calls)
        text += fmt::format("  call {} of {}: fault {}\n", call, outcome.calls, static_cast<int>(fault));
    const ObserverTrouble& observer = simulation.trouble.observer;
    text += fmt::format("  observer: fails at call {}, loses events in run {}, misses canaries in run {}\n",
                        observer.fails_at, observer.loses_events, observer.misses_canary);
    if (simulation.trouble.cancelled_at)
        text += fmt::format("  cancelled at call {}\n", *simulation.trouble.cancelled_at);
    if (!outcome.error.empty()) text += "  error: " + outcome.error + "\n";
    if (!outcome.result) return text;
    for (const MountResult& each : outcome.result->mounts)
        text += fmt::format("  {}: {}: {}\n", each.mount.target, to_string(each.verdict), each.reason);
    for (const RunRecord& run : outcome.result->runs)
        text +=
            fmt::format("  run {} ({}), read-only: {}: {}\n", run.plan.id, static_cast<int>(run.plan.kind),
                        fmt::join(run.plan.read_only, ", "), run.passed ? "passed" : "failed");
    for (const RunRecord& run : outcome.result->runs)
        for (const Attempt& each : run.attempts)
            text += fmt::format("  run {}: {} {}: {} in {}\n", run.plan.id, each.operation.str(),
                                each.path.view(), errno_name(each.error), each.phase.str());
    return text;
}

}  // namespace rogate::test
