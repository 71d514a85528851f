// Containers of the runs that mount the engine's socket get one by which they see and change only what is of
// the runs.
#pragma once

#include <memory>
#include <rogate/scenario.hpp>
#include <string>

#include "campaign/door.hpp"
#include "campaign/engine_sockets.hpp"
#include "engine/client.hpp"

namespace rogate::campaign {

// Whether a container of the scenario's mounts a socket of the engine's that another one can stand in for, by
// itself or in a folder.
bool has_engine_socket(const Scenario& scenario, const engine::Endpoint& endpoint, const BoundVolumes& bound);

class Guests {
  public:
    // `client` outlives it. What is on the engine is left to the session's sweep.
    static engine::Task<std::unique_ptr<Guests>> open(engine::Client& client, std::string session,
                                                      BoundVolumes bound);
    ~Guests();
    Guests(const Guests&) = delete;
    Guests& operator=(const Guests&) = delete;

    // What binds are replaced with.
    StandIn stand_in() const;
    // Who else can write by the doing of `subject`, whose mounts are replaced so; empty: nobody.
    std::string doubt(const Subject& subject) const;
    // At the end of a run: cuts off who is connected, and removes what was made through the socket.
    engine::Task<> end_run();

  private:
    struct Impl;
    explicit Guests(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

}  // namespace rogate::campaign
