// One launch of all containers of a system, step by step: together.cpp has its course, together_start.cpp how
// they are started, together_anew.cpp how those that others wait for are made anew, together_steps.cpp what
// is asked of them and how they are started again, together_end.cpp how they become ready and are ended.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <rogate/scenario.hpp>
#include <set>
#include <string>
#include <vector>

#include "campaign/phases.hpp"
#include "campaign/runner.hpp"
#include "scenario/step_runner.hpp"

namespace rogate::campaign {

// Members are added to the record as the launch goes on; a container that falls ends nothing but its own
// part.
class TogetherLaunch {
  public:
    TogetherLaunch(Bench& bench, RunPlan plan);

    engine::Task<RunRecord> go();

  private:
    using Names = std::set<std::string>;
    struct Running {
        std::string id;
        int restarts = 0;
        bool was_running = false;  // when all were told to end
        bool was_deaf = false;
        bool killed = false;
    };
    // Of one whose end another one waits for, or which has none to wait for.
    enum class Standing { runs, ended, comes_again };

    bool is_control() const { return bench_.control == nullptr; }
    // Null: this is the control run.
    const ContainerRecord* before(const std::string& name) const {
        if (is_control()) return nullptr;
        const auto found = bench_.control->containers.find(name);
        return found == bench_.control->containers.end() ? nullptr : &found->second;
    }
    // It was not right in the control run either.
    bool is_given_up(const std::string& name) const {
        const ContainerRecord* there = before(name);
        const auto here = record_.containers.find(name);
        return (there != nullptr && !there->trouble.empty()) ||
               (here != record_.containers.end() && !here->second.trouble.empty());
    }
    // Its own end in the control run is waited for, and nothing is asked of it.
    bool ended_before(const std::string& name) const {
        const ContainerRecord* there = before(name);
        return there != nullptr && there->exited_early;
    }
    // It fell, and what runs in its place since is as it was in the control run.
    bool is_anew(const std::string& name) const { return anew_.contains(name); }
    bool all_given_up() const;
    Names all_running() const;
    engine::Task<> begin(std::string name) { return phases_.begin(std::move(name)); }
    void end();
    void fell(const std::string& name, std::string why);
    engine::Task<> fell_at_step(std::string name, std::string why);
    engine::Task<> run_phases();
    engine::Task<> start_all();
    engine::Task<std::string> start(const Member& member);
    engine::ContainerSpec container_for(const Member& member, bool as_configured) const;
    bool can_be_made_anew(const std::string& name) const;
    engine::Task<bool> make_anew(std::string name, std::string why);
    engine::Task<> make_fallen_anew(std::string but = {});
    engine::Task<> await_anew();
    engine::Task<> arm(const Member& member);
    engine::Task<std::optional<std::string>> gate_of(const Member& member,
                                                     const std::vector<const Member*>& open, bool is_late,
                                                     bool in_vain);
    engine::Task<std::optional<std::string>> look_at(const Dependency& dependency, const std::string& who);
    engine::Task<> look_for_fallen(std::string but = {});
    engine::Task<bool> has_started_up(const Member& member, Step probe);
    static std::string too_late(const Dependency& dependency, const std::string& who);
    // The container whose network namespace it has; empty: its own.
    std::string network_of(const Member& member) const;
    engine::Task<> hold_network(const Member& member);
    engine::Task<std::string> make_parts(const Member& member);
    engine::Task<std::string> wait_for(const Dependency& dependency, const std::string& who);
    engine::Task<Standing> standing_of(const std::string& name);
    engine::Task<> ready();
    engine::Task<> await_all(Names names, bool makes_anew);
    engine::Task<std::string> ready(const Member& member, bool makes_anew);
    engine::Task<> give_time();
    std::chrono::milliseconds time_for(const Member& member) const;
    scenario::StepRunner runner_for(const Member& member);
    std::vector<scenario::Place> places() const;
    engine::Task<> steps();
    engine::Task<> ask(const Step& step);
    engine::Task<> ask_all(const Step& step);
    engine::Task<> soak(std::chrono::milliseconds time);
    engine::Task<> restart(std::string phase);
    engine::Task<> end_and_start(Names names, bool kill);
    engine::Task<> steps_again();
    engine::Task<> start_after_crash();
    engine::Task<> stop_all(Names names, bool kill = false);
    engine::Task<> stop(std::string name, bool kill);
    engine::Task<> shutdown();
    engine::Task<> judge(const Member& member);
    engine::Task<> canaries();
    engine::Task<> collect();
    engine::Task<> remove();
    engine::Task<std::string> with_log(std::string name, std::string text);
    Readiness readiness_of(const Member& member) const;
    // How long it is waited for, where nobody said so.
    std::chrono::milliseconds patience(std::chrono::milliseconds most) const;
    std::string stop_signal(const Member& member) const;

    Bench& bench_;
    const std::vector<Member>& members_;
    RunRecord record_;
    Phases phases_;
    scenario::Memory memory_;
    std::map<std::string, Running> running_;                   // by name; those that were started
    std::map<std::string, std::string> holders_;               // by pod: what holds its network
    std::vector<engine::MountSpec> mounts_;                    // of all of them, as the run has them
    std::map<std::string, std::chrono::milliseconds> waited_;  // by those that are not started yet
    Names anew_, were_anew_;                                   // the latter: also those that fell once more
    Names shaken_;                                       // those that ran while another one was made anew
    Names started_up_;                                   // of those that are waited for
    std::string failure_;                                // of the phase that goes on
    std::string prefix_;                                 // of the steps' phases
    std::chrono::steady_clock::time_point waits_since_;  // … until all are ready
    bool knows_ports_ = false;                           // which of them are silent was found out
};

bool is_tried_in(const RunPlan& plan, const std::string& target);

}  // namespace rogate::campaign
