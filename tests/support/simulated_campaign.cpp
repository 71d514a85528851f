// Runs a simulation, and then asks whether everything is as it has to be, whatever happened.
#include "support/simulated_campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/labels.hpp>
#include <rogate/names.hpp>

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

// The mount of the scenario's that it lies on.
std::string mount_of(const CampaignResult& result, const std::string& path) {
    std::string best = "/";
    for (const MountResult& each : result.mounts)
        if (is_mounted_at(path, each.mount.target) && each.mount.target.size() > best.size())
            best = each.mount.target;
    return best;
}

bool names_a_call(const std::string& message) {
    return message.find("engine: ") != std::string::npos || message.find("observer: ") != std::string::npos;
}

void check_verdicts(const FakeEngine& fake, Outcome& outcome) {
    const CampaignResult& result = *outcome.result;
    const auto is_on = [&](const std::vector<std::string>& paths, const std::string& target) {
        return std::ranges::find_if(
                   paths, [&](const auto& path) { return mount_of(result, path) == target; }) != paths.end();
    };
    for (const MountResult& each : result.mounts) {
        const std::string& target = each.mount.target;
        if (each.verdict != Verdict::safe) continue;
        if (is_on(fake.truth.written, target))
            outcome.wrong.push_back(
                fmt::format("{} is called safe, and the application writes to it", target));
        if (is_on(fake.truth.left_out_for, target))
            outcome.wrong.push_back(fmt::format(
                "{} is called safe, and the application leaves something out for its sake", target));
    }
    for (const std::string& target : result.recommendation.read_only) {
        const auto found = std::ranges::find_if(
            result.mounts, [&](const MountResult& each) { return each.mount.target == target; });
        if (found == result.mounts.end() || found->verdict == Verdict::required)
            outcome.wrong.push_back(
                fmt::format("{} is recommended read-only, and required writable", target));
    }
}

// Without trouble there is an answer for each mount that was tried.
void check_answers(const Simulation& simulation, Outcome& outcome) {
    if (simulation.trouble.any()) return;
    if (!outcome.error.empty()) return outcome.wrong.push_back("it failed though nothing went wrong");
    const RunRecord& control = outcome.result->runs.front();
    if (!control.passed) return;
    for (const MountResult& each : outcome.result->mounts)
        if (each.candidate && each.verdict == Verdict::inconclusive &&
            outcome.result->data_differences.empty())
            outcome.wrong.push_back(fmt::format("nothing went wrong, and {} is inconclusive: {}",
                                                each.mount.target, each.reason));
}

campaign::Options options_of(const Simulation& simulation, FakeEngine& fake) {
    campaign::Options options;
    options.repeat = simulation.repeat;
    options.own_observer =
        [&fake, trouble = simulation.trouble.observer]() -> engine::Task<std::unique_ptr<observe::Observer>> {
        std::unique_ptr<observe::Observer> observer = std::make_unique<FakeObserver>(fake, trouble);
        co_return observer;
    };
    return options;
}

void check_end(const Session& session, const char* of_what, const std::string& error, Outcome& outcome) {
    if (!session.ran_dry) outcome.wrong.push_back(fmt::format("{}: something goes on without end", of_what));
    if (const auto open = session.fake.open_wires(); open != 0)
        outcome.wrong.push_back(fmt::format("{}: {} connections were not closed", of_what, open));
    if (error.starts_with("an exception") || error.starts_with("a task"))
        outcome.wrong.push_back(fmt::format("{}: {}", of_what, error));
}

}  // namespace

Outcome simulate(const Simulation& simulation) {
    Outcome outcome;
    Session session(simulation.seed);
    FakeEngine& fake = session.fake;
    furnish(fake, simulation);
    const auto before = users_data(fake, simulation);
    fake.fault = [&](int number, const Call&) -> std::optional<Fault> {
        if (number == simulation.trouble.cancelled_at)
            session.stop.emit(boost::asio::cancellation_type::terminal);
        const auto found = simulation.trouble.calls.find(number);
        return found == simulation.trouble.calls.end() ? std::nullopt : std::optional(found->second);
    };
    RecordedStatus status;
    if (auto reached = session.run(session.client.negotiate()); !reached) {
        outcome.error = reached.error().message;
    } else {
        auto campaign = campaign::run_campaign(session.client, simulation.scenario, session_name,
                                               options_of(simulation, fake), status);
        auto result = session.run(std::move(campaign));
        if (result)
            outcome.result = std::move(*result);
        else
            outcome.error = result.error().message;
        check_end(session, "the campaign", outcome.error, outcome);
        const bool is_engines = !result && result.error().kind != ErrorKind::cancelled;
        if (is_engines && !names_a_call(outcome.error))
            outcome.wrong.push_back("its error names no call: " + outcome.error);
        if (!result && result.error().kind == ErrorKind::cancelled && !simulation.trouble.cancelled_at)
            outcome.wrong.push_back("it says that it was cancelled, and nobody did that");
    }
    outcome.calls = static_cast<int>(fake.calls().size());
    outcome.runs = status.runs;
    fake.fault = {};
    auto sweeping = campaign::sweep_until_settled(session.client, session_name, outcome.result ? 1 : 2);
    auto swept = session.run(std::move(sweeping));
    check_end(session, "the clean-up", swept ? "" : swept.error().message, outcome);
    if (!swept) outcome.wrong.push_back("the clean-up failed: " + swept.error().message);
    for (const std::string& left : fake.left_of(session_label))
        outcome.wrong.push_back("left on the engine: " + left);
    if (const std::string path = difference(before, users_data(fake, simulation)); !path.empty())
        outcome.wrong.push_back("the user's data were touched: " + path);
    if (outcome.result) check_verdicts(fake, outcome);
    check_answers(simulation, outcome);
    return outcome;
}

std::string described(const Simulation& simulation, const Outcome& outcome) {
    static constexpr const char* acts[] = {"read", "write", "mkdir", "unlink", "bind", "ask", "look", "say"};
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
    add("start", simulation.script.at_start);
    for (const auto& [step, all] : simulation.script.on_exec) add(step.c_str(), all);
    add("stop", simulation.script.at_stop);
    for (const auto& [call, fault] : simulation.trouble.calls)
        text += fmt::format("  call {} of {}: fault {}\n", call, outcome.calls, static_cast<int>(fault));
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
    return text;
}

}  // namespace rogate::test
