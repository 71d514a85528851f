#include "verdict/varying.hpp"

#include <algorithm>

#include "base/volatile_names.hpp"

namespace rogate::verdict {

std::vector<VaryingName> varying_names(const std::vector<RunRecord>& runs) {
    VolatileNames names;
    for (const RunRecord& run : runs) {
        const auto control = std::find_if(runs.begin(), runs.end(), [&](const RunRecord& each) {
            return each.plan.kind == RunKind::control && each.plan.state == run.plan.state;
        });
        if (control == runs.end() || &*control == &run) continue;
        const bool same_plan = run.plan.kind == RunKind::control &&
                               run.plan.ends_by_kill == control->plan.ends_by_kill &&
                               run.plan.again == control->plan.again;
        names.learn(control->attempts, run.attempts, same_plan);
    }
    return names.learned();
}

}  // namespace rogate::verdict
