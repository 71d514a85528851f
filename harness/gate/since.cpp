#include "gate/since.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "base/text.hpp"
#include "gate/findings.hpp"

namespace rogate::gate {

namespace {

bool is_file_of(const Change& change, const std::string& folder, const std::string& name) {
    if (name.empty()) return false;
    const std::filesystem::path path(name);
    if (!path.is_absolute())
        return (std::filesystem::path(folder) / path).lexically_normal().string() == change.path ||
               path.lexically_normal().string() == change.declared.file;
    const std::string whole = path.lexically_normal().string();
    return whole == change.path || whole.ends_with("/" + change.declared.file);
}

Origin::Kind kind_of(const Change& change) {
    return change.kind == "compose"      ? Origin::Kind::compose
           : change.kind == "kubernetes" ? Origin::Kind::kubernetes
                                         : Origin::Kind::scenario;
}

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
    // The runs had it writable again; the file has not.
    std::erase_if(found, [](const Finding& each) { return each.rule == "must-be-read-only"; });
    return found;
}

}  // namespace

bool is_merged_by_name(std::string_view file) {
    std::string name(file.substr(file.rfind('/') + 1));
    for (char& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return (name.starts_with("compose.") || name.starts_with("docker-compose.")) &&
           name.find(".override.") != std::string::npos;
}

bool is_about(const Change& change, const std::string& folder, const Scenario& scenario) {
    const Origin& origin = scenario.subject.origin;
    if (origin.kind != kind_of(change)) return false;
    if (origin.kind == Origin::Kind::scenario) return is_file_of(change, folder, scenario.file);
    return origin.name == change.name && origin.container == change.container &&
           std::any_of(origin.files.begin(), origin.files.end(),
                       [&](const std::string& file) { return is_file_of(change, folder, file); });
}

std::vector<std::string> made_read_only(const Since& since, const Scenario& scenario) {
    std::vector<std::string> targets;
    for (const Change& change : since.changes)
        if (is_about(change, since.folder, scenario)) targets.push_back(change.target);
    std::sort(targets.begin(), targets.end());
    targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    return targets;
}

Scenario before_the_change(Scenario scenario, const std::vector<std::string>& targets) {
    const auto changed = [&](const std::string& target) {
        return std::find(targets.begin(), targets.end(), target) != targets.end();
    };
    for (Mount& mount : scenario.subject.mounts)
        if (changed(mount.target)) mount.read_only = false;
    // By these the pod's volumes are told apart: one that nobody writes to would be the user's own.
    for (PodMount& mount : scenario.pod.mounts)
        if (changed(mount.target)) mount.read_only = false;
    if (changed("/")) scenario.subject.read_only_rootfs = false;
    scenario.candidates = targets;
    return scenario;
}

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
