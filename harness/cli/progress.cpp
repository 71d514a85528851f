#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <rogate/names.hpp>

namespace rogate::cli {

namespace {

// More than a terminal's height could not be rewritten.
constexpr std::size_t most_lines = 12;

std::string describe(const RunPlan& plan) {
    std::string state =
        plan.state == DataState::current ? "" : fmt::format(", data: {}", to_string(plan.state));
    if (!plan.environment.empty()) {
        for (const auto& [name, value] : plan.environment) state += fmt::format(", {}={}", name, value);
        if (plan.kind == RunKind::control) return fmt::format("run {} (control{})", plan.id, state);
    }
    if (plan.kind == RunKind::control)
        return fmt::format("run {} (control, as configured{})", plan.id, state);
    std::string targets;
    for (const std::string& target : plan.read_only) targets += (targets.empty() ? "" : " ") + target;
    if (plan.capabilities)
        state += plan.capabilities->empty()
                     ? std::string(", without capabilities")
                     : fmt::format(", capabilities: {}", fmt::join(*plan.capabilities, " "));
    if (plan.no_new_privileges) state += ", no-new-privileges";
    if (targets.empty()) return fmt::format("run {} ({}{})", plan.id, to_string(plan.kind), state);
    return fmt::format("run {} ({}, read-only: {}{})", plan.id, to_string(plan.kind), targets, state);
}

}  // namespace

Board::Board(Terminal terminal, bool quiet, std::FILE* out)
    : terminal_(terminal),
      quiet_(quiet),
      rewriting_(terminal.tty && std::getenv("NO_COLOR") == nullptr),
      out_(out),
      start_(std::chrono::steady_clock::now()) {}

Board::~Board() {
    clear();
}

void Board::clear() {
    if (drawn_ == 0) return;
    // Back to the beginning of the first of them, and away with everything from there.
    if (drawn_ > 1) std::fputs(fmt::format("\x1b[{}A", drawn_ - 1).c_str(), out_);
    std::fputs("\r\x1b[J", out_);
    drawn_ = 0;
    std::fflush(out_);
}

void Board::line(const std::string& text) {
    clear();
    std::fputs((text + "\n").c_str(), out_);
    std::fflush(out_);
}

void Board::draw() {
    if (quiet_ || !rewriting_) return;
    const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    clear();
    for (const std::string& place : places_) {
        if (place.empty() || drawn_ == most_lines) continue;
        std::string text = fmt::format("[{:5.1f} s] {}", elapsed, place);
        // A line that wraps cannot be rewritten.
        if (text.size() >= static_cast<std::size_t>(terminal_.width))
            text.resize(static_cast<std::size_t>(terminal_.width) - 1);
        std::fputs(((drawn_ == 0 ? "" : "\n") + text).c_str(), out_);
        ++drawn_;
    }
    std::fflush(out_);
}

void Board::show(std::size_t place, std::string text) {
    if (places_.size() <= place) places_.resize(place + 1);
    places_[place] = std::move(text);
    draw();
}

void Board::tick() {
    if (std::any_of(places_.begin(), places_.end(), [](const std::string& place) { return !place.empty(); }))
        draw();
}

Progress::Progress(Board& board, std::size_t place, std::string name)
    : board_(board), place_(place), name_(std::move(name)) {}

Progress::~Progress() {
    board_.show(place_, {});
}

std::string Progress::named(const std::string& text, Masker::In in) const {
    return masker_.masked(name_.empty() ? text : name_ + ": " + text, in);
}

void Progress::draw() {
    board_.show(place_, named(run_ + (phase_.empty() ? "" : ": " + phase_)));
}

void Progress::preparing(const std::string& what) {
    run_ = what;
    phase_.clear();
    if (board_.rewriting())
        draw();
    else if (!board_.quiet())
        board_.line(named(what));
}

void Progress::run_started(const RunPlan& plan) {
    run_ = describe(plan);
    phase_.clear();
    if (board_.rewriting())
        draw();
    else if (!board_.quiet())
        board_.line(named(run_));
}

void Progress::phase_started(const std::string& name) {
    phase_ = name;
    if (board_.rewriting())
        draw();
    else if (!board_.quiet())
        board_.line((name_.empty() ? "  " : "") + named(phase_));
}

void Progress::output(const std::string& line) {
    if (!board_.quiet()) board_.line((name_.empty() ? "  " : "") + named("| " + line, Masker::In::text));
}

void Progress::run_finished(const RunRecord& run) {
    if (board_.quiet()) return;
    std::string outcome = run.passed ? "passed" : "failed";
    for (const PhaseRecord& phase : run.phases) {
        if (phase.passed) continue;
        outcome = fmt::format("failed in {}", phase.name);
        break;
    }
    board_.line(named(fmt::format("{}: {} in {:.1f} s", describe(run.plan), outcome, run.duration_s)));
}

void Progress::warn(const std::string& text) {
    board_.line("warning: " + named(text, Masker::In::text));
}

void Progress::note(const std::string& text) {
    board_.line("note: " + named(text, Masker::In::text));
}

}  // namespace rogate::cli
