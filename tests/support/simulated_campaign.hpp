// A whole campaign that follows from a number: its scenario, what its application does, and what goes wrong
// meanwhile.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <rogate/pods.hpp>
#include <rogate/result.hpp>
#include <set>
#include <string>
#include <vector>

#include "campaign/status.hpp"
#include "support/fake_engine.hpp"
#include "support/fake_observer.hpp"
#include "support/fake_subject.hpp"

namespace rogate::test {

// Keeps what it is told.
class RecordedStatus : public campaign::Status {
  public:
    void preparing(const std::string&) override {}
    void run_started(const RunPlan&) override { ++runs; }
    void phase_started(const std::string&) override {}
    void run_finished(const RunRecord&) override {}
    void warn(const std::string& text) override { warnings.push_back(text); }
    int runs = 0;
    std::vector<std::string> warnings;
};

struct Trouble {
    std::map<int, Fault> calls;       // by number of the call
    std::optional<int> cancelled_at;  // at that call
    ObserverTrouble observer;
    bool any() const {
        return !calls.empty() || cancelled_at ||
               observer.fails_at + observer.loses_events + observer.misses_canary > 0;
    }
};

struct Simulation {
    std::uint64_t seed = 0;
    Scenario scenario;
    Pods pods = {};
    Script script;
    std::map<std::string, Script> scripts = {};  // of a system, by container
    Trouble trouble;
    int repeat = 1;
    std::optional<int> max_runs;
    std::optional<std::chrono::milliseconds> max_time;
    // Of the engine.
    std::string api_version = "1.43";
    bool mounts_overlays = true;
    std::set<std::string> overlay_options;
    std::map<std::string, Node> user_data;  // on the engine's host
    std::vector<std::string> user_volumes;
};

// In some systems one container leaves a file here that another one needs when it is asked for something.
inline constexpr const char *shared_folder = "/shared", *shared_path = "/shared/left";

// Of what the fake engine's containers are made.
std::string image_of(std::string member);

Simulation simulation_of(std::uint64_t seed);
// Of several containers that are settled together, and share data.
Simulation system_simulation_of(std::uint64_t seed);

struct Outcome {
    std::vector<std::string> wrong;  // invariants that do not hold
    std::optional<CampaignResult> result;
    std::string error;  // of the campaign; empty: it came to a result
    int calls = 0, runs = 0;
    std::chrono::milliseconds took{};  // the campaign, in virtual time
};

// The campaign and its clean-up.
Outcome simulate(const Simulation& simulation);

// For a person who looks at a seed that failed.
std::string described(const Simulation& simulation, const Outcome& outcome);

}  // namespace rogate::test
