#include "campaign/together.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <rogate/labels.hpp>
#include <rogate/place.hpp>
#include <utility>

#include "base/text.hpp"
#include "campaign/containers.hpp"
#include "campaign/ending.hpp"
#include "campaign/engine_sockets.hpp"
#include "campaign/members.hpp"
#include "campaign/readiness.hpp"
#include "campaign/remade_volumes.hpp"
#include "campaign/silent_ports.hpp"
#include "engine/together.hpp"
#include "scenario/outcome.hpp"
#include "scenario/step_runner.hpp"
#include "verdict/no_op.hpp"

namespace rogate::campaign {

using engine::Milliseconds;
using engine::Task;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t longest_text = 4000;
constexpr std::chrono::seconds longest_wait{300};  // for what another one waits for
// Where nothing says when a container is ready, it gets as long to do its work, or to show that it goes on.
constexpr std::chrono::seconds a_while{10};
constexpr std::chrono::milliseconds between_looks{100}, shortest_backoff{100}, longest_backoff{5000};
constexpr int grace_of_the_deaf = 1;  // in seconds; see runner.cpp

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

bool is_tried(const RunPlan& plan, const std::string& target) {
    return std::ranges::find(plan.read_only, target) != plan.read_only.end();
}

std::string quoted(const std::string& name) {
    return fmt::format("service '{}'", name);
}

class TogetherLaunch {
  public:
    TogetherLaunch(Bench& bench, RunPlan plan) : bench_(bench), members_(bench.scenario.members) {
        record_.plan = std::move(plan);
        if (bench.secrets != nullptr) masker_ = Masker(*bench.secrets);
    }

    Task<RunRecord> go();

  private:
    struct Running {
        std::string id;
        int restarts = 0;
        bool was_running = false;  // when all were told to end
        bool was_deaf = false;
        bool killed = false;
    };
    // Of one whose end another one waits for, or which has none to wait for.
    enum class Standing { runs, ended, comes_again };

    bool is_control() const { return bench_.control == nullptr; }
    // Null: this is the control run.
    const ContainerRecord* before(const std::string& name) const {
        if (is_control()) return nullptr;
        const auto found = bench_.control->containers.find(name);
        return found == bench_.control->containers.end() ? nullptr : &found->second;
    }
    // It was not right in the control run either.
    bool is_given_up(const std::string& name) const {
        const ContainerRecord* there = before(name);
        const auto here = record_.containers.find(name);
        return (there != nullptr && !there->trouble.empty()) ||
               (here != record_.containers.end() && !here->second.trouble.empty());
    }
    Task<> begin(std::string name);
    void end();
    void fell(const std::string& name, std::string why);
    Task<> run_phases();
    Task<> start_all();
    Task<std::string> start(const Member& member, const std::vector<engine::MountSpec>& mounts);
    engine::ContainerSpec container_for(const Member& member,
                                        const std::vector<engine::MountSpec>& mounts) const;
    Task<> arm(const Member& member);
    Task<std::string> wait_for(const Dependency& dependency, const std::string& who);
    Task<Standing> standing_of(const std::string& name);
    Task<> ready();
    Task<std::string> ready(const Member& member);
    Task<> give_time();
    Task<> start_again();
    Task<> stop_all();
    Task<> shutdown();
    Task<> judge(const Member& member);
    Task<> canaries();
    Task<> collect();
    Task<> find_unwritten();
    Task<> remove();
    Task<std::string> with_log(std::string name, std::string text);
    Readiness readiness_of(const Member& member) const;
    std::string stop_signal(const Member& member) const;

    Bench& bench_;
    const std::vector<Member>& members_;
    RunRecord record_;
    Masker masker_;
    std::map<std::string, Running> running_;  // by name; those that were started
    Clock::time_point phase_start_;
    std::string failure_;  // of the phase that goes on
    bool failed_ = false;
};

Task<> pause_for(std::chrono::milliseconds time) {
    co_await scenario::sleep_for(time);
    const boost::asio::cancellation_state state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none)
        co_return fail(ErrorKind::cancelled, "interrupted");
    co_return Result<>{};
}

Task<> TogetherLaunch::begin(std::string name) {
    bench_.status.phase_started(name);
    phase_start_ = Clock::now();
    record_.phases.push_back({.name = name, .passed = false, .message = {}, .duration_s = 0});
    // Each container is armed with the first phase.
    if (record_.phases.size() == 1) co_return Result<>{};
    co_return co_await bench_.observer.phase(std::move(name));
}

// The phase has failed if one of them fell in it.
void TogetherLaunch::end() {
    PhaseRecord& phase = record_.phases.back();
    phase.message = std::exchange(failure_, {});
    phase.passed = phase.message.empty();
    phase.duration_s = seconds_since(phase_start_);
    failed_ = failed_ || !phase.passed;
}

// In the control run it is left out of what is tried; later the run fails for it, unless it was so there as
// well. The others go on: what is refused to them in this run shows, too.
void TogetherLaunch::fell(const std::string& name, std::string why) {
    if (is_given_up(name)) return;
    why = masked_beginning(masker_, why, longest_text);
    ContainerRecord& record = record_.containers[name];
    record.trouble = why;
    const Member& member = *find_member(members_, name);
    record.behind_another = std::ranges::any_of(
        member.after, [&](const Dependency& each) { return each.required && is_given_up(each.service); });
    if (is_control())
        bench_.status.warn(fmt::format("{}: its mounts are not tried", why));
    else if (failure_.empty())
        failure_ = std::move(why);
}

Task<std::string> TogetherLaunch::with_log(std::string name, std::string text) {
    const auto running = running_.find(name);
    if (running == running_.end()) co_return text;
    auto log = co_await scenario::last_lines(bench_.client, running->second.id, masker_, 16 * 1024, 30);
    if (!log) co_return fail(std::move(log.error()));
    const std::string telling = scenario::excerpt_of_end(*log, masker_, 500);
    record_.containers[name].log_tail = std::move(*log);
    if (!telling.empty()) text += fmt::format("; its last output: \"{}\"", telling);
    co_return text;
}

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

// Empty: it is as it was waited for.
Task<std::string> TogetherLaunch::wait_for(const Dependency& dependency, const std::string& who) {
    const std::string& other = dependency.service;
    const std::string beginning = fmt::format("{}, which '{}' waits for, ", quoted(other), who);
    if (!running_.contains(other)) co_return beginning + "was not started";
    // It was started; how it goes on is nobody's condition, as with docker compose.
    if (dependency.condition == Dependency::Condition::started) co_return std::string();
    const auto until = Clock::now() + longest_wait;
    for (;;) {
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
        if (trouble.empty() && Clock::now() >= until)
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
        add_tmpfs(spec, own, data.mount.read_only || is_tried(plan, data.mount.target));
    }
    for (const WritablePath& path : plan.writable)
        if (path.as == WritableAs::tmpfs && container_of(path.path) == member.name)
            spec.tmpfs.emplace(std::string(path_in(path.path)), path.tmpfs_options);
    spec.read_only_rootfs = spec.read_only_rootfs || is_tried(plan, place_in(member.name, "/"));
    return spec;
}

Task<> TogetherLaunch::arm(const Member& member) {
    std::vector<observe::ObservedMount> observed;
    for (const DataMount& data : bench_.data.mounts()) {
        if (container_of(data.mount.target) != member.name) continue;
        const bool read_only = data.mount.read_only || is_tried(record_.plan, data.mount.target);
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
        co_return fmt::format("{}, whose network '{}' shares, was not started", quoted(owner), member.name);
    const std::string who = quoted(member.name);
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
        bench_.status.phase_started(quoted(member.name));
        auto trouble = co_await start(member, *mounts);
        if (!trouble) co_return fail(std::move(trouble.error()));
        if (!trouble->empty()) fell(member.name, std::move(*trouble));
    }
    end();
    co_return Result<>{};
}

Readiness TogetherLaunch::readiness_of(const Member& member) const {
    const ContainerRecord* there = before(member.name);
    const auto here = record_.containers.find(member.name);
    if (there == nullptr && here != record_.containers.end()) there = &here->second;
    return there == nullptr ? member.readiness : without_ports(member.readiness, there->silent_ports);
}

// Empty: it is ready, or has done its work.
Task<std::string> TogetherLaunch::ready(const Member& member) {
    const ContainerRecord* there = before(member.name);
    if (there != nullptr && there->exited_early) co_return std::string();  // its end is waited for
    const auto until = Clock::now() + Milliseconds(member.readiness.timeout_ms);
    scenario::Memory memory;
    memory.masker = masker_;
    const std::string owner = network_owner(members_, member);
    for (;;) {
        const Running& running = running_.at(member.name);
        scenario::StepRunner runner(bench_.client, running.id, memory,
                                    {.session = bench_.session,
                                     .network = bench_.network,
                                     .name = fmt::format("rogate-{}-run{}", bench_.session, record_.plan.id),
                                     .relay = bench_.relay},
                                    {}, owner.empty() ? std::string() : running_.at(owner).id);
        if (auto found = co_await runner.refresh(); !found) co_return fail(std::move(found.error()));
        scenario::StepOutcome outcome;
        Readiness asked = readiness_of(member);
        if (is_control() && asked.derived) {
            auto ports = co_await find_silent_ports(bench_.client, running.id, asked, runner);
            if (!ports) co_return fail(std::move(ports.error()).with_context(quoted(member.name)));
            for (const std::uint16_t port : ports->silent)
                bench_.status.warn(silent_port_note(quoted(member.name) + ": ", port));
            record_.containers[member.name].silent_ports.merge(ports->silent);
            outcome = std::move(ports->outcome);
        } else {
            auto waited = co_await runner.wait_ready(asked);
            if (!waited) co_return fail(std::move(waited.error()).with_context(quoted(member.name)));
            outcome = std::move(*waited);
        }
        bench_.observer.own_processes(outcome.exec_pids);
        if (outcome.passed) co_return std::string();
        auto standing = co_await standing_of(member.name);
        if (!standing) co_return fail(std::move(standing.error()));
        auto state = co_await bench_.client.container_inspect(running.id);
        if (!state) co_return fail(std::move(state.error()));
        // A job that says how to ask for its health.
        if (*standing == Standing::ended && state->exit_code == 0 && is_control()) co_return std::string();
        if (*standing == Standing::comes_again && Clock::now() < until) continue;
        std::string why = state->running
                              ? fmt::format("{} is not ready: {}", quoted(member.name), outcome.message)
                              : fmt::format("{} exited with code {}{}", quoted(member.name), state->exit_code,
                                            state->oom_killed ? " (out of memory)" : "");
        co_return co_await with_log(member.name, std::move(why));
    }
}

// To those of which nothing says when they are ready, and to those which end by themselves: until they have
// ended, or a while is over.
Task<> TogetherLaunch::give_time() {
    const auto until = Clock::now() + a_while;
    for (;;) {
        bool any = false;
        for (const Member& member : members_) {
            if (!running_.contains(member.name)) continue;
            auto standing = co_await standing_of(member.name);
            if (!standing) co_return fail(std::move(standing.error()));
            const ContainerRecord* there = before(member.name);
            const bool has_no_word =
                readiness_of(member).checks.empty() || (there != nullptr && there->exited_early);
            any = any || *standing == Standing::comes_again || (*standing == Standing::runs && has_no_word);
        }
        if (!any || Clock::now() >= until) co_return Result<>{};
        if (auto paused = co_await pause_for(between_looks); !paused) co_return paused;
    }
}

// What happens until all are ready still belongs to the entrypoints.
Task<> TogetherLaunch::ready() {
    bench_.status.phase_started("ready");
    phase_start_ = Clock::now();
    record_.phases.push_back({.name = "ready", .passed = false, .message = {}, .duration_s = 0});
    for (const Member& member : members_) {
        if (!running_.contains(member.name) || is_given_up(member.name)) continue;
        auto trouble = co_await ready(member);
        if (!trouble) co_return fail(std::move(trouble.error()));
        if (!trouble->empty()) fell(member.name, std::move(*trouble));
    }
    if (auto given = co_await give_time(); !given) co_return given;
    end();
    co_return Result<>{};
}

std::string TogetherLaunch::stop_signal(const Member& member) const {
    if (member.subject.stop_signal) return *member.subject.stop_signal;
    const std::string& of_image = bench_.images->at(member.name).stop_signal;
    return of_image.empty() ? "SIGTERM" : of_image;
}

// Whoever depends on somebody before that one. Notes who ran until then, and who did not end in time.
Task<> TogetherLaunch::stop_all() {
    for (const Member& member : members_) {
        const auto found = running_.find(member.name);
        if (found == running_.end()) continue;
        Running& running = found->second;
        auto state = co_await bench_.client.container_inspect(running.id);
        if (!state) co_return fail(std::move(state.error()));
        running.was_running = state->running;
        if (!state->running) continue;
        const ContainerRecord* there = before(member.name);
        running.was_deaf = there != nullptr && there->deaf_to_stop;
        if (there != nullptr) continue;
        auto masks = co_await bench_.client.container_signals(running.id);
        if (!masks) co_return fail(std::move(masks.error()).with_context("stopping " + quoted(member.name)));
        running.was_deaf = masks->has_value() && is_deaf_to(signal_number(stop_signal(member)), **masks);
    }
    for (const std::vector<std::string>& group : in_order_of_ending(members_)) {
        std::vector<Task<>> ends;
        for (const std::string& name : group) {
            const auto running = running_.find(name);
            if (running == running_.end() || !running->second.was_running) continue;
            int grace = static_cast<int>((find_member(members_, name)->grace_ms + 999) / 1000);
            if (running->second.was_deaf) grace = std::min(grace, grace_of_the_deaf);
            const auto stop = [](Bench& bench, Running& one, std::string who, int within) -> Task<> {
                const auto start = Clock::now();
                auto stopped = co_await bench.client.container_stop(one.id, within);
                if (!stopped) co_return fail(std::move(stopped.error()).with_context("stopping " + who));
                one.killed = seconds_since(start) >= within;
                co_return Result<>{};
            };
            ends.push_back(stop(bench_, running->second, quoted(name), grace));
        }
        auto all = engine::together(std::move(ends));
        if (auto ended = co_await std::move(all); !ended) co_return ended;
    }
    co_return Result<>{};
}

// Whether anything is missed that a restart empties: the whole system is ended and begins anew.
Task<> TogetherLaunch::start_again() {
    if (!record_.plan.again || failed_) co_return Result<>{};
    if (auto begun = co_await begin(fmt::format("{}restart", again_prefix)); !begun) co_return begun;
    if (auto stopped = co_await stop_all(); !stopped) co_return stopped;
    for (const Member& member : members_) {
        const auto running = running_.find(member.name);
        if (running == running_.end()) continue;
        std::string trouble;
        for (const Dependency& dependency : member.after) {
            auto waited = co_await wait_for(dependency, member.name);
            if (!waited) co_return fail(std::move(waited.error()));
            if (!waited->empty() && dependency.required) trouble = std::move(*waited);
        }
        if (trouble.empty()) {
            if (auto told = co_await bench_.observer.before_start_again(member.name); !told) co_return told;
            auto started = co_await start_beside(bench_.client, quoted(member.name), running->second.id);
            if (!started) co_return fail(std::move(started.error()));
            trouble = std::move(*started);
        }
        if (!trouble.empty()) fell(member.name, std::move(trouble));
    }
    for (const Member& member : members_) {
        if (!running_.contains(member.name) || is_given_up(member.name)) continue;
        auto trouble = co_await ready(member);
        if (!trouble) co_return fail(std::move(trouble.error()));
        if (!trouble->empty()) fell(member.name, std::move(*trouble));
    }
    if (auto given = co_await give_time(); !given) co_return given;
    end();
    co_return Result<>{};
}

Task<> TogetherLaunch::judge(const Member& member) {
    const Running& running = running_.at(member.name);
    auto state = co_await bench_.client.container_inspect(running.id);
    if (!state) co_return fail(std::move(state.error()));
    ContainerRecord& record = record_.containers[member.name];
    record.exit_code = state->exit_code;
    record.exited_early = !running.was_running;
    record.killed = running.killed && state->exit_code == 137;
    record.deaf_to_stop = running.was_deaf;
    record.restarts = running.restarts;
    const ContainerRecord* there = before(member.name);
    std::string wrong = judge_ending({.exit_code = state->exit_code,
                                      .oom_killed = state->oom_killed,
                                      .told_to = running.was_running,
                                      .killed = record.killed,
                                      .who = quoted(member.name)},
                                     {.is_control = there == nullptr,
                                      .said = {},
                                      .control = there == nullptr ? std::nullopt : there->exit_code,
                                      .early = there != nullptr && there->exited_early,
                                      .killed = there != nullptr && there->killed,
                                      .grace_ms = member.grace_ms});
    // It would have been started again and again.
    const bool never_settled = there == nullptr && !running.was_running && !member.restart.name.empty() &&
                               running.restarts > 0 && wrong.empty() && member.restart.name != "on-failure";
    if (never_settled) wrong = fmt::format("{} ends and is started again without end", quoted(member.name));
    if (!wrong.empty() && running.restarts > 0)
        wrong += fmt::format(" (it was started again {} times)", running.restarts);
    if (wrong.empty()) {
        if (there == nullptr && record.killed)
            bench_.status.warn(
                killed_note(quoted(member.name), stop_signal(member), record.deaf_to_stop, member.grace_ms));
        co_return Result<>{};
    }
    auto told = co_await with_log(member.name, std::move(wrong));
    if (!told) co_return fail(std::move(told.error()));
    fell(member.name, std::move(*told));
    co_return Result<>{};
}

Task<> TogetherLaunch::shutdown() {
    if (auto begun = co_await begin("shutdown"); !begun) co_return begun;
    if (auto told = co_await bench_.observer.before_end(); !told) co_return told;
    if (auto stopped = co_await stop_all(); !stopped) co_return stopped;
    for (const Member& member : members_)
        if (running_.contains(member.name))
            if (auto judged = co_await judge(member); !judged) co_return judged;
    end();
    co_return Result<>{};
}

Task<> TogetherLaunch::canaries() {
    for (const DataMount& data : bench_.data.mounts()) {
        const std::string& target = data.mount.target;
        const bool read_only = data.mount.read_only || is_tried(record_.plan, target);
        if (!read_only || !data.special.empty() || data.below_source) continue;
        const std::string name(container_of(target));
        if (!running_.contains(name) || record_.containers[name].could_not_start) continue;
        auto canary = co_await bench_.observer.canary(target);
        if (!canary) co_return fail(std::move(canary.error()).with_context("canary write on " + target));
        const auto [at, fresh] = record_.canary.try_emplace(target, *canary);
        if (!fresh && *canary != Canary::seen) at->second = *canary;
    }
    co_return Result<>{};
}

// Opening for writing is not writing: what was written shows in the data.
Task<> TogetherLaunch::find_unwritten() {
    if (record_.plan.kind != RunKind::control) co_return Result<>{};
    std::vector<std::string> opened = verdict::only_opened(record_);
    if (opened.empty()) co_return Result<>{};
    auto unwritten = co_await bench_.data.unwritten(record_.plan, std::move(opened));
    if (!unwritten) co_return fail(std::move(unwritten.error()));
    record_.unwritten = std::move(*unwritten);
    co_return Result<>{};
}

// What is split off from a root is no mount of the configuration, so that the observer names none for what is
// written there.
void name_what_is_split_off(const std::vector<WritablePath>& writable, Attempts& attempts) {
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        if (!attempts[i].mount.empty() || attempts[i].error != 0) continue;
        const auto found = std::ranges::find_if(writable, [&](const WritablePath& each) {
            return is_root(each.mount) && is_or_below(attempts[i].path.view(), each.path);
        });
        if (found != writable.end()) attempts.edit()[i].mount = found->path;
    }
}

Task<> TogetherLaunch::collect() {
    if (auto looked = co_await look_for_remade_volumes(bench_.client, bench_.session); !looked)
        co_return looked;
    auto recording = co_await bench_.observer.collect();
    if (!recording)
        co_return fail(std::move(recording.error()).with_context("collecting what the observer saw"));
    record_.attempts = std::move(recording->attempts);
    name_what_is_split_off(record_.plan.writable, record_.attempts);
    record_.uses = std::move(recording->uses);
    record_.read_back = std::move(recording->read_back);
    record_.lost_events = recording->lost_events;
    record_.observer = bench_.observer.facts().kind;
    record_.observer_problem = std::move(recording->problem);
    for (const Member& member : members_)
        if (std::string doubt = engine_socket_doubt(member.subject, bench_.client.endpoint()); !doubt.empty())
            record_.unseen_writers.emplace(member.name, std::move(doubt));
    co_return co_await find_unwritten();
}

Task<> TogetherLaunch::run_phases() {
    phase_start_ = Clock::now();
    if (auto started = co_await start_all(); !started) co_return started;
    if (auto tried = co_await canaries(); !tried) co_return tried;
    if (auto waited = co_await ready(); !waited) co_return waited;
    if (auto again = co_await start_again(); !again) co_return again;
    if (auto stopped = co_await shutdown(); !stopped) co_return stopped;
    if (auto tried = co_await canaries(); !tried) co_return tried;
    if (auto collected = co_await collect(); !collected) co_return collected;
    const bool all_fell = is_control() && std::ranges::all_of(members_, [&](const Member& member) {
                              return is_given_up(member.name);
                          });
    if (all_fell) {
        failure_ = record_.containers.at(members_.front().name).trouble;
        end();
    }
    record_.passed = !failed_;
    co_return Result<>{};
}

Task<> TogetherLaunch::remove() {
    std::map<std::string, std::string> ids;
    for (const auto& [name, running] : running_) ids.emplace(name, running.id);
    if (auto removed = co_await remove_all(bench_.client, std::move(ids)); !removed) co_return removed;
    co_return co_await bench_.data.release(record_.plan.id);
}

Task<RunRecord> TogetherLaunch::go() {
    const auto start = Clock::now();
    bench_.status.run_started(record_.plan);
    auto done = co_await run_phases();
    if (!done && done.error().kind == ErrorKind::cancelled) co_return fail(std::move(done.error()));
    auto removed = co_await remove();
    if (!done) co_return fail(std::move(done.error()).with_context(fmt::format("run {}", record_.plan.id)));
    if (!removed)
        bench_.status.warn(fmt::format("run {}: clean-up: {}", record_.plan.id, removed.error().message));
    record_.duration_s = seconds_since(start);
    bench_.status.run_finished(record_);
    co_return std::move(record_);
}

}  // namespace

Task<RunRecord> launch_together(Bench& bench, RunPlan plan) {
    TogetherLaunch one(bench, std::move(plan));
    co_return co_await one.go();
}

}  // namespace rogate::campaign
