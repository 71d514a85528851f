#include "verdict/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <rogate/names.hpp>

#include "verdict/compare.hpp"

namespace rogate::verdict {

namespace {

std::uint64_t uses(const RunRecord& run, const std::string& target) {
    const auto found = run.uses.find(target);
    return found == run.uses.end() ? 0 : found->second;
}

bool touched(const RunRecord& run, const std::string& target) {
    return uses(run, target) > 0 ||
           std::any_of(run.attempts.begin(), run.attempts.end(),
                       [&](const Attempt& attempt) { return attempt.mount == target; });
}

std::size_t of_class(const Attempts& attempts, AttemptClass cls) {
    return static_cast<std::size_t>(
        std::count_if(attempts.begin(), attempts.end(), [&](const Attempt& a) { return a.cls == cls; }));
}

std::string counted(std::size_t n, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", n, n == 1 ? one : many);
}

// The engine's words for "the mount itself is in the way", as opposed to any other reason not to start a
// container.
bool start_failed_by_read_only(const RunRecord& run) {
    const std::string why = failure_of(run);
    // "rootfs is marked read-only": the engine writes no inline config or secret into such a container.
    return why.find("read-only file system") != std::string::npos ||
           why.find("mountpoint") != std::string::npos ||
           why.find("rootfs is marked read-only") != std::string::npos;
}

void settle(MountResult& result, Verdict verdict, std::string reason) {
    result.verdict = verdict;
    result.reason = std::move(reason);
}

std::string listed(const std::vector<WritablePath>& paths) {
    std::string text;
    for (const WritablePath& path : paths)
        text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", path.path, to_string(path.as));
    return text;
}

// The phases that took clearly longer: half as long again, and long enough for a person to notice.
std::vector<PhaseCost> costs_of(const RunRecord& control, const RunRecord& run) {
    std::vector<PhaseCost> costs;
    for (const PhaseRecord& phase : run.phases) {
        const auto there = std::find_if(control.phases.begin(), control.phases.end(),
                                        [&](const PhaseRecord& p) { return p.name == phase.name; });
        // "entrypoint" lasts as long as the engine takes to start a container.
        if (there == control.phases.end() || !phase.passed || phase.name == "entrypoint") continue;
        if (phase.duration_s > 1.5 * there->duration_s && phase.duration_s > there->duration_s + 0.5)
            costs.push_back({phase.name, there->duration_s, phase.duration_s});
    }
    return costs;
}

Attempts failed_writes(const RunRecord& run, const std::string& target) {
    const Attempts failed = failed_attempts(run, target);
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < failed.size(); ++i)
        if (failed[i].cls == AttemptClass::write) places.push_back(i);
    return failed.picked(std::move(places));
}

void judge_split(MountResult& result, const RunRecord& control, const RunRecord& run) {
    const std::string& target = result.mount.target;
    for (const WritablePath& path : run.plan.writable)
        if (path.mount == target) result.writable.push_back(path);
    result.runs.push_back(run.plan.id);
    result.costs = costs_of(control, run);
    std::string reason =
        fmt::format("{}, but passes with {} writable", result.reason, listed(result.writable));
    const std::size_t still = of_class(failed_attempts(run, target), AttemptClass::write);
    result.still_failing = failed_writes(run, target);
    if (still > 0)
        reason += fmt::format("; {} still failed, which the scenario did without",
                              counted(still, "kind of write", "kinds of write"));
    settle(result, Verdict::split, std::move(reason));
}

void judge_failed_probe(MountResult& result, const RunRecord& probe) {
    if (probe.could_not_start) {
        if (start_failed_by_read_only(probe))
            return settle(result, Verdict::required,
                          "the container cannot start when it is read-only: " + failure_of(probe));
        return settle(result, Verdict::inconclusive,
                      "the engine did not start the container: " + failure_of(probe));
    }
    if (result.attempts.empty())
        return settle(
            result, Verdict::inconclusive,
            fmt::format(
                "the scenario failed ({}) though no write on it was seen to fail; run again, and look at "
                "the log of run {} if it stays so",
                failure_of(probe), probe.plan.id));
    settle(result, Verdict::required, fmt::format("read-only fails {}", failure_of(probe)));
}

void judge_passed_probe(MountResult& result, const RunRecord& control, const RunRecord& probe) {
    const std::string& target = result.mount.target;
    if (writes_made(probe, target) > 0)
        return settle(
            result, Verdict::inconclusive,
            fmt::format("writes on it succeeded in run {}, in which it was read-only: the application "
                        "made it writable, or they were made somewhere else",
                        probe.plan.id));
    if (!touched(control, target) && !touched(probe, target))
        return settle(result, Verdict::untested,
                      "nothing opened or listed anything on it, so there is no evidence");
    const std::size_t writes = of_class(result.attempts, AttemptClass::write);
    if (writes > 0)
        return settle(result, Verdict::tolerated,
                      fmt::format("passes read-only, though {} failed that would have changed something",
                                  counted(writes, "kind of write", "kinds of write")));
    // It wrote when it could and did not even try when it could not: harmless to this scenario, but a change
    // of behaviour that a person has to accept, and that an EROFS count alone would call safe.
    if (const std::uint64_t left_out = writes_left_out(probe, control, target); left_out > 0)
        return settle(result, Verdict::tolerated,
                      fmt::format("passes read-only, but leaves out {} that it made in the control run",
                                  counted(left_out, "write", "writes")));
    const std::size_t harmless = result.attempts.size();
    if (harmless > 0)
        return settle(
            result, Verdict::safe,
            fmt::format("passes read-only; only {} refused",
                        counted(harmless, "no-op or access check was", "no-ops and access checks were")));
    settle(result, Verdict::safe,
           fmt::format("read {}{} times, never written to", probe.observer == "ptrace" ? "at least " : "",
                       uses(control, target) + uses(probe, target)));
}

// Without an observer only the outcomes are known: a failure shows a need, a pass shows nothing of what was
// refused and put up with.
void judge_unobserved(MountResult& result, const RunRecord& probe) {
    if (probe.passed)
        return settle(
            result, Verdict::untested,
            "the scenario passes with it read-only, but nothing watched (--observer none): whether a "
            "write on it fails unnoticed, or it is used at all, is not known");
    if (probe.could_not_start) return judge_failed_probe(result, probe);
    if (probe.plan.read_only.size() == 1)
        return settle(
            result, Verdict::required,
            fmt::format("read-only fails {}; nothing watched (--observer none), so which write needs "
                        "it is not known",
                        failure_of(probe)));
    settle(result, Verdict::inconclusive,
           fmt::format("the scenario failed ({}) with several mounts read-only, and nothing watched which of "
                       "them it needs (--observer none)",
                       failure_of(probe)));
}

}  // namespace

MountResult judge(const MountEvidence& evidence) {
    MountResult result;
    result.mount = evidence.mount;
    result.candidate = evidence.candidate;
    const std::string& target = evidence.mount.target;
    if (!evidence.ineffective.empty()) {
        settle(result, Verdict::ineffective, evidence.ineffective);
        return result;
    }
    if (evidence.control == nullptr) {
        settle(result, Verdict::inconclusive, "the control run did not come to an end");
        return result;
    }
    const RunRecord& control = *evidence.control;
    result.runs.push_back(control.plan.id);
    result.writes_in_control = writes_made(control, target);
    result.writes = write_attempts(control, target);
    if (!control.doubt.empty()) {
        settle(result, Verdict::inconclusive, "the control run is flaky: " + control.doubt);
        return result;
    }
    if (!control.passed) {
        settle(result, Verdict::inconclusive,
               fmt::format("the control run failed, with every mount as it is configured: {}",
                           failure_of(control)));
        return result;
    }
    if (const std::string doubt = distrust(control); !doubt.empty()) {
        settle(result, Verdict::inconclusive, "the control run cannot be relied on: " + doubt);
        return result;
    }
    if (evidence.mount.read_only) {
        result.attempts = failed_attempts(control, target);
        settle(result, Verdict::already_ro,
               !observed(control) ? "is read-only already; whether writes on it fail was not watched"
               : result.attempts.empty()
                   ? "is read-only already, and no write on it failed"
                   : fmt::format("is read-only already; {} failed on it",
                                 counted(result.attempts.size(), "kind of attempt", "kinds of attempt")));
        return result;
    }
    if (!evidence.not_tried.empty()) {
        settle(result, Verdict::inconclusive, evidence.not_tried);
        return result;
    }
    if (evidence.probe == nullptr) {
        settle(result, Verdict::inconclusive, "no run with it read-only came to an end");
        return result;
    }
    const RunRecord& probe = *evidence.probe;
    result.runs.push_back(probe.plan.id);
    result.attempts = failed_attempts(probe, target);
    // The subject was not even started.
    if (!probe.services_problem.empty()) {
        settle(result, Verdict::inconclusive,
               fmt::format("run {} says nothing about it: {}", probe.plan.id, probe.services_problem));
        return result;
    }
    if (!probe.doubt.empty()) {
        settle(result, Verdict::inconclusive, fmt::format("run {} is flaky: {}", probe.plan.id, probe.doubt));
        return result;
    }
    if (!observed(control) || !observed(probe)) {
        judge_unobserved(result, probe);
        return result;
    }
    // A failed scenario needs no complete account: one refused write and one failed phase show the need.
    if (!probe.passed) {
        judge_failed_probe(result, probe);
        if (result.verdict == Verdict::required && evidence.split != nullptr)
            judge_split(result, control, *evidence.split);
        return result;
    }
    if (const std::string doubt = distrust(probe); !doubt.empty()) {
        settle(result, Verdict::inconclusive,
               fmt::format("run {} cannot be relied on: {}", probe.plan.id, doubt));
        return result;
    }
    if (!probe.canary.contains(target)) {
        settle(result, Verdict::inconclusive,
               fmt::format("run {} made no canary write on it", probe.plan.id));
        return result;
    }
    judge_passed_probe(result, control, probe);
    if (result.verdict == Verdict::tolerated) result.costs = costs_of(control, probe);
    return result;
}

}  // namespace rogate::verdict
