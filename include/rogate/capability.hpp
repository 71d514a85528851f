// Capabilities of the kernel's: which of them a run made use of, and whether they can be dropped.
#pragma once

#include <cstdint>
#include <rogate/word.hpp>
#include <string>
#include <vector>

namespace rogate {

// Checks that agree in everything but the process' number are one, with a count.
struct CapabilityCheck {
    Word capability;  // "CHOWN"; empty: a call was refused, and no check is told of it
    Word call;        // that was being made: "chown", …
    Word comm;        // of the process
    Word phase;
    std::uint32_t uid = 0;  // effective
    int error = 0;          // 0: the process had it; EPERM, or of a refused call EACCES: it had not
    std::uint64_t count = 1;
    bool operator==(const CapabilityCheck&) const = default;
};

// Of one run.
struct CapabilityChecks {
    std::vector<CapabilityCheck> all;
    // Checks that the kernel makes for its own information (CAP_OPT_NOAUDIT) are left out. False: they cannot
    // be told from others.
    bool audited_only = false;
    std::uint64_t lost = 0;  // how many were not seen
    bool operator==(const CapabilityChecks&) const = default;
};

enum class CapabilityVerdict {
    unused,       // it passes without, and nothing was refused that was allowed with it
    tolerated,    // it passes without, though something was refused, or left out
    needed,       // it fails without
    inconclusive  // no run tells
};

struct CapabilityResult {
    std::string
        name;  // as docker has it, without CAP_: "CHOWN"; or "no-new-privileges", what it would forbid
    CapabilityVerdict verdict = CapabilityVerdict::inconclusive;
    std::string reason;                   // one sentence
    std::vector<CapabilityCheck> checks;  // used with success as configured, and refused without it
    std::vector<int> runs;                // that the verdict rests on
    bool operator==(const CapabilityResult&) const = default;
};

}  // namespace rogate
