// The decision of `rogate gate`: results against what was agreed. Pure.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <vector>

#include "change/change.hpp"
#include "gate/date.hpp"
#include "gate/lock.hpp"
#include "gate/policy.hpp"

namespace rogate::gate {

enum class Level { fail, inconclusive, note };

struct Finding {
    Level level = Level::fail;
    std::string rule;                   // "new-write", …: one word for machines, stable
    std::string scenario;               // empty: about none
    std::string mount;                  // its target; empty: about none
    SourcePlace declared;               // of the mount, or of the entry of the policy
    std::string what;                   // one sentence
    std::vector<std::string> evidence;  // a line each
    std::string remedy;                 // what to do: a sentence
    std::string snippet;                // for the policy file; empty: none would help
    bool operator==(const Finding&) const = default;
};

struct Decision {
    std::vector<Finding> findings;  // failures first, then what is inconclusive, then notes
    std::size_t results = 0, mounts = 0;
    std::string
        since;  // the revision; then it is about what was made read-only since, and `mounts` counts that
    bool operator==(const Decision&) const = default;

    std::size_t count(Level level) const;
    // 1 when anything fails; 4 when something is inconclusive and nothing fails; else 0.
    int exit_code() const;
};

struct Question {
    const std::vector<CampaignResult>& results;
    const Policy& policy;
    const Lock* lock = nullptr;  // absent: nothing is compared
    Day today;
    const change::Since* since = nullptr;  // only these mounts are judged; absent: all
    bool updating = false;  // the lock is about to be written: what is new there is told, and no failure
};

Decision decide(const Question& question);

}  // namespace rogate::gate
