#include "verdict/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/place.hpp>

#include "base/text.hpp"
#include "verdict/blame.hpp"
#include "verdict/compare.hpp"
#include "verdict/difference.hpp"
#include "verdict/grow.hpp"
#include "verdict/judge.hpp"
#include "verdict/merge.hpp"
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

// A part of these paths, each as it is there.
bool is_part_of(const std::vector<WritablePath>& part, const std::vector<WritablePath>& whole) {
    return part.size() < whole.size() && std::ranges::all_of(part, [&](const WritablePath& path) {
               return std::ranges::any_of(whole, [&](const WritablePath& each) {
                   return each.path == path.path && each.as == path.as;
               });
           });
}

// Something on a tmpfs of the run's was not executed, since it is noexec: an application that goes on without
// it is another one.
bool kept_from_executing(const RunRecord& run, const std::vector<WritablePath>& writable) {
    return std::ranges::any_of(writable, [&](const WritablePath& path) {
        const bool allowed = ("," + path.tmpfs_options + ",").find(",exec,") != std::string::npos;
        return path.as == WritableAs::tmpfs && !allowed && run.exec_refused.contains(path.path);
    });
}

const RunRecord* run_with(const Arrangement& wanted, const std::vector<RunRecord>& runs) {
    for (const RunRecord& run : runs)
        if (run.plan.kind != RunKind::control && run.plan.read_only == wanted.read_only &&
            same_mounts(run.plan.writable, wanted.writable))
            return &run;
    return nullptr;
}

const Mount* mount_of(const Question& question, const std::string& target) {
    for (const Mount& mount : question.mounts)
        if (mount.target == target) return &mount;
    return nullptr;
}

// Below the image's own files a new container has nothing of before, but for what is a volume.
bool outlives_the_container(const Question& question, const std::vector<WritablePath>& writable) {
    return std::ranges::any_of(writable, [&](const WritablePath& path) {
        const Mount* mount = mount_of(question, path.mount);
        return path.as == WritableAs::volume && mount != nullptr &&
               (mount->type == MountType::rootfs || mount->type == MountType::anonymous);
    });
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

NextStep plan_again(RunKind kind, Arrangement arrangement, bool again, const std::vector<RunRecord>& so_far) {
    NextStep next = plan(kind, std::move(arrangement), so_far);
    next.run->again = again;
    return next;
}

std::ptrdiff_t count_tmpfs(const std::vector<WritablePath>& paths) {
    return std::count_if(paths.begin(), paths.end(),
                         [](const WritablePath& path) { return path.as == WritableAs::tmpfs; });
}

// The run that shows that `target` may be read-only but for some paths; of several the one with a part of
// the others' paths, and with the same paths the one that takes the fewest volumes.
const RunRecord* verified_split(const std::string& target, const std::vector<RunRecord>& runs) {
    const RunRecord* best = nullptr;
    std::vector<WritablePath> of_best;
    for (const RunRecord& run : runs) {
        if (run.plan.kind == RunKind::control || !relied_on(run) || !run.canary.contains(target) ||
            !contains(run.plan.read_only, target))
            continue;
        std::vector<WritablePath> below = writable_below(run.plan, target);
        if (below.empty() || kept_from_executing(run, below)) continue;
        const bool better = is_part_of(below, of_best) ||
                            (same_paths(below, of_best) && count_tmpfs(below) > count_tmpfs(of_best));
        if (best != nullptr && !better) continue;
        best = &run;
        of_best = std::move(below);
    }
    return best;
}

// A run with it read-only, if it was one there; else the control run.
const RunRecord* run_with_refusals(const std::string& target, const std::vector<RunRecord>& runs) {
    for (const RunRecord& run : runs)
        if (contains(run.plan.read_only, target)) return &run;
    return runs.empty() ? nullptr : &runs.front();
}

// Of a system: which container comes first to what they share can differ from run to run, and what one does
// can follow from what another one did not come to. So another run than those compared may show a write.
void tell_of_other_writes(MountResult& result, const std::vector<RunRecord>& runs) {
    const std::string& target = result.mount.target;
    const bool passes = result.verdict == Verdict::safe || result.verdict == Verdict::untested;
    if (!passes || container_of(target).empty() || writes_made(runs.front(), target) > 0) return;
    const auto is_in_control = [&](const Attempt& write) {
        return std::ranges::any_of(runs.front().attempts,
                                   [&](const Attempt& each) { return each.path == write.path; });
    };
    for (const RunRecord& run : runs) {
        if (!distrust(run).empty()) continue;
        Attempts writes = write_attempts(run, target);
        if (!writes.empty()) std::erase_if(writes.edit(), is_in_control);
        if (writes.empty()) continue;
        result.verdict = Verdict::tolerated;
        result.reason = fmt::format(
            "passes read-only, but in run {}, unlike in the control run, it was writable and written to: {}",
            run.plan.id, named(writes));
        result.runs.push_back(run.plan.id);
        return;
    }
}

MountResult judge_target(const Question& question, const std::string& target,
                         const std::vector<RunRecord>& runs, const Blame& blame) {
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
    evidence.refusals = run_with_refusals(target, runs);
    if (const auto on = blame.on.find(target); on != blame.on.end()) evidence.difference = &on->second;
    evidence.data_doubt = doubt_of_data(with_use(question.data_differences, runs));
    if (const auto made = question.made_up.find(target); made != question.made_up.end())
        evidence.made_up = made->second;
    evidence.stopped = question.stopped;
    MountResult result = judge(evidence);
    tell_of_other_writes(result, runs);
    return result;
}

Blame find_blame(const Question& question, const std::vector<RunRecord>& runs) {
    std::set<std::string> open;
    for (const std::string& target : question.candidates) {
        const Verdict verdict = judge_target(question, target, runs, {}).verdict;
        if (verdict == Verdict::safe || verdict == Verdict::untested) open.insert(target);
    }
    return verdict::find_blame(runs, question.candidates, open);
}

// Untested mounts pass too, but there is no evidence to recommend anything on.
bool recommendable(Verdict verdict) {
    return verdict == Verdict::safe || verdict == Verdict::tolerated || verdict == Verdict::split;
}

std::set<std::string> executes(const std::vector<RunRecord>& runs) {
    std::set<std::string> found;
    for (const RunRecord& run : runs)
        for (const auto& [mount, path] : run.exec_refused) found.insert(mount);
    return found;
}

bool failed_after_crash(const RunRecord& run) {
    return std::any_of(run.phases.begin(), run.phases.end(),
                       [](const PhaseRecord& phase) { return phase.name == crash_phase && !phase.passed; });
}

// What it finds there keeps it from starting, and it makes no use of it: nothing is lost where nothing is
// found.
std::set<std::string> trips_over(const std::vector<RunRecord>& runs) {
    std::set<std::string> found;
    for (const RunRecord& run : runs) {
        if (!failed_after_crash(run) || !run.read_back || !distrust(run).empty()) continue;
        for (const WritablePath& path : run.plan.writable) {
            const auto opens = run.read_back->find(path.path);
            if (path.as == WritableAs::volume && (opens == run.read_back->end() || opens->second == 0))
                found.insert(path.path);
        }
    }
    return found;
}

std::string tmpfs_options(const Question& question, const std::string& target) {
    const auto own = question.tmpfs_options_of.find(std::string(container_of(target)));
    return own == question.tmpfs_options_of.end() ? question.tmpfs_options : own->second;
}

SplitProposal proposal_for(const Question& question, const std::string& target,
                           const std::vector<RunRecord>& runs) {
    const Mount* mount = mount_of(question, target);
    if (mount == nullptr) return {};
    const bool elsewhere = question.seen_elsewhere.contains(target);
    // What is new below a volume is a volume of its own.
    const bool apart = elsewhere && mount->type != MountType::bind;
    const SplitQuestion asked{
        .mount = *mount,
        .can_make_mount_points =
            mount->type == MountType::rootfs || (question.can_make_mount_points.contains(target) && !apart),
        .is_seen_elsewhere = elsewhere,
        .tmpfs_has_owner = question.tmpfs_has_owner,
        .tmpfs_options = tmpfs_options(question, target),
        .executes = executes(runs),
        .trips_over = trips_over(runs)};
    return propose_split(asked, runs, question.facts);
}

// Everything that was written was there when a step restarted the subject, so that a run shows what becomes
// of an application that misses it. Of a system, whose jobs are not restarted, what they write is not missed.
bool restarts_at_the_end(const Question& question, const std::vector<RunRecord>& runs) {
    if (!question.after_restart || runs.empty()) return false;
    const RunRecord& control = runs.front();
    const auto is_restarted = [&](const Attempt& each) {
        const auto record = control.containers.find(std::string(container_of(each.path.view())));
        return record == control.containers.end() || record->second.restarted;
    };
    return std::none_of(control.attempts.begin(), control.attempts.end(), [&](const Attempt& each) {
        return is_write_made(each) && (question.after_restart->contains(each.phase) || !is_restarted(each));
    });
}

void make_volume(WritablePath& path) {
    path.as = WritableAs::volume;
    path.tmpfs_options.clear();
}

// What to try next for a mount that fails read-only as a whole.
struct SplitTrial {
    std::vector<WritablePath> writable;  // empty: nothing (more) to try
    bool again = false;                  // to be tried with a restart that empties every tmpfs
    Targets look_at;
};

SplitTrial next_trial(const Question& question, const std::string& target,
                      const std::vector<RunRecord>& runs) {
    SplitProposal proposal = proposal_for(question, target, runs);
    if (!proposal.look_at.empty()) return {.writable = {}, .look_at = std::move(proposal.look_at)};
    const bool forgets = count_tmpfs(proposal.writable) > 0;
    int trials = 0, of_these_paths = 0;
    bool tripped = false;
    for (const RunRecord& run : runs) {
        if (run.plan.read_only != Targets{target} || run.plan.writable.empty()) continue;
        ++trials;
        // One that kept something from being executed says nothing of what is proposed since.
        if (!same_paths(run.plan.writable, proposal.writable) || kept_from_executing(run, run.plan.writable))
            continue;
        tripped = tripped || failed_after_crash(run);
        if (!failed_after_crash(run) || !forgets) ++of_these_paths;
    }
    if (tripped && of_these_paths > 0) return {};  // a volume is no way out
    if (trials >= trials_of_one_split || of_these_paths > 1 || (of_these_paths == 1 && !forgets)) return {};
    // Something was needed again after a restart, or was to be executed: a volume keeps it and allows it. Or
    // the scenario cannot be performed twice.
    for (WritablePath& path : proposal.writable)
        if (of_these_paths == 1 || proposal.by_name.contains(path.path)) make_volume(path);
    return {.writable = std::move(proposal.writable),
            .again = forgets && of_these_paths == 0 && !restarts_at_the_end(question, runs),
            .look_at = {}};
}

// Everything that may be read-only, as far as is known.
struct Standing {
    Targets passed;                                           // alone, as they are or split
    std::map<std::string, std::vector<WritablePath>> splits;  // verified ones
    Targets failed;  // read-only as a whole, and no split is known yet
};

Standing standing(const Question& question, const std::vector<RunRecord>& runs, const Blame& blame) {
    Standing now;
    for (const std::string& target : question.candidates) {
        const Verdict verdict = judge_target(question, target, runs, blame).verdict;
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

bool failed_when_repeated(const RunRecord& run) {
    return std::any_of(run.phases.begin(), run.phases.end(), [](const PhaseRecord& phase) {
        return !phase.passed && phase.name.starts_with(again_prefix) && phase.name != crash_phase;
    });
}

// With everything else that passed.
NextStep try_splits_together(const Question& question, const Standing& now,
                             const std::map<std::string, SplitTrial>& open,
                             const std::vector<RunRecord>& runs) {
    int tried = 0;
    bool only_repeated = false;
    for (const RunRecord& run : runs) {
        if (run.plan.read_only.size() < 2 || run.plan.writable.empty() ||
            kept_from_executing(run, run.plan.writable))
            continue;
        ++tried;
        only_repeated = failed_when_repeated(run);
    }
    if (tried > (only_repeated ? 1 : 0)) return {};
    auto all = now.splits;
    Targets read_only = now.passed;
    bool again = false;
    for (const auto& [target, trial] : open) {
        all.emplace(target, trial.writable);
        read_only.push_back(target);
        again = again || trial.again;
    }
    Arrangement together = arrange(question, read_only, all);
    if (together.read_only.size() < 2) return {};
    if (only_repeated) {
        again = false;
        for (WritablePath& path : together.writable) make_volume(path);
    }
    return plan_again(RunKind::verify, std::move(together), again, runs);
}

NextStep try_splits(const Question& question, const Standing& now, const std::vector<RunRecord>& runs) {
    std::map<std::string, SplitTrial> open;
    NextStep step;
    for (const std::string& target : now.failed) {
        SplitTrial trial = next_trial(question, target, runs);
        step.look_at.insert(step.look_at.end(), trial.look_at.begin(), trial.look_at.end());
        if (!trial.writable.empty()) open.emplace(target, std::move(trial));
    }
    if (!step.look_at.empty() || open.empty()) return step;
    if (NextStep together = try_splits_together(question, now, open, runs); together.run) return together;
    const auto& [target, trial] = *open.begin();
    return plan_again(RunKind::probe, arrange(question, {target}, {{target, trial.writable}}), trial.again,
                      runs);
}

// Nothing was written on it in this run.
bool is_unused(const RunRecord& run, const WritablePath& path, const std::vector<WritablePath>& others) {
    return std::none_of(run.attempts.begin(), run.attempts.end(), [&](const Attempt& attempt) {
        if (attempt.error != 0 || attempt.cls != AttemptClass::write ||
            !is_or_below(attempt.path.view(), path.path))
            return false;
        // On a mount of its own below this one.
        return std::ranges::none_of(others, [&](const WritablePath& other) {
            return other.path.size() > path.path.size() && is_or_below(other.path, path.path) &&
                   is_or_below(attempt.path.view(), other.path);
        });
    });
}

// What an arrangement that passes never writes to is taken out of it: a directory that was only tried since
// another one was refused. All of it at once, then each alone; what is left has been run.
NextStep try_narrower(const Question& question, const Standing& now, const std::vector<RunRecord>& runs) {
    constexpr int most_alone = 4;
    const bool restart = !restarts_at_the_end(question, runs);
    const auto run_without = [&](const std::string& target, std::vector<WritablePath> left) -> NextStep {
        auto splits = now.splits;
        splits[target] = left;
        Arrangement narrower = arrange(question, now.passed, splits);
        Arrangement alone = arrange(question, {target}, {{target, left}});
        if (run_with(narrower, runs) != nullptr || run_with(alone, runs) != nullptr) return {};
        const bool forgets = count_tmpfs(narrower.writable) > 0;
        return plan_again(RunKind::verify, std::move(narrower), forgets && restart, runs);
    };
    for (const auto& [target, writable] : now.splits) {
        const RunRecord* run = verified_split(target, runs);
        if (run == nullptr || !observed(*run)) continue;
        std::vector<WritablePath> used, unused;
        for (const WritablePath& path : writable)
            (is_unused(*run, path, writable) ? unused : used).push_back(path);
        if (unused.empty() || writable.size() < 2) continue;
        if (!used.empty() && unused.size() > 1)
            if (NextStep step = run_without(target, used); step.run) return step;
        for (std::size_t i = 0; i < std::min<std::size_t>(unused.size(), most_alone); ++i) {
            std::vector<WritablePath> left = writable;
            std::erase_if(left, [&](const WritablePath& path) { return path.path == unused[i].path; });
            if (NextStep step = run_without(target, std::move(left)); step.run) return step;
        }
    }
    return {};
}

// A run that kept what was written below `path`, and told how often it was read after a restart.
const RunRecord* watched_for_reads(const Question& question, const std::string& path,
                                   const std::vector<RunRecord>& runs) {
    const bool all_restart = restarts_at_the_end(question, runs);
    for (const RunRecord& run : runs)
        for (const WritablePath& kept : run.plan.writable)
            if (kept.path == path && kept.as == WritableAs::volume && run.read_back &&
                (run.plan.again || all_restart) && relied_on(run))
                return &run;
    return nullptr;
}

std::uint64_t count_at(const std::map<std::string, std::uint64_t>& counts, const std::string& path) {
    const auto found = counts.find(path);
    return found == counts.end() ? 0 : found->second;
}

// `hides`: there are files of before any run, so that who lists a directory finds them.
std::uint64_t read_back(const RunRecord& run, const std::string& path, bool hides) {
    const std::uint64_t files = count_at(*run.read_back, path);
    return hides ? std::max(files, count_at(run.listed, path)) : files;
}

// Volumes at paths whose names speak for a tmpfs: where nothing was read back, a run with one there.
NextStep try_forgetting(const Question& question, const Standing& now, const std::vector<RunRecord>& runs) {
    auto all = now.splits;
    Targets changed;
    for (auto& [target, writable] : all) {
        const SplitProposal proposal = proposal_for(question, target, runs);
        if (!proposal.look_at.empty()) return {.run = {}, .look_at = proposal.look_at};
        for (WritablePath& path : writable) {
            const auto better =
                std::find_if(proposal.writable.begin(), proposal.writable.end(),
                             [&](const WritablePath& each) { return each.path == path.path; });
            if (path.as == WritableAs::tmpfs || better == proposal.writable.end() ||
                !proposal.by_name.contains(path.path))
                continue;
            const RunRecord* watched = watched_for_reads(question, path.path, runs);
            if (watched == nullptr || read_back(*watched, path.path, proposal.hides.contains(path.path)) > 0)
                continue;
            path = *better;
            if (changed.empty() || changed.back() != target) changed.push_back(target);
        }
    }
    if (changed.empty()) return {};
    const bool again = !restarts_at_the_end(question, runs);
    Arrangement together = arrange(question, now.passed, all);
    if (run_with(together, runs) == nullptr)
        return plan_again(RunKind::verify, std::move(together), again, runs);
    for (const std::string& target : changed) {
        Arrangement alone = arrange(question, {target}, all);
        if (run_with(alone, runs) == nullptr)
            return plan_again(RunKind::probe, std::move(alone), again, runs);
    }
    return {};
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

std::optional<std::set<std::string>> phases_after_restart(const std::vector<Step>& steps) {
    std::optional<std::set<std::string>> after;
    for (const Step& step : steps) {
        if (std::holds_alternative<BackgroundAction>(step.action)) return std::nullopt;
        const auto* restart = std::get_if<RestartAction>(&step.action);
        if (restart == nullptr || step.skip_if) {
            if (after) after->insert("step " + step.name);
            continue;
        }
        after.emplace();
        if (restart->kill) after->insert("shutdown");
    }
    return after;
}

namespace {

NextStep step_after(const Question& question, const std::vector<RunRecord>& runs) {
    if (runs.empty()) return plan(RunKind::control, Targets{}, runs);
    const RunRecord& control = runs.front();
    if (!relied_on(control)) return {};
    if (!doubt_of_data(with_use(question.data_differences, runs)).empty()) return {};

    if (auto group = next_probe(question.candidates, runs))
        return plan(RunKind::probe, std::move(*group), runs);

    const Blame blame = find_blame(question, runs);
    if (blame.next) {
        NextStep again =
            plan(blame.next->kind,
                 Arrangement{.read_only = blame.next->read_only, .writable = blame.next->writable}, runs);
        again.run->again = blame.next->again;
        again.run->repeats = blame.next->repeats;
        again.run->blames = blame.next->blames;
        return again;
    }

    const Standing now = standing(question, runs, blame);
    NextStep step = try_splits(question, now, runs);
    if (!step.run && step.look_at.empty()) step = try_forgetting(question, now, runs);
    if (!step.run && step.look_at.empty()) step = try_narrower(question, now, runs);
    if (step.run || !step.look_at.empty()) return step;
    return verify(question, now, runs);
}

}  // namespace

namespace {

// No run is made for it, and it may show that nothing is left to ask of a mount that fails read-only.
NextStep last_looks(const Question& question, const std::vector<RunRecord>& runs) {
    NextStep step;
    if (runs.empty() || !relied_on(runs.front())) return step;
    for (const std::string& target : standing(question, runs, find_blame(question, runs)).failed)
        for (std::string& path : next_trial(question, target, runs).look_at)
            step.look_at.push_back(std::move(path));
    return step;
}

}  // namespace

NextStep next_step(const Question& question, const std::vector<RunRecord>& so_far) {
    if (!question.stopped.empty()) return last_looks(question, with_repeats(so_far));
    NextStep step = step_after(question, with_repeats(so_far));
    if (!step.run) return step;
    step.run->id = static_cast<int>(so_far.size()) + 1;
    step.run->crashes = outlives_the_container(question, step.run->writable);
    return step;
}

namespace {

const RunRecord* run_with_tmpfs(const std::string& path, bool passed, const std::vector<RunRecord>& runs) {
    for (const RunRecord& run : runs)
        for (const WritablePath& kept : run.plan.writable)
            if (kept.path == path && kept.as == WritableAs::tmpfs && relied_on(run) == passed) return &run;
    return nullptr;
}

// Why a tmpfs will do, where `reason` is what speaks for one.
std::string why_forgetting_is_right(const Question& question, const WritablePath& path, std::string reason,
                                    bool by_name, const std::vector<RunRecord>& runs) {
    if (const RunRecord* watched = watched_for_reads(question, path.path, runs);
        by_name && watched != nullptr)
        reason +=
            fmt::format(", nothing in it was opened for reading after a restart (run {})", watched->plan.id);
    if (const RunRecord* proof = run_with_tmpfs(path.path, true, runs))
        reason += fmt::format(", and the scenario passes {} a restart that empties it (run {})",
                              proof->plan.again ? "again after" : "with", proof->plan.id);
    return reason;
}

// Why it takes a volume, though something speaks for a tmpfs.
std::string why_it_is_kept(const Question& question, const WritablePath& path, bool by_name, bool hides,
                           const std::vector<RunRecord>& runs) {
    if (const RunRecord* failed = run_with_tmpfs(path.path, false, runs))
        return failed_when_repeated(*failed)
                   ? fmt::format("the scenario does not pass again after a restart that empties it (run {})",
                                 failed->plan.id)
                   : fmt::format("with a tmpfs there the scenario fails (run {})", failed->plan.id);
    if (!by_name && question.stopped.empty()) return "no run with a tmpfs there passed";
    if (const RunRecord* watched = watched_for_reads(question, path.path, runs);
        by_name && watched != nullptr && read_back(*watched, path.path, hides) > 0)
        return fmt::format("what was there was opened for reading {} after a restart (run {})",
                           read_back(*watched, path.path, hides) == 1
                               ? "once"
                               : fmt::format("{} times", read_back(*watched, path.path, hides)),
                           watched->plan.id);
    if (!question.stopped.empty())
        return fmt::format("whether a tmpfs would do was not tried, since {}", question.stopped);
    for (const RunRecord& run : runs)
        if (run.plan.again && failed_when_repeated(run))
            return fmt::format(
                "whether it is read back after a restart is not known, since the scenario "
                "does not pass twice (run {})",
                run.plan.id);
    return "this observer cannot tell whether it is read back after a restart";
}

// What the runs have shown of each path.
void explain(const Question& question, MountResult& result, const std::vector<RunRecord>& runs) {
    const SplitProposal proposal = proposal_for(question, result.mount.target, runs);
    for (WritablePath& path : result.writable)
        for (const WritablePath& proposed : proposal.writable) {
            if (proposed.path != path.path) continue;
            const bool by_name = proposal.by_name.contains(path.path);
            if (path.as == WritableAs::tmpfs)
                path.reason = why_forgetting_is_right(question, path, proposed.reason, by_name, runs);
            else if (proposed.as == WritableAs::tmpfs)
                path.reason =
                    why_it_is_kept(question, path, by_name, proposal.hides.contains(path.path), runs);
        }
}

// Nobody would guess why a volume is not the answer.
void tell_of_crash(MountResult& result, const std::vector<RunRecord>& runs) {
    if (result.verdict != Verdict::required) return;
    for (const RunRecord& run : runs) {
        const std::vector<WritablePath> kept = writable_below(run.plan, result.mount.target);
        if (kept.empty() || !failed_after_crash(run)) continue;
        result.reason += fmt::format(
            "; with {} as a volume it does not start again after a crash (run {}): what "
            "it leaves there would be found by every new container",
            kept.front().path, run.plan.id);
        return;
    }
}

void hold_back(MountResult& result, const std::string& why, const Question& question) {
    result.verdict = Verdict::inconclusive;
    result.reason += fmt::format("; {}, since {}", why, question.stopped);
    result.writable.clear();
    result.still_failing.reset();
}

// What the runs that were not made could have changed is no verdict.
void hold_back_what_is_open(const Question& question, const std::vector<RunRecord>& runs, const Blame& blame,
                            std::vector<MountResult>& results) {
    // Whoever was blamed among others may turn out to pass alone (settle.hpp).
    const bool blamed_for_now =
        !runs.empty() && relied_on(runs.front()) && next_probe(question.candidates, runs).has_value();
    for (MountResult& result : results) {
        const Verdict verdict = result.verdict;
        if (!result.candidate) continue;
        const RunRecord* settling = settling_run(result.mount.target, runs);
        if (verdict == Verdict::required && blamed_for_now && settling->plan.read_only.size() > 1) {
            hold_back(result, "whether it was to blame, and not what else was read-only, was not tried",
                      question);
        } else if (verdict == Verdict::required) {
            const SplitTrial trial = next_trial(question, result.mount.target, runs);
            if (!trial.writable.empty() || !trial.look_at.empty())
                hold_back(result, "whether it passes with a part of it writable was not tried", question);
        } else if (blame.next &&
                   (verdict == Verdict::safe || verdict == Verdict::untested || verdict == Verdict::split)) {
            hold_back(result, "whether the application leaves something out for its sake was not asked again",
                      question);
        } else if (verdict == Verdict::inconclusive && settling != nullptr) {
            result.reason += fmt::format("; no more runs were made, since {}", question.stopped);
        }
    }
    const Recommendation verified = recommend(results, runs);
    for (MountResult& result : results)
        if (result.candidate && recommendable(result.verdict) &&
            !contains(verified.read_only, result.mount.target))
            hold_back(result, "it was not run together with what else passes", question);
}

}  // namespace

std::vector<MountResult> judge_all(const Question& question, const std::vector<RunRecord>& so_far) {
    const std::vector<RunRecord> runs = with_repeats(so_far);
    const Blame blame = runs.empty() || !relied_on(runs.front()) ? Blame{} : find_blame(question, runs);
    std::vector<MountResult> results;
    for (const Mount& mount : question.mounts) {
        const bool asked = contains(question.candidates, mount.target) || mount.read_only ||
                           question.ineffective.contains(mount.target) ||
                           question.not_tried.contains(mount.target);
        if (!asked) continue;
        results.push_back(judge_target(question, mount.target, runs, blame));
        explain(question, results.back(), runs);
        tell_of_crash(results.back(), runs);
    }
    if (!question.stopped.empty()) hold_back_what_is_open(question, runs, blame, results);
    return results;
}

Recommendation recommend(const std::vector<MountResult>& mounts, const std::vector<RunRecord>& so_far) {
    const std::vector<RunRecord> runs = with_repeats(so_far);
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
        best.writable.clear();
        for (const MountResult& result : mounts)
            if (contains(run.plan.read_only, result.mount.target))
                best.writable.insert(best.writable.end(), result.writable.begin(), result.writable.end());
        best.verified_by_run = run.plan.id;
    }
    return best;
}

}  // namespace rogate::verdict
