// The ptrace observer: its agent traces from within the subject's container, and a relay beside it passes on
// what it tells. What it does to containers is in ptrace.hpp.
#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>
#include <rogate/labels.hpp>
#include <utility>

#include "observe/agent_image.hpp"
#include "observe/ptrace.hpp"
#include "observe/sidecar.hpp"

ROGATE_AGENT_BYTES(rogate_ptrace);

namespace rogate::observe {

using engine::Task;

namespace {

AgentProgram ptrace_agent() {
    return ROGATE_AGENT_PROGRAM("ptrace observer", rogate_ptrace);
}

class PtraceObserver : public Sidecar {
  public:
    PtraceObserver(engine::Client& client, boost::asio::any_io_executor executor, SidecarOptions options)
        : Sidecar(client, std::move(executor), std::move(options), "ptrace", ptrace_agent()) {}

    void dress(engine::ContainerSpec& spec, const engine::ImageInfo& image) override {
        drop_ = ptrace_dress(spec, image, options().session);
    }
    std::vector<std::string> wrap_exec(std::vector<std::string> command) const override {
        return ptrace_exec(options().session, drop_, std::move(command));
    }
    bool sees_after_end() const override { return false; }
    // The agent is told that the tracer's end is to come.
    Task<> before_end() override { co_return co_await release(0); }
    Task<> before_start_again(std::string) override { co_return Result<>{}; }

  protected:
    Task<std::string> create(std::string image) override {
        engine::VolumeSpec home;
        home.name = ptrace_volume(options().session);
        home.labels = labels(options().session, "observer");
        auto made = co_await client().volume_create(std::move(home));
        if (!made) co_return fail(std::move(made.error()));
        auto relay = ptrace_relay(options().session, image, options().ring_bytes);
        co_return co_await client().container_create(std::move(relay));
    }
    Task<> remove_rest() override {
        co_return co_await client().volume_remove(ptrace_volume(options().session));
    }
    // A subject may be gone before it could be asked for a canary write.
    std::vector<std::string> about_mounts(std::size_t slot,
                                          const std::vector<ObservedMount>& mounts) const override {
        std::vector<std::string> commands;
        for (const ObservedMount& mount : mounts)
            if (mount.is_read_only)
                commands.push_back(fmt::format("prove {} {}", slot, escaped(mount.target)));
        return commands;
    }
    // Its uses are "at least".
    void qualify(Recording& recording) const override { recording.read_back.reset(); }

  private:
    std::string drop_ = "-";  // the capabilities that the agent gives up
};

}  // namespace

Task<std::unique_ptr<Observer>> start_ptrace_observer(engine::Client& client, SidecarOptions options) {
    auto executor = co_await boost::asio::this_coro::executor;
    std::unique_ptr<Sidecar> observer =
        std::make_unique<PtraceObserver>(client, std::move(executor), std::move(options));
    co_return co_await started(std::move(observer));
}

Task<std::string> import_mount_reader(engine::Client& client, std::string session) {
    std::string tag = session;
    co_return co_await import_agent(client, ptrace_agent(), std::move(session), "rogate-mounts",
                                    std::move(tag));
}

}  // namespace rogate::observe
