// The eBPF observer: its agent watches from the engine's host.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <cstdio>
#include <rogate/labels.hpp>
#include <utility>

#include "observe/protocol.h"
#include "observe/sidecar.hpp"

ROGATE_AGENT_BYTES(rogate_observer);

namespace rogate::observe {

using engine::Task;

namespace {

bool older_than_5_11(const std::string& kernel) {
    int major = 0, minor = 0;
    if (std::sscanf(kernel.c_str(), "%d.%d", &major, &minor) != 2) return false;
    return major < 5 || (major == 5 && minor < 11);
}

class EbpfObserver : public Sidecar {
  public:
    EbpfObserver(engine::Client& client, boost::asio::any_io_executor executor, SidecarOptions options)
        : Sidecar(client, std::move(executor), std::move(options), "ebpf",
                  ROGATE_AGENT_PROGRAM("eBPF observer", rogate_observer)) {}

    std::size_t at_once() const override { return PROTOCOL_SLOTS; }
    Task<> join(std::string container, std::int64_t pid, std::vector<ObservedMount> mounts,
                std::string phase) override {
        record(mounts, std::move(phase), {});
        auto reply = co_await command(fmt::format("join 0 {} {}", container, pid));
        if (!reply) co_return fail(std::move(reply.error()));
        co_return Result<>{};
    }
    Task<> before_end() override { co_return Result<>{}; }
    // The agent lets go of what it has pinned.
    Task<> before_start_again(std::string name) override { co_return co_await release(slot_of(name)); }

  protected:
    Task<std::string> create(std::string image) override {
        engine::ContainerSpec spec;
        spec.name = fmt::format("rogate-{}-observer{}", options().session, options().place);
        spec.image = std::move(image);
        spec.entrypoint = std::vector<std::string>{"/rogate-observer", std::to_string(options().ring_bytes)};
        if (options().sees_capabilities) spec.entrypoint->emplace_back("capabilities");
        spec.labels = labels(options().session, "observer");
        spec.network_disabled = true;
        spec.pid_mode = "host";  // the subject's processes are looked up in /proc
        spec.read_only_rootfs = true;
        spec.cap_drop = {"ALL"};
        // SYS_ADMIN: bpf(2) and tracing programs (BPF and PERFMON in its place need Linux 5.8 and an engine
        // that knows them). SYS_PTRACE: /proc/PID/root, exe and mountinfo of other users' processes.
        // DAC_READ_SEARCH: paths below directories that only their owner may search. KILL: letting go of the
        // subject, which is held at its first instruction until its mounts are known.
        spec.cap_add = {"SYS_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH", "KILL"};
        spec.security_opt = {"seccomp=unconfined", "apparmor=unconfined", "label=disable"};
        // Before 5.11, BPF maps are charged to RLIMIT_MEMLOCK; raising it there is worth the risk that an
        // engine without CAP_SYS_RESOURCE refuses it.
        if (older_than_5_11(client().server().kernel)) spec.ulimits = {{"memlock", -1}};
        spec.open_stdin = true;  // it ends when rogate does, however that ends
        spec.auto_remove = true;
        co_return co_await client().container_create(std::move(spec));
    }
    std::vector<std::string> about_mounts(std::size_t slot,
                                          const std::vector<ObservedMount>& mounts) const override {
        std::vector<std::string> commands;
        if (std::ranges::any_of(mounts, &ObservedMount::lacks_data))
            commands.push_back(fmt::format("looks {}", slot));
        for (const ObservedMount& mount : mounts)
            if (!mount.below_source && mount.target != "/")
                commands.push_back(fmt::format("target {} {}", slot, escaped(mount.target)));
        return commands;
    }
    // It looks at a path after the call.
    void qualify(Recording& recording) const override {
        if (recording.is_guess) recording.problem += "; --observer ptrace can tell";
    }
};

}  // namespace

Task<std::unique_ptr<Observer>> start_ebpf_observer(engine::Client& client, SidecarOptions options) {
    auto executor = co_await boost::asio::this_coro::executor;
    std::unique_ptr<Sidecar> observer =
        std::make_unique<EbpfObserver>(client, std::move(executor), std::move(options));
    co_return co_await started(std::move(observer));
}

}  // namespace rogate::observe
