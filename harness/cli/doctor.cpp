#include <fmt/format.h>

#include <cstdio>

#include "campaign/campaign.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "cli/watchdog.hpp"
#include "observe/observer.hpp"

namespace rogate::cli {

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
        auto observer = co_await observe::start_ebpf_observer(client, options);
        if (!observer) {
            std::puts("FAIL  observer   the eBPF observer cannot run here");
            co_return fail(std::move(observer.error()));
        }
        std::puts(
            fmt::format("ok    observer   {}: {}", (*observer)->facts().kind, (*observer)->facts().hooks)
                .c_str());
        co_return co_await (*observer)->stop();
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
