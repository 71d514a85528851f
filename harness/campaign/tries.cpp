#include "campaign/tries.hpp"

#include <algorithm>

#include "verdict/compare.hpp"
#include "verdict/merge.hpp"

namespace rogate::campaign {

using engine::Task;

bool Tries::wants(DataState state) const {
    const auto& asked = bench_.scenario.states;
    return std::find(asked.begin(), asked.end(), state) != asked.end();
}

std::vector<DataState> Tries::states() const {
    if (bench_.scenario.states.empty()) return {DataState::current};
    std::vector<DataState> all = bench_.scenario.states;
    std::sort(all.begin(), all.end());  // those whose data others begin with come first
    return all;
}

DataState Tries::base() const {
    return wants(DataState::fresh) ? DataState::fresh : DataState::current;
}

Task<> Tries::one(RunPlan plan, Places* group) {
    plan.id = before_ + static_cast<int>(runs_.size()) + 1;
    const auto control = controls_.find(plan.state);
    bench_.control = control == controls_.end() ? nullptr : &runs_[control->second];
    if (bench_.control != nullptr) {
        plan.expected_exit_code = bench_.control->exit_code;
        plan.expected_early_exit = bench_.control->exited_early;
    }
    auto record = co_await campaign::launch(bench_, std::move(plan));
    if (!record) co_return fail(std::move(record.error()));
    // With settings that are tried, what the application writes with them is what it is held against.
    const auto compared = with_settings_.find({record->plan.state, record->plan.environment});
    if (record->plan.environment.empty() && control != controls_.end())
        verdict::compare_with_control(*record, runs_[control->second]);
    else if (compared != with_settings_.end())
        verdict::compare_with_control(*record, runs_[compared->second]);
    runs_.push_back(std::move(*record));
    group->push_back(runs_.size() - 1);
    const RunRecord& made = runs_.back();
    // One that was killed has no shutdown to compare with.
    if (made.plan.kind != RunKind::control || made.plan.ends_by_kill) co_return Result<>{};
    if (made.plan.environment.empty())
        controls_.try_emplace(made.plan.state, runs_.size() - 1);
    else
        with_settings_.try_emplace({made.plan.state, made.plan.environment}, runs_.size() - 1);
    co_return Result<>{};
}

Task<bool> Tries::in_state(RunPlan plan, Places* group) {
    const auto begins_with = data_of_.find(plan.state);
    if (begins_with != data_of_.end()) plan.data_of = begins_with->second;
    bool passed = true;
    for (int time = 0; time < repeat_; ++time) {
        auto done = co_await one(plan, group);
        if (!done) co_return fail(std::move(done.error()));
        passed = passed && runs_.back().passed;
    }
    co_return passed;
}

// A full run, for its data alone.
Task<bool> Tries::leave_data(DataState state, Places* group) {
    if (data_of_.contains(state)) co_return true;
    RunPlan plan;
    plan.kind = RunKind::control;
    plan.state = base();
    plan.leaves_data = true;
    plan.ends_by_kill = state == DataState::crash;
    auto done = co_await one(std::move(plan), group);
    if (!done) co_return fail(std::move(done.error()));
    const int id = runs_.back().plan.id;
    data_of_.emplace(state, id);
    if (state == DataState::used) data_of_.emplace(DataState::restart, id);
    if (state == DataState::restart) data_of_.emplace(DataState::used, id);
    co_return runs_.back().passed;
}

int Tries::at_most() const {
    int runs = 0;
    bool leaves_crash = false, leaves_used = false;
    for (const DataState state : states()) {
        runs += repeat_;
        if (state < DataState::used || data_of_.contains(state)) continue;
        (state == DataState::crash ? leaves_crash : leaves_used) = true;
    }
    return runs + (leaves_crash ? 1 : 0) + (leaves_used ? 1 : 0);
}

Task<RunRecord> Tries::launch(RunPlan plan) {
    Places group;
    for (const DataState state : states()) {
        bool passed = true;
        if (state >= DataState::used) {
            auto left = co_await leave_data(state, &group);
            if (!left) co_return fail(std::move(left.error()));
            passed = *left;
        }
        if (passed) {
            plan.state = state;
            auto tried = co_await in_state(plan, &group);
            if (!tried) co_return fail(std::move(tried.error()));
            passed = *tried;
        }
        if (!passed) break;
    }
    std::vector<RunRecord> records;
    std::vector<int> ids;
    for (const std::size_t place : group) {
        records.push_back(runs_[place]);
        ids.push_back(runs_[place].plan.id);
    }
    RunRecord whole = verdict::merged(records);
    groups_.emplace(whole.plan.id, std::move(ids));
    co_return whole;
}

}  // namespace rogate::campaign
