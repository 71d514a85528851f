#include "verdict/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cerrno>
#include <functional>
#include <limits>
#include <optional>
#include <rogate/names.hpp>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "verdict/no_op.hpp"

namespace rogate::verdict {

namespace {

// A file that exists already is opened for writing by the same call that would have created it: the two are
// one need.
std::string_view comparable_operation(const Attempt& attempt) {
    return attempt.operation == "create" ? "open-write" : std::string_view(attempt.operation);
}

std::size_t hash_of_need(const Attempt& attempt) {
    std::size_t hash = std::hash<std::string_view>()(attempt.path);
    boost::hash_combine(hash, std::hash<std::string_view>()(comparable_operation(attempt)));
    return hash;
}
bool is_same_need(const Attempt& a, const Attempt& b) {
    return a.path == b.path && comparable_operation(a) == comparable_operation(b);
}

// Sets of a run's attempts by operation and path, which tell them apart. A run can have hundreds of
// thousands: what is kept of each is its place, and the attempts stay where they are.
struct HashNeed {
    using is_transparent = void;
    const Attempts& of;
    std::size_t operator()(const Attempt& attempt) const { return hash_of_need(attempt); }
    std::size_t operator()(std::uint32_t place) const { return hash_of_need(of[place]); }
};
struct SameNeed {
    using is_transparent = void;
    const Attempts& of;
    bool operator()(const Attempt& a, std::uint32_t b) const { return is_same_need(a, of[b]); }
    bool operator()(std::uint32_t a, const Attempt& b) const { return is_same_need(of[a], b); }
    bool operator()(std::uint32_t a, std::uint32_t b) const { return is_same_need(of[a], of[b]); }
};
class Needs {
  public:
    explicit Needs(const Attempts& of) : places_(0, HashNeed{of}, SameNeed{of}) {
        places_.reserve(of.size());
    }

    // The first of the same; `place` itself if it is the first.
    std::uint32_t insert(std::uint32_t place) { return *places_.insert(place).first; }
    std::optional<std::uint32_t> find(const Attempt& attempt) const {
        const auto found = places_.find(attempt);
        return found == places_.end() ? std::nullopt : std::optional(*found);
    }

  private:
    boost::unordered_flat_set<std::uint32_t, HashNeed, SameNeed> places_;
};

// The places of those for which it is true.
template <class Predicate>
std::vector<std::uint32_t> places_of(const Attempts& attempts, const Predicate& predicate) {
    std::vector<std::uint32_t> places;
    places.reserve(static_cast<std::size_t>(std::count_if(attempts.begin(), attempts.end(), predicate)));
    for (std::uint32_t i = 0; i < attempts.size(); ++i)
        if (predicate(attempts[i])) places.push_back(i);
    return places;
}

// How often each outcome came of an operation on a path, in one run.
class Outcomes {
  public:
    // At the place of the attempt that was the first with it.
    struct Outcome {
        std::uint64_t count = 0;
        std::uint32_t next = none;  // the place of another outcome of the same
    };

    explicit Outcomes(const Attempts& attempts)
        : attempts_(attempts), needs_(attempts), all_(attempts.size()) {
        for (std::uint32_t place = 0; place < attempts.size(); ++place) add(place);
    }

    // The place of the first outcome; nullopt: no such attempt was made.
    std::optional<std::uint32_t> find(const Attempt& attempt) const { return needs_.find(attempt); }
    const Attempt& attempt(std::uint32_t place) const { return attempts_[place]; }
    std::uint64_t count(std::uint32_t place) const { return all_[place].count; }
    std::optional<std::uint32_t> next(std::uint32_t place) const {
        return all_[place].next == none ? std::nullopt : std::optional(all_[place].next);
    }

  private:
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    void add(std::uint32_t place) {
        const std::uint32_t first = needs_.insert(place);
        for (std::uint32_t i = first; i != none && first != place; i = all_[i].next)
            if (attempts_[i].error == attempts_[place].error) {
                all_[i].count += attempts_[place].count;
                return;
            }
        all_[place].count = attempts_[place].count;
        if (first != place) all_[place].next = std::exchange(all_[first].next, place);
    }

    const Attempts& attempts_;
    Needs needs_;
    std::vector<Outcome> all_;  // by place
};

std::uint32_t weight(AttemptClass cls) {
    return cls == AttemptClass::write ? 0U : cls == AttemptClass::access_check ? 1U : 2U;
}

// The eight bytes at `at`, so that numbers compare as the texts do.
std::uint64_t eight_bytes(std::string_view text, std::size_t at) {
    std::uint64_t number = 0;
    for (std::size_t i = at; i < at + 8; ++i)
        number = number << 8U | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
    return number;
}

std::size_t common_beginning(const Attempts& attempts, const std::vector<std::uint32_t>& places) {
    if (places.empty()) return 0;
    std::string_view common = attempts[places.front()].path;
    for (const std::uint32_t place : places) {
        const std::string_view path = attempts[place].path;
        const auto differs = std::mismatch(common.begin(), common.end(), path.begin(), path.end());
        common = common.substr(0, static_cast<std::size_t>(differs.first - common.begin()));
    }
    return common.size();
}

// The telling ones first. Of very many, looking at two paths is two misses of every cache; the bytes in which
// paths begin to differ lie beside the places and decide most comparisons.
void sort_by_weight(const Attempts& attempts, std::vector<std::uint32_t>& places) {
    struct Ranked {
        std::uint64_t count, beginning;
        std::uint32_t weight, place;
    };
    const std::size_t common = common_beginning(attempts, places);
    std::vector<Ranked> ranked;
    ranked.reserve(places.size());
    for (const std::uint32_t place : places) {
        const Attempt& each = attempts[place];
        ranked.push_back({each.count, eight_bytes(each.path, common), weight(each.cls), place});
    }
    std::sort(ranked.begin(), ranked.end(), [&](const Ranked& a, const Ranked& b) {
        if (a.weight != b.weight) return a.weight < b.weight;
        if (a.count != b.count) return a.count > b.count;
        if (a.beginning != b.beginning) return a.beginning < b.beginning;
        const Attempt &first = attempts[a.place], &second = attempts[b.place];
        return std::tie(first.path, first.operation, a.place) <
               std::tie(second.path, second.operation, b.place);
    });
    std::transform(ranked.begin(), ranked.end(), places.begin(),
                   [](const Ranked& each) { return each.place; });
}

}  // namespace

void compare_with_control(RunRecord& run, const RunRecord& control) {
    const Outcomes there(control.attempts);
    for (Attempt& attempt : run.attempts.edit()) {
        const auto first = there.find(attempt);
        if (!first) {
            attempt.control = "absent";
            continue;
        }
        attempt.path = there.attempt(*first).path;  // one text for both
        // If any of them succeeded, the application could do it; otherwise how it failed (one of the ways).
        int best = there.attempt(*first).error;
        bool everywhere = true;
        std::uint64_t alike = 0;
        for (auto each = first; each; each = there.next(*each)) {
            const int error = there.attempt(*each).error;
            best = std::min(best, error);
            everywhere = everywhere && fails_everywhere(attempt.operation, error);
            if (error == attempt.error) alike = there.count(*each);
        }
        attempt.control = errno_name(best);
        if (attempt.error == EROFS && attempt.cls == AttemptClass::write && best != 0 && everywhere)
            attempt.cls = AttemptClass::no_op;
        // It failed in the same way, as often, where it could have written (O_EXCL of what is there, between
        // two opens that succeed): read-only did not cause it.
        if (attempt.error != 0 && attempt.error != EROFS && alike > 0 && alike >= attempt.count)
            attempt.control = errno_name(attempt.error);
    }
    distrust_removals(run);
    excuse_openings(run, control);
}

bool failed_by_read_only(const Attempt& attempt) {
    if (attempt.error == EROFS || attempt.error == 0) return attempt.error != 0;
    // A second start meets what the first one has left (EEXIST), where the control run's only one met
    // nothing.
    return attempt.control == "ok" && !std::string_view(attempt.phase).starts_with(again_prefix);
}

bool is_write_made(const Attempt& attempt) {
    return attempt.error == 0 && attempt.cls == AttemptClass::write;
}

bool in_use(const RunRecord& run, const std::string& target) {
    const auto opened = run.uses.find(target);
    return (opened != run.uses.end() && opened->second > 0) ||
           std::any_of(run.attempts.begin(), run.attempts.end(), [mount = Word(target)](const Attempt& each) {
               return each.mount == mount && each.cls != AttemptClass::access_check;
           });
}

Attempts failed_attempts(const RunRecord& run, const std::string& target) {
    std::vector<std::uint32_t> places = places_of(run.attempts, [mount = Word(target)](const Attempt& each) {
        return each.mount == mount && failed_by_read_only(each);
    });
    sort_by_weight(run.attempts, places);
    return run.attempts.picked(std::move(places));
}

// It opened a file for writing that stayed as it was.
static bool wrote_nothing(const RunRecord& run, const Attempt& attempt) {
    return attempt.operation == "open-write" && run.unwritten.contains(attempt.path.str());
}

Attempts write_attempts(const RunRecord& run, const std::string& target) {
    return run.attempts.picked(places_of(run.attempts, [&, mount = Word(target)](const Attempt& each) {
        return each.mount == mount && is_write_made(each) && !wrote_nothing(run, each);
    }));
}

std::uint64_t writes_made(const RunRecord& run, const std::string& target) {
    std::uint64_t sum = 0;
    for (const Attempt& attempt : run.attempts)
        if (attempt.mount == target && is_write_made(attempt) && !wrote_nothing(run, attempt))
            sum += attempt.count;
    return sum;
}

}  // namespace rogate::verdict
