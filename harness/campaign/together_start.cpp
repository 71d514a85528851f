// How the containers of a system are started, each behind those that it waits for.
#include <fmt/format.h>

#include <algorithm>
#include <rogate/labels.hpp>
#include <rogate/place.hpp>
#include <rogate/variable.hpp>
#include <utility>

#include "campaign/containers.hpp"
#include "campaign/members.hpp"
#include "campaign/pods.hpp"
#include "campaign/relay.hpp"
#include "campaign/together_launch.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

constexpr std::chrono::seconds longest_wait_for_another{300};
// In a run that has failed already, by one that may be what is waited for.
constexpr std::chrono::seconds longest_wait_in_vain{30};
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
        co_return fail(std::move(started.error()).with_context("starting " + quoted(name) + " again"));
    co_return Standing::comes_again;
}

// Nothing: it is not there yet. Else why it will not be; empty: it is as it is waited for.
Task<std::optional<std::string>> TogetherLaunch::look_at(const Dependency& dependency,
                                                         const std::string& who) {
    using Found = std::optional<std::string>;
    const std::string& other = dependency.service;
    const std::string beginning = fmt::format("{}, which '{}' waits for, ", quoted(other), who);
    if (!running_.contains(other)) co_return Found(beginning + "was not started");
    const PodMember* in_pod = bench_.pods.find(other);
    const std::optional<Step>* startup =
        in_pod == nullptr || !in_pod->started_up ? nullptr : &in_pod->started_up;
    const bool is_to_start = dependency.condition == Dependency::Condition::started;
    // How it goes on is nobody's condition, as with docker compose; but in a pod nothing is started behind
    // what was not.
    if (const auto record = record_.containers.find(other);
        record != record_.containers.end() && record->second.could_not_start && !is_anew(other) &&
        (!is_to_start || in_pod != nullptr))
        co_return Found(beginning + "could not be started");
    if (is_to_start && (startup == nullptr || started_up_.contains(other))) co_return Found(std::string());
    auto standing = co_await standing_of(other);
    if (!standing) co_return fail(std::move(standing.error()));
    auto state = co_await bench_.client.container_health(running_.at(other).id);
    if (!state) co_return fail(std::move(state.error()));
    std::string trouble;
    if (*standing == Standing::ended && !state->running) {
        const bool completes = dependency.condition == Dependency::Condition::completed;
        if (completes && state->exit_code == 0) co_return Found(std::string());
        trouble = fmt::format("exited with code {}", state->exit_code);
    } else if (dependency.condition == Dependency::Condition::healthy && state->running) {
        if (state->health == "healthy") co_return Found(std::string());
        if (state->health.empty() || state->health == "none")
            trouble = "has no health check, neither its own nor its image's";
        if (state->health == "unhealthy") trouble = "is unhealthy";
    } else if (is_to_start && state->running) {
        Step probe = **startup;
        auto up = co_await has_started_up(*find_member(members_, other), std::move(probe));
        if (!up) co_return fail(std::move(up.error()));
        if (*up) co_return Found(std::string());
    }
    if (trouble.empty()) co_return std::nullopt;
    auto told = co_await with_log(other, beginning + trouble);
    if (!told) co_return fail(std::move(told.error()));
    co_return Found(std::move(*told));
}

Task<bool> TogetherLaunch::has_started_up(const Member& member, Step probe) {
    scenario::StepRunner runner = runner_for(member);
    if (auto found = co_await runner.refresh(); !found) co_return fail(std::move(found.error()));
    const Readiness once{.checks = {std::move(probe)}, .timeout_ms = 0};
    auto outcome = co_await runner.wait_ready(once);
    if (!outcome) co_return fail(std::move(outcome.error()).with_context(quoted(member.name)));
    bench_.observer.own_processes(outcome->exec_pids);
    if (outcome->passed) started_up_.insert(member.name);
    co_return outcome->passed;
}

std::string TogetherLaunch::too_late(const Dependency& dependency, const std::string& who) {
    return fmt::format("{}, which '{}' waits for, did not get there in time", quoted(dependency.service),
                       who);
}

// Empty: it is as it was waited for.
Task<std::string> TogetherLaunch::wait_for(const Dependency& dependency, const std::string& who) {
    for (auto waited = std::chrono::milliseconds(0);; waited += between_looks) {
        auto found = co_await look_at(dependency, who);
        if (!found) co_return fail(std::move(found.error()));
        if (*found) co_return std::move(**found);
        if (waited >= patience(longest_wait_for_another))
            co_return co_await with_log(dependency.service, too_late(dependency, who));
        if (auto paused = co_await pause_for(between_looks); !paused)
            co_return fail(std::move(paused.error()));
    }
}

std::string TogetherLaunch::network_of(const Member& member) const {
    if (const PodMember* in_pod = bench_.pods.find(member.name))
        if (const auto holder = holders_.find(in_pod->pod); holder != holders_.end()) return holder->second;
    const std::string owner = network_owner(members_, member);
    return owner.empty() ? std::string() : running_.at(owner).id;
}

// What holds the network of the pod that it is in, if several have it in common.
Task<> TogetherLaunch::hold_network(const Member& member) {
    const PodMember* in_pod = bench_.pods.find(member.name);
    if (in_pod == nullptr || holders_.contains(in_pod->pod) || !shares_network(bench_.pods, in_pod->pod))
        co_return Result<>{};
    const std::string& pod = in_pod->pod;
    engine::ContainerSpec spec = holder_container(bench_.holder_image);
    spec.name = fmt::format("rogate-{}-run{}-{}-pod", bench_.session, record_.plan.id, pod);
    std::ranges::replace(spec.name, '/', '_');
    spec.labels = labels(bench_.session, "holder");
    spec.network_mode = bench_.network;
    spec.hostname = member.subject.hostname;
    spec.extra_hosts = member.subject.extra_hosts;
    spec.network_aliases = member.subject.aliases;
    if (bench_.relay.empty())
        for (const Member& each : members_)
            if (const PodMember* other = bench_.pods.find(each.name); other != nullptr && other->pod == pod)
                publish_ports(each.subject, spec);
    const std::string what = fmt::format("the network of pod '{}'", pod);
    auto created = co_await bench_.client.container_create(std::move(spec));
    if (!created) co_return fail(std::move(created.error()).with_context("making " + what));
    holders_.emplace(pod, *created);
    auto started = co_await bench_.client.container_start(*created);
    if (!started) co_return fail(std::move(started.error()).with_context("starting " + what));
    co_return Result<>{};
}

// The parts of volumes that it has mounted: what is not there is made, as late as the kubelet does it. Empty:
// all of them can be mounted.
Task<std::string> TogetherLaunch::make_parts(const Member& member) {
    for (const DataMount& data : bench_.data.mounts()) {
        if (container_of(data.mount.target) != member.name || data.sub_path.empty()) continue;
        auto part = co_await bench_.data.part_of(record_.plan.id, data.of_volume, data.sub_path);
        if (part) continue;
        const std::string what = fmt::format("mount {}", path_in(data.mount.target));
        if (part.error().kind != ErrorKind::usage) co_return fail(std::move(part.error()).with_context(what));
        co_return fmt::format("{} could not be started: {}: {}", quoted(member.name), what,
                              part.error().message);
    }
    co_return std::string();
}

engine::ContainerSpec TogetherLaunch::container_for(const Member& member, bool as_configured) const {
    engine::ContainerSpec spec =
        beside_subject(bench_.session, record_.plan.id, member.name, member.subject, bench_.network);
    const RunPlan& plan = record_.plan;
    if (const std::string shared = network_of(member); !shared.empty()) {
        share_network(spec, shared);
        if (bench_.pods.find(member.name) != nullptr && !bench_.client.server().network_brings_host_name())
            spec.hostname = member.subject.hostname;
    } else if (spec.network_mode == bench_.network && bench_.relay.empty()) {
        publish_ports(member.subject, spec);
        for (const Member& other : members_)
            if (network_owner(members_, other) == member.name) publish_ports(other.subject, spec);
    }
    const auto is_tried = [&](const std::string& target) {
        return !as_configured && is_tried_in(plan, target);
    };
    for (const engine::MountSpec& mount : mounts_) {
        if (container_of(mount.target) != member.name) continue;
        engine::MountSpec& own = spec.mounts.emplace_back(mount);
        own.target = std::string(path_in(mount.target));
        if (as_configured && is_tried_in(plan, mount.target)) own.read_only = false;
    }
    for (const DataMount& data : bench_.data.mounts()) {
        if (container_of(data.mount.target) != member.name || data.mount.type != MountType::tmpfs) continue;
        Mount own = data.mount;
        own.target = std::string(path_in(data.mount.target));
        add_tmpfs(spec, own, data.mount.read_only || is_tried(data.mount.target));
    }
    for (const WritablePath& path : plan.writable)
        if (path.as == WritableAs::tmpfs && container_of(path.path) == member.name &&
            !bench_.data.makes_tmpfs())
            spec.tmpfs.emplace(std::string(path_in(path.path)), path.tmpfs_options);
    for (const auto& [name, value] : variables_of(member.name, plan.environment))
        spec.env.push_back(name + "=" + value);
    spec.read_only_rootfs = spec.read_only_rootfs || is_tried(place_in(member.name, "/"));
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
Task<std::string> TogetherLaunch::start(const Member& member) {
    const std::string owner = network_owner(members_, member);
    if (!owner.empty() && !running_.contains(owner))
        co_return fmt::format("{}, whose network '{}' shares, was not started", quoted(owner), member.name);
    const std::string who = quoted(member.name);
    if (auto held = co_await hold_network(member); !held) co_return fail(std::move(held.error()));
    auto unmountable = co_await make_parts(member);
    if (!unmountable) co_return fail(std::move(unmountable.error()).with_context(who));
    if (!unmountable->empty()) {
        record_.containers[member.name].could_not_start = true;
        co_return unmountable;
    }
    auto created = co_await bench_.client.container_create(container_for(member, false));
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
    mounts_ = std::move(*mounts);
    if (auto held = co_await bench_.data.hold_shared(record_.plan); !held)
        co_return fail(std::move(held.error()).with_context("keeping what is shared"));
    std::vector<const Member*> open;
    for (const Member& member : members_) open.push_back(&member);
    // One that waits holds up nobody but those that wait for it.
    while (!open.empty()) {
        bool any = false;
        for (auto each = open.begin(); each != open.end();) {
            const Member& member = **each;
            const bool in_vain =
                !failure_.empty() && std::ranges::none_of(member.after, [&](const Dependency& dependency) {
                    return is_anew(dependency.service);
                });
            const auto limit = patience(in_vain ? longest_wait_in_vain : longest_wait_for_another);
            auto gate = co_await gate_of(member, open, waited_[member.name] >= limit, in_vain);
            if (!gate) co_return fail(std::move(gate.error()));
            if (!*gate) {
                ++each;
                continue;
            }
            any = true;
            each = open.erase(each);
            std::string trouble = std::move(**gate);
            if (trouble.empty()) {
                bench_.status.phase_started(quoted(member.name));
                auto started = co_await start(member);
                if (!started) co_return fail(std::move(started.error()));
                trouble = std::move(*started);
            }
            if (!trouble.empty()) fell(member.name, std::move(trouble));
        }
        if (any) continue;
        for (const Member* each : open) waited_[each->name] += between_looks;
        if (auto paused = co_await pause_for(between_looks); !paused) co_return paused;
        if (auto made = co_await make_fallen_anew(); !made) co_return made;
    }
    end();
    co_return Result<>{};
}

// While others still wait, perhaps for what it will not do any more.
Task<> TogetherLaunch::look_for_fallen(std::string but) {
    if (is_control()) co_return Result<>{};
    for (const std::string& name : all_running()) {
        if (is_given_up(name) || ended_before(name) || name == but) continue;
        auto standing = co_await standing_of(name);
        if (!standing) co_return fail(std::move(standing.error()));
        if (*standing != Standing::ended) continue;
        if (auto told = co_await fell_at_step(name, std::string()); !told) co_return told;
    }
    co_return Result<>{};
}

// Nothing: what it waits for is not there yet. Else why it will not be; empty: it can be started. `open`:
// those that are not started yet. `in_vain`: the run has failed already, and is not waited for as long.
Task<std::optional<std::string>> TogetherLaunch::gate_of(const Member& member,
                                                         const std::vector<const Member*>& open, bool is_late,
                                                         bool in_vain) {
    using Found = std::optional<std::string>;
    if (const auto why = bench_.not_had.find(member.name); why != bench_.not_had.end())
        co_return Found(why->second);
    const auto is_open = [&](const std::string& name) {
        return std::ranges::find(open, name, &Member::name) != open.end();
    };
    if (is_open(network_owner(members_, member))) co_return std::nullopt;
    for (const Dependency& dependency : member.after) {
        if (is_open(dependency.service)) co_return std::nullopt;
        auto found = co_await look_at(dependency, member.name);
        if (!found) co_return fail(std::move(found.error()));
        Found trouble = std::move(*found);
        const bool was_late = !trouble && is_late;
        if (was_late) {
            auto told = co_await with_log(dependency.service, too_late(dependency, member.name));
            if (!told) co_return fail(std::move(told.error()));
            trouble = std::move(*told);
        }
        if (!trouble) co_return std::nullopt;
        if (trouble->empty() || !dependency.required) continue;
        if (was_late && in_vain) co_return trouble;  // it may only be slow
        std::string why = was_late ? fmt::format("{} did not get there in time", quoted(dependency.service))
                                   : quoted(dependency.service) + " is not healthy";
        auto made = co_await make_anew(dependency.service, std::move(why));
        if (!made) co_return fail(std::move(made.error()));
        if (*made) co_return std::nullopt;
        co_return trouble;
    }
    co_return Found(std::string());
}

}  // namespace rogate::campaign
