// The lock file: what every mount of every scenario needed to write when somebody last looked at it.
// Published as scenarios/lock.schema.json.
#pragma once

#include <map>
#include <rogate/error.hpp>
#include <rogate/result.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/volatile_names.hpp"

namespace rogate::gate {

struct LockedWrite {
    std::string path, operation, process;  // path and process are patterns (base/volatile_names.hpp)
    auto operator<=>(const LockedWrite&) const = default;
};

struct LockedMount {
    Verdict verdict = Verdict::inconclusive;
    std::set<std::string> writable;  // split: the sub-paths that stay writable
    std::set<LockedWrite> writes;
    bool operator==(const LockedMount&) const = default;
};

using LockedScenario = std::map<std::string, LockedMount>;            // by target
using LockedCapabilities = std::map<std::string, CapabilityVerdict>;  // by name; none of them is inconclusive

struct Lock {
    std::string file;
    std::map<std::string, LockedScenario> scenarios;
    std::map<std::string, LockedCapabilities> capabilities = {};  // by scenario; of those that settled them
    bool operator==(const Lock&) const = default;
};

// The writes on a mount that the lock keeps: what the control run wrote, and on a mount that was read-only
// anyway, what failed. (What an application tries after a write has failed is no requirement of its own.)
const Attempts& required_writes(const MountResult& mount);

LockedWrite locked_write(const Attempt& attempt, const std::string& mount, const VolatileNames& names);
// The entry that stands for a write: the one that would be made of it, else one whose patterns match; null if
// there is none.
const LockedWrite* entry_for(const LockedMount& locked, const Attempt& attempt, const std::string& mount,
                             const VolatileNames& names);

// `old` with what the results say put in. An entry that still covers a write stays as it is, so that patterns
// which somebody widened by hand last; scenarios without a result stay; a mount or a capability whose verdict
// is inconclusive stays too.
Lock updated(const Lock& old, const std::vector<CampaignResult>& results);

// Sorted, one line for each write: equal locks give equal bytes.
std::string render_lock(const Lock& lock);
// Errors as of parse_policy(). Also reads rogate.lock/1, which had one '*' for whatever differed from run to
// run: it is {varies} here, which stands for numbers, times, hashes, UUIDs and random texts, but not for
// words. updated() puts the kinds in the place of those that the results still have.
Result<Lock> parse_lock(std::string_view text, const std::string& file_name);

}  // namespace rogate::gate
