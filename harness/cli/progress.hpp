// Shows a campaign while it runs: one line that is rewritten on a terminal, plain lines elsewhere (and with
// NO_COLOR).
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "campaign/status.hpp"
#include "cli/terminal.hpp"

namespace rogate::cli {

class Progress : public campaign::Status {
  public:
    Progress(Terminal terminal, bool quiet, std::FILE* out = stderr);
    ~Progress() override;
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void preparing(const std::string& what) override;
    void run_started(const RunPlan& plan) override;
    void phase_started(const std::string& name) override;
    void run_finished(const RunRecord& run) override;
    void warn(const std::string& text) override;
    // Redraws the elapsed time; called once in a while on a terminal.
    void tick();
    // Removes the line that is being rewritten.
    void clear();

  private:
    void line(const std::string& text);
    void draw();

    Terminal terminal_;
    bool quiet_, rewriting_;
    std::FILE* out_;
    std::string run_, phase_;
    std::chrono::steady_clock::time_point start_;
    bool drawn_ = false;
};

}  // namespace rogate::cli
