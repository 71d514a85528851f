// The result for a person at a terminal.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <string_view>

namespace rogate::report {

struct TerminalStyle {
    bool colour = false;
    bool unicode = true;  // "×" and "…", else "x" and "..."
    int width = 100;      // columns
};

std::string render_terminal(const CampaignResult& result, const TerminalStyle& style);

// What a verdict means, on one line.
std::string_view verdict_help(Verdict verdict);

}  // namespace rogate::report
