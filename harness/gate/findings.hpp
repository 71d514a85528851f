// The parts of a decision, each a question of its own.
#pragma once

#include "gate/decide.hpp"

namespace rogate::gate {

// One mount, and what a finding about it needs to know.
struct Case {
    const CampaignResult& result;
    const MountResult& mount;
};

Finding finding(Level level, std::string rule, const Case& about, std::string what);

// "create /data/x  EROFS ×3  in step upload  by app (run 2)"
std::string evidence_line(const Case& about, const Attempt& attempt);

// Which entries of the policy were of use; those that never were are pointed out.
struct Used {
    std::vector<bool> mounts = {}, writes = {}, capabilities = {};
};

// Whether the runs behind a verdict were what the policy asks for.
std::vector<Finding> judge_by_requirements(const Case& about, const Policy& policy);

std::vector<Finding> judge_by_policy(const Case& about, const Policy& policy, Day today, Used& used);
// About the policy itself: entries that fit nothing, mounts that must be read-only and are not there, what
// expires soon.
std::vector<Finding> look_at_policy(const Question& question, const Used& used);

Decision decide_since(const Question& question);

std::vector<Finding> compare_with_lock(const CampaignResult& result, const Lock& lock, bool updating);

// What nobody accepts of the capabilities, or is inconclusive; and against the lock, if there is one, what is
// needed that was not.
std::vector<Finding> judge_capabilities(const CampaignResult& result, const Question& question, Used& used);

// "accepted by Ada until 2026-01-31 (policy.yaml:7:5), which is 12 days ago"
std::string expiry(const Grounds& grounds, Day today);
bool fits_scenario(const std::string& pattern, const CampaignResult& result);

}  // namespace rogate::gate
