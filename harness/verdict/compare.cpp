#include "verdict/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <rogate/names.hpp>
#include <tuple>

namespace rogate::verdict {

namespace {

using Key = std::pair<std::string, std::string>;  // operation, path

// A file that exists already is opened for writing by the same call that would have created it: the two are
// one need.
std::string comparable_operation(const Attempt& attempt) {
    return attempt.operation == "create" ? "open-write" : attempt.operation;
}

// How often each outcome came of an operation on a path; 0: it succeeded.
using Outcomes = std::map<int, std::uint64_t>;

std::map<Key, Outcomes> outcomes(const RunRecord& run) {
    std::map<Key, Outcomes> found;
    for (const Attempt& attempt : run.attempts)
        found[{comparable_operation(attempt), attempt.path}][attempt.error] += attempt.count;
    return found;
}

// If any attempt succeeded, the application could do it; otherwise how it failed (one of the ways).
int best_of(const Outcomes& outcomes) {
    return outcomes.begin()->first;
}

// What failed thus in the control run, where it was allowed to write, changes nothing anywhere. Only errors
// that do not depend on the file system (the control run's can be an overlay) nor on the moment.
bool fails_everywhere(const std::string& operation, int error) {
    if (error == EACCES) return true;
    if (operation == "unlink" || operation == "rmdir" || operation == "rename")
        return error == ENOENT || error == ENOTEMPTY || error == ENOTDIR;
    if (operation == "chmod" || operation == "chown" || operation == "utime") return error == EPERM;
    return operation == "removexattr" && error == ENODATA;
}

int weight(AttemptClass cls) {
    return cls == AttemptClass::write ? 0 : cls == AttemptClass::access_check ? 1 : 2;
}

}  // namespace

void compare_with_control(RunRecord& run, const RunRecord& control) {
    const auto there = outcomes(control);
    for (Attempt& attempt : run.attempts) {
        const auto found = there.find({comparable_operation(attempt), attempt.path});
        if (found == there.end()) {
            attempt.control = "absent";
            continue;
        }
        const int best = best_of(found->second);
        attempt.control = errno_name(best);
        if (attempt.error == EROFS && attempt.cls == AttemptClass::write && best != 0 &&
            std::all_of(found->second.begin(), found->second.end(),
                        [&](const auto& each) { return fails_everywhere(attempt.operation, each.first); }))
            attempt.cls = AttemptClass::no_op;
        // It failed in the same way, as often, where it could have written (O_EXCL of what is there, between
        // two opens that succeed): read-only did not cause it.
        if (attempt.error != 0 && attempt.error != EROFS) {
            const auto same = found->second.find(attempt.error);
            if (same != found->second.end() && same->second >= attempt.count)
                attempt.control = errno_name(attempt.error);
        }
    }
}

bool failed_by_read_only(const Attempt& attempt) {
    return attempt.error == EROFS || (attempt.error != 0 && attempt.control == "ok");
}

bool is_write_made(const Attempt& attempt) {
    return attempt.error == 0 && attempt.cls == AttemptClass::write;
}

std::vector<Attempt> failed_attempts(const RunRecord& run, const std::string& target) {
    std::vector<Attempt> found;
    for (const Attempt& attempt : run.attempts)
        if (attempt.mount == target && failed_by_read_only(attempt)) found.push_back(attempt);
    std::stable_sort(found.begin(), found.end(), [](const Attempt& a, const Attempt& b) {
        const int wa = weight(a.cls), wb = weight(b.cls);
        return std::tie(wa, b.count, a.path, a.operation) < std::tie(wb, a.count, b.path, b.operation);
    });
    return found;
}

std::uint64_t writes_made(const RunRecord& run, const std::string& target) {
    std::uint64_t sum = 0;
    for (const Attempt& attempt : run.attempts)
        if (attempt.mount == target && is_write_made(attempt)) sum += attempt.count;
    return sum;
}

std::uint64_t writes_left_out(const RunRecord& run, const RunRecord& control, const std::string& target) {
    const auto tried = outcomes(run);
    std::uint64_t sum = 0;
    for (const Attempt& attempt : control.attempts)
        if (attempt.mount == target && is_write_made(attempt) &&
            !tried.contains({comparable_operation(attempt), attempt.path}))
            sum += attempt.count;
    return sum;
}

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

std::string failure_of(const RunRecord& run) {
    if (run.passed) return {};
    for (const PhaseRecord& phase : run.phases)
        if (!phase.passed) return fmt::format("{}: {}", phase.name, phase.message);
    return "the run ended before its first phase";
}

}  // namespace rogate::verdict
