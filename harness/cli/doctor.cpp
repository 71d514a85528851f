#include <fmt/format.h>

#include <cstdio>
#include <rogate/labels.hpp>

#include "campaign/campaign.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "cli/watchdog.hpp"
#include "observe/observer.hpp"

namespace rogate::cli {

namespace {

// One line a check: how it is, and what that means; after a failure, the way out.
void say(const char* outcome, const char* subject, const std::string& text, const std::string& way_out = {}) {
    std::puts(fmt::format("{:<5} {:<10} {}", outcome, subject, text).c_str());
    if (!way_out.empty()) std::puts(fmt::format("{:16} -> {}", "", way_out).c_str());
    std::fflush(stdout);
}

bool has_option(const engine::Info& info, std::string_view name) {
    for (const std::string& option : info.security_options)
        if (option.find(name) != std::string::npos) return true;
    return false;
}

bool kernel_is_new_enough(const std::string& kernel) {
    int major = 0, minor = 0;
    if (std::sscanf(kernel.c_str(), "%d.%d", &major, &minor) != 2) return false;
    return major > 5 || (major == 5 && minor >= 10);
}

class Doctor {
  public:
    Doctor(engine::Client& client, std::string session) : client_(client), session_(std::move(session)) {}
    engine::Task<> examine();

  private:
    void engine_and_api();
    void kernel(const engine::Info& info);
    void privileges(const engine::Info& info);
    void data(const engine::Info& info);
    engine::Task<> observer();
    engine::Task<> disk_and_canary(observe::Observer& observer);

    engine::Client& client_;
    std::string session_;
};

void Doctor::engine_and_api() {
    const engine::Version& server = client_.server();
    say("ok", "engine",
        fmt::format("{} {} at {}: it answers", server.platform, server.version,
                    client_.endpoint().to_string()));
    say("ok", "api",
        fmt::format("{} is spoken (the engine: {} to {}); 1.41 is needed", client_.api_version(),
                    server.min_api_version.empty() ? "?" : server.min_api_version, server.api_version));
}

void Doctor::kernel(const engine::Info& info) {
    if (kernel_is_new_enough(info.kernel))
        say("ok", "kernel", fmt::format("Linux {}: new enough for the observer (5.10)", info.kernel));
    else
        say("FAIL", "kernel",
            fmt::format("Linux {}: the observer needs 5.10 or newer, with BTF", info.kernel),
            "use an engine on a host with a newer kernel (DOCKER_HOST or --host)");
    say("ok", "cgroup",
        fmt::format("v{} with the driver {}: the observer knows both versions", info.cgroup_version,
                    info.cgroup_driver));
}

void Doctor::privileges(const engine::Info& info) {
    if (has_option(info, "rootless"))
        say("FAIL", "privileges", "the engine is rootless: its containers cannot be given BPF",
            "use an engine that runs as root; a rootless one cannot run the observer");
    else if (has_option(info, "userns"))
        say("warn", "privileges", "the engine remaps users (userns-remap): the observer needs the host's",
            "run the engine without userns-remap if the observer fails below");
    else
        say("ok", "privileges", "the engine runs as root: a container can be given SYS_ADMIN for BPF");
    say("ok", "seccomp",
        has_option(info, "seccomp")
            ? "confines containers; the observer asks to be let out, the subject stays"
            : "confines nothing on this engine; the observer does not need it");
}

void Doctor::data(const engine::Info& info) {
    say("ok", "data",
        fmt::format("in {} ({}); users' data are laid under throw-away overlays, or copied where that "
                    "cannot be",
                    info.docker_root_dir, info.storage_driver));
}

engine::Task<> Doctor::observer() {
    observe::SidecarOptions options;
    options.session = session_;
    auto started = co_await observe::start_ebpf_observer(client_, options);
    if (!started) {
        say("FAIL", "observer", "the eBPF observer cannot run here",
            "the kernel needs CONFIG_DEBUG_INFO_BTF and BPF tracing; the engine must allow CAP_SYS_ADMIN");
        co_return fail(std::move(started.error()));
    }
    say("ok", "observer",
        fmt::format("{} with BTF: {}", (*started)->facts().kind, (*started)->facts().hooks));
    auto seen = co_await disk_and_canary(**started);
    auto stopped = co_await (*started)->stop();
    if (!seen) co_return seen;
    co_return stopped;
}

// The observer's own image is the subject: nothing has to be there, and nothing is pulled.
engine::Task<> Doctor::disk_and_canary(observe::Observer& observer) {
    engine::VolumeSpec volume;
    volume.name = fmt::format("rogate-{}-doctor", session_);
    volume.labels = labels(session_, "data");
    auto made = co_await client_.volume_create(volume);
    if (!made) {
        say("FAIL", "disk", "the engine cannot make a volume", "free space in the engine's data directory");
        co_return fail(std::move(made.error()));
    }
    engine::ContainerSpec spec;
    spec.name = fmt::format("rogate-{}-doctor", session_);
    spec.image = "rogate-observer:" + session_;
    spec.entrypoint = std::vector<std::string>{"/rogate-observer", "4096"};
    spec.labels = labels(session_, "subject");
    spec.network_mode = "none";
    spec.open_stdin = true;
    // It waits for commands that never come, as an observer of its own, which takes an observer's rights.
    spec.pid_mode = "host";
    spec.cap_drop = std::vector<std::string>{"ALL"};
    spec.cap_add = std::vector<std::string>{"SYS_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH"};
    spec.security_opt =
        std::vector<std::string>{"seccomp=unconfined", "apparmor=unconfined", "label=disable"};
    engine::MountSpec mount;
    mount.type = engine::MountSpec::Type::volume;
    mount.source = volume.name;
    mount.target = "/canary";
    mount.read_only = true;
    mount.no_copy = true;
    spec.mounts.push_back(std::move(mount));
    auto container = co_await client_.container_create(spec);
    if (!container) {
        say("FAIL", "disk", "the engine cannot make a container",
            "free space in the engine's data directory");
        co_return fail(std::move(container.error()));
    }
    say("ok", "disk", "a volume and a container could be made");
    std::vector<observe::ObservedMount> mounts(1);
    mounts.front().target = "/canary";
    auto armed = co_await observer.arm(*container, std::move(mounts), "entrypoint");
    if (!armed) co_return armed;
    if (auto started = co_await client_.container_start(*container); !started) co_return started;
    auto canary = co_await observer.canary("/canary");
    // It keeps the observer's image in use.
    auto removed = co_await client_.container_remove(*container);
    if (!removed) co_return removed;
    if (!canary) co_return fail(std::move(canary.error()));
    if (*canary != Canary::seen) {
        say("FAIL", "canary",
            "a write on a read-only mount was not refused, or not seen: no verdict could be relied on",
            "please report the engine's version and kernel");
        co_return fail(ErrorKind::inconclusive, "the canary was not seen");
    }
    say("ok", "canary", "a write on a read-only volume was refused by the kernel and seen by the observer");
    co_return Result<>{};
}

engine::Task<> Doctor::examine() {
    engine_and_api();
    auto info = co_await client_.info();
    if (!info) co_return fail(std::move(info.error()));
    kernel(*info);
    privileges(*info);
    data(*info);
    co_return co_await observer();
}

}  // namespace

// Everything that a run needs, up to a canary in a container of its own.
int doctor_command(const Global& global) {
    const std::string session = campaign::new_session();
    Watchdog watchdog(global, session);
    EngineWork work;
    work.work = [&](engine::Client& client) -> engine::Task<> {
        Doctor doctor(client, session);
        co_return co_await doctor.examine();
    };
    work.clean_up = [&](engine::Client& client) -> engine::Task<> {
        auto left = co_await campaign::sweep_until_settled(client, session);
        if (!left) {
            watchdog.keep();
            co_return fail(std::move(left.error()));
        }
        co_return Result<>{};
    };
    return report_outcome(with_engine(global, std::move(work)));
}

}  // namespace rogate::cli
