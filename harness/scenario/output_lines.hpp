// What a command writes: shown line by line, and kept to its end. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/masker.hpp"

namespace rogate::scenario {

// Without the terminal's control sequences and other control characters.
std::string plain_line(std::string_view line);

class OutputLines {
  public:
    using Show = std::function<void(const std::string& line)>;
    // `masker` outlives it. `show` may be empty.
    OutputLines(const Masker& masker, Show show) : masker_(masker), show_(std::move(show)) {}
    void add(std::string_view bytes);
    // Shows what has no end of line.
    void end();
    // The end of it: 1 MiB at most.
    const std::string& kept() const { return kept_; }
    bool cut() const { return cut_; }

  private:
    void tell();

    const Masker& masker_;
    Show show_;
    std::string kept_, line_;
    bool cut_ = false;
};

}  // namespace rogate::scenario
