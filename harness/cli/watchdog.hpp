// Cleans up after a rogate that was killed: a process of its own, forked before anything is made on the
// engine, that waits for the end of a pipe.
#pragma once

#include <sys/types.h>

#include <string>

#include "cli/commands.hpp"

namespace rogate::cli {

class Watchdog {
  public:
    // Forks, so there must be no other thread yet. A fork that fails is told on stderr and leaves the work
    // unguarded: what a killed rogate leaves then waits for `rogate clean`.
    Watchdog(const Global& global, const std::string& session);
    // Ends it, unless keep() was called.
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    bool runs() const { return pipe_ >= 0; }
    // The clean-up failed: the watchdog goes on with it when this process ends.
    void keep() { keep_ = true; }

  private:
    int pipe_ = -1;  // the end that this process holds open as long as it lives
    pid_t child_ = -1;
    bool keep_ = false;
};

}  // namespace rogate::cli
