// An observer for each container that is watched at the same time: one observer has one container.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/client.hpp"
#include "observe/observer.hpp"

namespace rogate::wrap {

// More containers than these are not watched at the same time: each observer costs every system call of the
// machine a little.
inline constexpr std::size_t most_observers = 16;

class Observers {
  public:
    Observers(engine::Client& client, std::string session, std::size_t ring_bytes,
              std::chrono::milliseconds patience)
        : client_(client), session_(std::move(session)), ring_bytes_(ring_bytes), patience_(patience) {}

    // One that is free, or a new one. ErrorKind::inconclusive: there are too many containers.
    engine::Task<std::unique_ptr<observe::Observer>> take();
    // After its collect().
    void give_back(std::unique_ptr<observe::Observer> observer) { free_.push_back(std::move(observer)); }
    // One that has failed is not used again. What it left is the sweep's.
    void give_up(std::unique_ptr<observe::Observer> observer) { observer.reset(); }
    bool is_full() const { return free_.empty() && started_ >= most_observers; }
    // Those that were given back; nothing of them stays on the engine.
    engine::Task<> stop();

  private:
    engine::Client& client_;
    std::string session_;
    std::size_t ring_bytes_;
    std::chrono::milliseconds patience_;
    std::size_t started_ = 0;
    std::vector<std::unique_ptr<observe::Observer>> free_;
};

}  // namespace rogate::wrap
