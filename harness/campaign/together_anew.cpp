// How a container that fell in a probe run is made anew for the others' sake, so that one run tells of all
// that fall, and not only of the first in a chain.
#include <fmt/format.h>

#include <algorithm>
#include <rogate/place.hpp>
#include <utility>

#include "campaign/containers.hpp"
#include "campaign/members.hpp"
#include "campaign/together_launch.hpp"

namespace rogate::campaign {

using engine::Task;

// Once in a run, if something of it is read-only for the run's sake, and it was right in the control run.
// Whoever has its network would lose it.
bool TogetherLaunch::can_be_made_anew(const std::string& name) const {
    const ContainerRecord* there = before(name);
    if (there == nullptr || !there->trouble.empty() || were_anew_.contains(name)) return false;
    if (!running_.contains(name)) return false;
    const bool is_tried = std::ranges::any_of(
        record_.plan.read_only, [&](const std::string& target) { return container_of(target) == name; });
    return is_tried && std::ranges::none_of(members_, [&](const Member& other) {
               return running_.contains(other.name) && network_owner(members_, other) == name;
           });
}

// As it is configured, and not watched: it is there for others, and a run that has failed acquits nobody.
// False: it stays as it is. `why`: what is wrong with it, if it still runs.
Task<bool> TogetherLaunch::make_anew(std::string name, std::string why) {
    if (anew_.erase(name) > 0) {  // it has fallen once more
        record_.containers[name].made_anew = false;
        co_return false;
    }
    if (!can_be_made_anew(name)) co_return false;
    const Member& member = *find_member(members_, name);
    const std::string id = running_.at(name).id;
    auto state = co_await bench_.client.container_inspect(id);
    if (!state) co_return fail(std::move(state.error()));
    if (!is_given_up(name)) {
        if (!state->running) why = ending_of(quoted(name), state->exit_code, state->oom_killed);
        auto told = co_await with_log(name, std::move(why));
        if (!told) co_return fail(std::move(told.error()));
        fell(name, std::move(*told));
    }
    ContainerRecord& record = record_.containers[name];
    if (!record.could_not_start) record.exit_code = state->exit_code;
    record.exited_early = !state->running;
    record.restarts = running_.at(name).restarts;
    const std::string what = fmt::format("making {} anew for the others", quoted(name));
    if (auto told = co_await bench_.observer.before_end(); !told) co_return fail(std::move(told.error()));
    if (auto ended = co_await end_beside(bench_.client, id, true, member.grace_ms); !ended)
        co_return fail(std::move(ended.error()).with_context(what));
    if (auto told = co_await bench_.observer.before_start_again(name); !told)
        co_return fail(std::move(told.error()));
    if (auto removed = co_await bench_.client.container_remove(id); !removed)
        co_return fail(std::move(removed.error()).with_context(what));
    running_.erase(name);
    bench_.status.phase_started(fmt::format("{} again, as it is configured, for the others", quoted(name)));
    auto created = co_await bench_.client.container_create(container_for(member, true));
    if (!created) co_return fail(std::move(created.error()).with_context(what));
    running_[name].id = *created;
    were_anew_.insert(name);
    if (auto seeded = co_await seed_files(bench_.client, *created, member.subject.files); !seeded)
        co_return fail(std::move(seeded.error()).with_context(what));
    auto started = co_await start_beside(bench_.client, quoted(name), *created);
    if (!started) co_return fail(std::move(started.error()).with_context(what));
    if (!started->empty()) co_return false;
    started_up_.erase(name);
    anew_.insert(name);
    record_.containers[name].made_anew = true;
    waited_.clear();
    // Nothing says who speaks to it. What they do not give from now on may be due to that.
    for (const std::string& other : all_running()) {
        if (other == name || is_given_up(other)) continue;
        shaken_.insert(other);
        record_.containers[other].behind_another = true;
    }
    co_return true;
}

// All that have fallen by now, but for one that somebody is asking; others may wait for what they do.
Task<> TogetherLaunch::make_fallen_anew(std::string but) {
    if (auto looked = co_await look_for_fallen(but); !looked || is_control()) co_return looked;
    for (const Member& member : members_) {
        const auto record = record_.containers.find(member.name);
        if (record == record_.containers.end() || record->second.trouble.empty() || is_anew(member.name) ||
            member.name == but)
            continue;
        auto made = co_await make_anew(member.name, std::string());
        if (!made) co_return fail(std::move(made.error()));
    }
    co_return Result<>{};
}

// Until those that were made anew are ready, or have fallen once more.
Task<> TogetherLaunch::await_anew() {
    for (const Member& member : members_) {
        if (!is_anew(member.name)) continue;
        auto trouble = co_await ready(member, false);
        if (!trouble) co_return fail(std::move(trouble.error()));
        if (trouble->empty()) continue;
        auto again = co_await make_anew(member.name, std::string());
        if (!again) co_return fail(std::move(again.error()));
    }
    co_return Result<>{};
}

}  // namespace rogate::campaign
