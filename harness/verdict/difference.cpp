#include "verdict/difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cerrno>
#include <limits>
#include <rogate/place.hpp>
#include <set>
#include <string_view>

#include "base/text.hpp"
#include "verdict/compare.hpp"
#include "verdict/plan.hpp"
#include "verdict/same_name.hpp"

namespace rogate::verdict {

namespace {

// A file that exists already is opened for writing by the same call that would have created it.
std::string_view kind_of_write(const Attempt& attempt) {
    return attempt.operation == "create" ? "open-write" : std::string_view(attempt.operation);
}

// What is written there is kept by nobody.
bool is_kept_by_nobody(std::string_view place) {
    const std::string_view path = path_in(place);
    static constexpr std::array nodes = {"/dev/null",   "/dev/zero",   "/dev/full",    "/dev/tty",
                                         "/dev/ptmx",   "/dev/random", "/dev/urandom", "/dev/stdout",
                                         "/dev/stderr", "/dev/console"};
    if (std::find(nodes.begin(), nodes.end(), path) != nodes.end()) return true;
    if (is_or_below(path, "/dev/pts") || is_or_below(path, "/dev/fd")) return true;
    return path.starts_with("/proc/") && path.find("/fd/") != std::string_view::npos;
}

// On the same mount, or on what was split off from it. What lies on none may be on any.
bool is_on(const std::string& mount, const std::string& wanted) {
    return wanted.empty() || is_or_below(mount, wanted);
}

// A restart that a run makes after the steps: there it ends as the control run does at its shutdown, and
// writes what that writes. Its own shutdown comes after a second start, and may have less to write.
bool ends_the_steps(std::string_view phase) {
    return phase == restart_phase || phase == crash_phase;
}

bool is_at_the_end(const Attempt& attempt) {
    return attempt.phase == "shutdown";
}

// Writes of one try, by kind and path. Those of a restart at the end stand only for what others write at
// theirs.
class Writes {
  public:
    template <class Counts>
    Writes(const Attempts& attempts, Counts counts) : attempts_(attempts) {
        for (std::uint32_t place = 0; place < attempts.size(); ++place) {
            const Attempt& each = attempts[place];
            // Of a second pass through the steps the control run has nothing.
            const std::string_view phase = each.phase;
            if (!counts(each) || (phase.starts_with(again_prefix) && !ends_the_steps(phase))) continue;
            const auto [at, fresh] = first_.try_emplace(Key{kind_of_write(each), each.path}, none);
            same_.push_back({place, at->second});
            at->second = static_cast<std::uint32_t>(same_.size() - 1);
        }
    }

    // Those of the same kind and path, and on the same mount or on what was split off from it.
    template <class Use>
    void each_like(const Attempt& attempt, Use use) const {
        const auto found = first_.find(Key{kind_of_write(attempt), attempt.path});
        if (found == first_.end()) return;
        for (std::uint32_t i = found->second; i != none; i = same_[i].next) {
            const Attempt& other = attempts_[same_[i].place];
            if (ends_the_steps(other.phase) && !is_at_the_end(attempt)) continue;
            if (is_on(other.mount, attempt.mount)) use(other);
        }
    }
    bool has(const Attempt& attempt) const {
        bool any = false;
        each_like(attempt, [&](const Attempt&) { any = true; });
        return any;
    }
    bool has_in_phase(const Attempt& attempt) const {
        bool any = false;
        each_like(attempt, [&](const Attempt& other) {
            any = any || other.phase == attempt.phase || ends_the_steps(other.phase);
        });
        return any;
    }
    std::uint64_t count(const Attempt& attempt) const {
        std::uint64_t sum = 0;
        each_like(attempt, [&](const Attempt& other) { sum += other.count; });
        return sum;
    }
    // In the control run, which has no restart at the end.
    bool has_name(const Attempt& attempt) const {
        return first_.contains(Key{kind_of_write(attempt), attempt.path});
    }
    // One attempt for each kind and path.
    template <class Use>
    void each_name(Use use) const {
        for (const auto& [key, last] : first_)
            for (std::uint32_t i = last; i != none; i = same_[i].next)
                if (const Attempt& each = attempts_[same_[i].place]; !ends_the_steps(each.phase)) {
                    use(each);
                    break;
                }
    }
    // Every attempt, in the order of the run.
    template <class Use>
    void for_each(Use use) const {
        for (const Same& same : same_)
            if (const Attempt& each = attempts_[same.place]; !ends_the_steps(each.phase)) use(each);
    }

  private:
    struct Key {
        std::string_view kind, path;
        bool operator==(const Key&) const = default;
        friend std::size_t hash_value(const Key& key) {
            std::size_t hash = std::hash<std::string_view>()(key.path);
            boost::hash_combine(hash, std::hash<std::string_view>()(key.kind));
            return hash;
        }
    };
    struct Same {
        std::uint32_t place, next;
    };
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    Attempts attempts_;
    boost::unordered_flat_map<Key, std::uint32_t, boost::hash<Key>> first_;
    std::vector<Same> same_;
};

using Names = boost::unordered_flat_set<std::string>;

std::string pattern_of(const Attempt& attempt) {
    const std::string_view container = container_of(attempt.path);  // its name does not vary
    return fmt::format("{} {}", kind_of_write(attempt),
                       place_in(container, name_pattern(path_in(attempt.path))));
}

// More directories than these above a name are not looked at.
constexpr std::size_t deepest_place = 16;

// The places where one component of the path may vary: the pattern with each of the last components left
// open.
std::vector<std::string> places_of(const Attempt& attempt) {
    const std::string whole = pattern_of(attempt);
    std::vector<std::string> places;
    std::size_t end = whole.size();
    while (places.size() < deepest_place) {
        const std::size_t slash = whole.rfind('/', end - 1);
        if (slash == std::string::npos) break;
        // No pattern has a NUL.
        places.push_back(whole.substr(0, slash + 1) + '\0' + whole.substr(end));
        if (slash == 0 || whole[slash - 1] == ' ') break;
        end = slash;
    }
    return places;
}

// Names that one try has and others do not: their patterns, and the places where they vary.
struct Varying {
    Names patterns, places;

    void add(const Attempt& attempt) {
        patterns.insert(pattern_of(attempt));
        for (std::string& place : places_of(attempt)) places.insert(std::move(place));
    }
};

class Comparison {
  public:
    Comparison(const std::vector<const Try*>& controls, const std::vector<const Try*>& tries,
               const std::vector<std::string>& read_only)
        : read_only_(read_only) {
        const auto made = [](const Attempt& each) {
            return is_write_made(each) && !is_kept_by_nobody(each.path);
        };
        for (const Try* each : controls) controls_.emplace_back(each->attempts, made);
        for (const Try* each : tries) {
            runs_.emplace_back(each->attempts, [&](const Attempt& attempt) {
                return attempt.cls != AttemptClass::access_check &&
                       (attempt.error == 0 || is_read_only(attempt.mount));
            });
            note_refusals(each->attempts);
        }
    }

    void add_to(Difference& found) {
        find_left_out(found);
        find_by_place(found);
        find_instead(found);
    }

  private:
    bool is_read_only(const std::string& mount) const {
        return std::find(read_only_.begin(), read_only_.end(), mount) != read_only_.end();
    }
    bool made_by_all_controls(const Attempt& attempt) const {
        return std::all_of(controls_.begin(), controls_.end(),
                           [&](const Writes& control) { return control.has(attempt); });
    }
    // Wherever that was.
    bool made_by_any_control(const Attempt& attempt) const {
        return std::any_of(controls_.begin(), controls_.end(),
                           [&](const Writes& control) { return control.has_name(attempt); });
    }
    // A mount that is written to now and then is written to, even if the runs came upon no such moment.
    bool is_missing_on_untouched(const Attempt& attempt) const {
        return is_read_only(attempt.mount) && !touched_.contains(attempt.mount) && made_by_no_run(attempt);
    }
    bool made_by_no_run(const Attempt& attempt) const {
        return std::none_of(runs_.begin(), runs_.end(), [&](const Writes& run) { return run.has(attempt); });
    }
    // In every control run (or in any, where it is on a mount that the runs had read-only and made no write
    // on), and in none of the runs; or in a phase in which none of the runs has it, though it is rarer in
    // all: what only came a little earlier or later is not missing.
    bool is_missing(const Attempt& attempt) const {
        if (is_missing_on_untouched(attempt)) return true;
        if (!made_by_all_controls(attempt)) return false;
        if (made_by_no_run(attempt)) return true;
        const auto in_phase = [&](const Writes& run) { return run.has_in_phase(attempt); };
        if (!std::all_of(controls_.begin(), controls_.end(), in_phase) ||
            std::any_of(runs_.begin(), runs_.end(), in_phase))
            return false;
        std::uint64_t fewest = std::numeric_limits<std::uint64_t>::max(), most = 0;
        for (const Writes& control : controls_) fewest = std::min(fewest, control.count(attempt));
        for (const Writes& run : runs_) most = std::max(most, run.count(attempt));
        return most < fewest;
    }
    void note_refusals(const Attempts& attempts);
    bool follows_from_refusal(const Attempt& attempt) const;
    void find_left_out(Difference& found);
    void find_by_place(Difference& found);
    void find_instead(Difference& found);
    void add(Difference& found, const Attempt& attempt);

    const std::vector<std::string>& read_only_;
    std::vector<Writes> controls_, runs_;
    boost::unordered_flat_set<std::string_view> refused_;  // paths on read-only mounts
    std::set<Word> touched_;  // read-only mounts on which writes were refused, and would have been writes
};

void Comparison::note_refusals(const Attempts& attempts) {
    for (const Attempt& each : attempts)
        if (each.cls == AttemptClass::write && failed_by_read_only(each) && is_read_only(each.mount)) {
            refused_.insert(each.path);
            touched_.insert(each.mount);
        }
}

bool Comparison::follows_from_refusal(const Attempt& attempt) const {
    if (!is_read_only(attempt.mount)) return false;
    for (std::string_view path = attempt.path; path.size() > 1;) {
        if (refused_.contains(path)) return true;
        const std::size_t slash = path.rfind('/');
        if (slash == std::string_view::npos) break;
        path = path.substr(0, slash);
    }
    return false;
}

void Comparison::add(Difference& found, const Attempt& attempt) {
    const auto same = [&](const Attempt& each) {
        return each.path == attempt.path && kind_of_write(each) == kind_of_write(attempt);
    };
    if (std::none_of(found.left_out.begin(), found.left_out.end(), same))
        found.left_out.edit().push_back(attempt);
}

void Comparison::find_left_out(Difference& found) {
    std::vector<const Attempt*> missing;
    for (const Writes& control : controls_)
        control.for_each([&](const Attempt& each) {
            if (&control == &controls_.front() ? is_missing(each) : is_missing_on_untouched(each))
                missing.push_back(&each);
        });
    if (missing.empty()) return;
    // The other path of a rename, which is the same call.
    const auto is_one_call = [&](const Attempt& attempt) {
        return attempt.operation == "rename" &&
               std::any_of(missing.begin(), missing.end(), [&](const Attempt* other) {
                   return other->operation == "rename" && other->first_s == attempt.first_s &&
                          other->process == attempt.process && follows_from_refusal(*other);
               });
    };
    // What runs made under names that no control run has: patterns, with the mounts.
    boost::unordered_flat_map<std::string, std::set<Word>> new_names;
    for (const Writes& run : runs_)
        run.each_name([&](const Attempt& each) {
            if (!made_by_any_control(each)) new_names[pattern_of(each)].insert(each.mount);
        });
    const auto has_other_name = [&](const Attempt& attempt) {
        const auto names = new_names.find(pattern_of(attempt));
        return names != new_names.end() &&
               std::any_of(names->second.begin(), names->second.end(),
                           [&](const Word& mount) { return is_on(mount, attempt.mount); });
    };
    for (const Attempt* each : missing)
        if (!follows_from_refusal(*each) && !is_one_call(*each) && !has_other_name(*each)) add(found, *each);
}

// Names that differ between the control runs. Each has some of the same pattern, or at the same place, and
// none of the runs does.
void Comparison::find_by_place(Difference& found) {
    if (controls_.size() < 2) return;
    std::vector<Varying> of_controls, of_runs;
    for (const Writes& control : controls_) {
        of_controls.emplace_back();
        control.each_name([&](const Attempt& each) {
            if (!made_by_all_controls(each)) of_controls.back().add(each);
        });
    }
    for (const Writes& run : runs_) {
        of_runs.emplace_back();
        run.each_name([&](const Attempt& each) {
            if (!made_by_all_controls(each)) of_runs.back().add(each);
        });
    }
    const auto in_all_controls = [&](const std::string& key, Names Varying::*names) {
        return std::all_of(of_controls.begin(), of_controls.end(),
                           [&](const Varying& each) { return (each.*names).contains(key); });
    };
    const auto in_any_run = [&](const std::string& key, Names Varying::*names) {
        return std::any_of(of_runs.begin(), of_runs.end(),
                           [&](const Varying& each) { return (each.*names).contains(key); });
    };
    Names told;
    controls_.front().for_each([&](const Attempt& each) {
        if (made_by_all_controls(each) || follows_from_refusal(each)) return;
        const std::string pattern = pattern_of(each);
        if (in_any_run(pattern, &Varying::patterns)) return;
        const std::vector<std::string> places = places_of(each);
        if (std::any_of(places.begin(), places.end(),
                        [&](const std::string& place) { return in_any_run(place, &Varying::places); }))
            return;
        const auto varies = std::find_if(places.begin(), places.end(), [&](const std::string& place) {
            return in_all_controls(place, &Varying::places);
        });
        const bool by_pattern = in_all_controls(pattern, &Varying::patterns);
        if (!by_pattern && varies == places.end()) return;
        if (told.insert(by_pattern ? pattern : *varies).second) add(found, each);
    });
}

void Comparison::find_instead(Difference& found) {
    if (found.empty()) return;
    Names of_controls;
    for (const Writes& control : controls_)
        control.each_name([&](const Attempt& each) { of_controls.insert(pattern_of(each)); });
    std::vector<Names> of_runs;
    for (const Writes& run : runs_) {
        of_runs.emplace_back();
        run.each_name([&](const Attempt& each) { of_runs.back().insert(pattern_of(each)); });
    }
    Names told;
    runs_.front().for_each([&](const Attempt& each) {
        if (!is_write_made(each) || is_kept_by_nobody(each.path)) return;
        std::string pattern = pattern_of(each);
        if (of_controls.contains(pattern)) return;
        if (!std::all_of(of_runs.begin(), of_runs.end(),
                         [&](const Names& names) { return names.contains(pattern); }))
            return;
        if (told.insert(std::move(pattern)).second) found.instead.edit().push_back(each);
    });
}

std::vector<const Try*> in_state(const std::vector<Try>& tries, DataState state) {
    std::vector<const Try*> found;
    for (const Try& each : tries)
        if (each.state == state) found.push_back(&each);
    return found;
}

// Attempts on it show it too, unless they only ask.
bool uses(const Try& one, const std::string& target) {
    const auto found = one.uses.find(target);
    if (found != one.uses.end() && found->second > 0) return true;
    return std::any_of(one.attempts.begin(), one.attempts.end(), [mount = Word(target)](const Attempt& each) {
        return each.mount == mount && each.cls != AttemptClass::access_check;
    });
}

void find_unused(const std::vector<const Try*>& controls, const std::vector<const Try*>& tries,
                 Difference& found) {
    for (const auto& [target, count] : controls.front()->uses) {
        if (count == 0 || std::find(found.unused.begin(), found.unused.end(), target) != found.unused.end())
            continue;
        const auto opens = [&, name = target](const Try* each) {
            const auto here = each->uses.find(name);
            return here != each->uses.end() && here->second > 0;
        };
        if (std::all_of(controls.begin(), controls.end(), opens) &&
            std::none_of(tries.begin(), tries.end(),
                         [&, name = target](const Try* each) { return uses(*each, name); }))
            found.unused.push_back(target);
    }
}

bool same_write(const Attempt& a, const Attempt& b) {
    return a.path == b.path && kind_of_write(a) == kind_of_write(b);
}

}  // namespace

std::vector<Try> tries_of(const RunRecord& run) {
    if (!run.tries.empty()) return run.tries;
    return {{.run = run.plan.id, .state = run.plan.state, .attempts = run.attempts, .uses = run.uses}};
}

int times_tried(const RunRecord& run) {
    std::ptrdiff_t of_first_state = 1;
    if (!run.tries.empty())
        of_first_state = std::count_if(run.tries.begin(), run.tries.end(), [&](const Try& each) {
            return each.state == run.tries.front().state;
        });
    // One that cannot be relied on is among the repeated ones, but not among the tries.
    return static_cast<int>(std::max(of_first_state, std::ssize(run.repeated_by) + 1));
}

Difference difference(const RunRecord& control, const RunRecord& run) {
    Difference found;
    if (!observed(control) || !observed(run)) return found;
    const std::vector<Try> controls = tries_of(control), tries = tries_of(run);
    std::set<DataState> states;
    for (const Try& each : tries) states.insert(each.state);
    const bool counted = counts_every_open(control) && counts_every_open(run);
    for (const DataState state : states) {
        const auto there = in_state(controls, state), here = in_state(tries, state);
        if (there.empty()) continue;
        if (counted) find_unused(there, here, found);
        Comparison(there, here, run.plan.read_only).add_to(found);
    }
    return found;
}

Difference without(const Difference& difference, const Difference& other) {
    Difference rest = difference;
    rest.left_out = {};
    for (const Attempt& each : difference.left_out)
        if (std::none_of(other.left_out.begin(), other.left_out.end(),
                         [&](const Attempt& known) { return same_write(each, known); }))
            rest.left_out.edit().push_back(each);
    std::erase_if(rest.unused, [&](const std::string& target) {
        return std::find(other.unused.begin(), other.unused.end(), target) != other.unused.end();
    });
    return rest;
}

Attempts each_once(const Attempts& attempts) {
    std::set<std::array<std::string_view, 3>> known;
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < attempts.size(); ++i) {
        const Attempt& each = attempts[i];
        if (known.insert({each.operation, each.path, each.process.comm}).second) places.push_back(i);
    }
    return attempts.picked(std::move(places));
}

std::string named(const Attempts& all) {
    const Attempts attempts = each_once(all);
    constexpr std::size_t most = 3;
    std::string text;
    const std::size_t shown = std::min(most, attempts.size());
    for (std::size_t i = 0; i < shown; ++i) {
        const Attempt& each = attempts[i];
        text += fmt::format("{}{} {}",
                            i == 0                     ? ""
                            : i + 1 == attempts.size() ? " and "
                                                       : ", ",
                            each.operation.str(), each.path.view());
        if (!each.process.comm.empty()) text += fmt::format(" by {}", each.process.comm.str());
    }
    if (attempts.size() > shown) text += fmt::format(" and {} more", attempts.size() - shown);
    return text;
}

}  // namespace rogate::verdict
