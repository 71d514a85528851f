#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "base/text.hpp"
#include "change/change.hpp"
#include "gate/findings.hpp"

namespace rogate::gate {

namespace {

using change::Change;
using change::Since;

// "web /data (compose.yaml:7:9)": how a person finds it.
std::string named(const Change& change) {
    return escape_text(change.container.empty()
                           ? fmt::format("{} {}", change.name, change.target)
                           : fmt::format("{} {} {}", change.name, change.container, change.target));
}

Finding without_result(const Change& change, const Since& since) {
    Finding found;
    found.level = Level::inconclusive;
    found.rule = "no-result";
    found.mount = change.target;
    found.declared = change.declared;
    found.what = fmt::format("{} was made read-only since {}, and no result is about it", named(change),
                             escape_text(since.revision));
    const std::string_view folder = folder_of(change.declared.file);
    if (!change.base.empty()) {
        found.remedy =
            is_merged_by_name(change.declared.file)
                ? fmt::format("Run both files: rogate run --since {} {} --service {} --out DIR",
                              escape_text(since.revision), folder.empty() ? "." : escape_text(folder),
                              escape_text(change.name))
                : fmt::format(
                      "Run a scenario with 'subject: {{compose: {{file: [{}, {}], service: {}}}}}': "
                      "rogate run --since {} SCENARIO --out DIR",
                      escape_text(change.base), escape_text(change.declared.file), escape_text(change.name),
                      escape_text(since.revision));
        return found;
    }
    found.remedy =
        change.kind == "kubernetes"
            ? fmt::format(
                  "Run a scenario whose subject is this container: rogate run --since {} SCENARIO --out DIR",
                  escape_text(since.revision))
            : fmt::format(
                  "Run it: rogate run --since {} {}{} --out DIR", escape_text(since.revision),
                  escape_text(change.declared.file),
                  change.kind == "compose" ? fmt::format(" --service {}", escape_text(change.name)) : "");
    return found;
}

Finding has_to_be_writable(const Case& about, const Change& change, const Since& since) {
    Finding found = finding(Level::fail, "made-read-only", about,
                            fmt::format("was made read-only since {}, and has to be written to: {}",
                                        escape_text(since.revision), escape_text(about.mount.reason)));
    found.declared = change.declared;
    for (const Attempt& attempt : about.mount.attempts)
        if (attempt.cls == AttemptClass::write) found.evidence.push_back(evidence_line(about, attempt));
    found.remedy = about.mount.verdict == Verdict::split
                       ? "Keep it writable, or keep the listed paths below it writable."
                       : "Keep it writable, or change the application so that it does not write there.";
    return found;
}

std::vector<Finding> judge_change(const Case& about, const Change& change, const Question& question,
                                  Used& used) {
    const Verdict verdict = about.mount.verdict;
    if (verdict == Verdict::required || verdict == Verdict::split)
        return {has_to_be_writable(about, change, *question.since)};
    std::vector<Finding> found = judge_by_policy(about, question.policy, question.today, used);
    for (Finding& each : judge_by_requirements(about, question.policy)) found.push_back(std::move(each));
    // The runs had it writable again; the file has not.
    std::erase_if(found, [](const Finding& each) { return each.rule == "must-be-read-only"; });
    return found;
}

}  // namespace

Decision decide_since(const Question& question) {
    const Since& since = *question.since;
    Decision decision;
    decision.since = since.revision;
    decision.results = question.results.size();
    Used used{std::vector<bool>(question.policy.mounts.size()),
              std::vector<bool>(question.policy.writes.size())};
    const auto take = [&](std::vector<Finding> found) {
        std::move(found.begin(), found.end(), std::back_inserter(decision.findings));
    };
    for (const Change& change : since.changes) {
        ++decision.mounts;
        bool any = false;
        for (const CampaignResult& result : question.results) {
            if (!is_about(change, since.folder, result.scenario)) continue;
            for (const MountResult& mount : result.mounts) {
                if (mount.mount.target != change.target) continue;
                any = true;
                take(judge_change({result, mount}, change, question, used));
            }
        }
        if (!any) take({without_result(change, since)});
    }
    for (const std::string& what : since.not_known) {
        Finding found;
        found.level = Level::inconclusive;
        found.rule = "not-known";
        found.what = fmt::format("whether it was made read-only since {} cannot be told: {}",
                                 escape_text(since.revision), escape_text(what));
        found.remedy = "Keep what the mode depends on in the repository, or write the mode out.";
        take({found});
    }
    for (const std::string& why : since.not_compared) {
        Finding found;
        found.level = Level::note;
        found.rule = "not-compared";
        found.what =
            "a changed file could not be read, so what it makes read-only is not known: " + escape_text(why);
        take({found});
    }
    return decision;
}

}  // namespace rogate::gate
