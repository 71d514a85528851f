#include "advise/advise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <rogate/place.hpp>
#include <rogate/variable.hpp>
#include <tuple>

#include "advise/match.hpp"
#include "base/text.hpp"
#include "verdict/compare.hpp"
#include "verdict/difference.hpp"
#include "verdict/judge.hpp"
#include "verdict/merge.hpp"
#include "verdict/pages_changed.hpp"

namespace rogate::advise {

namespace {

using verdict::NextStep;
using verdict::Question;
using Runs = std::vector<RunRecord>;
using Environment = std::map<std::string, std::string>;

// For a set of settings; what more they would take is not asked.
constexpr std::size_t most_runs = 12;

// The same setting can be one for several containers.
std::string key_of(const Match& match) {
    return match.container + ":" + match.setting.id;
}

// As if nothing else had been run.
Runs with(const Environment& environment, const Runs& runs) {
    Runs found;
    for (const RunRecord& run : runs)
        if (run.plan.environment == environment) found.push_back(run);
    return found;
}

// What steps saw of it is as it was in the control run.
bool sees_the_same(const RunRecord& run, const RunRecord& control) {
    return std::ranges::all_of(control.observations, [&](const auto& each) {
        const auto found = run.observations.find(each.first);
        return found != run.observations.end() && found->second.status == each.second.status &&
               found->second.exit_code == each.second.exit_code && found->second.exists == each.second.exists;
    });
}

// A setting may turn off more than the writes that it is known for. Others that are missing with it,
// wherever, are work that the application no longer does.
Attempts left_out_besides(const RunRecord& run, const RunRecord& control, const std::vector<Match>& matches) {
    Attempts besides = verdict::difference(control, run).left_out;
    if (besides.empty()) return besides;
    const auto is_shown = [&](const Attempt& attempt) {
        return std::ranges::any_of(matches, [&](const Match& match) {
            return container_of(attempt.path.view()) == match.container && shows(match.setting, attempt);
        });
    };
    std::vector<std::string_view> shown;
    for (const Attempt& each : control.attempts)
        if (verdict::is_write_made(each) && is_shown(each)) shown.push_back(each.path.view());
    std::erase_if(besides.edit(), [&](const Attempt& attempt) {
        // The folders that it is made in are made for it.
        return is_shown(attempt) || std::ranges::any_of(shown, [&](std::string_view path) {
                   return is_or_below(path, attempt.path.view());
               });
    });
    return besides;
}

// More is worse; the first that differs decides.
using Cost = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t>;

Cost cost_of(const Question& question, const std::vector<MountResult>& mounts, const Recommendation& advice) {
    std::size_t tolerated = 0;
    for (const MountResult& each : mounts)
        if (each.candidate && each.verdict == Verdict::tolerated) ++tolerated;
    const auto volumes = static_cast<std::size_t>(std::ranges::count_if(
        advice.writable, [](const WritablePath& path) { return path.as != WritableAs::tmpfs; }));
    return {question.candidates.size() - advice.read_only.size(), advice.writable.size(), volumes, tolerated};
}

// Which settings are tried together, and what the next run is. Made anew from all runs each time.
class Trials {
  public:
    Trials(const Question& question, const Runs& runs, std::vector<Match> matches)
        : question_(question),
          runs_(runs),
          all_(std::move(matches)),
          base_control_(verdict::with_repeats(with({}, runs)).front()) {
        std::erase_if(all_, [](const Match& match) { return !match.why_not.empty(); });
        std::vector<Match> good = passing(all_);
        if (wanted_ || good.empty()) return;
        helping_ = good;
        std::erase_if(helping_, [&](const Match& match) { return !helps(match, good); });
        if (helping_.empty()) return;
        if (helping_.size() < good.size() && passing(helping_).size() < helping_.size()) helping_.clear();
        if (wanted_ || helping_.empty()) return;
        Runs own = with(environment(), runs_);
        NextStep step = verdict::next_step(question_, own);
        if (step.run && own.size() >= most_runs) return;
        is_done_ = !step.run && step.look_at.empty();
        if (!is_done_) want(std::move(step), environment());
    }

    const std::optional<NextStep>& wanted() const { return wanted_; }
    // With these something can be recommended.
    const std::vector<Match>& helping() const { return helping_; }
    bool is_done() const { return is_done_ && !helping_.empty(); }
    Environment environment() const { return environment_of(helping_); }
    // The control run of the last set that the setting was tried in.
    const RunRecord* tried_in(const Match& match) const {
        const auto found = tried_.find(key_of(match));
        return found == tried_.end() ? nullptr : found->second;
    }
    bool breaks(const Match& match) const { return broken_.contains(key_of(match)); }

  private:
    static Environment environment_of(const std::vector<Match>& matches) {
        Environment all;
        for (const Match& match : matches)
            all.insert(match.setting.environment.begin(), match.setting.environment.end());
        return all;
    }
    void want(NextStep step, const Environment& environment) {
        if (step.run) {
            step.run->environment = environment;
            step.run->id = static_cast<int>(runs_.size()) + 1;
        }
        wanted_ = std::move(step);
    }
    const RunRecord* control_with(const std::vector<Match>& matches) {
        const Environment environment = environment_of(matches);
        for (const RunRecord& run : runs_)
            if (run.plan.kind == RunKind::control && run.plan.environment == environment) return &run;
        RunPlan plan;
        plan.kind = RunKind::control;
        want({.run = std::move(plan), .look_at = {}}, environment);
        return nullptr;
    }
    // The scenario passes with these and sees the same; of all of them together if it does, else of each
    // half.
    std::vector<Match> passing(const std::vector<Match>& matches) {
        if (matches.empty() || wanted_) return {};
        const RunRecord* control = control_with(matches);
        if (control == nullptr) return {};
        for (const Match& match : matches) tried_[key_of(match)] = control;
        if (does_the_same(*control, matches)) return matches;
        if (matches.size() == 1) {
            broken_.insert(key_of(matches.front()));
            return {};
        }
        const auto middle = matches.begin() + static_cast<std::ptrdiff_t>(matches.size() / 2);
        std::vector<Match> first = passing({matches.begin(), middle});
        std::vector<Match> second = passing({middle, matches.end()});
        if (wanted_ || first.empty()) return second;
        if (second.empty()) return first;
        std::vector<Match> both = first;
        both.insert(both.end(), second.begin(), second.end());
        const RunRecord* together = control_with(both);
        if (together == nullptr) return {};
        return does_the_same(*together, both) ? both : first;
    }
    bool does_the_same(const RunRecord& control, const std::vector<Match>& matches) const {
        return verdict::relied_on(control) && sees_the_same(control, runs_.front()) &&
               verdict::pages_changed(base_control_, control).empty() &&
               left_out_besides(control, base_control_, matches).empty();
    }
    bool helps(const Match& match, const std::vector<Match>& together) {
        const RunRecord* control = control_with(together);
        return control != nullptr &&
               std::none_of(control->attempts.begin(), control->attempts.end(), [&](const Attempt& attempt) {
                   return verdict::is_write_made(attempt) && shows(match.setting, attempt) &&
                          std::ranges::find(match.mounts, attempt.mount.str()) != match.mounts.end();
               });
    }

    const Question& question_;
    const Runs& runs_;
    std::vector<Match> all_, helping_;
    RunRecord base_control_;  // without any setting, with all its tries
    std::optional<NextStep> wanted_;
    std::map<std::string, const RunRecord*> tried_;  // by key_of()
    std::set<std::string> broken_;
    bool is_done_ = false;
};

struct Base {
    Runs runs;
    std::vector<MountResult> mounts;
    Recommendation recommendation;
    std::vector<Match> matches;
};

Base settle_base(const Advisor& advisor, const Question& question, const Runs& runs) {
    Base base{.runs = with({}, runs), .mounts = {}, .recommendation = {}, .matches = {}};
    base.mounts = verdict::judge_all(question, base.runs);
    base.recommendation = verdict::recommend(base.mounts, base.runs);
    if (!base.runs.empty() && verdict::relied_on(base.runs.front()))
        base.matches = find_matches(advisor, question, base.runs, base.recommendation.writable);
    // Where nothing fails and nothing stays writable, there is nothing to gain.
    std::erase_if(base.matches, [&](const Match& match) {
        return std::ranges::all_of(base.mounts, [&](const MountResult& each) {
            const bool about = std::ranges::find(match.mounts, each.mount.target) != match.mounts.end();
            return !about || each.verdict == Verdict::safe || each.verdict == Verdict::inconclusive;
        });
    });
    return base;
}

std::string named(const std::vector<std::string>& paths) {
    return paths.size() == 1 ? paths.front() + " is"
                             : fmt::format("{} and others like it are", paths.front());
}

SettingResult result_of(const Match& match) {
    const Setting& from = match.setting;
    SettingResult result;
    result.id = from.id;
    result.what = from.what;
    result.how = from.how;
    result.cost = from.cost;
    result.since = from.since;
    result.source = from.sources.empty() ? "" : from.sources.front();
    result.mounts = match.mounts;
    result.paths = match.paths;
    result.reason = match.why_not;
    if (!from.environment.empty()) result.how.clear();
    for (const auto& [name, value] : variables_of(match.container, from.environment))
        result.how += fmt::format("{}{}={}", result.how.empty() ? "" : " ", name, value);
    if (!match.why_not.empty()) return result;
    result.environment = from.environment;
    result.outcome = SettingResult::Outcome::unsettled;
    result.reason = "no run with it has shown what becomes of it";
    return result;
}

}  // namespace

NextStep next_step(const Advisor& advisor, const Question& question, const Runs& runs) {
    const Runs base_runs = with({}, runs);
    NextStep step = verdict::next_step(question, base_runs);
    if (step.run) step.run->id = static_cast<int>(runs.size()) + 1;
    if (step.run || !step.look_at.empty() || !question.stopped.empty() || advisor.settings.empty())
        return step;
    Base base = settle_base(advisor, question, runs);
    if (base.matches.empty()) return {};
    const Trials trials(question, runs, std::move(base.matches));
    return trials.wanted().value_or(NextStep{});
}

Conclusion conclude(const Advisor& advisor, const Question& question, const Runs& runs) {
    Base base = settle_base(advisor, question, runs);
    Conclusion made{.mounts = base.mounts, .recommendation = base.recommendation, .settings = {}};
    if (base.matches.empty()) return made;
    const Trials trials(question, runs, base.matches);
    bool is_better = false;
    if (trials.is_done() && !trials.wanted()) {
        const Runs own = with(trials.environment(), runs);
        const std::vector<MountResult> mounts = verdict::judge_all(question, own);
        Recommendation advice = verdict::recommend(mounts, own);
        is_better = advice.verified_by_run &&
                    cost_of(question, mounts, advice) < cost_of(question, base.mounts, base.recommendation);
        if (is_better) {
            advice.environment = trials.environment();
            made.recommendation = std::move(advice);
        }
    }
    for (const Match& match : base.matches) {
        using Outcome = SettingResult::Outcome;
        SettingResult result = result_of(match);
        const RunRecord* tried = trials.tried_in(match);
        if (tried != nullptr) result.runs.push_back(tried->plan.id);
        const bool helps = std::ranges::any_of(
            trials.helping(), [&](const Match& each) { return key_of(each) == key_of(match); });
        if (trials.breaks(match)) {
            result.outcome = Outcome::breaks;
            result.reason =
                fmt::format("the application does not do the same with it (run {})", tried->plan.id);
        } else if (helps && is_better) {
            result.outcome = Outcome::offered;
            result.runs.push_back(*made.recommendation.verified_by_run);
            result.reason = fmt::format("{} then not written; run {} passed", named(match.paths),
                                        *made.recommendation.verified_by_run);
        } else if (helps && trials.is_done()) {
            result.outcome = Outcome::no_help;
            result.reason =
                fmt::format("{} then not written (run {}), but as much has to stay writable as without it",
                            named(match.paths), tried->plan.id);
        } else if (tried != nullptr && !helps && match.why_not.empty()) {
            result.outcome = Outcome::no_help;
            result.reason =
                fmt::format("{} written all the same (run {})", named(match.paths), tried->plan.id);
        }
        made.settings.push_back(std::move(result));
    }
    return made;
}

}  // namespace rogate::advise
