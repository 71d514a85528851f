#include "report/requirements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <rogate/names.hpp>
#include <set>

#include "base/escape.hpp"
#include "base/name_pattern.hpp"
#include "base/volatile_names.hpp"
#include "report/advice.hpp"
#include "report/json.hpp"
#include "report/markup.hpp"

namespace rogate::report {

namespace {

constexpr std::string_view mark = "<!-- rogate.requirement ";
constexpr std::size_t names_in_folder = 8;  // more are shown as one "*"
constexpr std::size_t writes_shown = 60;

std::string key_of(const std::string& scenario, const std::string& target) {
    return escape_text(scenario) + "\n" + escape_text(target);
}

std::vector<WritablePath> sorted_writable(const MountResult& mount) {
    std::vector<WritablePath> list = mount.writable;
    std::sort(list.begin(), list.end(),
              [](const WritablePath& a, const WritablePath& b) { return a.path < b.path; });
    return list;
}

// What the mount has to be, and by this its history is kept.
std::string mode_of(const MountResult& mount) {
    switch (mount.verdict) {
        case Verdict::safe:
        case Verdict::tolerated:
        case Verdict::already_ro:
            return "read-only";
        case Verdict::split: {
            std::string text = "read-only, writable below:";
            for (const WritablePath& each : sorted_writable(mount))
                text += fmt::format(" {} as {}", each.path, writable_kind(each));
            return text;
        }
        case Verdict::required:
            return "read-write";
        case Verdict::untested:
        case Verdict::ineffective:
        case Verdict::inconclusive:
            return "read-write, not settled";
    }
    return "read-write, not settled";
}

std::string_view short_mode(const MountResult& mount) {
    switch (mount.verdict) {
        case Verdict::split:
            return "read-only but for";
        case Verdict::required:
            return "read-write";
        default:
            return can_be_read_only(mount.verdict) ? "read-only" : "read-write, not settled";
    }
}

// The result's own sentence has counts and numbers of runs in it, which change from run to run.
std::string_view why(const MountResult& mount) {
    switch (mount.verdict) {
        case Verdict::safe:
            return "it is used and never written to";
        case Verdict::tolerated:
            return "the scenario passes, though the writes below fail or are left out";
        case Verdict::split:
            return "only the paths below have to be writable";
        case Verdict::required:
            return "the scenario fails without the writes below";
        case Verdict::untested:
            return "the scenario never uses it";
        case Verdict::ineffective:
            return "read-only would protect nothing";
        case Verdict::already_ro:
            return "it is mounted read-only";
        case Verdict::inconclusive:
            return "nothing could be concluded";
    }
    return {};
}

struct Need {
    std::set<std::string> operations, processes, phases;
};
using Needs = std::map<std::string, Need>;  // by the path's pattern

// The application is ready at one moment or another: what it does just then is in either phase.
std::string_view steady_phase(std::string_view phase) {
    return phase == "entrypoint" || phase == "ready" ? "start" : phase;
}

void add_needs(const Attempts& attempts, bool failed, const std::string& mount, const VolatileNames& names,
               Needs& needs) {
    for (const Attempt& each : attempts) {
        if (each.cls != AttemptClass::write || (each.error != 0) != failed) continue;
        Need& need = needs[names.pattern(each.path, mount)];
        need.operations.insert(each.operation);
        need.processes.insert(process_pattern(program_name(each.process)));
        need.phases.emplace(steady_phase(each.phase));
    }
}

// A folder that many different names were written in is one line.
Needs folded(const Needs& needs, std::size_t from) {
    std::map<std::string, std::size_t> names;
    const auto folder = [](const std::string& path) { return path.substr(0, path.rfind('/')); };
    for (const auto& [path, need] : needs) ++names[folder(path)];
    Needs out;
    for (const auto& [path, need] : needs) {
        const bool fold = path.size() > from && names[folder(path)] > names_in_folder;
        Need& into = out[fold ? folder(path) + "/*" : path];
        into.operations.insert(need.operations.begin(), need.operations.end());
        into.processes.insert(need.processes.begin(), need.processes.end());
        into.phases.insert(need.phases.begin(), need.phases.end());
    }
    return out;
}

std::string joined(const std::set<std::string>& texts, bool code) {
    std::string out;
    for (const std::string& each : texts)
        out += (out.empty() ? "" : ", ") +
               (code ? markdown_code(unescape_text(each), 80) : markdown_text(each, 120));
    return out;
}

// One line that the next document is made from; "--" and ">" would end the comment.
std::string remembered(const CampaignResult& result, const MountResult& mount, const Since& since) {
    const nlohmann::ordered_json object = {{"scenario", escape_text(result.scenario.name)},
                                           {"target", escape_text(mount.mount.target)},
                                           {"mode", escape_text(since.mode)},
                                           {"since", since.date}};
    std::string text;
    for (const char c : object.dump())
        text += c == '>'                          ? "\\u003e"
                : c == '<'                        ? "\\u003c"
                : c == '-' && text.ends_with('-') ? "\\u002d"
                                                  : std::string(1, c);
    return std::string(mark) + text + " -->";
}

std::string date_of(const CampaignResult& result) {
    return result.started_at.size() >= 10 ? escape_text(result.started_at.substr(0, 10)) : "unknown";
}

Since since_of(const CampaignResult& result, const MountResult& mount, const History& history) {
    const std::string mode = mode_of(mount);
    const auto before = history.find(key_of(result.scenario.name, mount.mount.target));
    if (before != history.end() && before->second.mode == escape_text(mode))
        return {mode, before->second.date};
    return {mode, date_of(result)};
}

std::string section(const CampaignResult& result, const MountResult& mount, const Since& since) {
    std::string out =
        fmt::format("## {}\n{}\n\n", markdown_code(mount.mount.target), remembered(result, mount, since));
    const bool split = mount.verdict == Verdict::split;
    out += fmt::format("**{}**, {} since {}: {}.\n", to_string(mount.verdict),
                       split ? "read-only with writable paths" : short_mode(mount), markdown_text(since.date),
                       why(mount));
    if (!mount.writable.empty()) out += "\nStays writable:\n\n";
    for (const WritablePath& each : sorted_writable(mount))
        out += fmt::format("- {} as {}{}{}\n", markdown_code(each.path), markdown_text(writable_kind(each)),
                           each.reason.empty() ? "" : ": " + markdown_text(each.reason),
                           each.needs_mount_point ? " (the directory has to be made first)" : "");
    Needs needs;
    const VolatileNames names(result.varying_names);
    add_needs(mount.writes, false, mount.mount.target, names, needs);
    add_needs(mount.attempts, true, mount.mount.target, names, needs);
    needs = folded(needs, literal_pattern(mount.mount.target).size());
    if (!needs.empty()) out += "\nWrites:\n\n";
    std::size_t shown = 0;
    for (const auto& [path, need] : needs) {
        if (shown++ == writes_shown) {
            out += fmt::format("- and {} more\n", needs.size() - writes_shown);
            break;
        }
        out += fmt::format("- {}: {} by {} in {}\n", markdown_code(unescape_text(path)),
                           joined(need.operations, false), joined(need.processes, true),
                           joined(need.phases, false));
    }
    return out;
}

// Who asked for it with success, for which calls.
std::string askers(const CapabilityResult& capability) {
    constexpr std::size_t most = 8;
    std::set<std::string> calls;
    for (const CapabilityCheck& each : capability.checks)
        if (each.error == 0)
            calls.insert(fmt::format("{} for {}", process_pattern(each.comm.str()), each.call.str()));
    std::string text;
    std::size_t shown = 0;
    for (const std::string& each : calls) {
        if (shown == most) return text + fmt::format(" and {} more", calls.size() - most);
        text += (shown++ == 0 ? "" : ", ") + markdown_code(each, 80);
    }
    return text;
}

std::string capabilities_of(const CampaignResult& result) {
    if (result.capabilities.empty()) return {};
    std::vector<const CapabilityResult*> all;
    for (const CapabilityResult& each : result.capabilities) all.push_back(&each);
    std::ranges::sort(all, {}, &CapabilityResult::name);
    std::string rows, unused;
    for (const CapabilityResult* each : all)
        if (each->verdict == CapabilityVerdict::unused)
            unused += (unused.empty() ? "" : ", ") + markdown_code(each->name);
        else
            rows += fmt::format("| {} | {} | {} |\n", markdown_code(each->name), to_string(each->verdict),
                                askers(*each));
    std::string out = "\n## Capabilities\n";
    if (!rows.empty()) out += "\n| Capability | Verdict | Used by |\n| --- | --- | --- |\n" + rows;
    if (!unused.empty()) out += fmt::format("\nunused: {}\n", unused);
    return out;
}

void remember_line(std::string_view line, History& history) {
    line.remove_prefix(mark.size());
    const auto object = nlohmann::json::parse(line.substr(0, line.rfind(" -->")));
    history[object.at("scenario").get<std::string>() + "\n" + object.at("target").get<std::string>()] = {
        object.at("mode").get<std::string>(), object.at("since").get<std::string>()};
}

Result<History> history_of_result(const Source& source) {
    auto result = read_json(source);
    if (!result) return fail(std::move(result.error()));
    History history;
    for (const MountResult& mount : result->mounts)
        history[key_of(result->scenario.name, mount.mount.target)] = {escape_text(mode_of(mount)),
                                                                      date_of(*result)};
    return history;
}

// An earlier write-requirements.md, line by line.
class HistoryReader {
  public:
    Result<> take(std::string_view piece) {
        while (!piece.empty()) {
            const std::size_t end = std::min(piece.find('\n'), piece.size());
            line_ += piece.substr(0, end);
            piece.remove_prefix(end);
            if (piece.empty()) break;  // goes on in the next piece
            piece.remove_prefix(1);
            if (auto taken = take_line(); !taken) return taken;
        }
        return {};
    }
    Result<History> finish() {
        if (auto taken = take_line(); !taken) return fail(std::move(taken.error()));
        return std::move(history_);
    }

  private:
    Result<> take_line() {
        if (++number_ == 1 && !line_.starts_with("# Write requirements"))
            return fail(ErrorKind::usage,
                        "this is neither a write-requirements.md nor a result.json of rogate's");
        try {
            if (line_.starts_with(mark)) remember_line(line_, history_);
        } catch (const nlohmann::json::exception& error) {
            return fail(ErrorKind::usage,
                        fmt::format("line {}: this comment of rogate's was changed by hand: {}", number_,
                                    error.what()));
        }
        line_.clear();
        return {};
    }

    std::string line_;
    std::size_t number_ = 0;
    History history_;
};

}  // namespace

Result<History> read_history(const Source& previous) {
    auto piece = previous();
    if (!piece) return fail(std::move(piece.error()));
    if (piece->starts_with("{"))
        return history_of_result([&]() -> Result<std::string_view> {
            return piece->empty() ? previous() : std::exchange(*piece, {});
        });
    HistoryReader reader;
    while (!piece->empty()) {
        if (auto taken = reader.take(*piece); !taken) return fail(std::move(taken.error()));
        piece = previous();
        if (!piece) return fail(std::move(piece.error()));
    }
    return reader.finish();
}

Result<History> read_history(std::string_view previous) {
    return read_history([&]() -> Result<std::string_view> { return std::exchange(previous, {}); });
}

std::string render_requirements(const CampaignResult& result, const History& history) {
    std::vector<const MountResult*> mounts;
    for (const MountResult& each : result.mounts) mounts.push_back(&each);
    std::sort(mounts.begin(), mounts.end(),
              [](const MountResult* a, const MountResult* b) { return a->mount.target < b->mount.target; });
    std::string out = fmt::format(
        "# Write requirements of {}\n\nImage {}. Made by rogate from what the application did in the "
        "scenario; edits "
        "are lost when it is made again.\n\n",
        markdown_text(result.scenario.name, 200), markdown_code(result.scenario.subject.image));
    out += "| Mount | Type | Mode | Verdict | Since |\n| --- | --- | --- | --- | --- |\n";
    std::string sections;
    for (const MountResult* each : mounts) {
        const Since since = since_of(result, *each, history);
        std::string mode(short_mode(*each));
        for (const WritablePath& path : sorted_writable(*each))
            if (each->verdict == Verdict::split) mode.append(" ").append(markdown_code(path.path));
        out += fmt::format("| {} | {} | {} | {} | {} |\n", markdown_code(each->mount.target),
                           to_string(each->mount.type), mode, to_string(each->verdict),
                           markdown_text(since.date));
        sections.append("\n").append(section(result, *each, since));
    }
    if (mounts.empty()) out += "\nThe subject has no mount to try.\n";
    return out + sections + capabilities_of(result);
}

}  // namespace rogate::report
