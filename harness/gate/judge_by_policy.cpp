#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <rogate/names.hpp>
#include <set>

#include "base/escape.hpp"
#include "base/name_pattern.hpp"
#include "base/text.hpp"
#include "base/yaml_text.hpp"
#include "gate/findings.hpp"

namespace rogate::gate {

namespace {

std::string place(const SourcePlace& at) {
    return fmt::format("{}:{}:{}", at.file, at.line, at.column);
}

}  // namespace

bool fits_scenario(const std::string& pattern, const CampaignResult& result) {
    return pattern.empty() || matches(pattern, result.scenario.name);
}

std::string expiry(const Grounds& grounds, Day today) {
    const auto days = (today - *grounds.until).count();
    return fmt::format(
        "accepted{} until {} ({}), which is {} {} ago{}",
        grounds.by.empty() ? "" : " by " + escape_text(grounds.by), to_text(*grounds.until),
        place(grounds.declared), days, days == 1 ? "day" : "days",
        grounds.reason.empty() ? "" : fmt::format("; the reason was: {}", escape_text(grounds.reason)));
}

namespace {

bool fits(const MountRule& rule, const Case& about) {
    return fits_scenario(rule.scenario, about.result) && matches(rule.target, about.mount.mount.target);
}

bool fits_process(const std::string& pattern, const Process& process) {
    const std::string& exe = process.exe;
    return pattern.empty() || matches(pattern, process.comm) || matches(pattern, exe) ||
           matches(pattern, exe.substr(exe.rfind('/') + 1));
}

bool fits(const WriteRule& rule, const Case& about, const Attempt& attempt) {
    return fits_scenario(rule.scenario, about.result) && matches(rule.path, attempt.path) &&
           fits_process(rule.process, attempt.process) &&
           (rule.operations.empty() || std::find(rule.operations.begin(), rule.operations.end(),
                                                 attempt.operation) != rule.operations.end());
}

bool among(const std::vector<Verdict>& list, Verdict verdict) {
    return std::find(list.begin(), list.end(), verdict) != list.end();
}

// What is accepted for this mount, and the entry that would accept it had it not expired.
struct Accepted {
    std::vector<Verdict> verdicts;
    const MountRule* expired = nullptr;
};

Accepted accepted_for(const Case& about, const Policy& policy, Day today, Used& used) {
    Accepted accepted;
    for (std::size_t i = 0; i < policy.mounts.size(); ++i) {
        const MountRule& rule = policy.mounts[i];
        if (!fits(rule, about)) continue;
        used.mounts[i] = true;
        if (!rule.accept) continue;
        if (!rule.grounds.expired(today)) {
            accepted.verdicts = *rule.accept;
            return accepted;
        }
        if (accepted.expired == nullptr && among(*rule.accept, about.mount.verdict)) accepted.expired = &rule;
    }
    accepted.verdicts = policy.accept;
    return accepted;
}

struct FailedWrites {
    std::vector<const Attempt*> open;
    std::set<const WriteRule*> expired;  // that would have covered some of the open ones
    std::size_t all = 0;
};

bool stays_writable(const MountResult& mount, std::string_view path) {
    return std::any_of(mount.writable.begin(), mount.writable.end(),
                       [&](const WritablePath& each) { return is_or_below(path, each.path); });
}

// Of a split those that fail in the arrangement that is recommended. A result that does not tell them has
// those that failed read-only: they still do, but for what has been made writable.
Attempts failing(const MountResult& mount) {
    if (mount.verdict != Verdict::split) return mount.attempts;
    if (mount.still_failing) return *mount.still_failing;
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < mount.attempts.size(); ++i)
        if (!stays_writable(mount, mount.attempts[i].path)) places.push_back(i);
    return mount.attempts.picked(std::move(places));
}

FailedWrites failed_writes(const Case& about, const Policy& policy, Day today, Used& used) {
    FailedWrites writes;
    std::vector<const Attempt*> all;
    const Attempts failed = failing(about.mount);
    for (const Attempt& attempt : failed)
        if (attempt.cls == AttemptClass::write && attempt.error != 0) all.push_back(&attempt);
    for (const Attempt& attempt : about.mount.difference.left_out) all.push_back(&attempt);
    for (const Attempt* one : all) {
        const Attempt& attempt = *one;
        ++writes.all;
        bool covered = false;
        std::vector<const WriteRule*> expired;
        for (std::size_t i = 0; i < policy.writes.size(); ++i) {
            const WriteRule& rule = policy.writes[i];
            if (!fits(rule, about, attempt)) continue;
            used.writes[i] = true;
            if (rule.grounds.expired(today))
                expired.push_back(&rule);
            else
                covered = true;
        }
        if (covered) continue;
        writes.open.push_back(&attempt);
        writes.expired.insert(expired.begin(), expired.end());
    }
    return writes;
}

// Entries for the policy file that accept the open writes, one for each path and operation.
std::string accepting(const Case& about, const std::vector<const Attempt*>& open) {
    const VolatileNames names(about.result.varying_names);
    std::set<std::string> entries;
    for (const Attempt* attempt : open) {
        const LockedWrite write = locked_write(*attempt, about.mount.mount.target, names);
        entries.insert(fmt::format("  - path: {}\n    operation: {}\n    process: {}\n    reason: \n",
                                   yaml_scalar(write.path), write.operation, yaml_scalar(write.process)));
    }
    std::string snippet = "writes:\n";
    for (const std::string& entry : entries) snippet += entry;
    return snippet;
}

std::string accepting(const Case& about, std::initializer_list<Verdict> verdicts) {
    std::string names;
    for (const Verdict verdict : verdicts)
        names += (names.empty() ? "" : ", ") + std::string(to_string(verdict));
    return fmt::format("mounts:\n  - target: {}\n    scenario: {}\n    accept: [{}]\n    reason: \n",
                       yaml_scalar(literal_pattern(about.mount.mount.target)),
                       yaml_scalar(literal_pattern(about.result.scenario.name)), names);
}

// Writes that fail on a mount that is (or passes) read-only: each needs somebody's consent.
std::optional<Finding> about_failed_writes(const Case& about, const FailedWrites& writes, Day today) {
    if (writes.open.empty()) return std::nullopt;
    const std::size_t n = writes.open.size();
    Finding found =
        finding(Level::fail, writes.expired.empty() ? "failed-write" : "expired-acceptance", about,
                fmt::format("{} {} {}{} that would have changed something, and nobody accepts {}{}", n,
                            n == 1 ? "kind of write" : "kinds of write",
                            about.mount.verdict == Verdict::split ? "still failed in the split" : "failed",
                            about.mount.difference.left_out.empty() ? "" : ", or was left out,",
                            n == 1 ? "it" : "them", writes.expired.empty() ? "" : " any more"));
    for (const WriteRule* rule : writes.expired) found.evidence.push_back(expiry(rule->grounds, today));
    std::sort(found.evidence.begin(), found.evidence.end());
    for (const Attempt* attempt : writes.open)
        found.evidence.push_back((attempt->error == 0 ? "left out: " : "") + evidence_line(about, *attempt));
    found.remedy = writes.expired.empty()
                       ? "Mount it writable, teach the application to do without, or accept it in the "
                         "policy, with a reason."
                       : "Mend it, or look at it again and give the entry a later 'until'.";
    if (writes.expired.empty()) found.snippet = accepting(about, writes.open);
    return found;
}

std::optional<Finding> about_read_only(const Case& about, const Policy& policy) {
    const auto rule = std::find_if(policy.mounts.begin(), policy.mounts.end(), [&](const MountRule& each) {
        return each.must_be_read_only && fits(each, about);
    });
    const Verdict verdict = about.mount.verdict;
    if (rule == policy.mounts.end() || verdict == Verdict::already_ro) return std::nullopt;
    Finding found = finding(
        Level::fail, "must-be-read-only", about,
        fmt::format("has to be read-only ({}), and is mounted {}", place(rule->grounds.declared),
                    verdict == Verdict::ineffective ? "where read-only protects nothing" : "writable"));
    found.evidence.push_back(
        fmt::format("verdict {}: {}", to_string(verdict), escape_text(about.mount.reason)));
    switch (verdict) {
        case Verdict::safe:
            found.remedy = "Mount it read-only: a run with it read-only passed, and nothing failed.";
            break;
        case Verdict::tolerated:
            found.remedy =
                "Mount it read-only; the scenario passes, and writes fail that have to be accepted in the "
                "policy.";
            break;
        case Verdict::split:
            found.remedy = "Mount it read-only with the listed sub-paths writable.";
            break;
        default:
            found.remedy = "Change the application so that it does not write there, or the policy.";
    }
    return found;
}

Finding refused_verdict(const Case& about, const Policy& policy, const Accepted& accepted, Day today) {
    const Verdict verdict = about.mount.verdict;
    const bool open = verdict == Verdict::inconclusive;
    Finding found = finding(
        open ? Level::inconclusive : Level::fail, open ? "inconclusive" : "verdict", about,
        fmt::format("is {}, which is not accepted: {}", to_string(verdict), escape_text(about.mount.reason)));
    if (accepted.expired != nullptr) {
        found.rule = "expired-acceptance";
        found.level = Level::fail;
        found.evidence.push_back(expiry(accepted.expired->grounds, today));
        found.remedy = "Mend it, or look at it again and give the entry a later 'until'.";
    } else if (open) {
        found.remedy = "Mend what the reason names, and run again.";
    } else if (verdict == Verdict::untested) {
        found.remedy = "Add a step to the scenario that uses the mount, or take the mount away.";
        found.snippet = accepting(about, {verdict});
    } else {
        found.remedy = fmt::format("Change the application, or accept it in {}, with a reason.",
                                   policy.file.empty() ? "a policy" : policy.file);
        found.snippet = accepting(about, {verdict});
    }
    return found;
}

}  // namespace

std::vector<Finding> judge_by_policy(const Case& about, const Policy& policy, Day today, Used& used) {
    std::vector<Finding> findings;
    const MountResult& mount = about.mount;
    const Accepted accepted = accepted_for(about, policy, today, used);
    const FailedWrites writes = failed_writes(about, policy, today, used);
    const bool tolerated = among(accepted.verdicts, Verdict::tolerated);
    if (auto found = about_read_only(about, policy)) findings.push_back(std::move(*found));
    if (mount.verdict == Verdict::tolerated && !tolerated) {
        // Where no write is listed, or a mount is no longer used, only the verdict can be accepted.
        if (writes.all == 0 || !mount.difference.unused.empty())
            findings.push_back(refused_verdict(about, policy, accepted, today));
        else if (auto found = about_failed_writes(about, writes, today)) {
            if (accepted.expired != nullptr) {
                found->rule = "expired-acceptance";
                found->snippet.clear();
                found->evidence.insert(found->evidence.begin(), expiry(accepted.expired->grounds, today));
            }
            findings.push_back(std::move(*found));
        }
        return findings;
    }
    if (!among(accepted.verdicts, mount.verdict)) {
        findings.push_back(refused_verdict(about, policy, accepted, today));
        return findings;
    }
    // Read-only already, or but for some paths: what fails there is the same as under `tolerated`, and as
    // much in need of consent.
    if ((mount.verdict == Verdict::already_ro || mount.verdict == Verdict::split) && !tolerated)
        if (auto found = about_failed_writes(about, writes, today)) findings.push_back(std::move(*found));
    if (mount.verdict == Verdict::split && !about.result.recommendation.verified_by_run) {
        Finding found = finding(Level::fail, "unverified-split", about,
                                "can be split, but no run had the whole recommendation and passed");
        found.remedy = "Run the scenario again, and take only an arrangement that a run has passed with.";
        findings.push_back(std::move(found));
    }
    return findings;
}

std::vector<Finding> look_at_policy(const Question& question, const Used& used) {
    constexpr int soon = 14;  // days
    std::vector<Finding> findings;
    const auto about = [&](const Grounds& grounds, Level level, std::string rule, std::string what) {
        Finding made;
        made.level = level;
        made.rule = std::move(rule);
        made.declared = grounds.declared;
        made.what = std::move(what);
        findings.push_back(std::move(made));
    };
    const auto expires = [&](const Grounds& grounds, const std::string& what) {
        if (!grounds.until || grounds.expired(question.today)) return;
        const auto left = (*grounds.until - question.today).count();
        if (left <= soon)
            about(grounds, Level::note, "expires-soon",
                  fmt::format("{} is accepted until {}{}", what, to_text(*grounds.until),
                              left == 0 ? ", which is today"
                                        : fmt::format(", {} {} from now", left, left == 1 ? "day" : "days")));
    };
    // An entry for a scenario that is not among these results says nothing about them.
    const auto concerned = [&](const std::string& scenario) {
        return std::any_of(question.results.begin(), question.results.end(),
                           [&](const CampaignResult& result) { return fits_scenario(scenario, result); });
    };
    const Policy& policy = question.policy;
    for (std::size_t i = 0; i < policy.mounts.size(); ++i) {
        const MountRule& rule = policy.mounts[i];
        if (!concerned(rule.scenario)) continue;
        const std::string target = escape_text(rule.target);
        if (used.mounts[i])
            expires(rule.grounds, "what becomes of " + target);
        else if (rule.must_be_read_only)
            about(rule.grounds, Level::fail, "must-be-read-only",
                  fmt::format(
                      "{} has to be read-only, and no result has a mount there; mend the target, name the "
                      "'scenario' it is about, or remove the entry",
                      target));
        else
            about(rule.grounds, Level::note, "unused-entry",
                  fmt::format("no mount is at {}; the entry can be removed", target));
    }
    for (std::size_t i = 0; i < policy.writes.size(); ++i) {
        const WriteRule& rule = policy.writes[i];
        if (!concerned(rule.scenario)) continue;
        if (used.writes[i])
            expires(rule.grounds, "a failed write at " + escape_text(rule.path));
        else
            about(rule.grounds, Level::note, "unused-entry",
                  fmt::format("no write at {} fails that this entry accepts; it can be removed",
                              escape_text(rule.path)));
    }
    for (std::size_t i = 0; i < policy.capabilities.size(); ++i) {
        const CapabilityRule& rule = policy.capabilities[i];
        if (!concerned(rule.scenario)) continue;
        if (used.capabilities[i])
            expires(rule.grounds, "doing without " + escape_text(rule.name));
        else
            about(rule.grounds, Level::note, "unused-entry",
                  fmt::format("no result does without {} so that it had to be accepted; the entry can be "
                              "removed",
                              escape_text(rule.name)));
    }
    return findings;
}

}  // namespace rogate::gate
