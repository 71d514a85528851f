#include "gate/decide.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "gate/findings.hpp"

namespace rogate::gate {

namespace {

// The run that an attempt was seen in: of the runs that a verdict rests on, the control run for a write that
// succeeded, else the last one.
int run_of(const Case& about, const Attempt& attempt) {
    const std::vector<int>& runs = about.mount.runs;
    if (runs.empty()) return 0;
    return attempt.error == 0 ? runs.front() : runs.back();
}

// A result that says nothing about any mount, because its control run failed or there was none.
std::vector<Finding> without_evidence(const CampaignResult& result) {
    const bool said = std::any_of(result.mounts.begin(), result.mounts.end(), [](const MountResult& mount) {
        return mount.verdict == Verdict::inconclusive;
    });
    if (said || (!result.runs.empty() && result.runs.front().passed)) return {};
    Finding found;
    found.level = Level::inconclusive;
    found.rule = "no-control-run";
    found.scenario = result.scenario.name;
    found.what = result.runs.empty() ? "the result holds no run at all" : "the control run failed";
    found.remedy =
        "Mend the scenario until it passes with every mount as it is configured, and run it again.";
    return {found};
}

void failures_first(Decision& decision) {
    std::stable_sort(decision.findings.begin(), decision.findings.end(),
                     [](const Finding& a, const Finding& b) { return a.level < b.level; });
}

}  // namespace

std::size_t Decision::count(Level level) const {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.level == level; }));
}

int Decision::exit_code() const {
    if (count(Level::fail) > 0) return rogate::exit_code(ErrorKind::scenario);
    if (count(Level::inconclusive) > 0) return rogate::exit_code(ErrorKind::inconclusive);
    return 0;
}

Finding finding(Level level, std::string rule, const Case& about, std::string what) {
    Finding made;
    made.level = level;
    made.rule = std::move(rule);
    made.scenario = about.result.scenario.name;
    made.mount = about.mount.mount.target;
    made.declared = about.mount.mount.declared;
    made.what = std::move(what);
    return made;
}

std::string evidence_line(const Case& about, const Attempt& attempt) {
    const int run = run_of(about, attempt);
    return fmt::format("{} {}  {}{}  in {}  by {}{}", attempt.operation, escape_text(attempt.path),
                       attempt.error == 0 ? "succeeded" : errno_name(attempt.error),
                       attempt.count == 1 ? "" : fmt::format(" ×{}", attempt.count),
                       escape_text(attempt.phase),
                       escape_text(attempt.process.exe.empty() ? attempt.process.comm : attempt.process.exe),
                       run == 0 ? "" : fmt::format("  (run {})", run));
}

Decision decide(const Question& question) {
    Decision decision;
    if (question.since != nullptr) {
        decision = decide_since(question);
        failures_first(decision);
        return decision;
    }
    Used used{std::vector<bool>(question.policy.mounts.size()),
              std::vector<bool>(question.policy.writes.size()),
              std::vector<bool>(question.policy.capabilities.size())};
    const auto take = [&](std::vector<Finding> found) {
        std::move(found.begin(), found.end(), std::back_inserter(decision.findings));
    };
    for (const CampaignResult& result : question.results) {
        ++decision.results;
        take(without_evidence(result));
        for (const MountResult& mount : result.mounts) {
            ++decision.mounts;
            take(judge_by_policy({result, mount}, question.policy, question.today, used));
            take(judge_by_requirements({result, mount}, question.policy));
        }
        if (question.lock != nullptr) take(compare_with_lock(result, *question.lock, question.updating));
        take(judge_capabilities(result, question, used));
    }
    take(look_at_policy(question, used));
    failures_first(decision);
    return decision;
}

}  // namespace rogate::gate
