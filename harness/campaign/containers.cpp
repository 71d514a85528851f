#include "campaign/containers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/labels.hpp>

#include "campaign/tar.hpp"
#include "engine/together.hpp"
#include "scenario/step_runner.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

void name_on_network(const Subject& subject, engine::ContainerSpec& spec) {
    spec.hostname = subject.hostname;
    spec.extra_hosts = subject.extra_hosts;
    spec.network_aliases = subject.aliases;
}

void leave_network(engine::ContainerSpec& spec) {
    spec.network_mode = "none";
    spec.network_aliases.clear();
    spec.extra_hosts.clear();
}

}  // namespace

void describe(const Subject& subject, engine::ContainerSpec& spec) {
    spec.image = subject.image;
    spec.entrypoint = subject.entrypoint;
    spec.cmd = subject.command;
    spec.user = subject.user;
    spec.working_dir = subject.working_dir;
    for (const auto& [name, value] : subject.environment) spec.env.push_back(name + "=" + value);
    for (const std::string& name : subject.unset_environment) spec.env.push_back(name);
    spec.cap_add = subject.cap_add;
    spec.cap_drop = subject.cap_drop;
    spec.security_opt = subject.security_opt;
    spec.unconfined_system_paths = subject.unconfined_system_paths;
    if (subject.healthcheck) {
        engine::HealthSpec health;
        health.test = subject.healthcheck->test;
        health.interval_ms = subject.healthcheck->interval_ms;
        health.timeout_ms = subject.healthcheck->timeout_ms;
        health.start_period_ms = subject.healthcheck->start_period_ms;
        health.retries = subject.healthcheck->retries;
        spec.health = std::move(health);
    }
    spec.ulimits = subject.ulimits;
    spec.ulimits_hard = subject.ulimits_hard;
    spec.sysctls = subject.sysctls;
    spec.shm_size = subject.shm_size;
    spec.init = subject.init;
    spec.runtime = subject.runtime;
    spec.privileged = subject.privileged;
    spec.open_stdin = subject.open_stdin;
    spec.tty = subject.tty;
    spec.group_add = subject.group_add;
}

void place_on_network(const Subject& subject, const std::string& network, bool publish,
                      engine::ContainerSpec& spec) {
    name_on_network(subject, spec);
    if (subject.network_mode == "none") return leave_network(spec);
    spec.network_mode = network;
    spec.network_aliases.emplace_back("subject");
    if (publish) publish_ports(subject, spec);
}

void publish_ports(const Subject& subject, engine::ContainerSpec& spec) {
    for (const Port& port : subject.ports) {
        const auto is_same = [&](const engine::PublishSpec& each) {
            return each.container_port == port.container && each.protocol == port.protocol;
        };
        if (std::ranges::any_of(spec.publish, is_same)) continue;
        engine::PublishSpec published;
        published.container_port = port.container;
        published.protocol = port.protocol;
        spec.publish.push_back(std::move(published));
    }
}

std::string network_owner(const Scenario& scenario, const Subject& subject) {
    std::string owner;
    const Subject* each = &subject;
    for (std::size_t i = 0; i <= scenario.companions.size() && each->network_mode.starts_with("service:");
         ++i) {
        owner = each->network_mode.substr(8);
        const auto companion = std::ranges::find(scenario.companions, owner, &Companion::name);
        if (companion == scenario.companions.end()) break;
        each = &companion->subject;
    }
    return owner;
}

// As for the containers of a pod: what is the namespace's is its owner's to say.
void share_network(engine::ContainerSpec& spec, const std::string& container) {
    spec.network_mode = "container:" + container;
    spec.hostname = std::nullopt;
    spec.publish.clear();
    spec.extra_hosts.clear();
    spec.network_aliases.clear();
}

void add_tmpfs(engine::ContainerSpec& spec, const Mount& mount, bool read_only) {
    std::string options = mount.tmpfs_options;
    if (read_only) options += options.empty() ? "ro" : ",ro";
    spec.tmpfs.emplace(mount.target, std::move(options));
}

engine::ContainerSpec beside_subject(const std::string& session, int run, const std::string& name,
                                     const Subject& like, const std::string& network) {
    engine::ContainerSpec spec;
    describe(like, spec);
    spec.name = fmt::format("rogate-{}-run{}-{}", session, run, name);
    std::ranges::replace(spec.name, '/', '_');  // of a pod; no name of Kubernetes' has a '_'
    spec.labels = labels(session, "service");
    spec.labels.emplace("io.rogate.run", std::to_string(run));
    spec.network_mode = network;
    name_on_network(like, spec);
    if (like.network_mode == "none") leave_network(spec);
    spec.stop_signal = like.stop_signal;
    spec.read_only_rootfs = like.read_only_rootfs;
    return spec;
}

Task<> seed_files(engine::Client& client, const std::string& container, const std::vector<SeedFile>& files) {
    if (files.empty()) co_return Result<>{};
    std::vector<TarEntry> entries;
    for (const SeedFile& file : files)
        entries.push_back({.name = file.target.substr(1),
                           .uid = file.uid,
                           .gid = file.gid,
                           .mode = file.mode,
                           .content = file.content});
    auto tar = tar_of(entries);
    if (!tar) co_return fail(std::move(tar.error()));
    auto put = co_await client.archive_put(container, "/", std::move(*tar));
    if (!put) co_return fail(std::move(put.error()).with_context("writing the inline configs and secrets"));
    co_return Result<>{};
}

std::string ending_of(const std::string& who, int exit_code, bool oom_killed) {
    return fmt::format("{} exited with code {}{}", who, exit_code, oom_killed ? " (out of memory)" : "");
}

Task<std::string> start_beside(engine::Client& client, std::string who, std::string container) {
    auto started = co_await client.container_start(container);
    if (started) co_return std::string();
    auto could_not = co_await scenario::start_was_refused(client, container, started.error());
    if (!could_not) co_return fail(std::move(could_not.error()).with_context(who));
    co_return fmt::format("{} could not be started: {}", who, started.error().message);
}

Task<> end_beside(engine::Client& client, std::string container, bool kill, std::int64_t grace_ms) {
    if (!kill) co_return co_await client.container_stop(container, static_cast<int>((grace_ms + 999) / 1000));
    auto killed = co_await client.container_kill(container, "KILL");
    // 409: it has ended by itself.
    if (!killed && killed.error().kind != ErrorKind::refused) co_return killed;
    auto ended = co_await client.container_wait(container, engine::Milliseconds(30'000));
    if (!ended) co_return fail(std::move(ended.error()));
    co_return Result<>{};
}

Task<std::string> log_tail(engine::Client& client, std::string container, const Masker& masker) {
    auto log = co_await scenario::last_lines(client, std::move(container), masker, 4096, 8);
    if (!log || log->empty()) co_return std::string("; it wrote nothing");
    std::string text = std::move(*log);
    while (text.ends_with('\n')) text.pop_back();
    co_return "; its last output:\n" + text;
}

Task<std::string> name_fallen(engine::Client& client, std::string kind,
                              std::map<std::string, std::string> containers, const Masker& masker) {
    std::string text;
    for (const auto& [name, container] : containers) {
        auto state = co_await client.container_inspect(container);
        if (!state) co_return fail(std::move(state.error()));
        if (state->restarts == 0 && (state->running || state->exit_code == 0)) continue;
        auto tail = co_await log_tail(client, container, masker);
        if (!tail) co_return fail(std::move(tail.error()));
        text += fmt::format("{}{} '{}' ", text.empty() ? "" : "\n", kind, name);
        if (state->restarts == 0)
            text += fmt::format("exited with code {}{}", state->exit_code, *tail);
        else
            text +=
                fmt::format("ended and was started again {}{}",
                            state->restarts == 1 ? "once" : fmt::format("{} times", state->restarts), *tail);
    }
    co_return text;
}

Task<> remove_all(engine::Client& client, std::map<std::string, std::string> containers) {
    std::vector<Task<>> removals;
    for (const auto& [name, container] : containers) removals.push_back(client.container_remove(container));
    auto all = engine::together(std::move(removals));
    co_return co_await std::move(all);
}

}  // namespace rogate::campaign
