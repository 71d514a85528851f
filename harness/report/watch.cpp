#include "report/watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "report/columns.hpp"
#include "report/markup.hpp"

namespace rogate::report {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t shown_on_terminal = 12, shown_in_document = 200;

std::string times(std::uint64_t count, const char* one, const char* more) {
    return fmt::format("{} {}", count, count == 1 ? one : more);
}

std::string mode_of(const WatchedMount& mount) {
    return mount.mount.read_only ? "ro" : "rw";
}

bool is_worth_trying(const WatchedMount& mount, const WatchResult& watch) {
    return watch.whole() && !mount.mount.read_only && mount.mount.type != MountType::tmpfs &&
           mount.writes.empty() && mount.uses > 0;
}

// In one sentence; what cannot be relied on says so.
std::string finding(const WatchedMount& mount, const WatchResult& watch) {
    const std::string used =
        mount.uses == 0
            ? "nothing was opened on it"
            : "opened " + (mount.uses == 1 ? std::string("once") : fmt::format("{} times", mount.uses));
    if (mount.mount.read_only)
        return mount.refused.empty() ? "read-only already; " + used
                                     : fmt::format("read-only already; {} of write refused",
                                                   times(mount.refused.size(), "kind", "kinds"));
    if (!mount.writes.empty()) {
        const auto held =
            std::ranges::count_if(mount.writes, [](const Attempt& each) { return each.phase == held_phase; });
        return fmt::format("written to: {}{}", times(mount.writes.size(), "kind", "kinds") + " of write",
                           held > 0 ? fmt::format(", {} open for writing from before", held) : "");
    }
    if (!watch.whole()) return "no write was seen, but some may have been missed; " + used;
    return "no write was seen; " + used + (is_worth_trying(mount, watch) ? ": worth trying read-only" : "");
}

std::vector<std::string> worth_trying(const WatchResult& watch) {
    std::vector<std::string> targets;
    for (const WatchedMount& mount : watch.mounts)
        if (is_worth_trying(mount, watch)) targets.push_back(mount.mount.target);
    return targets;
}

const std::vector<Attempt>& told(const WatchedMount& mount) {
    return mount.mount.read_only ? mount.refused : mount.writes;
}

std::string when_of(const Attempt& attempt) {
    if (attempt.phase == held_phase) return "open for writing when the watch began";
    const std::string where = attempt.phase == "watch" ? "" : "in a " + std::string(attempt.phase.str());
    return fmt::format("{}{}after {:.1f} s", where, where.empty() ? "" : ", ", attempt.first_s);
}

std::string summary(const WatchResult& watch) {
    std::string text = fmt::format("{} ({}) was watched for {:.1f} s, {}; {} {}",
                                   escape_text(watch.container), escape_text(watch.image), watch.duration_s,
                                   escape_text(watch.ended), watch.engine.name, watch.engine.version);
    if (watch.restarts > 0)
        text += fmt::format("; it was restarted {}",
                            watch.restarts == 1 ? "once" : fmt::format("{} times", watch.restarts));
    return text;
}

std::string warning(const WatchResult& watch) {
    if (watch.whole()) return {};
    std::string text = "Not all was seen";
    if (watch.lost_events > 0)
        text += fmt::format(": {} lost", times(watch.lost_events, "event was", "events were"));
    if (!watch.problem.empty()) text += (watch.lost_events > 0 ? "; " : ": ") + escape_text(watch.problem);
    return text + ". A mount without writes here may have been written to.";
}

// Empty where nothing can be concluded; then the warning says why.
std::string conclusion(const WatchResult& watch) {
    if (!watch.whole()) return {};
    std::string targets;
    for (const std::string& target : worth_trying(watch))
        targets += (targets.empty() ? "" : ", ") + escape_text(target);
    if (targets.empty()) return "Nothing here is worth trying read-only by what was seen.";
    return fmt::format(
        "Worth trying read-only: {}. What did not happen while it was watched proves nothing: `rogate run "
        "--container {}` tries it on a clone.",
        targets, escape_text(watch.container));
}

void list_attempts(const WatchedMount& mount, std::string& out) {
    std::size_t left = shown_on_terminal;
    for (const Attempt& attempt : told(mount)) {
        if (left-- == 0) {
            out += fmt::format("    … and {} more (--format json has all)\n",
                               told(mount).size() - shown_on_terminal);
            return;
        }
        out += fmt::format("    {:<11} {}{}  by {}, {}\n", escape_text(attempt.operation.str()),
                           shortened(escape_text(attempt.path), 100),
                           attempt.count > 1 ? fmt::format("  ×{}", attempt.count) : "",
                           escape_text(attempt.process.comm.str()), when_of(attempt));
    }
}

ordered_json json_of(const Attempt& attempt) {
    return {{"path", escape_text(attempt.path)},
            {"operation", escape_text(attempt.operation.str())},
            {"syscall", escape_text(attempt.syscall.str())},
            {"errno", errno_name(attempt.error)},
            {"phase", escape_text(attempt.phase.str())},
            {"process",
             {{"comm", escape_text(attempt.process.comm.str())},
              {"exe", escape_text(attempt.process.exe.str())},
              {"pid", attempt.process.pid},
              {"uid", attempt.process.uid},
              {"parent", attempt.process.parent}}},
            {"count", attempt.count},
            {"first_s", attempt.first_s},
            {"open_flags", attempt.open_flags}};
}

ordered_json json_of(const std::vector<Attempt>& list) {
    ordered_json array = ordered_json::array();
    for (const Attempt& each : list) array.push_back(json_of(each));
    return array;
}

}  // namespace

std::string render_watch_table(const WatchResult& watch) {
    std::string out = summary(watch) + "\n\n";
    std::size_t width = 5, type_width = 4;
    for (const WatchedMount& mount : watch.mounts) {
        width = std::max(width, std::min<std::size_t>(60, columns(escape_text(mount.mount.target))));
        type_width = std::max(type_width, to_string(mount.mount.type).size());
    }
    out += fmt::format("{}  {}  MODE  SEEN\n", padded("MOUNT", width), padded("TYPE", type_width));
    for (const WatchedMount& mount : watch.mounts) {
        out += fmt::format("{}  {}  {:<4}  {}\n", padded(escape_text(mount.mount.target), width),
                           padded(std::string(to_string(mount.mount.type)), type_width), mode_of(mount),
                           finding(mount, watch));
        list_attempts(mount, out);
    }
    out += "\n";
    return out + warning(watch) + conclusion(watch) + "\n";  // one of the two
}

std::string render_watch_markdown(const WatchResult& watch) {
    std::string out = fmt::format("# Writes of {}\n\n{}.\n\n", markdown_text(watch.container),
                                  markdown_text(unescape_text(summary(watch))));
    if (const std::string text = warning(watch); !text.empty())
        out += "**" + markdown_text(unescape_text(text)) + "**\n\n";
    out += "| mount | type | mode | seen |\n| --- | --- | --- | --- |\n";
    for (const WatchedMount& mount : watch.mounts)
        out += fmt::format("| {} | {} | {} | {} |\n", markdown_code(mount.mount.target),
                           to_string(mount.mount.type), mode_of(mount), markdown_text(finding(mount, watch)));
    if (const std::string text = conclusion(watch); !text.empty())
        out += "\n" + markdown_text(unescape_text(text)) + "\n";
    for (const WatchedMount& mount : watch.mounts) {
        if (told(mount).empty()) continue;
        out += fmt::format(
            "\n## {}\n\n| operation | path | times | by | when |\n| --- | --- | --- | --- | --- |\n",
            markdown_code(mount.mount.target));
        std::size_t left = shown_in_document;
        for (const Attempt& attempt : told(mount)) {
            if (left-- == 0) break;
            out += fmt::format("| {} | {} | {} | {} | {} |\n", markdown_text(attempt.operation.str()),
                               markdown_code(attempt.path), attempt.count,
                               markdown_code(attempt.process.comm.str()), markdown_text(when_of(attempt)));
        }
        if (told(mount).size() > shown_in_document)
            out += fmt::format("\n{} more are in the JSON form.\n", told(mount).size() - shown_in_document);
    }
    return out;
}

std::string render_watch_json(const WatchResult& watch) {
    ordered_json mounts = ordered_json::array();
    for (const WatchedMount& mount : watch.mounts)
        mounts.push_back({{"target", escape_text(mount.mount.target)},
                          {"type", std::string(to_string(mount.mount.type))},
                          {"source", escape_text(mount.mount.source)},
                          {"read_only", mount.mount.read_only},
                          {"uses", mount.uses},
                          {"worth_trying", is_worth_trying(mount, watch)},
                          {"writes", json_of(mount.writes)},
                          {"refused", json_of(mount.refused)}});
    const ordered_json document = {
        {"schema", "rogate.watch/1"},
        {"container", escape_text(watch.container)},
        {"image", escape_text(watch.image)},
        {"engine",
         {{"name", escape_text(watch.engine.name)},
          {"version", escape_text(watch.engine.version)},
          {"kernel", escape_text(watch.engine.kernel)}}},
        {"observer", {{"kind", watch.observer.kind}, {"hooks", watch.observer.hooks}}},
        {"started_at", watch.started_at},
        {"duration_s", watch.duration_s},
        {"ended", escape_text(watch.ended)},
        {"restarts", watch.restarts},
        {"lost_events", watch.lost_events},
        {"problem", escape_text(watch.problem)},
        {"mounts", std::move(mounts)}};
    return document.dump(2) + "\n";
}

}  // namespace rogate::report
