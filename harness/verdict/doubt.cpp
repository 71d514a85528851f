#include "verdict/doubt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <rogate/place.hpp>

#include "base/text.hpp"

namespace rogate::verdict {

bool observed(const RunRecord& run) {
    return run.observer != "none";
}

std::string distrust(const RunRecord& run) {
    if (!run.services_problem.empty()) return run.services_problem;
    if (!run.doubt.empty()) return run.doubt;
    if (!run.observer_problem.empty()) return run.observer_problem;
    if (run.lost_events > 0)
        return fmt::format("{} events were lost; what they were is not known", run.lost_events);
    if (!observed(run)) return {};  // no account at all: judge() concludes no more than outcomes show
    for (const auto& [target, canary] : run.canary) {
        switch (canary) {
            case Canary::seen:
                break;
            case Canary::not_seen:
                return fmt::format("the canary write on {} was refused, but the observer did not see it",
                                   target);
            case Canary::not_refused:
                return fmt::format(
                    "the kernel did not refuse the canary write on {}, which should be read-only", target);
            case Canary::failed:
                return fmt::format("the canary write on {} could not be made", target);
        }
    }
    return {};
}

bool relied_on(const RunRecord& run) {
    return run.passed && distrust(run).empty();
}

bool is_proven(const RunRecord& run, const std::string& target) {
    const auto canary = run.canary.find(target);
    if (canary != run.canary.end() && canary->second == Canary::seen) return true;
    return std::any_of(run.attempts.begin(), run.attempts.end(), [mount = Word(target)](const Attempt& each) {
        return each.mount == mount && each.error == EROFS;
    });
}

bool counts_every_open(const RunRecord& run) {
    return run.observer != "ptrace" && observed(run);
}

std::vector<DataDifference> with_use(std::vector<DataDifference> differences,
                                     const std::vector<RunRecord>& runs) {
    // Looked for somewhere, and it is not known on which mount.
    const auto is_nowhere = [](const Attempt& each) {
        return each.mount.empty() && each.cls == AttemptClass::access_check &&
               std::ranges::none_of(std::array{"/proc", "/sys", "/dev"}, [&](const char* kernels) {
                   return is_or_below(path_in(each.path.view()), kernels);
               });
    };
    const auto may_use = [&](const RunRecord& run, const std::string& target) {
        const auto opened = run.uses.find(target);
        return !counts_every_open(run) || !distrust(run).empty() ||
               (opened != run.uses.end() && opened->second > 0) ||
               std::any_of(run.attempts.begin(), run.attempts.end(),
                           [&, mount = Word(target)](const Attempt& each) {
                               return each.mount == mount || is_nowhere(each);
                           });
    };
    for (DataDifference& each : differences)
        each.used = each.target.empty() || std::any_of(runs.begin(), runs.end(), [&](const RunRecord& run) {
                        return may_use(run, each.target);
                    });
    return differences;
}

std::string doubt_of_data(const std::vector<DataDifference>& differences) {
    std::string text;
    for (const DataDifference& each : differences)
        if (each.used)
            text +=
                fmt::format("{}{}; {}", text.empty() ? "the runs did not have the data as they are: " : "; ",
                            each.what, each.way_out);
    return text;
}

std::string failure_of(const RunRecord& run) {
    if (run.passed) return {};
    for (const PhaseRecord& phase : run.phases)
        if (!phase.passed) return fmt::format("{}: {}", phase.name, phase.message);
    return "the run ended before its first phase";
}

std::string failure_of(const RunRecord& run, const std::string& place) {
    const auto own = run.containers.find(std::string(container_of(place)));
    return run.passed || own == run.containers.end() || own->second.trouble.empty() ? failure_of(run)
                                                                                    : own->second.trouble;
}

}  // namespace rogate::verdict
