// How the containers of a system are started, each behind those that it waits for.
#include <fmt/format.h>

#include <algorithm>
#include <rogate/place.hpp>
#include <rogate/variable.hpp>
#include <utility>

#include "campaign/containers.hpp"
#include "campaign/members.hpp"
#include "campaign/together_launch.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

constexpr std::chrono::seconds longest_wait{300};  // for what another one waits for
constexpr std::chrono::milliseconds between_looks{100}, shortest_backoff{100}, longest_backoff{5000};

}  // namespace

// What the engine would do by the restart policy is done here, since the observer has to let go of the mounts
// before a container is started again.
Task<TogetherLaunch::Standing> TogetherLaunch::standing_of(const std::string& name) {
    Running& running = running_.at(name);
    auto state = co_await bench_.client.container_inspect(running.id);
    if (!state) co_return fail(std::move(state.error()));
    if (state->running) co_return Standing::runs;
    const Member& member = *find_member(members_, name);
    if (!is_started_again(member.restart, state->exit_code, running.restarts, before(name)))
        co_return Standing::ended;
    const auto backoff = std::min(longest_backoff, shortest_backoff * (1 << std::min(running.restarts, 10)));
    if (auto paused = co_await pause_for(backoff); !paused) co_return fail(std::move(paused.error()));
    if (auto told = co_await bench_.observer.before_start_again(name); !told)
        co_return fail(std::move(told.error()));
    ++running.restarts;
    auto started = co_await bench_.client.container_start(running.id);
    if (!started)
        co_return fail(
            std::move(started.error()).with_context("starting " + quoted_service(name) + " again"));
    co_return Standing::comes_again;
}

// Empty: it is as it was waited for.
Task<std::string> TogetherLaunch::wait_for(const Dependency& dependency, const std::string& who) {
    const std::string& other = dependency.service;
    const std::string beginning = fmt::format("{}, which '{}' waits for, ", quoted_service(other), who);
    if (!running_.contains(other)) co_return beginning + "was not started";
    // It was started; how it goes on is nobody's condition, as with docker compose.
    if (dependency.condition == Dependency::Condition::started) co_return std::string();
    for (auto waited = std::chrono::milliseconds(0);; waited += between_looks) {
        auto standing = co_await standing_of(other);
        if (!standing) co_return fail(std::move(standing.error()));
        auto state = co_await bench_.client.container_health(running_.at(other).id);
        if (!state) co_return fail(std::move(state.error()));
        std::string trouble;
        if (*standing == Standing::ended && !state->running) {
            const bool completes = dependency.condition == Dependency::Condition::completed;
            if (completes && state->exit_code == 0) co_return std::string();
            trouble = fmt::format("exited with code {}", state->exit_code);
        } else if (dependency.condition == Dependency::Condition::healthy && state->running) {
            if (state->health == "healthy") co_return std::string();
            if (state->health.empty() || state->health == "none")
                trouble = "has no health check, neither its own nor its image's";
            if (state->health == "unhealthy") trouble = "is unhealthy";
        }
        if (trouble.empty() && waited >= longest_wait)
            trouble = fmt::format("did not get there within {} s", longest_wait.count());
        if (!trouble.empty()) co_return co_await with_log(other, beginning + trouble);
        if (auto paused = co_await pause_for(between_looks); !paused)
            co_return fail(std::move(paused.error()));
    }
}

engine::ContainerSpec TogetherLaunch::container_for(const Member& member,
                                                    const std::vector<engine::MountSpec>& mounts) const {
    engine::ContainerSpec spec =
        beside_subject(bench_.session, record_.plan.id, member.name, member.subject, bench_.network);
    const RunPlan& plan = record_.plan;
    if (const std::string owner = network_owner(members_, member); !owner.empty()) {
        share_network(spec, running_.at(owner).id);
    } else if (spec.network_mode == bench_.network && bench_.relay.empty()) {
        publish_ports(member.subject, spec);
        for (const Member& other : members_)
            if (network_owner(members_, other) == member.name) publish_ports(other.subject, spec);
    }
    for (const engine::MountSpec& mount : mounts) {
        if (container_of(mount.target) != member.name) continue;
        spec.mounts.push_back(mount);
        spec.mounts.back().target = std::string(path_in(mount.target));
    }
    for (const DataMount& data : bench_.data.mounts()) {
        if (container_of(data.mount.target) != member.name || data.mount.type != MountType::tmpfs) continue;
        Mount own = data.mount;
        own.target = std::string(path_in(data.mount.target));
        add_tmpfs(spec, own, data.mount.read_only || is_tried_in(plan, data.mount.target));
    }
    for (const WritablePath& path : plan.writable)
        if (path.as == WritableAs::tmpfs && container_of(path.path) == member.name)
            spec.tmpfs.emplace(std::string(path_in(path.path)), path.tmpfs_options);
    for (const auto& [name, value] : variables_of(member.name, plan.environment))
        spec.env.push_back(name + "=" + value);
    spec.read_only_rootfs = spec.read_only_rootfs || is_tried_in(plan, place_in(member.name, "/"));
    return spec;
}

Task<> TogetherLaunch::arm(const Member& member) {
    std::vector<observe::ObservedMount> observed;
    for (const DataMount& data : bench_.data.mounts()) {
        if (container_of(data.mount.target) != member.name) continue;
        const bool read_only = data.mount.read_only || is_tried_in(record_.plan, data.mount.target);
        observed.push_back({.target = std::string(path_in(data.mount.target)),
                            .is_directory = data.is_directory,
                            .is_read_only = read_only && data.special.empty() && !data.below_source,
                            .below_source = data.below_source,
                            .lacks_data = bench_.lacks_data});
    }
    std::string id = running_.at(member.name).id;
    auto armed = co_await bench_.observer.arm(std::move(id), std::move(observed), "entrypoint", member.name);
    if (!armed) co_return fail(std::move(armed.error()).with_context("arming the observer"));
    co_return Result<>{};
}

// Empty: it was started.
Task<std::string> TogetherLaunch::start(const Member& member, const std::vector<engine::MountSpec>& mounts) {
    for (const Dependency& dependency : member.after) {
        auto trouble = co_await wait_for(dependency, member.name);
        if (!trouble) co_return trouble;
        if (!trouble->empty() && dependency.required) co_return trouble;
    }
    const std::string owner = network_owner(members_, member);
    if (!owner.empty() && !running_.contains(owner))
        co_return fmt::format("{}, whose network '{}' shares, was not started", quoted_service(owner),
                              member.name);
    const std::string who = quoted_service(member.name);
    auto created = co_await bench_.client.container_create(container_for(member, mounts));
    if (!created) co_return fail(std::move(created.error()).with_context(who));
    running_[member.name].id = *created;
    auto seeded = co_await seed_files(bench_.client, *created, member.subject.files);
    if (!seeded && seeded.error().kind != ErrorKind::refused)
        co_return fail(std::move(seeded.error()).with_context(who));
    if (auto armed = co_await arm(member); !armed) co_return fail(std::move(armed.error()).with_context(who));
    std::string refused;
    if (!seeded) {
        // The engine writes no file into a container whose root is read-only, as with docker compose.
        refused = fmt::format("{} could not be started: {}", who, seeded.error().message);
    } else {
        auto started = co_await start_beside(bench_.client, who, *created);
        if (!started) co_return started;
        refused = std::move(*started);
    }
    if (!refused.empty()) record_.containers[member.name].could_not_start = true;
    co_return refused;
}

Task<> TogetherLaunch::start_all() {
    if (auto begun = co_await begin("entrypoint"); !begun) co_return begun;
    auto mounts = co_await bench_.data.prepare(record_.plan);
    if (!mounts) co_return fail(std::move(mounts.error()));
    if (auto held = co_await bench_.data.hold_shared(record_.plan); !held)
        co_return fail(std::move(held.error()).with_context("keeping what is shared"));
    for (const Member& member : members_) {
        bench_.status.phase_started(quoted_service(member.name));
        auto trouble = co_await start(member, *mounts);
        if (!trouble) co_return fail(std::move(trouble.error()));
        if (!trouble->empty()) fell(member.name, std::move(*trouble));
    }
    end();
    co_return Result<>{};
}

}  // namespace rogate::campaign
