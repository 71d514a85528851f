#include "verdict/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <rogate/names.hpp>
#include <set>
#include <tuple>

#include "verdict/compare.hpp"
#include "verdict/difference.hpp"
#include "verdict/no_op.hpp"

namespace rogate::verdict {

namespace {

struct Tries {
    std::size_t all = 0, passed = 0;
    const RunRecord* failed = nullptr;  // the first one
};

std::string describe(const Tries& tries, DataState state) {
    return fmt::format("{} of {} tries passed{}; one failed {}", tries.passed, tries.all,
                       state == DataState::current ? "" : fmt::format(" in state '{}'", to_string(state)),
                       failure_of(*tries.failed));
}

// Everything that tells two attempts apart but their state and how often they were made.
auto key_of(const Attempt& a) {
    return std::tie(a.mount, a.path, a.operation, a.syscall, a.error, a.cls, a.phase, a.process.comm,
                    a.control);
}

void add_state(Attempt& to, const std::string& state) {
    if (state.empty() || to.state.str().find(state) != std::string::npos) return;
    to.state = to.state.empty() ? state : to.state.str() + ", " + state;
}

class Merger {
  public:
    explicit Merger(const std::vector<RunRecord>& runs)
        : several_states_(std::any_of(runs.begin(), runs.end(), [](const RunRecord& run) {
              return run.plan.state != DataState::current;
          })) {}

    void add(const RunRecord& run) {
        const std::string state = several_states_ ? std::string(to_string(run.plan.state)) : std::string();
        for (const Attempt& attempt : run.attempts) {
            const auto [at, fresh] = places_.try_emplace(key_of(attempt), attempts_.size());
            if (fresh)
                attempts_.push_back(attempt);
            else
                attempts_[at->second].count += attempt.count;
            add_state(attempts_[at->second], state);
        }
    }
    std::vector<Attempt> take() { return std::move(attempts_); }

  private:
    using Key = decltype(key_of(std::declval<const Attempt&>()));
    bool several_states_;
    std::map<Key, std::size_t> places_;  // keys refer to the runs' own attempts, which stay where they are
    std::vector<Attempt> attempts_;
};

// What was written in one of them was written.
void keep_common(std::set<std::string>& unwritten, const std::set<std::string>& other) {
    std::erase_if(unwritten, [&](const std::string& path) { return !other.contains(path); });
}

// What one of them does not tell is not known of all.
void add_checks(RunRecord& whole, const RunRecord& run) {
    if (!run.checks) whole.checks.reset();
    if (!whole.checks) return;
    auto& all = whole.checks->all;
    all.insert(all.end(), run.checks->all.begin(), run.checks->all.end());
    whole.checks->lost += run.checks->lost;
    whole.checks->audited_only = whole.checks->audited_only && run.checks->audited_only;
}

void add_account(RunRecord& whole, const RunRecord& run) {
    add_checks(whole, run);
    keep_common(whole.unwritten, run.unwritten);
    for (const auto& [target, uses] : run.uses) whole.uses[target] += uses;
    for (const auto& [target, canary] : run.canary) {
        const auto [at, fresh] = whole.canary.try_emplace(target, canary);
        if (!fresh && canary != Canary::seen) at->second = canary;
    }
    if (!run.read_back) whole.read_back.reset();
    if (whole.read_back)
        for (const auto& [mount, opens] : *run.read_back) (*whole.read_back)[mount] += opens;
    for (const auto& [mount, opens] : run.listed) whole.listed[mount] += opens;
    whole.exec_refused.insert(run.exec_refused.begin(), run.exec_refused.end());
    whole.lost_events += run.lost_events;
    if (whole.observer_problem.empty()) whole.observer_problem = run.observer_problem;
}

}  // namespace

RunRecord merged(const std::vector<RunRecord>& runs) {
    if (runs.size() == 1 && runs.front().plan.state == DataState::current) return runs.front();
    std::map<DataState, Tries> tries;
    for (const RunRecord& run : runs) {
        Tries& these = tries[run.plan.state];
        ++these.all;
        if (run.passed) ++these.passed;
        if (!run.passed && these.failed == nullptr) these.failed = &run;
    }
    const RunRecord* failed = nullptr;
    std::string doubt;
    for (const auto& [state, these] : tries) {
        if (these.failed == nullptr) continue;
        if (these.passed == 0 && failed == nullptr) failed = these.failed;
        if (these.passed > 0 && doubt.empty()) doubt = describe(these, state);
    }
    Merger merger(runs);
    if (failed != nullptr) {
        RunRecord whole = *failed;
        merger.add(*failed);
        whole.attempts = merger.take();
        return whole;
    }
    RunRecord whole = runs.back();
    whole.passed = doubt.empty();
    whole.doubt = std::move(doubt);
    whole.uses.clear(), whole.canary.clear(), whole.read_back.emplace(), whole.observer_problem.clear();
    whole.listed.clear(), whole.exec_refused.clear();
    whole.checks = CapabilityChecks{.all = {}, .audited_only = true, .lost = 0};
    whole.lost_events = 0;
    for (const RunRecord& run : runs) {
        if (run.plan.leaves_data) {  // made for its data, not in a state that was asked for
            for (const Attempt& each : run.attempts)
                if (is_write_made(each)) whole.made_data.edit().push_back(each);
            continue;
        }
        whole.tries.push_back(tries_of(run).front());
        merger.add(run);
        add_account(whole, run);
    }
    whole.attempts = merger.take();
    return whole;
}

namespace {

void add_repeat(RunRecord& first, const RunRecord& again) {
    first.repeated_by.push_back(again.plan.id);
    if (first.plan.kind == RunKind::control) keep_common(first.unwritten, again.unwritten);
    if (!again.passed) {
        if (first.doubt.empty())
            first.doubt = fmt::format("it passed, and made again (run {}) it failed {}", again.plan.id,
                                      failure_of(again));
        return;
    }
    if (!distrust(again).empty()) return;
    add_checks(first, again);
    std::vector<Try> tries = tries_of(first), more = tries_of(again);
    tries.insert(tries.end(), more.begin(), more.end());
    first.tries = std::move(tries);
    std::vector<Attempt> missing;
    std::set<decltype(key_of(again.attempts[0]))> known;
    for (const Attempt& each : first.attempts)
        if (failed_by_read_only(each)) known.insert(key_of(each));
    for (const Attempt& each : again.attempts)
        if (failed_by_read_only(each) && !known.contains(key_of(each))) missing.push_back(each);
    if (missing.empty() || first.plan.kind == RunKind::control) return;
    auto& all = first.attempts.edit();
    all.insert(all.end(), missing.begin(), missing.end());
}

}  // namespace

std::vector<RunRecord> with_repeats(const std::vector<RunRecord>& so_far) {
    std::vector<RunRecord> runs;
    for (const RunRecord& run : so_far) {
        const auto first = std::find_if(runs.begin(), runs.end(), [&](const RunRecord& each) {
            return run.plan.repeats && each.plan.id == *run.plan.repeats;
        });
        if (first == runs.end())
            runs.push_back(run);
        else
            add_repeat(*first, run);
    }
    for (RunRecord& run : runs)
        if (&run != &runs.front()) distrust_openings(run, runs.front());
    return runs;
}

}  // namespace rogate::verdict
