#include <fmt/format.h>

#include <cstdio>

#include "campaign/campaign.hpp"
#include "campaign/canary.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "cli/watchdog.hpp"
#include "observe/observer.hpp"
#include "observe/runtimes.hpp"

namespace rogate::cli {

namespace {

// One line a check: how it is, and what that means; where it is not well, the way out.
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

bool kernel_from(const std::string& kernel, int wanted_major, int wanted_minor) {
    int major = 0, minor = 0;
    if (std::sscanf(kernel.c_str(), "%d.%d", &major, &minor) != 2) return false;
    return major > wanted_major || (major == wanted_major && minor >= wanted_minor);
}

using Started = Result<std::unique_ptr<observe::Observer>>;

class Doctor {
  public:
    Doctor(engine::Client& client, std::string session) : client_(client), session_(std::move(session)) {}
    engine::Task<> examine();

  private:
    void engine_and_api();
    void podman();
    void machine(const engine::Info& info);
    void kernel(const engine::Info& info);
    void privileges(const engine::Info& info);
    void data(const engine::Info& info);
    // Whether runs can rely on this observer.
    engine::Task<bool> observer(const char* kind, Started started, const char* needs);
    engine::Task<bool> canary(const char* kind, observe::Observer& observer);

    engine::Client& client_;
    std::string session_;
    bool disk_told_ = false;
    bool rootless_ = false;
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

void Doctor::podman() {
    if (!client_.server().is_podman()) return;
    say("warn", "podman",
        "a read-only root has a tmpfs of podman's on /run, /tmp and /var/tmp, so nothing is said of /; "
        "where systemd does not run, rogate makes health checks, and only while it waits for them; a bind's "
        "source that is missing is made; a tmpfs is always root's, so that another user's directory is split "
        "off as a volume; a pod's subPath that is a link to nothing counts as missing",
        "ask an engine of docker's about / and for a tmpfs that is not root's; make sources first");
}

void Doctor::machine(const engine::Info& info) {
    const std::string& name = info.default_runtime;
    const auto known = info.runtimes.find(name);
    const std::string program = known == info.runtimes.end() ? "" : known->second;
    std::vector<std::string> others;
    for (const auto& [each, path] : info.runtimes)
        if (each != name) others.push_back(each);
    const std::string text = fmt::format(
        "{}{}; also there: {}", name.empty() ? "the default one has no name" : name + " is the default",
        program.empty() || program == name ? "" : fmt::format(" ({})", program),
        others.empty() ? "none" : fmt::format("{}", fmt::join(others, ", ")));
    if (observe::shares_kernel(name, program))
        say("ok", "runtime", text);
    else
        say("warn", "runtime",
            text + "; it may give containers a kernel of its own, which eBPF does not see into",
            "--observer auto takes ptrace there");
    say("ok", "machine",
        fmt::format("{}, images are kept by {}", client_.server().arch, info.storage_driver));
    if (has_option(info, "selinux"))
        say("warn", "selinux",
            "the engine labels containers, and rogate was not tried where such labels are enforced",
            "where the control run fails, look for what the host's audit log says of it");
}

void Doctor::kernel(const engine::Info& info) {
    const char* other_host = "use an engine on a host with a newer kernel (DOCKER_HOST or --host)";
    if (kernel_from(info.kernel, 5, 10))
        say("ok", "kernel",
            fmt::format("Linux {}: new enough for the observers (5.10 eBPF, 5.3 ptrace)", info.kernel));
    else if (kernel_from(info.kernel, 5, 3))
        say("warn", "kernel", fmt::format("Linux {}: too old for eBPF (5.10), not for ptrace", info.kernel),
            other_host);
    else
        say("FAIL", "kernel", fmt::format("Linux {}: the observers need 5.3 or newer", info.kernel),
            other_host);
    say("ok", "cgroup",
        fmt::format("v{} with the driver {}: the eBPF observer knows both versions", info.cgroup_version,
                    info.cgroup_driver));
}

void Doctor::privileges(const engine::Info& info) {
    rootless_ = has_option(info, "rootless");
    if (rootless_)
        say("warn", "privileges", "the engine is rootless: its containers cannot be given BPF",
            "--observer ptrace, or an engine that runs as root");
    else if (has_option(info, "userns"))
        say("warn", "privileges", "the engine remaps users (userns-remap): eBPF needs the host's",
            "--observer ptrace, or the engine without userns-remap, if eBPF fails below");
    else
        say("ok", "privileges", "the engine runs as root: a container can be given SYS_ADMIN for BPF");
    say("ok", "seccomp",
        has_option(info, "seccomp")
            ? "confines containers; the eBPF observer asks to be let out, the subject stays"
            : "confines nothing on this engine; the observers do not need it");
}

void Doctor::data(const engine::Info& info) {
    say("ok", "data",
        fmt::format("in {} ({}); users' data are laid under throw-away overlays, or copied where that "
                    "cannot be",
                    info.docker_root_dir, info.storage_driver));
}

engine::Task<bool> Doctor::canary(const char* kind, observe::Observer& observer) {
    auto container = co_await campaign::make_canary_container(client_, session_, observer);
    if (!container) {
        say("FAIL", "disk", "the engine cannot make a volume and a container: " + container.error().message,
            "free space in the engine's data directory");
        co_return fail(std::move(container.error()));
    }
    if (!std::exchange(disk_told_, true)) say("ok", "disk", "a volume and a container could be made");
    auto outcome = co_await campaign::run_canary(client_, observer, std::move(*container));
    if (!outcome) co_return fail(std::move(outcome.error()));
    if (outcome->canary == Canary::seen)
        say("ok", "canary",
            fmt::format("{}: a write on a read-only volume was refused by the kernel and seen", kind));
    else
        say("FAIL", "canary",
            fmt::format("{}: a write on a read-only volume was not refused, or not seen: no verdict could be "
                        "relied on {}",
                        kind, outcome->problem),
            "take the other observer (--observer); please report the engine's version and kernel");
    co_return outcome->canary == Canary::seen;
}

// Where the engine did not start the observer's container, nothing is known of the kernel.
std::string way_out(const std::string& problem, bool rootless, const char* needs) {
    if (problem.find("engine: POST /containers/") == std::string::npos) return needs;
    if (rootless) return "a rootless engine may not start every container; take an engine that runs as root";
    return "it is the engine that cannot start this container; where `docker run` of any image fails too, "
           "mend that first, or take another engine (DOCKER_HOST or --host)";
}

engine::Task<bool> Doctor::observer(const char* kind, Started started, const char* needs) {
    Result<bool> usable = false;
    if (started) {
        say("ok", "observer", fmt::format("{}: {}", kind, (*started)->facts().hooks));
        usable = co_await canary(kind, **started);
        auto stopped = co_await (*started)->stop();
        if (usable && !stopped) usable = fail(std::move(stopped.error()));
    } else {
        if (started.error().kind == ErrorKind::cancelled) co_return fail(std::move(started.error()));
        const std::string& problem = started.error().message;
        say("no", "observer", fmt::format("{}: {}", kind, problem), way_out(problem, rootless_, needs));
    }
    auto swept = co_await campaign::sweep(client_, session_);
    if (!swept) co_return fail(std::move(swept.error()));
    co_return usable;
}

engine::Task<> Doctor::examine() {
    engine_and_api();
    podman();
    auto info = co_await client_.info();
    if (!info) co_return fail(std::move(info.error()));
    machine(*info);
    kernel(*info);
    privileges(*info);
    data(*info);
    observe::SidecarOptions options;
    options.session = session_;
    auto ebpf = co_await observe::start_ebpf_observer(client_, options);
    const bool ebpf_starts = ebpf.has_value();
    auto by_ebpf =
        co_await observer("ebpf", std::move(ebpf),
                          "it needs a kernel with BTF (CONFIG_DEBUG_INFO_BTF) and an engine that may give "
                          "SYS_ADMIN");
    if (!by_ebpf) co_return fail(std::move(by_ebpf.error()));
    auto ptrace = co_await observe::start_ptrace_observer(client_, options);
    auto by_ptrace = co_await observer("ptrace", std::move(ptrace), "its seccomp profile must allow ptrace");
    if (!by_ptrace) co_return fail(std::move(by_ptrace.error()));
    if (!*by_ebpf && !*by_ptrace)
        co_return fail(ErrorKind::engine, "no observer works here, so no mount can be called safe");
    if (ebpf_starts && !*by_ebpf)
        say("warn", "run", "--observer auto takes ebpf, whose canary was not seen", "name --observer ptrace");
    else
        say("ok", "run", fmt::format("--observer auto takes {}", *by_ebpf ? "ebpf" : "ptrace"));
    co_return Result<>{};
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
