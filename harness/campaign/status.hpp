// What a campaign tells while it runs; the terminal shows it, tests record it.
#pragma once

#include <rogate/run.hpp>
#include <string>

namespace rogate::campaign {

class Status {
  public:
    virtual ~Status() = default;
    virtual void preparing(const std::string& what) = 0;
    virtual void run_started(const RunPlan& plan) = 0;
    virtual void phase_started(const std::string& name) = 0;
    // A line of what a command of the user's writes, without secrets.
    virtual void output(const std::string& line) { static_cast<void>(line); }
    virtual void run_finished(const RunRecord& run) = 0;
    // Something the user should know although it changes no verdict (a clean-up that failed, a fallback that
    // was taken).
    virtual void warn(const std::string& text) = 0;
    // What the user may want to know and has nothing to do about.
    virtual void note(const std::string& text) { static_cast<void>(text); }
};

}  // namespace rogate::campaign
