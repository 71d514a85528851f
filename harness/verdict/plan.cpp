#include "verdict/plan.hpp"

#include <algorithm>

#include "verdict/compare.hpp"
#include "verdict/grow.hpp"
#include "verdict/judge.hpp"
#include "verdict/settle.hpp"

namespace rogate::verdict {

namespace {

using Targets = std::vector<std::string>;

// Enough for a chain of things that each show only when the one before is mended.
constexpr int trials_of_one_split = 6;

bool contains(const Targets& targets, const std::string& target) {
    return std::find(targets.begin(), targets.end(), target) != targets.end();
}

// A set of mounts that are read-only together, with what stays writable below them.
struct Arrangement {
    Targets read_only;
    std::vector<WritablePath> writable;
};

std::vector<WritablePath> writable_below(const RunPlan& plan, const std::string& target) {
    std::vector<WritablePath> found;
    for (const WritablePath& path : plan.writable)
        if (path.mount == target) found.push_back(path);
    return found;
}

// What is mounted where, not why.
bool same_mounts(const std::vector<WritablePath>& a, const std::vector<WritablePath>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const WritablePath& x, const WritablePath& y) {
                          return x.path == y.path && x.as == y.as && x.tmpfs_options == y.tmpfs_options;
                      });
}

bool same_paths(const std::vector<WritablePath>& a, const std::vector<WritablePath>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const WritablePath& x, const WritablePath& y) { return x.path == y.path; });
}

const RunRecord* run_with(const Arrangement& wanted, const std::vector<RunRecord>& runs) {
    for (const RunRecord& run : runs)
        if (run.plan.kind != RunKind::control && run.plan.read_only == wanted.read_only &&
            same_mounts(run.plan.writable, wanted.writable))
            return &run;
    return nullptr;
}

NextStep plan(RunKind kind, Arrangement arrangement, const std::vector<RunRecord>& so_far) {
    RunPlan next;
    next.id = static_cast<int>(so_far.size()) + 1;
    next.kind = kind;
    next.read_only = std::move(arrangement.read_only);
    next.writable = std::move(arrangement.writable);
    if (!so_far.empty()) {
        next.expected_exit_code = so_far.front().exit_code;
        next.expected_early_exit = so_far.front().exited_early;
    }
    return {.run = std::move(next), .look_at = {}};
}

NextStep plan(RunKind kind, Targets read_only, const std::vector<RunRecord>& so_far) {
    return plan(kind, Arrangement{.read_only = std::move(read_only), .writable = {}}, so_far);
}

bool relied_on(const RunRecord& run) {
    return run.passed && distrust(run).empty();
}

// The run that shows that `target` may be read-only but for some paths.
const RunRecord* verified_split(const std::string& target, const std::vector<RunRecord>& runs) {
    for (const RunRecord& run : runs)
        if (run.plan.kind != RunKind::control && relied_on(run) && run.canary.contains(target) &&
            contains(run.plan.read_only, target) && !writable_below(run.plan, target).empty())
            return &run;
    return nullptr;
}

const Mount* mount_of(const Question& question, const std::string& target) {
    for (const Mount& mount : question.mounts)
        if (mount.target == target) return &mount;
    return nullptr;
}

MountResult judge_target(const Question& question, const std::string& target,
                         const std::vector<RunRecord>& runs) {
    MountEvidence evidence;
    if (const Mount* mount = mount_of(question, target)) evidence.mount = *mount;
    evidence.mount.target = target;
    const auto pointless = question.ineffective.find(target);
    if (pointless != question.ineffective.end()) evidence.ineffective = pointless->second;
    const auto untried = question.not_tried.find(target);
    if (untried != question.not_tried.end()) evidence.not_tried = untried->second;
    evidence.candidate = contains(question.candidates, target);
    evidence.control = runs.empty() ? nullptr : &runs.front();
    evidence.probe = settling_run(target, runs);
    evidence.split = verified_split(target, runs);
    return judge(evidence);
}

// Untested mounts pass too, but there is no evidence to recommend anything on.
bool recommendable(Verdict verdict) {
    return verdict == Verdict::safe || verdict == Verdict::tolerated || verdict == Verdict::split;
}

// What to try next for a mount that fails read-only as a whole.
struct SplitTrial {
    std::vector<WritablePath> writable;  // empty: nothing (more) to try
    Targets look_at;
};

SplitTrial next_trial(const Question& question, const std::string& target,
                      const std::vector<RunRecord>& runs) {
    const Mount* mount = mount_of(question, target);
    if (mount == nullptr) return {};
    const SplitQuestion asked{.mount = *mount,
                              .can_make_mount_points = mount->type == MountType::rootfs ||
                                                       question.can_make_mount_points.contains(target),
                              .restarts = question.restarts};
    SplitProposal proposal = propose_split(asked, runs, question.facts);
    if (!proposal.look_at.empty()) return {.writable = {}, .look_at = std::move(proposal.look_at)};
    int trials = 0, of_these_paths = 0;
    for (const RunRecord& run : runs) {
        if (run.plan.read_only != Targets{target} || run.plan.writable.empty()) continue;
        ++trials;
        if (same_paths(run.plan.writable, proposal.writable)) ++of_these_paths;
    }
    if (trials >= trials_of_one_split || of_these_paths > 1) return {};
    if (of_these_paths == 1) {
        // Perhaps something was needed again after a restart, or was to be executed: a volume keeps it and
        // allows it.
        bool any_tmpfs = false;
        for (WritablePath& path : proposal.writable) {
            if (path.as == WritableAs::volume) continue;
            any_tmpfs = true;
            path.as = WritableAs::volume;
            path.tmpfs_options.clear();
            path.reason = "with a tmpfs there the scenario fails";
        }
        if (!any_tmpfs) return {};
    }
    return {.writable = std::move(proposal.writable), .look_at = {}};
}

// Everything that may be read-only, as far as is known.
struct Standing {
    Targets passed;                                           // alone, as they are or split
    std::map<std::string, std::vector<WritablePath>> splits;  // verified ones
    Targets failed;  // read-only as a whole, and no split is known yet
};

Standing standing(const Question& question, const std::vector<RunRecord>& runs) {
    Standing now;
    for (const std::string& target : question.candidates) {
        const Verdict verdict = judge_target(question, target, runs).verdict;
        if (recommendable(verdict)) now.passed.push_back(target);
        if (verdict == Verdict::required) now.failed.push_back(target);
        if (verdict == Verdict::split)
            now.splits.emplace(target, writable_below(verified_split(target, runs)->plan, target));
    }
    return now;
}

Arrangement arrange(const Question& question, const Targets& read_only,
                    const std::map<std::string, std::vector<WritablePath>>& splits) {
    Arrangement made;
    for (const std::string& target : question.candidates) {  // their order makes equal sets equal lists
        if (!contains(read_only, target)) continue;
        made.read_only.push_back(target);
        const auto split = splits.find(target);
        if (split != splits.end())
            made.writable.insert(made.writable.end(), split->second.begin(), split->second.end());
    }
    return made;
}

NextStep try_splits(const Question& question, const Standing& now, const std::vector<RunRecord>& runs) {
    std::map<std::string, std::vector<WritablePath>> open;
    NextStep step;
    for (const std::string& target : now.failed) {
        SplitTrial trial = next_trial(question, target, runs);
        step.look_at.insert(step.look_at.end(), trial.look_at.begin(), trial.look_at.end());
        if (!trial.writable.empty()) open.emplace(target, std::move(trial.writable));
    }
    if (!step.look_at.empty() || open.empty()) return step;

    const bool tried_together = std::any_of(runs.begin(), runs.end(), [](const RunRecord& run) {
        return run.plan.read_only.size() > 1 && !run.plan.writable.empty();
    });
    if (!tried_together) {
        auto all = now.splits;
        Targets read_only = now.passed;
        for (const auto& [target, writable] : open) {
            all.emplace(target, writable);
            read_only.push_back(target);
        }
        Arrangement together = arrange(question, read_only, all);
        if (together.read_only.size() > 1) return plan(RunKind::verify, std::move(together), runs);
    }
    return plan(RunKind::probe, arrange(question, {open.begin()->first}, open), runs);
}

NextStep verify(const Question& question, const Standing& now, const std::vector<RunRecord>& runs) {
    if (now.passed.empty()) return {};
    const Arrangement all = arrange(question, now.passed, now.splits);
    const RunRecord* whole = run_with(all, runs);
    if (whole == nullptr) return plan(RunKind::verify, all, runs);
    if (whole->passed) return {};
    // Each passes alone, not all together.
    const PassesTogether passes = [&](const Targets& targets) -> std::optional<bool> {
        const RunRecord* run = run_with(arrange(question, targets, now.splits), runs);
        if (run == nullptr) return std::nullopt;
        return relied_on(*run);
    };
    Targets good;
    for (const RunRecord& run : runs) {
        const Targets& set = run.plan.read_only;
        const bool fits =
            run.plan.kind != RunKind::control && relied_on(run) && set.size() > good.size() &&
            std::all_of(set.begin(), set.end(),
                        [&](const std::string& target) { return contains(now.passed, target); }) &&
            run_with(arrange(question, set, now.splits), runs) == &run;
        if (fits) good = set;
    }
    Targets rest;
    for (const std::string& target : now.passed)
        if (!contains(good, target)) rest.push_back(target);
    const Grown grown = grow(std::move(good), rest, question.candidates, passes);
    if (!grown.try_next) return {};
    return plan(RunKind::verify, arrange(question, *grown.try_next, now.splits), runs);
}

}  // namespace

NextStep next_step(const Question& question, const std::vector<RunRecord>& so_far) {
    if (so_far.empty()) return plan(RunKind::control, Targets{}, so_far);
    const RunRecord& control = so_far.front();
    if (!relied_on(control)) return {};

    if (auto group = next_probe(question.candidates, so_far))
        return plan(RunKind::probe, std::move(*group), so_far);

    const Standing now = standing(question, so_far);
    NextStep step = try_splits(question, now, so_far);
    if (step.run || !step.look_at.empty()) return step;
    return verify(question, now, so_far);
}

std::vector<MountResult> judge_all(const Question& question, const std::vector<RunRecord>& runs) {
    std::vector<MountResult> results;
    for (const Mount& mount : question.mounts) {
        const bool asked = contains(question.candidates, mount.target) || mount.read_only ||
                           question.ineffective.contains(mount.target) ||
                           question.not_tried.contains(mount.target);
        if (asked) results.push_back(judge_target(question, mount.target, runs));
    }
    return results;
}

Recommendation recommend(const std::vector<MountResult>& mounts, const std::vector<RunRecord>& runs) {
    const auto acceptable = [&](const RunRecord& run, const std::string& target) {
        return std::any_of(mounts.begin(), mounts.end(), [&](const MountResult& result) {
            return result.mount.target == target && recommendable(result.verdict) &&
                   same_mounts(writable_below(run.plan, target), result.writable);
        });
    };
    Recommendation best;
    for (const RunRecord& run : runs) {
        if (run.plan.kind == RunKind::control || !relied_on(run)) continue;
        if (!std::all_of(run.plan.read_only.begin(), run.plan.read_only.end(),
                         [&](const std::string& target) { return acceptable(run, target); }))
            continue;
        if (run.plan.read_only.size() <= best.read_only.size()) continue;
        best.read_only = run.plan.read_only;
        best.writable = run.plan.writable;
        best.verified_by_run = run.plan.id;
    }
    return best;
}

}  // namespace rogate::verdict
