#include "verdict/blame.hpp"

#include <algorithm>

#include "verdict/compare.hpp"
#include "verdict/difference.hpp"
#include "verdict/grow.hpp"

namespace rogate::verdict {

namespace {

using Targets = std::vector<std::string>;

bool contains(const Targets& targets, const std::string& target) {
    return std::find(targets.begin(), targets.end(), target) != targets.end();
}

bool is_split(const RunRecord& run, const std::string& target) {
    return std::any_of(run.plan.writable.begin(), run.plan.writable.end(),
                       [&](const WritablePath& path) { return path.mount == target; });
}

bool was_refused_something(const RunRecord& run, const std::string& target) {
    return std::any_of(run.attempts.begin(), run.attempts.end(), [mount = Word(target)](const Attempt& each) {
        return each.mount == mount && failed_by_read_only(each);
    });
}

// Of `whole` what is in `part` too.
Difference common(const Difference& whole, const Difference& part) {
    return without(whole, without(whole, part));
}

void add(Difference& to, const Difference& more, const Targets& with) {
    const Difference fresh = without(more, to);
    if (to.left_out.empty())
        to.left_out = fresh.left_out;
    else
        for (const Attempt& each : fresh.left_out) to.left_out.edit().push_back(each);
    to.unused.insert(to.unused.end(), fresh.unused.begin(), fresh.unused.end());
    if (to.instead.empty()) to.instead = more.instead;
    for (const std::string& target : with)
        if (!contains(to.with, target)) to.with.push_back(target);
}

class Blamer {
  public:
    Blamer(const std::vector<RunRecord>& runs, const Targets& order, const std::set<std::string>& open)
        : runs_(runs), order_(order), open_(open) {
        for (const RunRecord& run : runs)
            if (run.plan.blames) ++blaming_runs_;
    }

    Blame go() {
        for (const RunRecord& run : runs_) {
            if (run.plan.kind == RunKind::control || !relied_on(run)) continue;
            look_at(run);
            if (found_.next) break;
        }
        return std::move(found_);
    }

  private:
    const RunRecord& control() const { return runs_.front(); }
    void look_at(const RunRecord& run);
    bool ask_again(const RunRecord& run);
    bool ask(Targets read_only);
    void put_on(const Targets& targets, const Difference& difference, const Targets& together);
    void blame_split(const RunRecord& run, const Difference& rest);
    void blame_plain(const RunRecord& run, const Difference& rest);
    void blame_alone(const RunRecord& run, const Targets& suspects, const Targets& cleared,
                     const Difference& rest);
    const RunRecord* plain_run(const Targets& read_only) const;
    bool clears(const Targets& open, const Difference& rest) const;
    std::optional<bool> leaves_nothing_out(const Targets& read_only, const Difference& rest) const;
    Targets cleared_in(const RunRecord& run, const Difference& rest) const;
    Targets open_in(const RunRecord& run) const;

    const std::vector<RunRecord>& runs_;
    const Targets& order_;
    const std::set<std::string>& open_;
    int blaming_runs_ = 0;
    std::vector<Difference> known_;  // they stayed
    Blame found_;
};

Targets Blamer::open_in(const RunRecord& run) const {
    Targets targets;
    for (const std::string& target : run.plan.read_only)
        if (open_.contains(target) || is_split(run, target)) targets.push_back(target);
    return targets;
}

// Not in turn, in case that something differs from one run to the next.
bool Blamer::ask_again(const RunRecord& run) {
    const RunRecord* again = nullptr;
    if (times_tried(run) < 2)
        again = &run;
    else if (times_tried(control()) < tries_of_a_difference)
        again = &control();
    else if (times_tried(run) < tries_of_a_difference)
        again = &run;
    if (again == nullptr) return false;
    found_.next = again->plan;
    found_.next->repeats = again->plan.id;
    return true;
}

// False: no more runs are made for it.
bool Blamer::ask(Targets read_only) {
    if (blaming_runs_ >= most_blaming_runs) return false;
    found_.next.emplace();
    found_.next->kind = RunKind::probe;
    found_.next->read_only = std::move(read_only);
    found_.next->blames = true;
    return true;
}

void Blamer::put_on(const Targets& targets, const Difference& difference, const Targets& together) {
    for (const std::string& target : targets) {
        Targets others = together;
        std::erase(others, target);
        add(found_.on[target], difference, others);
    }
}

void Blamer::look_at(const RunRecord& run) {
    Difference found = difference(control(), run);
    if (found.empty()) return;
    const Targets open = open_in(run);
    Difference rest = found;
    for (const std::string& target : run.plan.read_only)
        if (const auto on = found_.on.find(target); on != found_.on.end()) rest = without(rest, on->second);
    if (rest.empty() || open.empty()) return;
    // Without those whose verdict does not depend on it, perhaps nothing is left out; and if something is,
    // that run tells more.
    if (run.plan.writable.empty() && open.size() < run.plan.read_only.size()) {
        if (clears(open, rest)) return;
        const RunRecord* just_these = plain_run(open);
        // One that cannot be relied on tells nothing, and must not hide what this one tells.
        if (just_these == nullptr ? ask(open) : relied_on(*just_these)) return;
    }
    const bool stays = std::any_of(known_.begin(), known_.end(),
                                   [&](const Difference& each) { return without(found, each).empty(); });
    if (!stays && ask_again(run)) return;
    known_.push_back(std::move(found));
    if (run.plan.read_only.size() == 1) return put_on(run.plan.read_only, rest, {});
    if (!run.plan.writable.empty()) return blame_split(run, rest);
    blame_plain(run, rest);
}

// A run with nothing but these read-only that passed.
const RunRecord* Blamer::plain_run(const Targets& read_only) const {
    for (const RunRecord& run : runs_)
        if (run.plan.kind != RunKind::control && run.plan.writable.empty() && run.plan.read_only == read_only)
            return &run;
    return nullptr;
}

// Some run had all of them read-only, and beside them only what it had no use for; and nothing of it was left
// out.
bool Blamer::clears(const Targets& open, const Difference& rest) const {
    return std::ranges::any_of(runs_, [&](const RunRecord& run) {
        const Targets& set = run.plan.read_only;
        const auto is_open = [&](const std::string& target) { return contains(open, target); };
        if (run.plan.kind == RunKind::control || !run.plan.writable.empty() || !relied_on(run)) return false;
        if (std::ranges::count_if(set, is_open) != std::ssize(open)) return false;
        return std::ranges::all_of(
                   set, [&](const std::string& target) { return is_open(target) || !in_use(run, target); }) &&
               common(rest, difference(control(), run)).empty();
    });
}

std::optional<bool> Blamer::leaves_nothing_out(const Targets& read_only, const Difference& rest) const {
    if (read_only.empty()) return true;
    const RunRecord* run = plain_run(read_only);
    if (run == nullptr) return std::nullopt;
    return relied_on(*run) && common(rest, difference(control(), *run)).empty();
}

// The largest set among them with which nothing of it is left out.
Targets Blamer::cleared_in(const RunRecord& run, const Difference& rest) const {
    Targets largest;
    for (const RunRecord& other : runs_) {
        const Targets& set = other.plan.read_only;
        if (other.plan.kind == RunKind::control || !other.plan.writable.empty() ||
            set.size() <= largest.size() || set.size() >= run.plan.read_only.size() ||
            !std::all_of(set.begin(), set.end(),
                         [&](const std::string& target) { return contains(run.plan.read_only, target); }))
            continue;
        if (leaves_nothing_out(set, rest) == true) largest = set;
    }
    return largest;
}

// Parts of mounts are writable in it. Whatever leaves nothing out when it is read-only as a whole is not to
// blame, unless all of them are like that.
void Blamer::blame_split(const RunRecord& run, const Difference& rest) {
    Targets suspects;
    for (const std::string& target : open_in(run)) {
        const bool cleared = std::any_of(runs_.begin(), runs_.end(), [&](const RunRecord& other) {
            return other.plan.kind != RunKind::control && contains(other.plan.read_only, target) &&
                   !is_split(other, target) && relied_on(other) &&
                   common(rest, difference(control(), other)).empty();
        });
        if (!cleared) suspects.push_back(target);
    }
    if (suspects.empty()) suspects = open_in(run);
    put_on(suspects, rest, suspects);
}

void Blamer::blame_plain(const RunRecord& run, const Difference& rest) {
    const PassesTogether passes = [&](const Targets& targets) { return leaves_nothing_out(targets, rest); };
    Targets cleared = cleared_in(run, rest), likely, unlikely;
    for (const std::string& target : open_in(run)) {
        if (contains(cleared, target)) continue;
        (was_refused_something(run, target) ? likely : unlikely).push_back(target);
    }
    for (const Targets& part : {unlikely, likely}) {
        Grown grown = grow(cleared, part, order_, passes);
        if (grown.try_next && ask(std::move(*grown.try_next))) return;
        // Beyond the bound: what was not told apart counts against each.
        cleared = std::move(grown.passing);
    }
    Targets suspects;
    for (const std::string& target : open_in(run))
        if (!contains(cleared, target)) suspects.push_back(target);
    blame_alone(run, suspects, cleared, rest);
}

void Blamer::blame_alone(const RunRecord& run, const Targets& suspects, const Targets& cleared,
                         const Difference& rest) {
    Difference told;
    bool together = false;
    for (const std::string& target : suspects) {
        const RunRecord* alone = plain_run({target});
        if (alone == nullptr && ask({target})) return;
        const Difference left =
            alone == nullptr || !relied_on(*alone) ? rest : common(rest, difference(control(), *alone));
        together = together || left.empty();
        if (left.empty()) continue;
        put_on({target}, left, alone == nullptr ? suspects : Targets{});
        add(told, left, {});
    }
    const Difference untold = without(rest, told);
    if (untold.empty()) return;
    // No mount is to blame for it by itself: none that others are not read-only with. Where nothing is open
    // that could be, it is one of those on which writes fail.
    Targets blamed = together ? open_in(run) : suspects;
    if (blamed.empty())
        for (const std::string& target : run.plan.read_only)
            if (!contains(cleared, target)) blamed.push_back(target);
    put_on(blamed, untold, run.plan.read_only);
}

}  // namespace

Blame find_blame(const std::vector<RunRecord>& runs, const std::vector<std::string>& order,
                 const std::set<std::string>& open) {
    return Blamer(runs, order, open).go();
}

}  // namespace rogate::verdict
