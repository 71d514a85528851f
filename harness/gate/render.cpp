#include "gate/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/escape.hpp"

namespace rogate::gate {

namespace {

constexpr std::size_t lines_shown = 10;

std::string_view word(Level level) {
    return level == Level::fail ? "fail" : level == Level::inconclusive ? "inconclusive" : "note";
}

std::string place(const SourcePlace& at) {
    return at.line > 0 ? fmt::format("{}:{}:{}", escape_text(at.file), at.line, at.column) : std::string();
}

std::string counted(std::size_t n, std::string_view one) {
    return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
}

std::string verdict_line(const Decision& decision) {
    const std::string since = escape_text(decision.since);
    if (!since.empty() && decision.mounts == 0 && decision.count(Level::inconclusive) == 0)
        return fmt::format("The gate says yes: no mount was made read-only since {}", since);
    const std::string about =
        since.empty()
            ? fmt::format("{} of {}", counted(decision.mounts, "mount"), counted(decision.results, "result"))
            : fmt::format("{} made read-only since {}", counted(decision.mounts, "mount"), since);
    const std::size_t fails = decision.count(Level::fail), open = decision.count(Level::inconclusive);
    if (fails == 0 && open == 0) return fmt::format("The gate says yes: {}, all as agreed", about);
    std::string out = fails > 0 ? "The gate says no: " : "The gate cannot tell: ";
    if (fails > 0) out += counted(fails, "finding") + " to settle";
    if (open > 0) out += fmt::format("{}{} inconclusive", fails > 0 ? ", " : "", open);
    return out + fmt::format(" ({})", about);
}

// "shop /etc/app (compose.yaml:7:5)"
std::string subject(const Finding& found) {
    std::string out;
    const auto add = [&](const std::string& part) { out += (out.empty() || part.empty() ? "" : " ") + part; };
    add(escape_text(found.scenario));
    add(escape_text(found.mount));
    const std::string at = place(found.declared);
    if (!at.empty()) add(out.empty() ? at : "(" + at + ")");
    return out;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t end = std::min(text.find('\n', from), text.size());
        lines.push_back(text.substr(from, end - from));
        from = end + 1;
    }
    return lines;
}

// `text` as inline code whatever it holds: a fence longer than any run of backticks in it (CommonMark 6.1).
std::string code(const std::string& text) {
    std::size_t longest = 0, run = 0;
    for (const char c : text) longest = std::max(longest, run = c == '`' ? run + 1 : 0);
    const std::string fence(longest + 1, '`');
    const bool pad = text.starts_with('`') || text.ends_with('`');
    return fence + (pad ? " " : "") + text + (pad ? " " : "") + fence;
}

// Text that may hold anything, between words of rogate's own.
std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '&')
            out += "&amp;";
        else {
            if (std::string_view("\\`*_[]|#@~").find(c) != std::string_view::npos) out += '\\';
            out += c;
        }
    }
    return out;
}

}  // namespace

std::string render_terminal(const Decision& decision, const Style& style) {
    const auto tint = [&](Level level, const std::string& text) {
        const int colour = level == Level::fail ? 31 : level == Level::inconclusive ? 35 : 36;
        return style.colour ? fmt::format("\x1b[{}m{}\x1b[0m", colour, text) : text;
    };
    std::string out;
    for (const Finding& found : decision.findings) {
        out += fmt::format("{}  {}\n    {}\n", tint(found.level, std::string(word(found.level))),
                           subject(found), found.what);
        for (std::size_t i = 0; i < std::min(lines_shown, found.evidence.size()); ++i)
            out += fmt::format("      {}\n", found.evidence[i]);
        if (found.evidence.size() > lines_shown)
            out += fmt::format("      and {} more (--format json has all of them)\n",
                               found.evidence.size() - lines_shown);
        if (!found.remedy.empty()) out += fmt::format("    {}\n", found.remedy);
        const auto snippet = lines_of(found.snippet);
        for (std::size_t i = 0; i < std::min(4 * lines_shown + 1, snippet.size()); ++i)
            out += fmt::format("      | {}\n", snippet[i]);
        out += '\n';
    }
    return out + verdict_line(decision) + "\n";
}

std::string render_markdown(const Decision& decision) {
    std::string out = fmt::format("### {}\n", verdict_line(decision));
    for (const Finding& found : decision.findings) {
        std::string about;
        for (const std::string& name : {found.scenario, found.mount})
            if (!name.empty()) about += " " + code(escape_text(name));
        out += fmt::format("\n**{}**{}: {}\n", word(found.level), about, escaped(found.what));
        if (const std::string at = place(found.declared); !at.empty()) out += fmt::format("({})\n", code(at));
        if (!found.evidence.empty()) out += '\n';
        for (std::size_t i = 0; i < std::min(lines_shown, found.evidence.size()); ++i)
            out += fmt::format("- {}\n", code(found.evidence[i]));
        if (found.evidence.size() > lines_shown)
            out += fmt::format("- and {} more\n", found.evidence.size() - lines_shown);
        if (!found.remedy.empty()) out += fmt::format("\n{}\n", escaped(found.remedy));
        if (!found.snippet.empty()) {
            // Indented code: no fence that the snippet could close. A comment parts it from the list before
            // it.
            out += "\n<!-- -->\n\n";
            for (const std::string& line : lines_of(found.snippet)) out += "    " + line + "\n";
        }
    }
    return out;
}

std::string render_json(const Decision& decision) {
    using nlohmann::ordered_json;
    ordered_json findings = ordered_json::array();
    for (const Finding& found : decision.findings) {
        ordered_json each = {{"level", std::string(word(found.level))},
                             {"rule", found.rule},
                             {"scenario", escape_text(found.scenario)},
                             {"mount", escape_text(found.mount)},
                             {"what", found.what},
                             {"evidence", found.evidence},
                             {"remedy", found.remedy}};
        if (!found.snippet.empty()) each["snippet"] = found.snippet;
        if (found.declared.line > 0)
            each["declared"] = {{"file", escape_text(found.declared.file)},
                                {"line", found.declared.line},
                                {"column", found.declared.column}};
        findings.push_back(std::move(each));
    }
    ordered_json whole = {{"schema", "rogate.gate/1"},
                          {"passed", decision.exit_code() == 0},
                          {"exit_code", decision.exit_code()},
                          {"results", decision.results},
                          {"mounts", decision.mounts}};
    if (!decision.since.empty()) whole["since"] = escape_text(decision.since);
    whole["findings"] = std::move(findings);
    return whole.dump(2) + "\n";
}

}  // namespace rogate::gate
