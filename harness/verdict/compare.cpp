#include "verdict/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cerrno>
#include <functional>
#include <limits>
#include <rogate/names.hpp>
#include <string_view>
#include <tuple>
#include <utility>

namespace rogate::verdict {

namespace {

// A file that exists already is opened for writing by the same call that would have created it: the two are
// one need.
std::string_view comparable_operation(const Attempt& attempt) {
    return attempt.operation == "create" ? "open-write" : std::string_view(attempt.operation);
}

// Attempts are told apart by operation and path. What is looked up are attempts of a run, which stay where
// they are: a run can have hundreds of thousands, and copies of their texts would cost more than all the
// rest.
struct HashNeed {
    std::size_t operator()(const Attempt* attempt) const {
        std::size_t hash = std::hash<std::string_view>()(attempt->path);
        boost::hash_combine(hash, std::hash<std::string_view>()(comparable_operation(*attempt)));
        return hash;
    }
};
struct SameNeed {
    bool operator()(const Attempt* a, const Attempt* b) const {
        return a->path == b->path && comparable_operation(*a) == comparable_operation(*b);
    }
};
template <class T>
using ByNeed = boost::unordered_flat_map<const Attempt*, T, HashNeed, SameNeed>;

// How often each outcome came of an operation on a path, in one run.
class Outcomes {
  public:
    struct Outcome {
        int error = 0;  // 0: it succeeded
        std::uint64_t count = 0;
        std::size_t next = none;  // another outcome of the same
    };

    explicit Outcomes(const RunRecord& run) {
        first_.reserve(run.attempts.size());
        all_.reserve(run.attempts.size());
        for (const Attempt& attempt : run.attempts) add(attempt);
    }

    // Null: no such attempt was made.
    const Outcome* find(const Attempt& attempt) const {
        const auto found = first_.find(&attempt);
        return found == first_.end() ? nullptr : &all_[found->second];
    }
    const Outcome* next(const Outcome* outcome) const {
        return outcome->next == none ? nullptr : &all_[outcome->next];
    }

  private:
    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    void add(const Attempt& attempt) {
        const auto [at, fresh] = first_.try_emplace(&attempt, all_.size());
        if (!fresh)
            for (std::size_t i = at->second; i != none; i = all_[i].next)
                if (all_[i].error == attempt.error) {
                    all_[i].count += attempt.count;
                    return;
                }
        all_.push_back({attempt.error, attempt.count, fresh ? none : std::exchange(at->second, all_.size())});
    }

    ByNeed<std::size_t> first_;
    std::vector<Outcome> all_;
};

// What failed thus in the control run, where it was allowed to write, changes nothing anywhere. Only errors
// that do not depend on the file system (the control run's can be an overlay) nor on the moment.
bool fails_everywhere(std::string_view operation, int error) {
    if (error == EACCES) return true;
    if (operation == "unlink" || operation == "rmdir" || operation == "rename")
        return error == ENOENT || error == ENOTEMPTY || error == ENOTDIR;
    if (operation == "chmod" || operation == "chown" || operation == "utime") return error == EPERM;
    return operation == "removexattr" && error == ENODATA;
}

int weight(AttemptClass cls) {
    return cls == AttemptClass::write ? 0 : cls == AttemptClass::access_check ? 1 : 2;
}

// The eight bytes at `at`, so that numbers compare as the texts do.
std::uint64_t eight_bytes(std::string_view text, std::size_t at) {
    std::uint64_t number = 0;
    for (std::size_t i = at; i < at + 8; ++i)
        number = number << 8U | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
    return number;
}

std::size_t common_beginning(const std::vector<const Attempt*>& attempts) {
    if (attempts.empty()) return 0;
    std::string_view common = attempts.front()->path;
    for (const Attempt* each : attempts) {
        const auto differs =
            std::mismatch(common.begin(), common.end(), each->path.begin(), each->path.end());
        common = common.substr(0, static_cast<std::size_t>(differs.first - common.begin()));
    }
    return common.size();
}

// The telling ones first. Of very many, looking at two paths is two misses of every cache; the bytes in which
// paths begin to differ lie beside the pointers and decide most comparisons.
void sort_by_weight(std::vector<const Attempt*>& attempts) {
    struct Ranked {
        int weight;
        std::uint64_t count, beginning;
        const Attempt* attempt;  // they are in one vector: its order decides last
    };
    const std::size_t common = common_beginning(attempts);
    std::vector<Ranked> ranked;
    ranked.reserve(attempts.size());
    for (const Attempt* each : attempts)
        ranked.push_back({weight(each->cls), each->count, eight_bytes(each->path, common), each});
    std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
        if (a.weight != b.weight) return a.weight < b.weight;
        if (a.count != b.count) return a.count > b.count;
        if (a.beginning != b.beginning) return a.beginning < b.beginning;
        return std::tie(a.attempt->path, a.attempt->operation, a.attempt) <
               std::tie(b.attempt->path, b.attempt->operation, b.attempt);
    });
    std::transform(ranked.begin(), ranked.end(), attempts.begin(),
                   [](const Ranked& each) { return each.attempt; });
}

}  // namespace

void compare_with_control(RunRecord& run, const RunRecord& control) {
    const Outcomes there(control);
    for (Attempt& attempt : run.attempts) {
        const Outcomes::Outcome* const first = there.find(attempt);
        if (first == nullptr) {
            attempt.control = "absent";
            continue;
        }
        // If any of them succeeded, the application could do it; otherwise how it failed (one of the ways).
        int best = first->error;
        bool everywhere = true;
        std::uint64_t alike = 0;
        for (const auto* each = first; each != nullptr; each = there.next(each)) {
            best = std::min(best, each->error);
            everywhere = everywhere && fails_everywhere(attempt.operation, each->error);
            if (each->error == attempt.error) alike = each->count;
        }
        attempt.control = errno_name(best);
        if (attempt.error == EROFS && attempt.cls == AttemptClass::write && best != 0 && everywhere)
            attempt.cls = AttemptClass::no_op;
        // It failed in the same way, as often, where it could have written (O_EXCL of what is there, between
        // two opens that succeed): read-only did not cause it.
        if (attempt.error != 0 && attempt.error != EROFS && alike > 0 && alike >= attempt.count)
            attempt.control = errno_name(attempt.error);
    }
}

bool failed_by_read_only(const Attempt& attempt) {
    return attempt.error == EROFS || (attempt.error != 0 && attempt.control == "ok");
}

bool is_write_made(const Attempt& attempt) {
    return attempt.error == 0 && attempt.cls == AttemptClass::write;
}

std::vector<Attempt> failed_attempts(const RunRecord& run, const std::string& target) {
    std::vector<const Attempt*> found;
    for (const Attempt& attempt : run.attempts)
        if (attempt.mount == target && failed_by_read_only(attempt)) found.push_back(&attempt);
    sort_by_weight(found);
    std::vector<Attempt> sorted;
    sorted.reserve(found.size());
    for (const Attempt* each : found) sorted.push_back(*each);
    return sorted;
}

std::uint64_t writes_made(const RunRecord& run, const std::string& target) {
    std::uint64_t sum = 0;
    for (const Attempt& attempt : run.attempts)
        if (attempt.mount == target && is_write_made(attempt)) sum += attempt.count;
    return sum;
}

std::uint64_t writes_left_out(const RunRecord& run, const RunRecord& control, const std::string& target) {
    ByNeed<std::uint64_t> made;
    for (const Attempt& attempt : control.attempts)
        if (attempt.mount == target && is_write_made(attempt)) made[&attempt] += attempt.count;
    if (made.empty()) return 0;
    for (const Attempt& attempt : run.attempts) made.erase(&attempt);
    std::uint64_t sum = 0;
    for (const auto& [attempt, count] : made) sum += count;
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
