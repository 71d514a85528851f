#include <fmt/format.h>

#include <algorithm>
#include <rogate/capability_weight.hpp>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "base/name_pattern.hpp"
#include "base/yaml_text.hpp"
#include "gate/findings.hpp"

namespace rogate::gate {

namespace {

Finding about_capability(Level level, std::string rule, const CampaignResult& result,
                         const CapabilityResult& each, const std::string& what) {
    Finding found;
    found.level = level;
    found.rule = std::move(rule);
    found.scenario = result.scenario.name;
    found.what = fmt::format("{} {}: {}", each.name, what, escape_text(each.reason));
    for (const CapabilityCheck& check : each.checks)
        found.evidence.push_back(fmt::format("{}{}  {}{}  in {}  by {}", check.capability.str(),
                                             (check.capability.empty() ? "" : " for ") + check.call.str(),
                                             check.error == 0 ? "allowed" : errno_name(check.error),
                                             check.count == 1 ? "" : fmt::format(" ×{}", check.count),
                                             escape_text(check.phase), escape_text(check.comm)));
    return found;
}

bool would_be_dropped(CapabilityVerdict verdict) {
    return verdict == CapabilityVerdict::unused || verdict == CapabilityVerdict::tolerated;
}

// Absent: somebody accepts it.
std::optional<Finding> about_consent(const CampaignResult& result, const CapabilityResult& each,
                                     const Question& question, Used& used) {
    const auto& rules = question.policy.capabilities;
    const CapabilityRule* expired = nullptr;
    bool accepted = false;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (!fits_scenario(rules[i].scenario, result) || !matches(rules[i].name, each.name)) continue;
        used.capabilities[i] = true;
        if (!rules[i].grounds.expired(question.today))
            accepted = true;
        else if (expired == nullptr)
            expired = &rules[i];
    }
    if (accepted) return std::nullopt;
    Finding found = about_capability(
        Level::fail, expired != nullptr ? "expired-acceptance" : "tolerated-capability", result, each,
        fmt::format("is tolerated to be {}, and nobody accepts that{}",
                    each.name == "no-new-privileges" ? "set" : "missing",
                    expired != nullptr ? " any more" : ""));
    if (expired != nullptr)
        found.evidence.insert(found.evidence.begin(), expiry(expired->grounds, question.today));
    found.remedy = expired != nullptr
                       ? "Mend it, or look at it again and give the entry a later 'until'."
                       : "Leave it as it is configured, teach the application to do without, or accept it in "
                         "the policy, with a reason.";
    if (expired == nullptr)
        found.snippet = fmt::format("capabilities:\n  - name: {}\n    scenario: {}\n    reason: \n",
                                    each.name, yaml_scalar(literal_pattern(result.scenario.name)));
    return found;
}

// What the lock knows is needed no less than it says. Absent: it says no less.
std::optional<Finding> against_lock(const CampaignResult& result, const CapabilityResult& each,
                                    const LockedCapabilities& known, bool updating) {
    const auto before = known.find(each.name);
    const bool is_new = before == known.end();
    const CapabilityVerdict was = is_new ? CapabilityVerdict::unused : before->second;
    if (weight(each.verdict) > weight(was)) {
        Finding found = about_capability(updating ? Level::note : Level::fail, "new-capability", result, each,
                                         fmt::format("{} and is {} now",
                                                     is_new ? std::string("is not in the lock file,")
                                                            : fmt::format("was {}", to_string(was)),
                                                     to_string(each.verdict)));
        if (!updating)
            found.remedy =
                "Look at it; if it is meant, take it into the lock file with --update-lock and commit that.";
        return found;
    }
    if (weight(each.verdict) == weight(was)) return std::nullopt;
    Finding found =
        about_capability(Level::note, "gone-capability", result, each,
                         fmt::format("was {} and is {} now", to_string(was), to_string(each.verdict)));
    found.remedy = "Nothing has to be done; --update-lock takes it out of the lock file.";
    return found;
}

std::optional<Finding> about_requirements(const CampaignResult& result, const Policy& policy) {
    if (!policy.require.scenario || result.exercised.empty()) return std::nullopt;
    const auto rests_on_it = std::ranges::count_if(
        result.capabilities, [](const CapabilityResult& each) { return would_be_dropped(each.verdict); });
    if (rests_on_it == 0) return std::nullopt;
    Finding found;
    found.level = Level::fail;
    found.rule = "no-scenario";
    found.scenario = result.scenario.name;
    found.what = fmt::format(
        "{} of its capabilities would be dropped, but only rogate's own exercise vouches for that, and the "
        "policy requires a scenario",
        rests_on_it);
    found.remedy = "Give the run a test (rogate run --test COMMAND), or a scenario (rogate init begins one).";
    return found;
}

}  // namespace

std::vector<Finding> judge_capabilities(const CampaignResult& result, const Question& question, Used& used) {
    std::vector<Finding> findings;
    const auto take = [&](std::optional<Finding> found) {
        if (found) findings.push_back(std::move(*found));
    };
    LockedCapabilities known;
    if (question.lock != nullptr)
        if (const auto found = question.lock->capabilities.find(result.scenario.name);
            found != question.lock->capabilities.end())
            known = found->second;
    if (!known.empty() && result.capabilities.empty() && !question.updating) {
        Finding found;
        found.level = Level::inconclusive;
        found.rule = "capabilities-not-asked";
        found.scenario = result.scenario.name;
        found.what = "the lock file has capabilities, and the result settles none";
        found.remedy = "Run it with --capabilities, or take them out of the lock file.";
        findings.push_back(std::move(found));
    }
    for (const CapabilityResult& each : result.capabilities) {
        if (each.verdict == CapabilityVerdict::inconclusive) {
            findings.push_back(about_capability(Level::inconclusive, "inconclusive-capability", result, each,
                                                "is inconclusive"));
            findings.back().remedy = "Mend what the reason names, and run again.";
            continue;
        }
        std::optional<Finding> open;
        if (each.verdict == CapabilityVerdict::tolerated) open = about_consent(result, each, question, used);
        // What is in a lock has been looked at.
        take(question.lock == nullptr ? std::move(open)
                                      : against_lock(result, each, known, question.updating));
    }
    take(about_requirements(result, question.policy));
    return findings;
}

}  // namespace rogate::gate
