// What a team accepts: the policy file of `rogate gate`, published as scenarios/policy.schema.json.
#pragma once

#include <cstdint>
#include <optional>
#include <rogate/error.hpp>
#include <rogate/result.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "gate/date.hpp"

namespace rogate::gate {

// Why something is accepted, by whom, and how long.
struct Grounds {
    std::string reason, by;
    std::optional<Day> until;  // the last day on which it holds
    SourcePlace declared;
    bool operator==(const Grounds&) const = default;

    bool expired(Day today) const { return until && today > *until; }
};

// Which verdicts are accepted for the mounts at `target`.
struct MountRule {
    std::string target;    // pattern
    std::string scenario;  // pattern of the scenario's name; empty: every one
    std::optional<std::vector<Verdict>> accept;
    bool must_be_read_only = false;
    Grounds grounds;
    bool operator==(const MountRule&) const = default;
};

// A failed write that is accepted.
struct WriteRule {
    std::string path;                     // pattern
    std::string process;                  // pattern of the program's name or path; empty: every one
    std::string scenario;                 // as above
    std::vector<std::string> operations;  // empty: every one
    Grounds grounds;
    bool operator==(const WriteRule&) const = default;
};

// A capability that is tolerated to be missing, and accepted so.
struct CapabilityRule {
    std::string name;      // pattern: "CHOWN", "no-new-privileges", "*"
    std::string scenario;  // as above
    Grounds grounds;
    bool operator==(const CapabilityRule&) const = default;
};

// What every result has to be, whatever its verdicts are.
struct Requirements {
    bool scenario = false;   // a scenario or a test vouches for what passes, not rogate's own exercise alone
    bool real_data = false;  // the runs had the user's data: no fixture, no state, nothing made up
    // How much a verdict of a mount that passed must have seen of the application.
    std::optional<std::int64_t> watched_ms;
    std::optional<std::int64_t> steps;
    bool operator==(const Requirements&) const = default;
};

struct Policy {
    std::string file;
    // `tolerated` is not among them: somebody has to look at what fails. Nor are those that are no evidence.
    std::vector<Verdict> accept = {Verdict::safe, Verdict::already_ro, Verdict::split, Verdict::required,
                                   Verdict::ineffective};
    std::vector<MountRule> mounts;  // the first with `accept` that fits a mount decides
    std::vector<WriteRule> writes;
    std::vector<CapabilityRule> capabilities;
    Requirements require = {};
    bool operator==(const Policy&) const = default;
};

// Pure. All problems are in one Error of kind usage, "FILE:LINE:COL: what is wrong; what would be right".
Result<Policy> parse_policy(std::string_view text, const std::string& file_name);

}  // namespace rogate::gate
