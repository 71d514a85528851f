#include "cli/verdict_code.hpp"

#include <algorithm>
#include <map>
#include <rogate/error.hpp>

namespace rogate::cli {

int verdict_code(const CampaignResult& result) {
    const bool open =
        std::any_of(result.mounts.begin(), result.mounts.end(),
                    [](const MountResult& m) { return m.verdict == Verdict::inconclusive; }) ||
        std::any_of(result.capabilities.begin(), result.capabilities.end(), [](const CapabilityResult& each) {
            return each.verdict == CapabilityVerdict::inconclusive;
        });
    // A state in which every control run fails; one that fails now and then is no answer of the scenario's.
    std::map<DataState, bool> ever_passed;
    for (const RunRecord& run : result.runs)
        if (run.plan.kind == RunKind::control) {
            const auto [at, fresh] = ever_passed.try_emplace(run.plan.state, run.passed);
            at->second = at->second || run.passed;
        }
    if (std::any_of(ever_passed.begin(), ever_passed.end(), [](const auto& each) { return !each.second; }))
        return exit_code(ErrorKind::scenario);
    return open || !result.stopped.empty() ? exit_code(ErrorKind::inconclusive) : 0;
}

int worse(int a, int b) {
    const auto rank = [](int c) { return c == 3 ? 4 : c == 2 ? 3 : c == 1 ? 2 : c == 4 ? 1 : 0; };
    return rank(b) > rank(a) ? b : a;
}

}  // namespace rogate::cli
