#include "observe/combine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <rogate/place.hpp>

namespace rogate::observe {

namespace {

void put_into_place(const std::string& name, Attempt& attempt) {
    attempt.mount = place_in(name, attempt.mount.str());
    attempt.path = place_in(name, attempt.path.view());
}

// What is not known of one is told of none: that nothing is listed means that nothing was read.
void add_read_back(const std::string& name, const Recording& one, Recording& whole) {
    if (!one.read_back) whole.read_back.reset();
    if (!whole.read_back) return;
    for (const auto& [mount, opens] : *one.read_back) (*whole.read_back)[place_in(name, mount)] += opens;
}

}  // namespace

Recording combined(std::vector<NamedRecording> all) {
    if (all.empty()) return {};
    if (all.size() == 1 && all.front().name.empty()) return std::move(all.front().recording);
    Recording whole;
    whole.read_back.emplace();
    for (const auto& [name, one] : all)
        if (one.started_s > 0 && (whole.started_s == 0 || one.started_s < whole.started_s))
            whole.started_s = one.started_s;
    for (auto& [name, one] : all) {
        const double later = std::max(0.0, one.started_s - whole.started_s);
        for (Attempt& attempt : one.attempts) {
            put_into_place(name, attempt);
            attempt.first_s += later;
        }
        whole.attempts.insert(whole.attempts.end(), std::make_move_iterator(one.attempts.begin()),
                              std::make_move_iterator(one.attempts.end()));
        for (const auto& [target, count] : one.uses) whole.uses[place_in(name, target)] += count;
        add_read_back(name, one, whole);
        for (const auto& [mount, count] : one.listed) whole.listed[place_in(name, mount)] += count;
        for (const auto& [mount, file] : one.exec_refused)
            whole.exec_refused.emplace(place_in(name, mount), place_in(name, file));
        whole.lost_events = std::max(whole.lost_events, one.lost_events);
        if (whole.problem.empty() && !one.problem.empty())
            whole.problem = fmt::format("container '{}': {}", name, one.problem);
        whole.is_guess = whole.is_guess || one.is_guess;
    }
    return whole;
}

}  // namespace rogate::observe
