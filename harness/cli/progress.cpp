#include "cli/progress.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <rogate/names.hpp>

namespace rogate::cli {

namespace {

std::string describe(const RunPlan& plan) {
    const std::string state =
        plan.state == DataState::current ? "" : fmt::format(", data: {}", to_string(plan.state));
    if (plan.kind == RunKind::control)
        return fmt::format("run {} (control, as configured{})", plan.id, state);
    std::string targets;
    for (const std::string& target : plan.read_only) targets += (targets.empty() ? "" : " ") + target;
    return fmt::format("run {} ({}, read-only: {}{})", plan.id, to_string(plan.kind), targets, state);
}

}  // namespace

Progress::Progress(Terminal terminal, bool quiet, std::FILE* out)
    : terminal_(terminal),
      quiet_(quiet),
      rewriting_(terminal.tty && std::getenv("NO_COLOR") == nullptr),
      out_(out),
      start_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
    clear();
}

void Progress::clear() {
    if (drawn_) std::fputs("\r\x1b[K", out_);
    drawn_ = false;
    std::fflush(out_);
}

void Progress::line(const std::string& text) {
    clear();
    std::fputs((text + "\n").c_str(), out_);
    std::fflush(out_);
}

void Progress::draw() {
    if (quiet_ || !rewriting_) return;
    const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    std::string text = fmt::format("[{:5.1f} s] {}{}{}", elapsed, run_, phase_.empty() ? "" : ": ", phase_);
    // A line that wraps cannot be rewritten.
    if (text.size() >= static_cast<std::size_t>(terminal_.width))
        text.resize(static_cast<std::size_t>(terminal_.width) - 1);
    std::fputs(("\r\x1b[K" + text).c_str(), out_);
    std::fflush(out_);
    drawn_ = true;
}

void Progress::tick() {
    if (drawn_) draw();
}

void Progress::preparing(const std::string& what) {
    run_ = what;
    phase_.clear();
    if (rewriting_)
        draw();
    else if (!quiet_)
        line(what);
}

void Progress::run_started(const RunPlan& plan) {
    run_ = describe(plan);
    phase_.clear();
    if (rewriting_)
        draw();
    else if (!quiet_)
        line(run_);
}

void Progress::phase_started(const std::string& name) {
    phase_ = name;
    if (rewriting_)
        draw();
    else if (!quiet_)
        line("  " + name);
}

void Progress::run_finished(const RunRecord& run) {
    if (quiet_) return;
    std::string outcome = run.passed ? "passed" : "failed";
    for (const PhaseRecord& phase : run.phases) {
        if (phase.passed) continue;
        outcome = fmt::format("failed in {}", phase.name);
        break;
    }
    line(fmt::format("{}: {} in {:.1f} s", describe(run.plan), outcome, run.duration_s));
}

void Progress::warn(const std::string& text) {
    line("warning: " + text);
}

}  // namespace rogate::cli
