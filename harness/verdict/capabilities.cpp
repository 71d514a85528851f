#include "verdict/capabilities.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "verdict/checks.hpp"
#include "verdict/compare.hpp"
#include "verdict/difference.hpp"
#include "verdict/doubt.hpp"
#include "verdict/merge.hpp"
#include "verdict/pages_changed.hpp"
#include "verdict/same_name.hpp"

namespace rogate::verdict {

namespace {

using Runs = std::vector<RunRecord>;
using Names = std::set<std::string>;

std::vector<std::string> listed(const Names& names) {
    return {names.begin(), names.end()};
}

Names without(const Names& all, const Names& some) {
    Names rest;
    std::ranges::set_difference(all, some, std::inserter(rest, rest.end()));
    return rest;
}

enum class Outcome { not_made, passed, failed, unreliable };

Outcome outcome_of(const RunRecord* run) {
    if (run == nullptr) return Outcome::not_made;
    if (!run->services_problem.empty() || !run->doubt.empty()) return Outcome::unreliable;
    if (!run->passed) return Outcome::failed;
    return distrust(*run).empty() ? Outcome::passed : Outcome::unreliable;
}

// What the runs made so far say, by going through the order in which they are wanted; it stops at the first
// that was not made.
class Search {
  public:
    Search(const CapabilityQuestion& question, const Runs& configured, const Runs& tried)
        : question_(question),
          configured_(configured),
          has_(question.configured.begin(), question.configured.end()) {
        Runs all;
        for (const RunRecord& run : configured)
            if (all.empty() || run.plan.repeats == all.front().plan.id) all.push_back(run);
        all.insert(all.end(), tried.begin(), tried.end());
        runs_ = with_repeats(all);
        now_ = has_;
        if (is_known()) go();
    }

    const std::optional<RunPlan>& wanted() const { return wanted_; }
    CapabilityConclusion conclude() const;

  private:
    struct Drop {
        const RunRecord* run = nullptr;     // that passed without it
        const RunRecord* before = nullptr;  // that had it, and everything else that this one has
    };
    struct Kept {
        Outcome outcome = Outcome::failed;
        const RunRecord* run = nullptr;  // in which it was missing
    };

    const RunRecord& control() const { return runs_.front(); }
    bool is_known() const {
        return question_.doubt.empty() && !configured_.empty() && outcome_of(&control()) == Outcome::passed;
    }
    bool sees() const { return distrust_of_checks(control()).empty(); }
    Names used() const;
    const RunRecord* find(const RunPlan& plan) const;
    const RunRecord* ask(RunPlan plan);
    const RunRecord* ask(const Names& capabilities, bool forbids);
    bool drop(const Names& group);
    bool ask_again(const RunRecord& run, const std::string& left_out);
    void go();
    void try_capabilities();
    void try_together();
    std::string left_out(const RunRecord& run, const Runs& known) const;
    std::string left_out(const Drop& drop) const;
    std::string against(const RunRecord& whole) const;
    void add_evidence(const std::string& name, const Drop& drop, CapabilityResult& result) const;
    CapabilityResult result_of(const std::string& name) const;
    CapabilityResult result_of_privileges() const;
    Names recommended() const;
    std::optional<RunPlan> whole() const;
    Runs before_whole() const;

    const CapabilityQuestion& question_;
    const Runs& configured_;
    const Names has_;
    Runs runs_;  // the control run, and those tried; repeated ones read as one
    Names now_;  // what the last run that passed had
    const RunRecord* last_ = nullptr;
    std::map<std::string, Drop> dropped_;
    std::map<std::string, Kept> kept_;
    std::optional<Drop> forbidding_;
    std::optional<Kept> not_forbidding_;
    std::optional<RunPlan> wanted_;
};

// With success, in any run with the capabilities as they are configured.
Names Search::used() const {
    Names found;
    for (const RunRecord& run : configured_)
        for (const std::string& each : has_)
            if (!uses_of(run, each).empty()) found.insert(each);
    return found;
}

const RunRecord* Search::find(const RunPlan& plan) const {
    const auto found = std::find_if(runs_.begin() + 1, runs_.end(), [&](const RunRecord& run) {
        return run.plan.capabilities == plan.capabilities &&
               run.plan.no_new_privileges == plan.no_new_privileges && run.plan.read_only == plan.read_only &&
               run.plan.writable == plan.writable && run.plan.environment == plan.environment;
    });
    return found == runs_.end() ? nullptr : &*found;
}

const RunRecord* Search::ask(RunPlan plan) {
    if (wanted_) return nullptr;
    if (const RunRecord* made = find(plan)) return made;
    wanted_ = std::move(plan);
    return nullptr;
}

const RunRecord* Search::ask(const Names& capabilities, bool forbids) {
    RunPlan plan;
    plan.kind = RunKind::probe;
    plan.capabilities = listed(capabilities);
    plan.no_new_privileges = forbids;
    return ask(std::move(plan));
}

// What a run leaves out may be left out by chance.
bool Search::ask_again(const RunRecord& run, const std::string& left_out) {
    if (left_out.empty() || times_tried(run) > 1) return false;
    RunPlan again = run.plan;
    again.repeats = run.plan.id;
    wanted_ = std::move(again);
    return true;
}

// Whether it is known what becomes of each of the group.
bool Search::drop(const Names& group) {
    if (group.empty()) return true;
    const Names rest = without(now_, group);
    const RunRecord* run = ask(rest, false);
    const Outcome outcome = outcome_of(run);
    if (outcome == Outcome::not_made) return false;
    if (outcome == Outcome::passed) {
        const Drop drop{run, last_};
        if (ask_again(*run, left_out(drop))) return false;
        for (const std::string& each : group) dropped_[each] = drop;
        now_ = rest;
        last_ = run;
        return true;
    }
    if (group.size() == 1) {
        kept_[*group.begin()] = {outcome, run};
        return true;
    }
    const auto middle = std::next(group.begin(), static_cast<std::ptrdiff_t>(group.size() / 2));
    return drop(Names(group.begin(), middle)) && drop(Names(middle, group.end()));
}

void Search::try_capabilities() {
    if (!question_.tries_capabilities) return;
    if (!sees()) {
        drop(has_);
        return;
    }
    const Names uses = used();
    if (!drop(without(has_, uses))) return;
    for (const std::string& each : uses)
        if (!drop({each})) return;
}

void Search::go() {
    last_ = &control();
    try_capabilities();
    if (wanted_) return;
    if (question_.tries_no_new_privileges) {
        const RunRecord* run = ask(now_, true);
        const Outcome outcome = outcome_of(run);
        if (outcome == Outcome::not_made) return;
        if (outcome == Outcome::passed) {
            if (ask_again(*run, left_out({run, last_}))) return;
            forbidding_ = Drop{run, last_};
        } else {
            not_forbidding_ = Kept{outcome, run};
        }
    }
    const auto plan = whole();
    const RunRecord* run = plan ? ask(*plan) : nullptr;
    if (outcome_of(run) == Outcome::passed) ask_again(*run, left_out(*run, before_whole()));
}

// Those that stay: each that is not known to be dispensable.
Names Search::recommended() const {
    Names names;
    for (const std::string& each : has_) {
        const auto verdict = result_of(each).verdict;
        if (verdict != CapabilityVerdict::unused && verdict != CapabilityVerdict::tolerated)
            names.insert(each);
    }
    return names;
}

// All that is recommended, in one run; nothing if nothing of it is about capabilities.
std::optional<RunPlan> Search::whole() const {
    const Names names = question_.tries_capabilities ? recommended() : has_;
    const bool forbids = forbidding_ && result_of_privileges().verdict != CapabilityVerdict::inconclusive;
    if (names == has_ && !forbids) return std::nullopt;
    RunPlan plan;
    plan.capabilities = listed(names);
    plan.no_new_privileges = forbids;
    plan.read_only = question_.mounts.read_only;
    plan.writable = question_.mounts.writable;
    plan.environment = question_.mounts.environment;
    plan.kind = RunKind::verify;
    return plan;
}

// Those that what is recommended was found by; what they leave out is told of them.
Runs Search::before_whole() const {
    Runs runs = question_.verified;
    for (const auto& [name, drop] : dropped_) runs.push_back(*drop.run);
    if (forbidding_) runs.push_back(*forbidding_->run);
    return runs;
}

std::string told(const std::vector<CapabilityCheck>& checks) {
    return named(checks);
}

// What the control run did and `run` does not, and what a page says otherwise; less what is so in one of
// `known`. Empty: nothing.
std::string Search::left_out(const RunRecord& run, const Runs& known) const {
    Difference missing = difference(control(), run);
    std::vector<std::string> pages = pages_changed(control(), run);
    for (const RunRecord& each : known) {
        missing = verdict::without(missing, difference(control(), each));
        for (const std::string& page : pages_changed(control(), each)) std::erase(pages, page);
    }
    if (!missing.left_out.empty())
        return fmt::format("what was written with it is left out: {}", named(missing.left_out));
    if (!missing.unused.empty())
        return fmt::format("nothing uses {} any more", fmt::join(missing.unused, ", "));
    if (pages.empty()) return {};
    const std::size_t slash = pages.front().find('/');
    return fmt::format("GET {} of port {} shows something else than in the control run{}",
                       pages.front().substr(slash), pages.front().substr(0, slash),
                       pages.size() == 1 ? "" : fmt::format(" and {} more", pages.size() - 1));
}

// More than what the run before had left out already.
std::string Search::left_out(const Drop& drop) const {
    return left_out(*drop.run, drop.before == &control() ? Runs{} : Runs{*drop.before});
}

// Writes that `run` was refused on read-only mounts, and none of `known`.
Attempts refused_writes(const RunRecord& run, const Runs& known) {
    const auto name_of = [](const Attempt& each) {
        return std::pair(each.operation.str(), name_pattern(each.path.view()));
    };
    std::set<std::pair<std::string, std::string>> names;
    for (const RunRecord& other : known)
        for (const Attempt& each : other.attempts)
            if (failed_by_read_only(each)) names.insert(name_of(each));
    Attempts found;
    for (const Attempt& each : run.attempts)
        if (failed_by_read_only(each) && each.cls == AttemptClass::write && !names.contains(name_of(each)))
            found.edit().push_back(each);
    return found;
}

// What happens only with all that is recommended at once; empty: nothing does.
std::string Search::against(const RunRecord& whole) const {
    const Runs known = before_whole();
    const auto is_known_call = [&](const CapabilityCheck& call) {
        return std::ranges::any_of(known, [&](const RunRecord& run) {
            return run.checks && std::ranges::any_of(run.checks->all, [&](const CapabilityCheck& each) {
                       return each.capability == call.capability && each.call == call.call &&
                              each.comm == call.comm && each.error == call.error;
                   });
        });
    };
    std::vector<CapabilityCheck> refused = calls_refused_anew(whole, control(), has_);
    for (const std::string& each : has_)
        for (CapabilityCheck& check : refused_anew(whole, control(), each))
            refused.push_back(std::move(check));
    std::erase_if(refused, is_known_call);
    if (!refused.empty()) return fmt::format("more is refused: {}", told(refused));
    Runs all = configured_;
    all.insert(all.end(), known.begin(), known.end());
    if (const Attempts writes = refused_writes(whole, all); !writes.empty())
        return fmt::format("writes are refused that were not before: {}", named(writes));
    return left_out(whole, known);
}

// What speaks against `unused`, the strongest first.
void Search::add_evidence(const std::string& name, const Drop& drop, CapabilityResult& result) const {
    const int id = drop.run->plan.id;
    std::vector<CapabilityCheck> refused, uses;
    for (const RunRecord& run : runs_) {
        const bool is_without =
            &run != &control() && run.passed && run.plan.capabilities &&
            std::ranges::find(*run.plan.capabilities, name) == run.plan.capabilities->end();
        if (!is_without) continue;
        for (CapabilityCheck& each : refused_anew(run, control(), name)) refused.push_back(std::move(each));
    }
    for (const RunRecord& run : configured_)
        for (CapabilityCheck& each : uses_of(run, name)) uses.push_back(std::move(each));
    const auto calls = calls_refused_anew(*drop.run, *drop.before, has_);
    const std::string missing = left_out(drop);
    result.verdict = CapabilityVerdict::tolerated;
    if (!refused.empty()) {
        result.reason =
            fmt::format("it passes without (run {}), though it was refused to {}", id, told(refused));
    } else if (!uses.empty()) {
        result.reason =
            fmt::format("it passes without (run {}), where it was not asked for; with it, it was used by {}",
                        id, told(uses));
    } else if (!calls.empty()) {
        result.reason =
            fmt::format("it passes without (run {}), though calls were refused that were not before: {}", id,
                        told(calls));
        refused = calls;
    } else if (!missing.empty()) {
        result.reason = fmt::format("it passes without (run {}), but {}", id, missing);
    } else {
        result.verdict = CapabilityVerdict::unused;
        result.reason = fmt::format("nothing was refused without it (run {})", id);
    }
    result.checks = std::move(uses);
    result.checks.insert(result.checks.end(), refused.begin(), refused.end());
}

CapabilityResult Search::result_of(const std::string& name) const {
    CapabilityResult result;
    result.name = name;
    if (!question_.doubt.empty() || !is_known()) {
        result.reason = !question_.doubt.empty() ? question_.doubt
                        : configured_.empty()    ? std::string("there was no run")
                        : control().passed       ? distrust(control())
                                           : fmt::format("the control run failed: {}", failure_of(control()));
        return result;
    }
    const auto kept = kept_.find(name);
    const auto dropped = dropped_.find(name);
    if (kept != kept_.end()) {
        const RunRecord& run = *kept->second.run;
        result.runs = {run.plan.id};
        for (const RunRecord& each : configured_)
            for (CapabilityCheck& use : uses_of(each, name)) result.checks.push_back(std::move(use));
        const std::string by =
            result.checks.empty() ? std::string() : fmt::format("by {}; ", told(result.checks));
        if (kept->second.outcome == Outcome::failed) {
            result.verdict = CapabilityVerdict::needed;
            result.reason = fmt::format("{}run {} without it failed: {}", by, run.plan.id, failure_of(run));
            for (CapabilityCheck& each : refused_anew(run, control(), name))
                result.checks.push_back(std::move(each));
            for (CapabilityCheck& each : calls_refused_anew(run, control(), has_))
                result.checks.push_back(std::move(each));
        } else {
            result.reason =
                fmt::format("run {} without it cannot be relied on: {}", run.plan.id, distrust(run));
        }
        return result;
    }
    if (dropped == dropped_.end()) {
        result.reason = question_.stopped.empty() ? "no run was made without it" : question_.stopped;
        return result;
    }
    result.runs = {dropped->second.run->plan.id};
    for (const RunRecord* run : {&control(), dropped->second.run})
        if (std::string why = distrust_of_checks(*run); !why.empty()) {
            result.reason =
                fmt::format("it passes without (run {}), but what was refused there is not known: {}",
                            result.runs.front(), why);
            return result;
        }
    add_evidence(name, dropped->second, result);
    return result;
}

CapabilityResult Search::result_of_privileges() const {
    CapabilityResult result;
    result.name = no_new_privileges;
    if (not_forbidding_) {
        const RunRecord& run = *not_forbidding_->run;
        result.runs = {run.plan.id};
        const bool failed = not_forbidding_->outcome == Outcome::failed;
        if (failed) result.verdict = CapabilityVerdict::needed;
        result.reason =
            failed ? fmt::format("a process has to gain privileges: run {} failed: {}", run.plan.id,
                                 failure_of(run))
                   : fmt::format("run {} with it cannot be relied on: {}", run.plan.id, distrust(run));
        return result;
    }
    if (!forbidding_) {
        result.reason = !question_.stopped.empty() ? question_.stopped : "no run was made with it";
        return result;
    }
    const RunRecord &run = *forbidding_->run, &before = *forbidding_->before;
    result.runs = {run.plan.id};
    for (const RunRecord* each : {&before, &run})
        if (std::string why = distrust_of_checks(*each); !why.empty()) {
            result.reason = fmt::format(
                "it passes with it (run {}), but what was refused there is not known: {}", run.plan.id, why);
            return result;
        }
    std::vector<CapabilityCheck> refused, gone = no_longer_asked(run, before);
    for (const std::string& each : has_)
        for (CapabilityCheck& check : refused_anew(run, before, each)) refused.push_back(std::move(check));
    const auto calls = calls_refused_anew(run, before, has_);
    const std::string missing = left_out(*forbidding_);
    result.verdict = CapabilityVerdict::tolerated;
    if (!refused.empty()) {
        result.reason =
            fmt::format("it passes with it (run {}), though what was allowed before was refused to {}",
                        run.plan.id, told(refused));
    } else if (!calls.empty()) {
        result.reason =
            fmt::format("it passes with it (run {}), though calls were refused that were not before: {}",
                        run.plan.id, told(calls));
    } else if (!gone.empty()) {
        result.reason = fmt::format(
            "it passes with it (run {}), but what a capability was used for before was not done: {}",
            run.plan.id, told(gone));
    } else if (!missing.empty()) {
        result.reason = fmt::format("it passes with it (run {}), but {}", run.plan.id, missing);
    } else {
        result.verdict = CapabilityVerdict::unused;
        result.reason = fmt::format("no process gains privileges (run {})", run.plan.id);
    }
    result.checks = std::move(refused);
    result.checks.insert(result.checks.end(), calls.begin(), calls.end());
    result.checks.insert(result.checks.end(), gone.begin(), gone.end());
    return result;
}

bool would_be_dropped(const CapabilityResult& result) {
    return result.verdict == CapabilityVerdict::unused || result.verdict == CapabilityVerdict::tolerated;
}

CapabilityConclusion Search::conclude() const {
    CapabilityConclusion made{.results = {}, .recommendation = question_.mounts};
    if (question_.tries_capabilities)
        for (const std::string& each : has_) made.results.push_back(result_of(each));
    if (question_.tries_no_new_privileges) {
        made.results.push_back(result_of_privileges());
        CapabilityResult& last = made.results.back();
        if (last.runs.empty() && !is_known() && !has_.empty()) last.reason = result_of(*has_.begin()).reason;
    }
    const auto plan = is_known() ? whole() : std::nullopt;
    if (!plan) return made;
    const auto settle = [&](CapabilityVerdict verdict, const std::string& why) {
        for (CapabilityResult& each : made.results) {
            if (!would_be_dropped(each)) continue;
            each.verdict = verdict;
            each.reason += "; " + why;
        }
        return made;
    };
    const RunRecord* run = find(*plan);
    if (run == nullptr || (wanted_ && wanted_->repeats == run->plan.id))
        return settle(CapabilityVerdict::inconclusive,
                      "it was not run together with all that is recommended");
    const int id = run->plan.id;
    if (!run->passed)
        return settle(
            CapabilityVerdict::inconclusive,
            fmt::format("together with all that is recommended run {} failed: {}", id, failure_of(*run)));
    std::string why = distrust(*run);
    if (why.empty()) why = distrust_of_checks(*run);
    if (!why.empty())
        return settle(CapabilityVerdict::inconclusive,
                      fmt::format("run {} with all that is recommended cannot be relied on: {}", id, why));
    if (*plan->capabilities != question_.configured) made.recommendation.capabilities = plan->capabilities;
    made.recommendation.no_new_privileges = plan->no_new_privileges;
    made.recommendation.verified_by_run = id;
    if (why = against(*run); !why.empty())
        settle(CapabilityVerdict::tolerated,
               fmt::format("together with all that is recommended (run {}), {}", id, why));
    return made;
}

}  // namespace

std::optional<RunPlan> next_capability_run(const CapabilityQuestion& question, const Runs& configured,
                                           const Runs& tried) {
    if (!question.stopped.empty()) return std::nullopt;
    return Search(question, configured, tried).wanted();
}

CapabilityConclusion conclude_capabilities(const CapabilityQuestion& question, const Runs& configured,
                                           const Runs& tried) {
    return Search(question, configured, tried).conclude();
}

}  // namespace rogate::verdict
