// An observer that sees what the applications of a fake engine do, or as much of it as a test lets it see.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "observe/observer.hpp"
#include "support/fake_engine.hpp"

namespace rogate::test {

// What it gets wrong, beginning with the first, second, … recording.
struct ObserverTrouble {
    int fails_at = 0;       // its call with this number fails, counted from 1; 0: none does
    int loses_events = 0;   // in the recording with this number
    int misses_canary = 0;  // in the recording with this number
    // Of what it saw, what it keeps to itself.
    std::function<bool(const Attempt&)> hides = {};
};

class FakeObserver : public observe::Observer {
  public:
    FakeObserver(FakeEngine& engine, ObserverTrouble trouble);
    ~FakeObserver() override;
    const ObserverFacts& facts() const override { return facts_; }
    std::size_t at_once() const override { return 16; }
    engine::Task<> arm(std::string container, std::vector<observe::ObservedMount> mounts, std::string phase,
                       std::string name) override;
    engine::Task<> phase(std::string name) override;
    engine::Task<> before_end() override { return called("before_end"); }
    engine::Task<> before_start_again(std::string) override { return called("before_start_again"); }
    void own_processes(const std::vector<std::int64_t>&) override {}
    engine::Task<Canary> canary(std::string target) override;
    engine::Task<observe::Recording> collect() override;
    engine::Task<> stop() override { return called("stop"); }

  private:
    // Each call takes a moment, and can be cancelled.
    engine::Task<> called(const char* name);
    void saw(const std::string& container, Attempt attempt);

    FakeEngine& engine_;
    ObserverTrouble trouble_;
    ObserverFacts facts_{.kind = "ebpf", .hooks = "fake"};
    // Containers -> what they are called in a system.
    std::map<std::string, std::string> armed_;
    std::string phase_;
    std::vector<Attempt> attempts_;
    std::map<std::string, std::uint64_t> uses_;
    int calls_ = 0, recordings_ = 0;
};

}  // namespace rogate::test
