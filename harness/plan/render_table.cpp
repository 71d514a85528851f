#include <fmt/format.h>

#include <algorithm>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "base/text.hpp"
#include "plan/render.hpp"
#include "report/columns.hpp"

namespace rogate::plan {

namespace {

using Row = std::vector<std::string>;

constexpr std::size_t widest = 60;

std::string table(const Row& headings, const std::vector<Row>& rows) {
    std::vector<std::size_t> widths(headings.size());
    for (std::size_t i = 0; i < headings.size(); ++i) {
        widths[i] = report::columns(headings[i]);
        for (const Row& row : rows)
            widths[i] = std::max(widths[i], std::min(widest, report::columns(row[i])));
    }
    std::string text;
    const auto line = [&](const Row& row) {
        for (std::size_t i = 0; i < row.size(); ++i)
            text += i + 1 == row.size() ? row[i] : report::padded(row[i], widths[i]) + "  ";
        text += "\n";
    };
    line(headings);
    for (const Row& row : rows) line(row);
    return text;
}

// As a person would type it.
std::string shell_word(const std::string& word) {
    const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-_./:=,@%+").find(c) != std::string_view::npos;
    });
    if (plain) return word;
    if (word.find('\'') != std::string::npos && word.find_first_of("\"$`\\!") == std::string::npos)
        return "\"" + word + "\"";
    return in_single_quotes(word);
}

std::string command_of(const Subject& subject) {
    if (!subject.entrypoint && !subject.command) return "(the image's)";
    std::string text = subject.entrypoint ? "" : "(the image's entrypoint)";
    for (const auto* words : {&subject.entrypoint, &subject.command})
        if (*words)
            for (const std::string& word : **words) text += (text.empty() ? "" : " ") + shell_word(word);
    std::string shown = escape_text(text);
    constexpr std::size_t longest = 56;
    if (report::columns(shown) <= longest) return shown;
    std::size_t end = longest - 1;
    while (end > 0 && (static_cast<unsigned char>(shown[end]) & 0xc0U) == 0x80U) --end;
    return shown.substr(0, end) + "…";
}

std::string waits_for(const SystemContainer& container) {
    std::string text;
    for (const Dependency& each : container.after) {
        text += (text.empty() ? "" : ", ") + escape_text(each.service);
        if (each.condition != Dependency::Condition::started)
            text += fmt::format(" ({})", name_of(each.condition));
    }
    return text.empty() ? "-" : text;
}

std::string ready_when(const SystemContainer& container) {
    if (container.ends) return "it has ended";
    std::string text;
    for (const Step& each : container.readiness.checks)
        text += (text.empty() ? "" : ", ") + escape_text(each.name);
    if (text.empty()) return "the image says (HEALTHCHECK, EXPOSE), or it runs for a while";
    return text;
}

// Which names are looked for, and what is built if the engine has none of them.
std::string built_text(const BuiltImage& built) {
    const ImageBuild& build = built.build;
    std::string text;
    if (!built.other_name.empty()) text = " or " + escape_text(built.other_name);
    text += fmt::format("{} built from {}", build.always ? ": always" : ", else", escape_text(build.shown));
    if (!build.inline_dockerfile.empty())
        text += ", dockerfile_inline";
    else if (!build.dockerfile.empty())
        text += fmt::format(", {}", escape_text(build.dockerfile));
    if (!build.target.empty()) text += fmt::format(", target {}", escape_text(build.target));
    return text;
}

std::string containers(const Plan& plan) {
    std::vector<Row> rows;
    for (const SystemContainer& each : plan.system.containers) {
        const bool is_service = each.role == SystemContainer::Role::service;
        std::string image = escape_text(each.subject.image);
        if (each.subject.built) image += built_text(*each.subject.built);
        rows.push_back({escape_text(each.name) + (is_service ? "" : fmt::format(" ({})", name_of(each.role))),
                        std::move(image), command_of(each.subject), waits_for(each), ready_when(each)});
    }
    return table({"CONTAINER", "IMAGE", "COMMAND", "WAITS FOR", "READY WHEN"}, rows);
}

std::string source_of(const PlannedMount& mount) {
    if (mount.source.empty()) return "-";
    return escape_text(mount.source) + (mount.sub_path.empty() ? "" : " at " + escape_text(mount.sub_path));
}

std::string given_text(const PlannedMount& mount) {
    std::string text(text_of(mount.given));
    if (mount.kind == SystemData::Kind::volume && mount.given == Given::overlay)
        text += ", or the image's if the engine has no such volume";
    if (mount.made_if_missing) text += ", or nothing if there is none";
    return text;
}

std::string mounts(const Plan& plan) {
    std::vector<Row> rows;
    for (const PlannedMount& each : plan.mounts) {
        if (each.kind == SystemData::Kind::rootfs && !each.candidate) continue;
        rows.push_back({escape_text(each.container), escape_text(each.target),
                        std::string(name_of(each.kind)), source_of(each), each.read_only ? "ro" : "rw",
                        each.candidate ? "yes" : "no: " + each.why_not, given_text(each)});
    }
    if (rows.empty()) return "No mount is declared.\n";
    return table({"CONTAINER", "MOUNT", "TYPE", "SOURCE", "MODE", "TRIED", "THE RUNS HAVE"}, rows);
}

std::string reaches(const Plan& plan) {
    std::vector<Row> rows;
    for (const Reach& each : plan.reach)
        rows.push_back({each.container.empty() ? "-" : escape_text(each.container),
                        std::string(name_of(each.kind)), escape_text(each.what), escape_text(each.through),
                        each.reached                        ? "can be reached"
                        : each.kind == Reach::Kind::network ? "not joined"
                                                            : "cut off"});
    return rows.empty() ? "" : "\n" + table({"CONTAINER", "REACHES", "WHAT", "SAID BY", "IN THE RUNS"}, rows);
}

std::string lines(std::string_view heading, const std::vector<std::string>& texts) {
    if (texts.empty()) return {};
    std::string text = fmt::format("\n{}\n", heading);
    for (const std::string& each : texts) text += "  " + escape_text(each) + "\n";
    return text;
}

std::vector<std::string> reasons(const std::vector<NotRun>& list) {
    std::vector<std::string> all;
    for (const NotRun& each : list) all.insert(all.end(), each.why.begin(), each.why.end());
    return all;
}

std::string plural(int count, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string summary(const Plan& plan) {
    int candidates = 0, least = 0, all = 0;
    for (const Trial& each : plan.trials) {
        candidates += static_cast<int>(each.candidates.size());
        least = plan.together ? std::max(least, each.least_runs) : least + each.least_runs;
        all =
            plan.together ? std::max(all, each.runs_if_all_are_written) : all + each.runs_if_all_are_written;
    }
    const int subjects = static_cast<int>(plan.trials.size());
    std::string text = fmt::format(
        "\n{}{}, with {} to try: ", plural(subjects, "container is settled", "containers are settled"),
        plan.together  ? " together"
        : subjects > 1 ? ", one after the other"
                       : "",
        plural(candidates, "declared mount", "declared mounts"));
    text += least == all ? plural(least, "run", "runs")
                         : fmt::format(
                               "{} if nothing is written, {} if all of them are, more where a mount can be "
                               "split or runs differ",
                               plural(least, "run", "runs"), all);
    text += ".\n";
    if (!plan.system.refused.empty()) text += "Nothing of it is run while something is refused.\n";
    return text +
           "Only an engine can tell: which images there are, and the volumes that they declare, which are "
           "tried as "
           "well.\n";
}

std::string page(const Plan& plan) {
    const System& system = plan.system;
    std::string files;
    for (const std::string& file : system.files) files += (files.empty() ? "" : ", ") + escape_text(file);
    std::string text =
        fmt::format("{} ({}: {})\n\n", escape_text(system.name), rogate::to_string(system.kind), files);
    if (!system.containers.empty()) text += containers(plan) + "\n" + mounts(plan);
    text += reaches(plan);
    text += lines("Refused, so that nothing can be run:", reasons(system.refused));
    text += lines("Left out:", reasons(system.left_out));
    text += lines("Notes:", system.notes);
    return text + summary(plan);
}

}  // namespace

std::string render_table(const std::vector<Plan>& plans) {
    std::string text;
    for (const Plan& each : plans) text += (text.empty() ? "" : "\n") + page(each);
    return text;
}

}  // namespace rogate::plan
