#include "report/overview.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "report/columns.hpp"

namespace rogate::report {

namespace {

// "safe: /a, /b; required: /c", the verdicts in their usual order.
std::string verdicts(const OverviewLine& line) {
    std::map<Verdict, std::vector<std::string>> targets;
    for (const auto& [verdict, target] : line.mounts) targets[verdict].push_back(escape_text(target));
    std::string text;
    for (const auto& [verdict, list] : targets)
        text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", to_string(verdict), fmt::join(list, ", "));
    return text.empty() ? "no mount to try" : text;
}

std::string first_line(const std::string& text) {
    return escape_text(text.substr(0, text.find('\n')));
}

}  // namespace

OverviewLine overview_of(const CampaignResult& result) {
    OverviewLine line;
    line.name = result.scenario.name;
    line.runs = static_cast<int>(result.runs.size());
    for (const MountResult& each : result.mounts) line.mounts.emplace_back(each.verdict, each.mount.target);
    const bool control_failed = !result.runs.empty() && !result.runs.front().passed;
    if (control_failed) line.trouble = "the run with everything as configured failed";
    return line;
}

std::string render_overview(const std::vector<OverviewLine>& lines) {
    constexpr std::size_t widest = 48;
    std::size_t width = std::string_view("SUBJECT").size();
    for (const OverviewLine& line : lines)
        width = std::max(width, std::min(widest, columns(escape_text(line.name))));
    std::string text = padded("SUBJECT", width) + "  RUNS  VERDICTS\n";
    for (const OverviewLine& line : lines)
        text += padded(escape_text(line.name), width) + fmt::format("  {:>4}  ", line.runs) +
                (line.trouble.empty() ? verdicts(line) : first_line(line.trouble)) + "\n";
    return text;
}

}  // namespace rogate::report
