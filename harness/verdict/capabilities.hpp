// Which capabilities a subject can do without: which run comes next, given the results so far, and what they
// add up to. Pure, like the planner of mounts (plan.hpp), from whose control run it goes on.
#pragma once

#include <optional>
#include <rogate/result.hpp>
#include <string>
#include <vector>

namespace rogate::verdict {

// The name under which it is told of.
inline constexpr const char* no_new_privileges = "no-new-privileges";

// What is to be found out, and what is known of it before any run.
struct CapabilityQuestion {
    // Those that the subject has (docker's names, in order) and that are candidates to be dropped.
    std::vector<std::string> configured;
    bool tries_capabilities = false;
    bool tries_no_new_privileges = false;  // false also where it is set to begin with
    // What the runs as they are configured add up to: it is run together with what is dropped.
    Recommendation mounts = {};
    // The runs that the recommendation above was verified by: one, and what was made again of it.
    std::vector<RunRecord> verified = {};
    // Why no run tells anything; empty: they do.
    std::string doubt = {};
    // Why no more runs are made though one was wanted; empty: they are made.
    std::string stopped = {};
};

// The order: one run with everything dropped but what processes made use of in the runs as configured. If it
// fails, what of the rest is needed is looked for by halves. Then each of those that were used is left out
// by itself. Where the observer does not see which are used, halves of all of them are left out. A run with
// no-new-privileges comes next, and last one with all that is recommended, mounts included. What that one
// leaves out, or is refused, and none of the others is told of, keeps everything in it from being unused.
//
// `configured`: the runs with the capabilities that the subject has, the control run first; `tried`: those
// that this has wanted so far.
std::optional<RunPlan> next_capability_run(const CapabilityQuestion& question,
                                           const std::vector<RunRecord>& configured,
                                           const std::vector<RunRecord>& tried);

struct CapabilityConclusion {
    std::vector<CapabilityResult> results;  // in order of name, no-new-privileges last
    Recommendation recommendation;          // that of the mounts, and what a run has passed with besides
};

CapabilityConclusion conclude_capabilities(const CapabilityQuestion& question,
                                           const std::vector<RunRecord>& configured,
                                           const std::vector<RunRecord>& tried);

}  // namespace rogate::verdict
