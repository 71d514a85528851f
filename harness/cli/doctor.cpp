#include <fmt/format.h>

#include <cstdio>

#include "campaign/campaign.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "cli/watchdog.hpp"
#include "observe/observer.hpp"

namespace rogate::cli {

namespace {

// Says whether an observer started, and ends it.
engine::Task<> tell(engine::Client& client, const char* kind,
                    Result<std::unique_ptr<observe::Observer>>& observer, const std::string& session) {
    if (observer) {
        std::puts(fmt::format("ok    observer   {}: {}", kind, (*observer)->facts().hooks).c_str());
        co_return co_await (*observer)->stop();
    }
    if (observer.error().kind == ErrorKind::cancelled) co_return fail(Error(observer.error()));
    std::puts(fmt::format("no    observer   {}: {}", kind, observer.error().message).c_str());
    auto swept = co_await campaign::sweep(client, session);
    if (!swept) co_return fail(std::move(swept.error()));
    co_return Result<>{};
}

}  // namespace

// Reaches the engine and attaches the observer for real: what a run needs before its first container.
int doctor_command(const Global& global) {
    const std::string session = campaign::new_session();
    Watchdog watchdog(global, session);
    EngineWork work;
    work.work = [&](engine::Client& client) -> engine::Task<> {
        const engine::Version& server = client.server();
        std::puts(fmt::format("ok    engine     {} {} at {}, API {}", server.platform, server.version,
                              client.endpoint().to_string(), client.api_version())
                      .c_str());
        auto info = co_await client.info();
        if (!info) co_return fail(std::move(info.error()));
        std::puts(
            fmt::format("ok    kernel     {} with cgroup v{}", info->kernel, info->cgroup_version).c_str());
        observe::SidecarOptions options;
        options.session = session;
        auto ebpf = co_await observe::start_ebpf_observer(client, options);
        if (auto told = co_await tell(client, "ebpf", ebpf, session); !told) co_return told;
        auto ptrace = co_await observe::start_ptrace_observer(client, options);
        if (auto told = co_await tell(client, "ptrace", ptrace, session); !told) co_return told;
        if (!ebpf && !ptrace)
            co_return fail(
                Error(ebpf.error()).with_context("no observer can run here, so no mount can be called safe"));
        std::puts(fmt::format("ok    run        --observer auto takes {}", ebpf ? "ebpf" : "ptrace").c_str());
        co_return Result<>{};
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
