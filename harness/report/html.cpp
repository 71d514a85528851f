#include "report/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <rogate/names.hpp>
#include <unordered_map>

#include "base/escape.hpp"
#include "report/advice.hpp"
#include "report/html/page.hpp"
#include "report/markup.hpp"
#include "report/terminal.hpp"
#include "report/when.hpp"

namespace rogate::report {

namespace {

using nlohmann::ordered_json;

// Inside <script type="application/json"> only "<" can do harm ("</script", "<!--"); the others are for
// readers that take the data for HTML or for JavaScript of before 2019. escape_text() leaves no U+2028 and
// U+2029.
void append_json(const ordered_json& value, std::string& out) {
    for (const char c : value.dump()) {
        if (c == '<')
            out += "\\u003c";
        else if (c == '>')
            out += "\\u003e";
        else if (c == '&')
            out += "\\u0026";
        else
            out += c;
    }
}

ordered_json texts(const std::vector<std::string>& list) {
    ordered_json array = ordered_json::array();
    for (const std::string& each : list) array.push_back(escape_text(each));
    return array;
}

ordered_json writable(const std::vector<WritablePath>& list) {
    ordered_json array = ordered_json::array();
    for (const WritablePath& each : list)
        array.push_back({{"path", escape_text(each.path)},
                         {"as", escape_text(writable_kind(each))},
                         {"reason", escape_text(each.reason)},
                         {"make", each.needs_mount_point}});
    return array;
}

// Texts that come again and again are written once and meant by their number.
class Words {
  public:
    std::size_t number(const std::string& raw) {
        const auto [at, fresh] = numbers_.try_emplace(raw, words_.size());
        if (fresh) words_.push_back(escape_text(raw));
        return at->second;
    }
    const ordered_json& all() const { return words_; }

  private:
    std::unordered_map<std::string, std::size_t> numbers_;
    ordered_json words_ = ordered_json::array();
};

// [path, failed, operation, errno, class, phase, process, count, control, first_s]
ordered_json row(const Attempt& each, bool failed, Words& words) {
    return {escape_text(each.path),
            failed ? 1 : 0,
            words.number(each.operation),
            words.number(errno_name(each.error)),
            words.number(std::string(to_string(each.cls))),
            words.number(when(each)),
            words.number(each.process.comm),
            each.count,
            words.number(each.control),
            each.first_s};
}

void append_rows(const Attempts& list, bool failed, std::size_t limit, Words& words, std::string& out) {
    for (std::size_t i = 0; i < std::min(limit, list.size()); ++i) {
        if (out.back() != '[') out += ',';
        append_json(row(list[i], failed, words), out);
    }
}

// How a run differed in what its subject may do; empty: it did not.
std::string hardened(const RunPlan& plan) {
    std::string text;
    if (plan.capabilities)
        text = plan.capabilities->empty()
                   ? std::string("no capabilities")
                   : fmt::format("capabilities {}", fmt::join(*plan.capabilities, ", "));
    if (plan.no_new_privileges) text += text.empty() ? "no-new-privileges" : "; no-new-privileges";
    return text;
}

ordered_json run(const RunRecord& each) {
    ordered_json phases = ordered_json::array();
    for (const PhaseRecord& phase : each.phases)
        phases.push_back({{"name", escape_text(phase.name)},
                          {"passed", phase.passed},
                          {"message", escape_text(phase.message)},
                          {"s", phase.duration_s}});
    ordered_json log = ordered_json::array();
    std::string_view rest = each.passed ? std::string_view() : std::string_view(each.log_tail);
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        log.push_back(escape_text(rest.substr(0, end)));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {{"id", each.plan.id},
            {"kind", std::string(to_string(each.plan.kind))},
            {"readOnly", texts(each.plan.read_only)},
            {"hardened", hardened(each.plan)},
            {"writable", writable(each.plan.writable)},
            {"passed", each.passed},
            {"lost", each.lost_events},
            {"problem", escape_text(each.observer_problem)},
            {"s", each.duration_s},
            {"phases", phases},
            {"log", log}};
}

ordered_json mount(const MountResult& each, const CampaignResult& result) {
    ordered_json costs = ordered_json::array();
    for (const PhaseCost& cost : each.costs) costs.push_back(escape_text(cost_text(cost)));
    const auto& advised = result.recommendation.read_only;
    const SourcePlace& declared = each.mount.declared;
    return {{"target", escape_text(each.mount.target)},
            {"type", std::string(to_string(each.mount.type))},
            {"source", escape_text(each.mount.source)},
            {"verdict", std::string(to_string(each.verdict))},
            {"help", std::string(verdict_help(each.verdict))},
            {"reason", escape_text(each.reason)},
            {"runs", each.runs},
            {"writable", writable(each.writable)},
            {"costs", costs},
            {"advised", std::find(advised.begin(), advised.end(), each.mount.target) != advised.end()},
            {"declared", declared.line > 0 ? escape_text(fmt::format("{}:{}:{}", declared.file, declared.line,
                                                                     declared.column))
                                           : std::string()},
            {"failed", each.attempts.size()},
            {"wrote", each.writes.size()}};
}

ordered_json capabilities(const CampaignResult& result) {
    ordered_json all = ordered_json::array();
    for (const CapabilityResult& each : result.capabilities) {
        ordered_json checks = ordered_json::array();
        for (const CapabilityCheck& check : each.checks)
            checks.push_back(escape_text(fmt::format("{} in {} by {}: {}, {} {}", check.call.str(),
                                                     check.phase.str(), check.comm.str(),
                                                     check.error == 0 ? "allowed" : errno_name(check.error),
                                                     check.count, check.count == 1 ? "time" : "times")));
        all.push_back({{"name", escape_text(each.name)},
                       {"verdict", std::string(to_string(each.verdict))},
                       {"reason", escape_text(each.reason)},
                       {"checks", checks}});
    }
    return all;
}

ordered_json about(const CampaignResult& result) {
    const DockerFlags flags = docker_run_flags(result);
    ordered_json runs = ordered_json::array();
    for (const RunRecord& each : result.runs) runs.push_back(run(each));
    ordered_json advice = {{"readOnly", texts(result.recommendation.read_only)},
                           {"writable", writable(result.recommendation.writable)},
                           {"flags", texts(flags.flags)},
                           {"notes", texts(flags.not_flags)}};
    // Pasted, not shown: shell words are printable as they are, so their backslashes are not doubled.
    advice["flags"] = flags.flags;
    ordered_json hardened = ordered_json::array();
    if (const std::string text = capabilities_text(result.recommendation); !text.empty())
        hardened.push_back(text);
    if (result.recommendation.no_new_privileges) hardened.push_back("no-new-privileges");
    advice["hardened"] = std::move(hardened);
    advice["verified"] = result.recommendation.verified_by_run
                             ? ordered_json(*result.recommendation.verified_by_run)
                             : ordered_json(nullptr);
    return {{"scenario", escape_text(result.scenario.name)},
            {"headline", headline(result)},
            {"image", escape_text(result.scenario.subject.image)},
            {"engine", escape_text(result.engine.name + " " + result.engine.version)},
            {"kernel", escape_text(result.engine.kernel)},
            {"observer", escape_text(result.observer.kind)},
            {"started", escape_text(result.started_at)},
            {"s", result.duration_s},
            {"runs", runs},
            {"capabilities", capabilities(result)},
            {"advice", advice}};
}

// How many of each list are shown, at most `limit` in all: what a short one leaves of its share is the long
// ones', wherever they stand.
std::vector<std::size_t> shares(const std::vector<std::size_t>& sizes, std::size_t limit) {
    std::vector<std::size_t> by_size(sizes.size()), shares(sizes.size());
    std::iota(by_size.begin(), by_size.end(), std::size_t{0});
    std::stable_sort(by_size.begin(), by_size.end(),
                     [&](std::size_t a, std::size_t b) { return sizes[a] < sizes[b]; });
    std::size_t lists_left = sizes.size();
    for (const std::size_t list : by_size) {
        shares[list] = std::min(sizes[list], limit / lists_left--);
        limit -= shares[list];
    }
    return shares;
}

// {…about…, "mounts": [{…, "rows": […]}], "words": […]}
void append_result(const CampaignResult& result, std::size_t limit, std::string& out) {
    append_json(about(result), out);
    out.back() = ',';
    out += "\"mounts\":[";
    Words words;
    std::vector<std::size_t> sizes;
    for (const MountResult& each : result.mounts)
        sizes.insert(sizes.end(), {each.attempts.size(), each.writes.size()});
    const std::vector<std::size_t> shown = shares(sizes, limit);
    std::size_t list = 0;
    for (const MountResult& each : result.mounts) {
        if (out.back() != '[') out += ',';
        append_json(mount(each, result), out);
        out.back() = ',';
        out += "\"rows\":[";
        append_rows(each.attempts, true, shown[list++], words, out);
        append_rows(each.writes, false, shown[list++], words, out);
        out += "]}";
    }
    out += "],\"words\":";
    append_json(words.all(), out);
    out += '}';
}

}  // namespace

std::string render_html(std::span<const CampaignResult> results, std::size_t limit) {
    constexpr std::string_view title_mark = "{{title}}", data_mark = "{{data}}";
    const std::string_view page = html_page();
    const std::size_t title = page.find(title_mark), data = page.find(data_mark);
    std::string name;
    for (const CampaignResult& each : results) name += (name.empty() ? "" : ", ") + each.scenario.name;
    std::string out(page.substr(0, title));
    out += xml_text(name);
    out += page.substr(title + title_mark.size(), data - title - title_mark.size());
    out += "{\"results\":[";
    for (const CampaignResult& each : results) {
        if (out.back() != '[') out += ',';
        append_result(each, limit / std::max<std::size_t>(1, results.size()), out);
    }
    out += "]}";
    out += page.substr(data + data_mark.size());
    return out;
}

}  // namespace rogate::report
