// Shows campaigns while they run: on a terminal a line for each that is rewritten, plain lines elsewhere (and
// with NO_COLOR).
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/masker.hpp"
#include "campaign/status.hpp"
#include "cli/terminal.hpp"

namespace rogate::cli {

// Where they are shown.
class Board {
  public:
    Board(Terminal terminal, bool quiet, std::FILE* out = stderr);
    ~Board();
    Board(const Board&) = delete;
    Board& operator=(const Board&) = delete;

    // What is shown in one place until it is replaced; an empty text frees it.
    void show(std::size_t place, std::string text);
    // What stays.
    void line(const std::string& text);
    // Redraws the elapsed time; called once in a while.
    void tick();
    // Removes the lines that are being rewritten; the next show() or tick() draws them again.
    void clear();
    bool rewriting() const { return rewriting_; }
    bool quiet() const { return quiet_; }

  private:
    void draw();

    Terminal terminal_;
    bool quiet_, rewriting_;
    std::FILE* out_;
    std::vector<std::string> places_;
    std::size_t drawn_ = 0;  // lines
    std::chrono::steady_clock::time_point start_;
};

// One campaign in its place on a board.
class Progress : public campaign::Status {
  public:
    // `name`: put before each line where there are several; may be empty.
    Progress(Board& board, std::size_t place, std::string name);
    ~Progress() override;
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void preparing(const std::string& what) override;
    void run_started(const RunPlan& plan) override;
    void phase_started(const std::string& name) override;
    void output(const std::string& line) override;
    void run_finished(const RunRecord& run) override;
    void warn(const std::string& text) override;
    void note(const std::string& text) override;
    // What no line may show.
    void hide(Masker masker) { masker_ = std::move(masker); }

  private:
    void draw();
    std::string named(const std::string& text, Masker::In in = Masker::In::path) const;

    Board& board_;
    std::size_t place_;
    std::string name_, run_, phase_;
    Masker masker_;
};

}  // namespace rogate::cli
