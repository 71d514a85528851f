#include "verdict/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <initializer_list>
#include <iterator>
#include <rogate/names.hpp>
#include <rogate/place.hpp>

#include "verdict/compare.hpp"
#include "verdict/difference.hpp"
#include "verdict/pages_changed.hpp"

namespace rogate::verdict {

namespace {

std::uint64_t uses(const RunRecord& run, const std::string& target) {
    const auto found = run.uses.find(target);
    return found == run.uses.end() ? 0 : found->second;
}

std::string counted(std::size_t n, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", n, n == 1 ? one : many);
}

// The engine's words for "the mount itself is in the way", as opposed to any other reason not to start a
// container.
bool start_failed_by_read_only(const std::string& why) {
    // "rootfs is marked read-only": the engine writes no inline config or secret into such a container.
    return why.find("read-only file system") != std::string::npos ||
           why.find("mountpoint") != std::string::npos ||
           why.find("rootfs is marked read-only") != std::string::npos;
}

// Its own container, in a system.
bool could_not_start(const RunRecord& run, const std::string& place) {
    const auto own = run.containers.find(std::string(container_of(place)));
    return own == run.containers.end() ? run.could_not_start : own->second.could_not_start;
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

// What is asked of other containers of a system is no step of the one that has the mount.
Watched watched_in(const RunRecord& run, const Mount& mount) {
    Watched watched;
    for (const PhaseRecord& phase : run.phases) {
        const bool is_of_it = phase.container.empty() || phase.container == container_of(mount.target);
        if (phase.name.starts_with("step ") && is_of_it) ++watched.steps;
        // "entrypoint" lasts as long as the engine takes to start a container.
        if (phase.name != "entrypoint") watched.seconds += phase.duration_s;
    }
    return watched;
}

std::string through(const Watched& watched) {
    return fmt::format(
        "watched through {}, {:.1f} s",
        watched.steps == 0 ? "no step" : counted(static_cast<std::size_t>(watched.steps), "step", "steps"),
        watched.seconds);
}

Attempts of_class(const Attempts& attempts, std::initializer_list<AttemptClass> wanted) {
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < attempts.size(); ++i)
        if (std::find(wanted.begin(), wanted.end(), attempts[i].cls) != wanted.end()) places.push_back(i);
    return attempts.picked(std::move(places));
}

std::string joined(const std::vector<std::string>& targets) {
    return fmt::format("{}", fmt::join(targets, ", "));
}

// What the application does differently, as a list of clauses.
std::string told(const Difference& difference, const std::string& target) {
    std::string text;
    const auto add = [&](const std::string& clause) { text += (text.empty() ? "" : ", ") + clause; };
    if (!difference.left_out.empty())
        add(fmt::format("leaves out {}, which the control run did", named(difference.left_out)));
    for (const std::string& unused : difference.unused)
        add(unused == target
                ? "no longer opens anything on it, as every control run did"
                : fmt::format("no longer opens anything on {}, as every control run did", unused));
    if (!difference.instead.empty()) text += fmt::format("; it does {} instead", named(difference.instead));
    if (!difference.with.empty())
        text += fmt::format("; whether that is for its sake or that of {} cannot be told",
                            joined(difference.with));
    return text;
}

// The refusals by which the application can have known.
std::string refused_checks(const Attempts& attempts) {
    const Attempts checks = of_class(attempts, {AttemptClass::access_check});
    if (checks.empty()) return {};
    return fmt::format("; {} was refused ({})", named(checks), errno_name(checks[0].error));
}

// Of rogate's own exercise. Empty: none says anything else.
std::string told_of_pages(const RunRecord& control, const RunRecord& run) {
    const std::vector<std::string> changed = pages_changed(control, run);
    if (changed.empty()) return {};
    const std::size_t slash = changed.front().find('/');
    return fmt::format("GET {} of port {}{} shows something else than in the control run",
                       changed.front().substr(slash), changed.front().substr(0, slash),
                       changed.size() == 1 ? "" : fmt::format(" and {} more", changed.size() - 1));
}

// Who else can write by the doing of the mount's container; empty: nobody.
std::string unseen_writers(const RunRecord& run, const std::string& target) {
    const auto others = run.unseen_writers.find(std::string(container_of(target)));
    return others == run.unseen_writers.end() ? std::string() : others->second;
}

void judge_split(MountResult& result, const RunRecord& control, const RunRecord& run,
                 const Difference* difference) {
    const std::string& target = result.mount.target;
    // They may write elsewhere on it.
    if (const std::string others = unseen_writers(run, target); !others.empty()) {
        result.reason +=
            fmt::format("; what of it could stay writable alone cannot be told, since {}", others);
        return;
    }
    for (const WritablePath& path : run.plan.writable)
        if (path.mount == target) result.writable.push_back(path);
    result.runs.push_back(run.plan.id);
    result.costs = costs_of(control, run);
    result.watched = watched_in(run, result.mount);
    std::string reason =
        fmt::format("{}, but passes with {} writable", result.reason, listed(result.writable));
    const Attempts still = of_class(failed_attempts(run, target), {AttemptClass::write});
    result.still_failing = still;
    if (!still.empty())
        reason +=
            fmt::format("; {} still failed, which the scenario did without: {}",
                        counted(each_once(still).size(), "kind of write", "kinds of write"), named(still));
    if (difference != nullptr) {
        result.difference = *difference;
        reason += "; it " + told(*difference, target);
    }
    if (const std::string pages = told_of_pages(control, run); !pages.empty()) reason += "; " + pages;
    settle(result, Verdict::split, std::move(reason));
}

std::string no_op_as_words(const Attempt& attempt) {
    if (attempt.operation == "chown") return "chown to the owner it has";
    if (attempt.operation == "chmod") return "chmod to the mode it has";
    if (attempt.operation == "unlink" || attempt.operation == "rmdir" || attempt.operation == "rename")
        return attempt.operation.str() + " of what is not there";
    if (attempt.operation == "open-write") return "open for writing of what is only read";
    return attempt.operation.str() + ", which changes nothing";
}

// What the control run wrote on the mount beside owners, modes and times: what came after a no-op, and does
// not come where the no-op is refused.
Attempts contents_written(const Attempts& writes) {
    static constexpr std::array names = {"create",  "open-write", "mkdir",    "rename", "link",
                                         "symlink", "mknod",      "truncate", "bind"};
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < writes.size(); ++i)
        if (std::find(names.begin(), names.end(), writes[i].operation) != names.end()) places.push_back(i);
    return writes.picked(std::move(places));
}

// What was refused on the mount before the scenario failed.
std::string decided_by(const Attempts& attempts, const Attempts& in_control) {
    const Attempts writes = of_class(attempts, {AttemptClass::write});
    if (!writes.empty()) {
        const Attempt* last = &writes[0];
        for (const Attempt& each : writes)
            if (each.first_s > last->first_s) last = &each;
        return fmt::format("; refused: {}{}", named(Attempts{*last}),
                           writes.size() == 1 ? "" : fmt::format(" and {} more", writes.size() - 1));
    }
    const Attempts no_ops = of_class(attempts, {AttemptClass::no_op});
    if (no_ops.empty())
        return attempts.empty()
                   ? ""
                   : fmt::format("; refused: {}, and nothing else: it gives up when it may not write",
                                 named(attempts));
    if (const Attempts then = contents_written(in_control); !then.empty())
        return fmt::format("; refused: {}, without which it does not go on to write there: {}",
                           named(Attempts{no_ops[0]}), named(then));
    const bool is_chown = no_ops[0].operation == "chown";
    return fmt::format("; only by a no-op ({}: {}): {}let the script tolerate it", no_op_as_words(no_ops[0]),
                       named(Attempts{no_ops[0]}), is_chown ? "run as that user, or " : "");
}

void judge_failed_probe(MountResult& result, const RunRecord& probe) {
    if (could_not_start(probe, result.mount.target)) {
        if (start_failed_by_read_only(failure_of(probe, result.mount.target)))
            return settle(
                result, Verdict::required,
                "the container cannot start when it is read-only: " + failure_of(probe, result.mount.target));
        return settle(result, Verdict::inconclusive,
                      "the engine did not start the container: " + failure_of(probe, result.mount.target));
    }
    if (result.attempts.empty())
        return settle(
            result, Verdict::inconclusive,
            fmt::format(
                "the scenario failed ({}) though no write on it was seen to fail; run again, and look at "
                "the log of run {} if it stays so",
                failure_of(probe, result.mount.target), probe.plan.id));
    if (!is_proven(probe, result.mount.target))
        return settle(result, Verdict::inconclusive,
                      fmt::format("the scenario failed ({}), and no refusal in run {} proves that it was "
                                  "read-only and watched; run again",
                                  failure_of(probe, result.mount.target), probe.plan.id));
    settle(result, Verdict::required,
           fmt::format("read-only fails {}{}", failure_of(probe, result.mount.target),
                       decided_by(result.attempts, result.writes)));
}

// What was refused to be opened for writing, though nothing would have been written.
std::string only_read(const Attempts& attempts) {
    std::vector<std::string_view> paths;
    for (const Attempt& each : attempts)
        if (each.read_instead && each.cls == AttemptClass::no_op) paths.push_back(each.path.view());
    if (paths.empty()) return {};
    return fmt::format("{}{} {} opened for writing and only read; ", paths.front(),
                       paths.size() == 1 ? "" : fmt::format(" and {} more", paths.size() - 1),
                       paths.size() == 1 ? "was" : "were");
}

// Writes to the mount of which no run that counts has anything.
std::string never_written(const RunRecord& control, const std::string& target) {
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < control.made_data.size(); ++i)
        if (control.made_data[i].mount == target) places.push_back(i);
    if (places.empty()) return "never written to";
    return fmt::format("written to only by the run that made the data: {}",
                       named(control.made_data.picked(std::move(places))));
}

void judge_passed_probe(MountResult& result, const RunRecord& control, const RunRecord& probe,
                        const Difference* difference) {
    const std::string& target = result.mount.target;
    result.watched = watched_in(probe, result.mount);
    if (writes_made(probe, target) > 0)
        return settle(
            result, Verdict::inconclusive,
            fmt::format("writes on it succeeded in run {}, in which it was read-only: the application "
                        "made it writable, or they were made somewhere else",
                        probe.plan.id));
    const Attempts writes = of_class(result.attempts, {AttemptClass::write});
    if (difference != nullptr) result.difference = *difference;
    const std::string others = unseen_writers(probe, target);
    if (!others.empty() && !writes.empty())
        return settle(result, Verdict::inconclusive,
                      fmt::format("passes read-only, though {} failed, and {}", named(writes), others));
    if (!writes.empty())
        return settle(
            result, Verdict::tolerated,
            fmt::format("passes read-only, though {} failed that would have changed something: {}{}",
                        counted(each_once(writes).size(), "kind of write", "kinds of write"), named(writes),
                        difference == nullptr ? "" : "; it " + told(*difference, target)));
    // It wrote when it could and did not even try when it could not: harmless to this scenario, but a change
    // of behaviour that a person has to accept, and that an EROFS count alone would call safe.
    if (difference != nullptr)
        return settle(result, others.empty() ? Verdict::tolerated : Verdict::inconclusive,
                      fmt::format("passes read-only, but {}{}{}{}", told(*difference, target),
                                  others.empty() ? "" : "; ", others, refused_checks(result.attempts)));
    const bool there = in_use(control, target), here = in_use(probe, target);
    if (!there && !here)
        return settle(
            result, Verdict::untested,
            result.attempts.empty()
                ? "nothing opened or listed anything on it, so there is no evidence"
                : fmt::format("nothing opened or listed anything on it, so there is no evidence; it was "
                              "only asked whether it is writable: {}",
                              named(result.attempts)));
    if (result.attempts.empty() && uses(control, target) + uses(probe, target) == 0)
        return settle(result, Verdict::untested,
                      "nothing was seen to be opened on it, so there is no evidence");
    if ((!there || !here) && counts_every_open(probe))
        return settle(result, Verdict::untested,
                      fmt::format("only {} opened something on it, so there is too little evidence",
                                  there ? "the control run" : fmt::format("run {}", probe.plan.id)));
    if (!others.empty())
        return settle(result, Verdict::inconclusive,
                      fmt::format("passes read-only as far as can be seen, but {}", others));
    if (const std::string pages = told_of_pages(control, probe); !pages.empty())
        return settle(result, Verdict::tolerated,
                      fmt::format("passes read-only, but {}{}", pages, refused_checks(result.attempts)));
    const std::size_t harmless = result.attempts.size();
    if (harmless > 0)
        return settle(
            result, Verdict::safe,
            fmt::format("passes read-only; only {} refused; {}{}",
                        counted(harmless, "no-op or access check was", "no-ops and access checks were"),
                        only_read(result.attempts), through(*result.watched)));
    settle(result, Verdict::safe,
           fmt::format("read {}{} times, {}; {}", probe.observer == "ptrace" ? "at least " : "",
                       uses(control, target) + uses(probe, target), never_written(control, target),
                       through(*result.watched)));
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

void add_repeats(MountResult& result, const RunRecord& run) {
    result.runs.insert(result.runs.end(), run.repeated_by.begin(), run.repeated_by.end());
}

}  // namespace

MountResult judge(const MountEvidence& evidence) {
    MountResult result;
    result.mount = evidence.mount;
    result.candidate = evidence.candidate;
    result.made_up = evidence.made_up;
    const std::string& target = evidence.mount.target;
    if (evidence.refusals != nullptr) result.attempts = failed_attempts(*evidence.refusals, target);
    if (!evidence.ineffective.empty()) {
        settle(result, Verdict::ineffective, evidence.ineffective);
        return result;
    }
    if (evidence.control == nullptr) {
        settle(result, Verdict::inconclusive,
               evidence.stopped.empty() ? "the control run did not come to an end"
                                        : "no run was made, since " + evidence.stopped);
        return result;
    }
    const RunRecord& control = *evidence.control;
    result.runs.push_back(control.plan.id);
    if (evidence.difference != nullptr) add_repeats(result, control);
    result.writes_in_control = writes_made(control, target);
    result.writes = write_attempts(control, target);
    if (!control.doubt.empty()) {
        settle(result, Verdict::inconclusive, "the control run is flaky: " + control.doubt);
        return result;
    }
    if (!control.passed) {
        settle(
            result, Verdict::inconclusive,
            fmt::format("the control run failed, with every mount as it is configured: {}{}{}",
                        failure_of(control), evidence.data_doubt.empty() ? "" : "; ", evidence.data_doubt));
        return result;
    }
    if (const std::string doubt = distrust(control); !doubt.empty()) {
        settle(result, Verdict::inconclusive, "the control run cannot be relied on: " + doubt);
        return result;
    }
    if (!evidence.data_doubt.empty()) {
        settle(result, Verdict::inconclusive, evidence.data_doubt);
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
        settle(result, Verdict::inconclusive,
               evidence.stopped.empty()
                   ? "no run with it read-only came to an end"
                   : "no run that tells was made with it read-only, since " + evidence.stopped);
        return result;
    }
    const RunRecord& probe = *evidence.probe;
    result.runs.push_back(probe.plan.id);
    add_repeats(result, probe);
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
            judge_split(result, control, *evidence.split, evidence.difference);
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
    judge_passed_probe(result, control, probe, evidence.difference);
    if (result.verdict == Verdict::tolerated) result.costs = costs_of(control, probe);
    if (!result.made_up.empty() && result.verdict != Verdict::inconclusive)
        result.reason += fmt::format("; the runs had {} there", result.made_up);
    return result;
}

}  // namespace rogate::verdict
