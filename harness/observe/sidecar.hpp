// What both observers have in common: an agent in a container beside the subject, which is told what to
// watch, and whose account is taken when the run has ended.
#pragma once

#include <set>

#include "observe/agent_channel.hpp"
#include "observe/agent_program.hpp"
#include "observe/observer.hpp"

namespace rogate::observe {

class Sidecar : public Observer {
  public:
    Sidecar(engine::Client& client, boost::asio::any_io_executor executor, SidecarOptions options,
            std::string kind, AgentProgram agent);

    // Imports the agent's image, starts its container, and waits until it has said hello.
    engine::Task<> start();

    const ObserverFacts& facts() const override { return facts_; }
    engine::Task<> arm(std::string container, std::vector<ObservedMount> mounts, std::string phase,
                       std::string name) override;
    engine::Task<> phase(std::string name) override;
    void own_processes(const std::vector<std::int64_t>& pids) override {
        for (const Seat& seat : seats_) seat.recorder->own_processes(pids);
    }
    engine::Task<Canary> canary(std::string target) override;
    engine::Task<Recording> collect() override;
    engine::Task<> stop() override;

  protected:
    // Creates the agent's container from its image and returns its id.
    virtual engine::Task<std::string> create(std::string image) = 0;
    // Beside the container and its image, what create() has made.
    virtual engine::Task<> remove_rest() { co_return Result<>{}; }
    // What the agent has to know of the mounts of a container that has been armed, as commands.
    virtual std::vector<std::string> about_mounts(std::size_t slot,
                                                  const std::vector<ObservedMount>& mounts) const = 0;
    // What is known of this kind of observer's recordings.
    virtual void qualify(Recording& recording) const = 0;

    // A new recorder for a container, which is alone if it has no name. The slot.
    std::size_t record(const std::vector<ObservedMount>& mounts, std::string phase, std::string name);
    std::size_t slot_of(std::string_view name) const;
    engine::Task<> release(std::size_t slot);
    engine::Task<Reply> command(std::string text) { return channel_.ask(std::move(text)); }
    // A path in a command, which ends at the first blank.
    static std::string escaped(std::string_view path);

    engine::Client& client() { return client_; }
    const SidecarOptions& options() const { return options_; }

  private:
    // One of the containers that are armed: its place in the list is its slot.
    struct Seat {
        std::string name;
        std::shared_ptr<Recorder> recorder;
    };
    engine::Task<Recording> collect_from(std::size_t slot);

    engine::Client& client_;
    SidecarOptions options_;
    AgentProgram agent_;
    AgentChannel channel_;
    ObserverFacts facts_;
    std::string container_, image_;
    std::vector<Seat> seats_;
    std::string canary_problem_;  // of the container that is armed
};

// Starts it. One that could not be started leaves nothing, unless it was interrupted.
engine::Task<std::unique_ptr<Observer>> started(std::unique_ptr<Sidecar> sidecar);

}  // namespace rogate::observe
