#include "verdict/settle.hpp"

#include <algorithm>
#include <map>
#include <rogate/place.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "verdict/compare.hpp"

namespace rogate::verdict {

namespace {

using Targets = std::vector<std::string>;

bool contains(const Targets& targets, const std::string& target) {
    return std::find(targets.begin(), targets.end(), target) != targets.end();
}

// Mounts read-only as a whole, nothing kept writable below them.
bool is_plain_probe(const RunRecord& run) {
    return run.plan.kind == RunKind::probe && run.plan.writable.empty();
}

bool is_step(const PhaseRecord& phase) {
    return phase.name.starts_with("step ");
}

struct Suspects {
    Targets targets;  // in the order of their last failure
    bool sure;        // it is one of them
};

// Of a system: what was refused to each of the containers that fell in the run. Whoever waits for another one
// that fell may have fallen for that alone; and who ran while another one was made anew, for having lost it.
std::vector<Suspects> suspects_by_container(const RunRecord& run) {
    std::map<std::string_view, Suspects> by_container;
    const bool any_anew =
        std::ranges::any_of(run.containers, [](const auto& each) { return each.second.made_anew; });
    const Targets all = suspects(run);
    for (const std::string& target : all) {
        const auto found = run.containers.find(std::string(container_of(target)));
        if (found == run.containers.end()) continue;
        const ContainerRecord& record = found->second;
        if (record.trouble.empty() || (record.behind_another && !any_anew)) continue;
        if (record.fell_at_step) continue;  // what it was asked for can be another one's to give
        Suspects& list = by_container[container_of(target)];
        list.targets.push_back(target);
        list.sure = !record.behind_another;
    }
    std::vector<Suspects> lists;
    for (auto& [container, list] : by_container) lists.push_back(std::move(list));
    return lists;
}

// Of a system of which everything runs, that which fell and was made anew as well: a step that fails, fails
// for what was refused until then to those that had not fallen. Where that is one mount alone, it is that
// one.
Targets suspects_by_step(const RunRecord& run) {
    std::set<std::string_view> fallen;
    for (const auto& [name, record] : run.containers) {
        if (record.trouble.empty() || record.fell_at_step) continue;
        if (!record.made_anew) return {};
        fallen.insert(name);
    }
    Targets found;
    std::set<std::string_view> phases;
    for (const PhaseRecord& phase : run.phases) {
        phases.insert(phase.name);
        if (phase.passed || !is_step(phase)) continue;
        std::set<std::string> refused;
        for (const Attempt& attempt : run.attempts)
            if (failed_by_read_only(attempt) && phases.contains(attempt.phase.str()) &&
                !fallen.contains(container_of(attempt.mount.str())) &&
                contains(run.plan.read_only, attempt.mount.str()))
                refused.insert(attempt.mount.str());
        if (refused.size() == 1 && !contains(found, *refused.begin())) found.push_back(*refused.begin());
    }
    return found;
}

// Each of them with nothing beside it to blame for something that failed.
std::vector<Suspects> suspects_of_system(const RunRecord& run) {
    std::vector<Suspects> lists = suspects_by_container(run);
    // Who ran while another one was made anew may have lost it, and a step fails for that.
    const bool sure =
        std::ranges::none_of(run.containers, [](const auto& each) { return each.second.behind_another; });
    for (const std::string& target : suspects_by_step(run)) lists.push_back({{target}, sure});
    return lists;
}

// Only if the run's account is whole: what was not seen could have failed anywhere.
bool blames_only(const RunRecord& run, const std::string& target) {
    if (run.passed || !distrust(run).empty()) return false;
    if (suspects(run) == Targets{target}) return true;
    return std::ranges::any_of(suspects_of_system(run), [&](const Suspects& list) {
        return list.sure && list.targets == Targets{target};
    });
}

// Mounts whose canary went wrong; the others of the same run are none the worse for it.
Targets without_canary(const RunRecord& run) {
    Targets found;
    if (!observed(run) || !run.observer_problem.empty() || run.lost_events > 0) return found;
    for (const std::string& target : run.plan.read_only) {
        const auto canary = run.canary.find(target);
        if (canary != run.canary.end() && canary->second != Canary::seen) found.push_back(target);
    }
    return found;
}

class Settler {
  public:
    Settler(const Targets& candidates, const std::vector<RunRecord>& runs)
        : candidates_(candidates), runs_(runs) {
        for (const Attempt& attempt : runs.front().attempts)
            if (is_write_made(attempt)) writers_.insert(attempt.mount);
    }

    std::optional<Targets> next();

  private:
    void settle(Targets group);
    void take_passed(const RunRecord& run, Targets& group);
    void take_failed(const RunRecord& run, Targets& group);
    bool take_fallen(const RunRecord& run, Targets& group);
    void try_each_last(const std::vector<Targets>& several, Targets& group);
    void try_later_ones();
    void take_in_later(Targets& group);
    void blame(const std::string& target);
    void halve(const Targets& group);
    void alone(const std::string& target);
    void doubt_blame();
    bool settles_nothing(const Targets& group) const;
    bool any_writer(const Targets& group) const;
    const RunRecord* run_with(const Targets& group);
    Targets open_ones(const Targets& group) const;
    Targets in_order(const Targets& group) const;

    const Targets& candidates_;
    const std::vector<RunRecord>& runs_;
    std::set<std::string_view> writers_;  // in the control run
    std::optional<Targets> wanted_;       // a run that has to come first
    std::set<std::string> settled_;
    Targets passed_;            // of those settled, read-only in a run that passed and can be relied on
    Targets blamed_;            // settled by a run that failed with others read-only too
    bool unconfirmed_ = false;  // no run without the one that was blamed last has ended yet
    Targets later_;             // something failed on them, and the application went on
};

Targets Settler::open_ones(const Targets& group) const {
    Targets open;
    for (const std::string& target : group)
        if (!settled_.contains(target)) open.push_back(target);
    return open;
}

// Equal sets make equal lists.
Targets Settler::in_order(const Targets& group) const {
    Targets ordered;
    for (const std::string& target : candidates_)
        if (contains(group, target)) ordered.push_back(target);
    return ordered;
}

// Null: there is none yet, and it is asked for.
const RunRecord* Settler::run_with(const Targets& group) {
    for (const RunRecord& run : runs_)
        if (is_plain_probe(run) && run.plan.read_only == group) return &run;
    wanted_ = group;
    return nullptr;
}

void Settler::alone(const std::string& target) {
    const RunRecord* run = run_with({target});
    if (run == nullptr) return;
    settled_.insert(target);
    if (relied_on(*run)) passed_.push_back(target);
}

// Whoever was blamed by what failed on it is not the only one that can make the scenario fail, perhaps not
// one at all.
void Settler::doubt_blame() {
    for (const std::string& target : std::exchange(blamed_, {})) {
        alone(target);
        if (wanted_) return;
    }
}

void Settler::halve(const Targets& group) {
    doubt_blame();
    const Targets open = open_ones(group);
    if (wanted_ || open.empty()) return;
    if (open.size() == 1) return alone(open.front());
    const auto middle = open.begin() + static_cast<std::ptrdiff_t>(open.size() / 2);
    settle(Targets(open.begin(), middle));
    if (!wanted_) settle(Targets(middle, open.end()));
}

// Leaves in `group` what has to be tried again.
void Settler::take_passed(const RunRecord& run, Targets& group) {
    const Targets doubtful = without_canary(run);
    if (!doubtful.empty() && doubtful.size() < group.size()) {
        settled_.insert(doubtful.begin(), doubtful.end());
        std::erase_if(group, [&](const std::string& target) { return contains(doubtful, target); });
        return;
    }
    if (distrust(run).empty())
        for (const std::string& target : open_ones(group)) passed_.push_back(target);
    // One that cannot be relied on is not made better by more runs.
    settled_.insert(group.begin(), group.end());
    group.clear();
}

void Settler::take_failed(const RunRecord& run, Targets& group) {
    Targets open = open_ones(suspects(run));
    if (group.size() == 1) {
        settled_.insert(group.front());
        if (open.empty()) doubt_blame();
        return group.clear();
    }
    if (open.empty()) {
        halve(group);
        return group.clear();
    }
    if (take_fallen(run, group)) return;
    const std::string last = open.back();
    if (blames_only(run, last)) {
        blame(last);
    } else {
        alone(last);
        if (wanted_) return;
        if (contains(passed_, last)) {  // so it was another one, or several together
            halve(group);
            return group.clear();
        }
        open.pop_back();
        later_.insert(later_.end(), open.begin(), open.end());
    }
    std::erase_if(group,
                  [&](const std::string& target) { return target == last || contains(later_, target); });
    take_in_later(group);
}

// When nothing is left that would fail for itself. Of a system they are tried without the others
// (try_later_ones): what makes one container fall keeps the others from what they would do.
void Settler::take_in_later(Targets& group) {
    const auto is_of_system = [](const std::string& target) { return !container_of(target).empty(); };
    if (any_writer(group) || std::ranges::any_of(later_, is_of_system)) return;
    group.insert(group.end(), later_.begin(), later_.end());
    later_.clear();
}

void Settler::blame(const std::string& target) {
    settled_.insert(target);
    blamed_.push_back(target);
    unconfirmed_ = true;
}

// Of a system several containers can fall in one run, each for its own sake: who was refused something on one
// mount alone fell for that. Of several, the last waits until the others are settled. False: that tells
// nothing.
bool Settler::take_fallen(const RunRecord& run, Targets& group) {
    if (!distrust(run).empty()) return false;
    std::vector<Targets> several, last_ones;
    bool any = false;
    for (const Suspects& list : suspects_of_system(run)) {
        Targets open = open_ones(list.targets);
        if (open.empty()) continue;
        if (list.sure && list.targets.size() == 1) {
            blame(open.front());
            any = true;
        } else {
            (list.sure && open.size() == 1 ? last_ones : several).push_back(std::move(open));
        }
    }
    if (!any && several.empty() && last_ones.empty()) return false;
    if (!any && several.empty()) {
        try_each_last(last_ones, group);
        return true;
    }
    several.insert(several.end(), last_ones.begin(), last_ones.end());
    for (const Targets& list : several) later_.push_back(list.back());
    std::erase_if(group, [&](const std::string& target) {
        return settled_.contains(target) || contains(later_, target);
    });
    take_in_later(group);
    return true;
}

// The one on which something failed last, of each container at once.
void Settler::try_each_last(const std::vector<Targets>& several, Targets& group) {
    Targets lasts;
    for (const Targets& list : several) lasts.push_back(list.back());
    const RunRecord* run = run_with(in_order(lasts));
    if (run == nullptr) return;
    for (const Targets& list : several) {
        if (blames_only(*run, list.back()))
            blame(list.back());
        else  // it was another one, or several together
            halve(list);
        if (wanted_) return;
        for (const std::string& target : open_ones(list)) later_.push_back(target);
    }
    std::erase_if(group, [&](const std::string& target) {
        return settled_.contains(target) || contains(later_, target);
    });
    take_in_later(group);
}

bool Settler::any_writer(const Targets& group) const {
    const Targets open = open_ones(group);
    return std::any_of(open.begin(), open.end(),
                       [&](const std::string& target) { return writes_made(runs_.front(), target) > 0; });
}

bool Settler::settles_nothing(const Targets& group) const {
    if (!open_ones(group).empty()) return false;
    return !unconfirmed_ || std::any_of(runs_.begin(), runs_.end(), [&](const RunRecord& run) {
        return is_plain_probe(run) && relied_on(run) &&
               std::all_of(group.begin(), group.end(),
                           [&](const std::string& target) { return contains(run.plan.read_only, target); });
    });
}

// Takes `group` apart until what is left of it passes.
void Settler::settle(Targets group) {
    while (!wanted_ && !group.empty() && !settles_nothing(group)) {
        group = in_order(group);
        const RunRecord* run = run_with(group);
        if (run == nullptr) return;
        unconfirmed_ = false;
        if (run->passed)
            take_passed(*run, group);
        else
            take_failed(*run, group);
    }
}

// Of a system: of each container the one that waits and was last refused something, without anything beside
// it. All that wait at once would show only which of them makes its container fall first. Who cannot be told
// apart so is tried alone.
void Settler::try_later_ones() {
    later_ = open_ones(later_);
    std::map<std::string_view, std::string> last_of;
    for (const std::string& target : later_) last_of[container_of(target)] = target;
    Targets lasts;
    for (const auto& [container, target] : last_of) lasts.push_back(target);
    lasts = in_order(lasts);
    if (lasts.empty()) return;
    const RunRecord* run = run_with(lasts);
    if (run == nullptr) return;
    if (run->passed) {
        Targets group = lasts;
        take_passed(*run, group);
    } else {
        for (const std::string& target : lasts)
            if (blames_only(*run, target)) blame(target);
    }
    if (open_ones(lasts).size() == lasts.size()) alone(lasts.back());
    later_ = open_ones(later_);
}

std::optional<Targets> Settler::next() {
    settle(candidates_);
    while (!wanted_ && !later_.empty()) {
        if (!container_of(later_.front()).empty()) {
            try_later_ones();
            continue;
        }
        Targets group = std::exchange(later_, {});
        group.insert(group.end(), passed_.begin(), passed_.end());
        settle(std::move(group));
    }
    return wanted_;
}

}  // namespace

std::vector<std::string> suspects(const RunRecord& run) {
    std::map<std::string_view, double> last;
    for (const Attempt& attempt : run.attempts) {
        if (!failed_by_read_only(attempt)) continue;
        const auto [at, fresh] = last.try_emplace(attempt.mount, attempt.first_s);
        if (!fresh) at->second = std::max(at->second, attempt.first_s);
    }
    Targets found;
    for (const std::string& target : run.plan.read_only)
        if (last.contains(target)) found.push_back(target);
    std::stable_sort(found.begin(), found.end(),
                     [&](const std::string& a, const std::string& b) { return last.at(a) < last.at(b); });
    return found;
}

std::optional<std::vector<std::string>> next_probe(const std::vector<std::string>& candidates,
                                                   const std::vector<RunRecord>& runs) {
    return Settler(candidates, runs).next();
}

namespace {

// The mount as a whole, whatever is kept writable below others.
bool has_whole(const RunRecord& run, const std::string& target) {
    return run.plan.kind != RunKind::control && contains(run.plan.read_only, target) &&
           std::none_of(run.plan.writable.begin(), run.plan.writable.end(),
                        [&](const WritablePath& path) { return path.mount == target; });
}

bool shows_refused_writes(const RunRecord& run, const std::string& target) {
    return std::any_of(run.attempts.begin(), run.attempts.end(), [mount = Word(target)](const Attempt& each) {
        return each.mount == mount && each.cls == AttemptClass::write && failed_by_read_only(each);
    });
}

}  // namespace

const RunRecord* settling_run(const std::string& target, const std::vector<RunRecord>& runs) {
    const RunRecord *alone = nullptr, *passed = nullptr, *telling = nullptr, *doubtful = nullptr,
                    *failed = nullptr;
    for (const RunRecord& run : runs) {
        if (!has_whole(run, target)) continue;
        const bool reliable = relied_on(run);
        if (reliable && telling == nullptr && shows_refused_writes(run, target)) telling = &run;
        if (!is_plain_probe(run)) continue;
        if (alone == nullptr && run.plan.read_only.size() == 1) alone = &run;
        if (reliable && (passed == nullptr || (!in_use(*passed, target) && in_use(run, target))))
            passed = &run;
        if (run.passed && doubtful == nullptr) doubtful = &run;
        if (failed == nullptr && blames_only(run, target)) failed = &run;
    }
    const bool alone_passed = alone != nullptr && relied_on(*alone);
    if (alone != nullptr && !alone_passed) return alone;
    // What an application does once another of its mounts is read-only is done to this one all the same.
    if (passed != nullptr && telling != nullptr) return telling;
    if (alone != nullptr) return alone;
    return passed != nullptr ? passed : doubtful != nullptr ? doubtful : failed;
}

}  // namespace rogate::verdict
