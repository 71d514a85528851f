#include "verdict/plan.hpp"

#include <algorithm>

#include "verdict/compare.hpp"
#include "verdict/judge.hpp"

namespace rogate::verdict {

namespace {

using Targets = std::vector<std::string>;

bool contains(const Targets& targets, const std::string& target) {
    return std::find(targets.begin(), targets.end(), target) != targets.end();
}

const RunRecord* run_with(const Targets& read_only, const std::vector<RunRecord>& runs) {
    for (const RunRecord& run : runs)
        if (run.plan.kind != RunKind::control && run.plan.read_only == read_only) return &run;
    return nullptr;
}

RunPlan plan(RunKind kind, Targets read_only, const std::vector<RunRecord>& so_far) {
    RunPlan next;
    next.id = static_cast<int>(so_far.size()) + 1;
    next.kind = kind;
    next.read_only = std::move(read_only);
    if (!so_far.empty()) {
        next.expected_exit_code = so_far.front().exit_code;
        next.expected_early_exit = so_far.front().exited_early;
    }
    return next;
}

// Untested mounts pass too, but there is no evidence to recommend anything on.
bool recommendable(Verdict verdict) {
    return verdict == Verdict::safe || verdict == Verdict::tolerated;
}

Verdict judge_target(const std::string& target, const std::vector<RunRecord>& runs) {
    MountEvidence evidence;
    evidence.mount.target = target;
    evidence.control = runs.empty() ? nullptr : &runs.front();
    evidence.probe = settling_run(target, runs);
    return judge(evidence).verdict;
}

bool relied_on(const RunRecord& run) {
    return run.passed && distrust(run).empty();
}

}  // namespace

std::optional<RunPlan> next_run(const Targets& candidates, const std::vector<RunRecord>& so_far) {
    if (so_far.empty()) return plan(RunKind::control, {}, so_far);
    const RunRecord& control = so_far.front();
    if (!relied_on(control)) return std::nullopt;

    Targets quiet, written;
    for (const std::string& target : candidates)
        (writes_made(control, target) == 0 ? quiet : written).push_back(target);

    const RunRecord* common = nullptr;
    if (!quiet.empty()) {
        common = run_with(quiet, so_far);
        if (common == nullptr) return plan(RunKind::probe, quiet, so_far);
    }
    Targets alone = written;
    // A common run that failed tells nothing of any one of its mounts; one that cannot be relied on is not
    // made better by more runs.
    if (common != nullptr && !common->passed && quiet.size() > 1)
        alone.insert(alone.end(), quiet.begin(), quiet.end());
    for (const std::string& target : alone)
        if (run_with({target}, so_far) == nullptr) return plan(RunKind::probe, {target}, so_far);

    // Candidates keep their order in every plan, so equal sets are equal lists.
    Targets passed;
    for (const std::string& target : candidates)
        if (recommendable(judge_target(target, so_far))) passed.push_back(target);
    if (passed.empty() || run_with(passed, so_far) != nullptr) return std::nullopt;
    return plan(RunKind::verify, passed, so_far);
}

const RunRecord* settling_run(const std::string& target, const std::vector<RunRecord>& runs) {
    const RunRecord* alone = nullptr;
    const RunRecord* passed = nullptr;
    for (const RunRecord& run : runs) {
        if (run.plan.kind != RunKind::probe || !contains(run.plan.read_only, target)) continue;
        if (run.plan.read_only.size() == 1) alone = &run;
        if (run.passed && passed == nullptr) passed = &run;
    }
    return alone != nullptr ? alone : passed;
}

std::vector<MountResult> judge_all(const std::vector<Mount>& mounts, const Targets& candidates,
                                   const std::map<std::string, std::string>& ineffective,
                                   const std::vector<RunRecord>& runs) {
    std::vector<MountResult> results;
    for (const Mount& mount : mounts) {
        const bool candidate = contains(candidates, mount.target);
        const auto pointless = ineffective.find(mount.target);
        if (!candidate && !mount.read_only && pointless == ineffective.end()) continue;
        MountEvidence evidence;
        if (pointless != ineffective.end()) evidence.ineffective = pointless->second;
        evidence.mount = mount;
        evidence.candidate = candidate;
        evidence.control = runs.empty() ? nullptr : &runs.front();
        evidence.probe = settling_run(mount.target, runs);
        results.push_back(judge(evidence));
    }
    return results;
}

Recommendation recommend(const std::vector<MountResult>& mounts, const std::vector<RunRecord>& runs) {
    const auto acceptable = [&](const std::string& target) {
        return std::any_of(mounts.begin(), mounts.end(), [&](const MountResult& result) {
            return result.mount.target == target && recommendable(result.verdict);
        });
    };
    Recommendation best;
    for (const RunRecord& run : runs) {
        if (run.plan.kind == RunKind::control || !relied_on(run)) continue;
        if (!std::all_of(run.plan.read_only.begin(), run.plan.read_only.end(), acceptable)) continue;
        if (run.plan.read_only.size() <= best.read_only.size()) continue;
        best.read_only = run.plan.read_only;
        best.verified_by_run = run.plan.id;
    }
    return best;
}

}  // namespace rogate::verdict
