#include "report/markdown.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "report/advice.hpp"
#include "report/markup.hpp"
#include "report/terminal.hpp"
#include "report/when.hpp"

namespace rogate::report {

namespace {

// How much of a result is shown; the next smaller one is tried until the text fits.
struct Extent {
    std::size_t mounts, evidence_mounts, attempts, log_lines, text;
};
constexpr Extent extents[] = {{500, 500, 25, 20, 600}, {500, 200, 8, 8, 400}, {300, 50, 5, 4, 300},
                              {200, 20, 3, 0, 200},    {100, 5, 3, 0, 150},   {50, 0, 0, 0, 100},
                              {10, 0, 0, 0, 60},       {0, 0, 0, 0, 40}};

std::string_view sign(Verdict verdict) {
    switch (verdict) {
        case Verdict::safe:
        case Verdict::already_ro:
            return "🟢";
        case Verdict::tolerated:
        case Verdict::split:
            return "🟡";
        case Verdict::required:
            return "🔴";
        case Verdict::untested:
        case Verdict::ineffective:
            return "⚪";
        case Verdict::inconclusive:
            return "🟣";
    }
    return "";
}

// A short table keeps what somebody has to look at.
int attention(Verdict verdict) {
    switch (verdict) {
        case Verdict::inconclusive:
            return 0;
        case Verdict::required:
        case Verdict::tolerated:
        case Verdict::split:
            return 1;
        case Verdict::untested:
        case Verdict::ineffective:
            return 2;
        case Verdict::safe:
        case Verdict::already_ro:
            return 3;
    }
    return 3;
}

class Document {
  public:
    Document(const CampaignResult& result, const Extent& extent) : result_(result), extent_(extent) {}
    std::string render();

  private:
    template <class... T>
    void line(fmt::format_string<T...> format, T&&... values) {
        out_ += fmt::format(format, std::forward<T>(values)...);
        out_ += '\n';
    }
    void head();
    void verdicts();
    void capabilities();
    void advice();
    void flags();
    void evidence();
    void evidence_of(const MountResult& mount);
    void elsewhere(std::string_view what, const Attempts& writes);
    void failed_runs();

    const CampaignResult& result_;
    const Extent& extent_;
    std::string out_;
};

void Document::head() {
    line("## rogate: {}: {}\n", markdown_text(result_.scenario.name, 80), headline(result_));
    line("{} · {} {} · {} in {:.1f} s\n", markdown_code(result_.scenario.subject.image, 120),
         markdown_text(result_.engine.name, 40), markdown_text(result_.engine.version, 40),
         counted(result_.runs.size(), "run", "runs"), result_.duration_s);
}

void Document::verdicts() {
    if (result_.mounts.empty()) {
        line("The subject has no mount to try.\n");
        if (const std::string failed = failed_run(result_); !failed.empty())
            line("{}\n", markdown_text(failed, 2000));
        return;
    }
    std::vector<std::size_t> rows(result_.mounts.size());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
    const std::size_t left_out = rows.size() - std::min(rows.size(), extent_.mounts);
    if (left_out > 0) {
        std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
            return attention(result_.mounts[a].verdict) < attention(result_.mounts[b].verdict);
        });
        rows.resize(extent_.mounts);
        std::sort(rows.begin(), rows.end());
    }
    line("| Verdict | Mount | Type | Why |\n| --- | --- | --- | --- |");
    for (const std::size_t row : rows) {
        const MountResult& each = result_.mounts[row];
        std::string why = each.reason;
        for (const PhaseCost& cost : each.costs) why += "; slower read-only: " + cost_text(cost);
        line("| {} {} | {} | {} | {} |", sign(each.verdict), to_string(each.verdict),
             markdown_code(each.mount.target, extent_.text), to_string(each.mount.type),
             markdown_text(why, extent_.text));
    }
    line("");
    if (left_out > 0)
        line("_{} left out to keep this text short, safe ones first; the whole result is in result.json._\n",
             counted(left_out, "mount is", "mounts are"));
}

void Document::capabilities() {
    if (result_.capabilities.empty()) return;
    line("| Verdict | Capability | Why |\n| --- | --- | --- |");
    for (const CapabilityResult& each : result_.capabilities)
        line("| {} | {} | {} |", to_string(each.verdict), markdown_code(each.name, extent_.text),
             markdown_text(each.reason, extent_.text));
    line("");
}

void Document::flags() {
    const DockerFlags flags = docker_run_flags(result_);
    std::string text;
    for (const std::string& flag : flags.flags) text += (text.empty() ? "" : " \\\n  ") + flag;
    // A fence longer than any run of backticks in it. Flags hold no line ends and no control characters.
    std::string fence = "```";
    while (text.find(fence) != std::string::npos) fence += '`';
    if (flags.flags.empty() || text.size() > extent_.text * 20) return;
    line("<details><summary>As <code>docker run</code> flags</summary>\n\n{0}sh\n{1}\n{0}", fence, text);
    for (const std::string& note : flags.not_flags) line("\n{}", markdown_text(note));
    line("\n</details>\n");
}

void Document::advice() {
    const Recommendation& advice = result_.recommendation;
    if (!result_.exercised.empty())
        line("**Exercised by rogate itself**: {}.\n",
             markdown_text(fmt::format("{}", fmt::join(result_.exercised, ", ")), extent_.text));
    for (const std::string& each : result_.scenario.unlike_cluster)
        line("**Not as in a cluster**: {}.\n", markdown_text(each, extent_.text));
    if (!result_.stopped.empty())
        line("**Not all was asked**: {}; what is not settled is inconclusive.\n",
             markdown_text(result_.stopped, extent_.text));
    line("### Recommended change\n");
    if (advice.read_only.empty() && advice.writable.empty() && !advice.capabilities &&
        !advice.no_new_privileges)
        return line("None: nothing was found that passes.\n");
    line("{}\n", advice.verified_by_run
                     ? fmt::format("Run {} passed with just this.", *advice.verified_by_run)
                     : std::string("**Not verified**: no run passed with just this."));
    const std::size_t targets = std::min(advice.read_only.size(), extent_.mounts);
    for (std::size_t i = 0; i < targets; ++i)
        line("- mount read-only: {}", markdown_code(advice.read_only[i], extent_.text));
    for (const SettingText& each : setting_texts(result_))
        line("- {} {}: {}", each.is_offered ? "set for the application:" : "not recommended, a setting:",
             markdown_code(each.setting, extent_.text), markdown_text(each.text, extent_.text));
    const std::size_t paths = std::min(advice.writable.size(), extent_.mounts);
    for (std::size_t i = 0; i < paths; ++i) {
        const WritablePath& each = advice.writable[i];
        line("- keep writable: {} as {}{}{}", markdown_code(each.path, extent_.text),
             each.as != WritableAs::tmpfs || each.tmpfs_options.empty()
                 ? writable_kind(each)
                 : fmt::format("tmpfs with {}", markdown_code(each.tmpfs_options, extent_.text)),
             each.reason.empty() ? "" : ": " + markdown_text(each.reason, extent_.text),
             each.needs_mount_point ? " (the directory has to be made first)" : "");
    }
    if (const std::string text = capabilities_text(advice); !text.empty())
        line("- capabilities: {}", markdown_text(text, extent_.text));
    if (advice.no_new_privileges) line("- security option: `no-new-privileges`");
    const std::size_t more = advice.read_only.size() + advice.writable.size() - targets - paths;
    if (more > 0) line("- and {} more, in result.json", more);
    line("");
    flags();
}

void Document::elsewhere(std::string_view what, const Attempts& writes) {
    if (writes.empty()) return;
    line("{}:\n", what);
    const std::size_t shown = std::min(writes.size(), extent_.attempts);
    for (std::size_t i = 0; i < shown; ++i)
        line("- {} {} in {} by {}", markdown_text(writes[i].operation, 40),
             markdown_code(writes[i].path, extent_.text), markdown_text(when(writes[i]), 100),
             markdown_code(writes[i].process.comm, 40));
    if (writes.size() > shown) line("- {} more, in result.json", writes.size() - shown);
    line("");
}

void Document::evidence_of(const MountResult& mount) {
    line("<details><summary><code>{}</code>: {}</summary>\n", xml_text(mount.mount.target, extent_.text),
         counted(mount.attempts.size(), "kind of write failed", "kinds of write failed"));
    if (!mount.attempts.empty())
        line(
            "| Operation | Path | Error | Phase | Process | Times |\n| --- | --- | --- | --- | --- | ---: |");
    const std::size_t shown = std::min(mount.attempts.size(), extent_.attempts);
    for (std::size_t i = 0; i < shown; ++i) {
        const Attempt& each = mount.attempts[i];
        line("| {}{} | {} | {} | {} | {} | {} |", markdown_text(each.operation, 40),
             each.cls == AttemptClass::write ? "" : fmt::format(" ({})", to_string(each.cls)),
             markdown_code(each.path, extent_.text), errno_name(each.error), markdown_text(when(each), 100),
             markdown_code(each.process.comm, 40), each.count);
    }
    line("");
    if (mount.attempts.size() > shown)
        line("_{} more kinds of attempt are in result.json._\n", mount.attempts.size() - shown);
    elsewhere("Left out", mount.difference.left_out);
    elsewhere("Done instead", mount.difference.instead);
    for (const PhaseCost& cost : mount.costs) line("Slower read-only: {}\n", markdown_text(cost_text(cost)));
    line("</details>\n");
}

void Document::evidence() {
    std::size_t told = 0, left_out = 0;
    for (const MountResult& each : result_.mounts) {
        if (each.attempts.empty() && each.costs.empty() && each.difference.left_out.empty()) continue;
        if (told == 0 && extent_.evidence_mounts > 0) line("### Evidence\n");
        if (told++ < extent_.evidence_mounts)
            evidence_of(each);
        else
            ++left_out;
    }
    if (left_out > 0)
        line("_The evidence of {} is left out to keep this text short; it is in result.json._\n",
             counted(left_out, "mount", "mounts"));
}

void Document::failed_runs() {
    if (extent_.log_lines == 0) return;
    std::size_t told = 0;
    for (const RunRecord& run : result_.runs) {
        if (run.passed || run.log_tail.empty() || ++told > 10) continue;
        std::vector<std::string> lines;
        std::string_view rest = run.log_tail;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            lines.push_back(shortened(escape_text(rest.substr(0, end)), 300));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        const std::size_t first = lines.size() - std::min(lines.size(), extent_.log_lines);
        line("<details><summary>Last output of the subject in run {} ({})</summary>\n", run.plan.id,
             to_string(run.plan.kind));
        // Indented code: no fence that a line could close.
        for (std::size_t i = first; i < lines.size(); ++i) line("    {}", lines[i]);
        line("\n</details>\n");
    }
}

std::string Document::render() {
    head();
    verdicts();
    capabilities();
    advice();
    evidence();
    failed_runs();
    line("<sub>observer: {}; kernel {}; schema rogate.result/1</sub>",
         markdown_text(result_.observer.kind, 20), markdown_text(result_.engine.kernel, 60));
    return std::move(out_);
}

}  // namespace

std::string render_markdown(const CampaignResult& result, std::size_t limit) {
    std::string text;
    for (const Extent& extent : extents) {
        text = Document(result, extent).render();
        if (text.size() <= limit) break;
    }
    return text;
}

}  // namespace rogate::report
