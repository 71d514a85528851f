// One plan in every state of the data that the scenario asks for, as often as asked.
#pragma once

#include <map>
#include <rogate/run.hpp>
#include <vector>

#include "campaign/runner.hpp"

namespace rogate::campaign {

class Tries {
  public:
    // Every run is put behind `runs`; `repeat`: how often each is tried; `before`: the last id that is taken.
    Tries(Bench& bench, int repeat, std::vector<RunRecord>& runs, int before)
        : bench_(bench), repeat_(repeat), runs_(runs), before_(before) {}

    // How many runs launch() makes at most.
    int at_most() const;
    // All of them read as one run (verdict::merged); ends at the first state in which the plan fails.
    engine::Task<RunRecord> launch(RunPlan plan);
    // The runs behind one that launch() gave, by its id.
    const std::vector<int>& behind(int id) const { return groups_.at(id); }

  private:
    // Positions in runs_.
    using Places = std::vector<std::size_t>;
    engine::Task<> one(RunPlan plan, Places* group);
    // True: every one of them passed.
    engine::Task<bool> in_state(RunPlan plan, Places* group);
    engine::Task<bool> leave_data(DataState state, Places* group);
    bool wants(DataState state) const;
    std::vector<DataState> states() const;
    DataState base() const;

    Bench& bench_;
    int repeat_;
    std::vector<RunRecord>& runs_;
    int before_;
    std::map<DataState, std::size_t> controls_;  // the first one of each state
    // The first control run of each state with each set of settings.
    std::map<std::pair<DataState, std::map<std::string, std::string>>, std::size_t> with_settings_;
    std::map<DataState, int> data_of_;  // the run with whose data the state begins
    std::map<int, std::vector<int>> groups_;
};

}  // namespace rogate::campaign
