#include <fmt/format.h>

#include <algorithm>
#include <rogate/names.hpp>

#include "base/escape.hpp"
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

int weight_of(CapabilityVerdict verdict) {
    return verdict == CapabilityVerdict::needed ? 2 : verdict == CapabilityVerdict::tolerated ? 1 : 0;
}

}  // namespace

std::vector<Finding> judge_capabilities(const CampaignResult& result, const Lock* lock, bool updating) {
    std::vector<Finding> findings;
    const LockedCapabilities* known = nullptr;
    if (lock != nullptr)
        if (const auto found = lock->capabilities.find(result.scenario.name);
            found != lock->capabilities.end())
            known = &found->second;
    for (const CapabilityResult& each : result.capabilities) {
        if (each.verdict == CapabilityVerdict::inconclusive) {
            findings.push_back(about_capability(Level::inconclusive, "inconclusive-capability", result, each,
                                                "is inconclusive"));
            findings.back().remedy = "Mend what the reason names, and run again.";
            continue;
        }
        if (known == nullptr) continue;
        const auto before = known->find(each.name);
        const CapabilityVerdict was = before == known->end() ? CapabilityVerdict::unused : before->second;
        if (weight_of(each.verdict) > weight_of(was)) {
            findings.push_back(
                about_capability(updating ? Level::note : Level::fail, "new-capability", result, each,
                                 fmt::format("{} and is {} now",
                                             before == known->end() ? std::string("is not in the lock file,")
                                                                    : fmt::format("was {}", to_string(was)),
                                             to_string(each.verdict))));
            if (!updating)
                findings.back().remedy =
                    "Look at it; if it is meant, take it into the lock file with --update-lock and commit "
                    "that.";
        } else if (weight_of(each.verdict) < weight_of(was)) {
            findings.push_back(about_capability(
                Level::note, "gone-capability", result, each,
                fmt::format("was {} and is {} now", to_string(was), to_string(each.verdict))));
            findings.back().remedy = "Nothing has to be done; --update-lock takes it out of the lock file.";
        }
    }
    return findings;
}

}  // namespace rogate::gate
