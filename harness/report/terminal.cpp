#include "report/terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/names.hpp>
#include <vector>

#include "base/escape.hpp"
#include "report/advice.hpp"
#include "report/columns.hpp"
#include "report/markup.hpp"
#include "report/when.hpp"

namespace rogate::report {

namespace {

constexpr std::size_t attempts_shown = 5;
constexpr std::size_t settings_shown = 6;  // of those that are not recommended
constexpr std::size_t log_lines_shown = 12;

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
    std::vector<std::string> lines(1);
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!lines.back().empty() && columns(lines.back()) + 1 + columns(word) > width) lines.emplace_back();
        if (!lines.back().empty()) lines.back() += ' ';
        lines.back() += word;
    }
    return lines;
}

std::string_view colour_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::safe:
        case Verdict::already_ro:
            return "32";
        case Verdict::tolerated:
        case Verdict::split:
            return "33";
        case Verdict::required:
            return "31";
        case Verdict::untested:
        case Verdict::ineffective:
            return "36";
        case Verdict::inconclusive:
            return "35";
    }
    return "0";
}

std::string_view colour_of(CapabilityVerdict verdict) {
    switch (verdict) {
        case CapabilityVerdict::unused:
            return "32";
        case CapabilityVerdict::tolerated:
            return "33";
        case CapabilityVerdict::needed:
            return "31";
        case CapabilityVerdict::inconclusive:
            return "35";
    }
    return "0";
}

class Page {
  public:
    Page(const CampaignResult& result, const TerminalStyle& style) : result_(result), style_(style) {}
    std::string render();

  private:
    void line(std::string_view text = {}) {
        out_ += text;
        out_ += '\n';
    }
    std::string tint(std::string_view code, const std::string& text) const {
        return style_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
    }
    std::string times(std::uint64_t count) const {
        return count == 1 ? std::string() : fmt::format(" {}{}", style_.unicode ? "×" : "x", count);
    }
    void head();
    void mounts();
    void attempts(const MountResult& mount);
    void elsewhere(std::string_view what, const Attempts& writes);
    void tail(const std::string& heading, std::string_view text);
    void runs();
    void capabilities();
    void advice();

    const CampaignResult& result_;
    const TerminalStyle& style_;
    std::string out_;
};

void Page::head() {
    line(tint("1", escape_text(result_.scenario.name)) +
         fmt::format(": image {}, {} {}, {} {} in {:.1f} s", escape_text(result_.scenario.subject.image),
                     escape_text(result_.engine.name), escape_text(result_.engine.version),
                     result_.runs.size(), result_.runs.size() == 1 ? "run" : "runs", result_.duration_s));
    line();
}

void Page::attempts(const MountResult& mount) {
    const std::size_t shown = std::min(attempts_shown, mount.attempts.size());
    for (std::size_t i = 0; i < shown; ++i) {
        const Attempt& each = mount.attempts[i];
        line(fmt::format("    {} {}  {}{}  in {}  by {}{}", padded(escape_text(each.operation), 11),
                         shortened(escape_text(each.path), 120, style_.unicode ? "…" : "..."),
                         errno_name(each.error), times(each.count), escape_text(when(each)),
                         escape_text(each.process.comm),
                         each.cls == AttemptClass::write ? "" : fmt::format("  ({})", to_string(each.cls))));
    }
    if (mount.attempts.size() > shown)
        line(fmt::format("    and {} more kinds of attempt (all of them: --out DIR, result.json)",
                         mount.attempts.size() - shown));
}

void Page::elsewhere(std::string_view what, const Attempts& writes) {
    const std::size_t shown = std::min(attempts_shown, writes.size());
    for (std::size_t i = 0; i < shown; ++i)
        line(fmt::format("    {}: {} {}  in {}  by {}", what, escape_text(writes[i].operation),
                         shortened(escape_text(writes[i].path), 120, style_.unicode ? "…" : "..."),
                         escape_text(when(writes[i])), escape_text(writes[i].process.comm)));
    if (writes.size() > shown)
        line(fmt::format("    {}: {} more (all of them: --out DIR, result.json)", what,
                         writes.size() - shown));
}

void Page::mounts() {
    std::size_t verdict_width = 7, target_width = 5, type_width = 4;
    for (const MountResult& each : result_.mounts) {
        verdict_width = std::max(verdict_width, to_string(each.verdict).size());
        target_width =
            std::max(target_width, std::min<std::size_t>(40, columns(escape_text(each.mount.target))));
        type_width = std::max(type_width, to_string(each.mount.type).size());
    }
    const std::size_t indent = verdict_width + target_width + type_width + 6;
    const std::size_t total = static_cast<std::size_t>(style_.width);
    const std::size_t room = total > indent + 30 ? total - indent : 30;
    line(tint("1", padded("VERDICT", verdict_width) + "  " + padded("MOUNT", target_width) + "  " +
                       padded("TYPE", type_width) + "  WHY"));
    for (const MountResult& each : result_.mounts) {
        const std::vector<std::string> why = wrap(escape_text(each.reason), room);
        line(tint(colour_of(each.verdict), padded(std::string(to_string(each.verdict)), verdict_width)) +
             "  " + padded(escape_text(each.mount.target), target_width) + "  " +
             padded(std::string(to_string(each.mount.type)), type_width) + "  " + why.front());
        for (std::size_t i = 1; i < why.size(); ++i) line(std::string(indent, ' ') + why[i]);
        attempts(each);
        elsewhere("left out", each.difference.left_out);
        elsewhere("instead", each.difference.instead);
        for (const PhaseCost& cost : each.costs)
            line("    slower read-only: " + escape_text(cost_text(cost)));
    }
    if (result_.mounts.empty()) {
        line("(the subject has no mount to try)");
        const std::string failed = failed_run(result_);
        for (std::string_view rest = failed; !rest.empty();) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            line(escape_text(rest.substr(0, end)));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    line();
}

void Page::capabilities() {
    if (result_.capabilities.empty()) return;
    std::size_t name_width = std::string_view("CAPABILITY").size();
    for (const CapabilityResult& each : result_.capabilities)
        name_width = std::max(name_width, each.name.size());
    constexpr std::size_t verdict_width = 12;
    const std::size_t indent = verdict_width + name_width + 4;
    const std::size_t whole = static_cast<std::size_t>(style_.width);
    const std::size_t room = whole > indent + 30 ? whole - indent : 30;
    line(tint("1", padded("VERDICT", verdict_width) + "  " + padded("CAPABILITY", name_width) + "  WHY"));
    for (const CapabilityResult& each : result_.capabilities) {
        const std::vector<std::string> why = wrap(escape_text(each.reason), room);
        line(tint(colour_of(each.verdict), padded(std::string(to_string(each.verdict)), verdict_width)) +
             "  " + padded(escape_text(each.name), name_width) + "  " + why.front());
        for (std::size_t i = 1; i < why.size(); ++i) line(std::string(indent, ' ') + why[i]);
    }
    line();
}

// The last lines of what somebody wrote.
void Page::tail(const std::string& heading, std::string_view text) {
    if (text.empty()) return;
    line(heading);
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    const std::size_t first = lines.size() > log_lines_shown ? lines.size() - log_lines_shown : 0;
    for (std::size_t i = first; i < lines.size(); ++i) line("  | " + escape_text(lines[i].substr(0, 400)));
    line();
}

void Page::runs() {
    for (const RunRecord& run : result_.runs) {
        if (run.passed) continue;
        const std::string which = fmt::format("in run {} ({}):", run.plan.id, to_string(run.plan.kind));
        for (const PhaseRecord& phase : run.phases)
            tail(fmt::format("Last output of '{}' {}", escape_text(phase.name), which), phase.output);
        tail("Last output of the subject " + which, run.log_tail);
    }
}

void Page::advice() {
    if (!result_.exercised.empty())
        line(tint("1", "Exercised by rogate itself: ") +
             escape_text(fmt::format("{}", fmt::join(result_.exercised, ", "))) +
             "   (--test COMMAND gives a better answer)");
    for (const std::string& each : result_.scenario.unlike_cluster)
        line(tint("1", "Not as in a cluster: ") + escape_text(each));
    if (!result_.stopped.empty())
        line(tint("1", "Not all was asked: ") + escape_text(result_.stopped) +
             "; what is not settled is inconclusive");
    const Recommendation& advice = result_.recommendation;
    if (!advice.read_only.empty()) {
        std::string targets;
        for (const std::string& target : advice.read_only)
            targets += (targets.empty() ? "" : ", ") + escape_text(target);
        line(tint("1", "Mount read-only: ") + targets +
             (advice.verified_by_run
                  ? fmt::format("   (run {} passed with just these)", *advice.verified_by_run)
                  : ""));
    }
    if (const std::string text = capabilities_text(advice); !text.empty())
        line(tint("1", "Capabilities: ") + escape_text(text) +
             (advice.verified_by_run
                  ? fmt::format("   (run {} passed with all of this)", *advice.verified_by_run)
                  : ""));
    if (advice.no_new_privileges) line(tint("1", "Security option: ") + "no-new-privileges");
    const std::vector<SettingText> settings = setting_texts(result_);
    for (const SettingText& each : settings)
        if (each.is_offered)
            line(tint("1", "Set for the application: ") + escape_text(each.setting) + ": " +
                 escape_text(each.text));
    for (const WritablePath& each : advice.writable) {
        std::string text =
            tint("1", "Keep writable: ") + escape_text(each.path) + " as " + escape_text(writable_kind(each));
        if (!each.reason.empty()) text += ": " + escape_text(each.reason);
        line(text);
        if (each.needs_mount_point)
            line("    make the directory first: it cannot be made below a read-only mount");
    }
    if (!advice.read_only.empty() && !advice.verified_by_run)
        line("Not verified: no run passed with just these.");
    for (std::size_t i = 0, shown = 0; i < settings.size() && shown < settings_shown; ++i)
        if (!settings[i].is_offered && ++shown > 0)
            line("Setting, not recommended: " + escape_text(settings[i].setting) + ": " +
                 escape_text(settings[i].text));
    std::vector<Verdict> seen;
    for (const MountResult& each : result_.mounts)
        if (std::find(seen.begin(), seen.end(), each.verdict) == seen.end()) seen.push_back(each.verdict);
    std::sort(seen.begin(), seen.end());
    for (const Verdict verdict : seen) line(fmt::format("{}: {}", to_string(verdict), verdict_help(verdict)));
}

std::string Page::render() {
    head();
    mounts();
    capabilities();
    runs();
    advice();
    return std::move(out_);
}

}  // namespace

std::string_view verdict_help(Verdict verdict) {
    switch (verdict) {
        case Verdict::safe:
            return "passes read-only, and nothing failed that would have changed anything";
        case Verdict::tolerated:
            return "passes read-only, but writes fail or are left out; read the list and decide whether you "
                   "can "
                   "do without them";
        case Verdict::split:
            return "read-only with the listed sub-paths writable";
        case Verdict::required:
            return "the application needs to write here";
        case Verdict::untested:
            return "the scenario never uses it; add a step that does";
        case Verdict::ineffective:
            return "read-only would protect nothing";
        case Verdict::already_ro:
            return "it is mounted read-only as it is";
        case Verdict::inconclusive:
            return "nothing can be said; mend what the reason names, and run again";
    }
    return {};
}

std::string render_terminal(const CampaignResult& result, const TerminalStyle& style) {
    return Page(result, style).render();
}

}  // namespace rogate::report
