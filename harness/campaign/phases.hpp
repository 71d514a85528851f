// The phases of a run: each is noted in its record, and told to the status and to the observer.
#pragma once

#include <chrono>
#include <string>

#include "base/masker.hpp"
#include "campaign/runner.hpp"

namespace rogate::campaign {

// Of what a phase or a container says of itself, for a person.
inline constexpr std::size_t longest_message = 4000;

double seconds_since(std::chrono::steady_clock::time_point start);
// Between two looks at what goes on. ErrorKind::cancelled: nobody waits for it any more.
engine::Task<> pause_for(std::chrono::milliseconds time);

class Phases {
  public:
    // Both outlive it.
    Phases(Bench& bench, RunRecord& record) : bench_(bench), record_(record) {}

    // What is done from here on belongs to it. The observer is told of all but the first, with which each
    // container is armed.
    // `container`: of a system, the one that is asked.
    engine::Task<> begin(std::string name, std::string container = {});
    // What the containers do in it still belongs to the phase before.
    void begin_within(std::string name);
    void end(bool passed, const std::string& message, const Masker& masker);

    // One of them did not pass.
    bool any_failed() const { return any_failed_; }
    void fail() { any_failed_ = true; }

  private:
    Bench& bench_;
    RunRecord& record_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    bool any_failed_ = false;
};

}  // namespace rogate::campaign
