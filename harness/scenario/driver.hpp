// Performs steps and readiness checks against a running subject.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <rogate/scenario.hpp>
#include <string>
#include <vector>

#include "engine/client.hpp"

namespace rogate::scenario {

// What became of a step. An application that does not do what is expected is an outcome; an engine that fails
// is an Error.
struct StepOutcome {
    bool passed = false;
    std::string message;  // why it did not pass
    std::vector<std::int64_t>
        exec_pids;  // processes that this step started in the subject (engine host's pids)
};

// What is executed in place of a command, so that an observer can see it.
using CommandWrapper = std::function<std::vector<std::string>(std::vector<std::string>)>;

// A start that failed: success when it is the container that cannot be started (the runtime cannot set it up,
// or cannot find the command), which the engine notes in the container's state; else the engine's own error.
engine::Task<> start_was_refused(engine::Client& client, std::string container, Error error);

class Driver {
  public:
    // `network`: the container whose network namespace the subject is in, and whose ports are published;
    // empty: its own.
    Driver(engine::Client& client, std::string container, CommandWrapper wrapper = {},
           std::string network = {})
        : client_(client),
          container_(std::move(container)),
          network_(network.empty() ? container_ : std::move(network)),
          wrapper_(std::move(wrapper)) {}

    // Looks up where the subject's ports are published; again after a restart, since the engine may choose
    // new ones.
    engine::Task<> refresh();
    engine::Task<StepOutcome> perform(const Step& step);
    // Passed when every check held; ends early, not passed, when the subject stops running. A log check sees
    // only what was written since the subject's last start.
    engine::Task<StepOutcome> wait_ready(const Readiness& readiness);

  private:
    engine::Task<StepOutcome> attempt(const Step& step);
    engine::Task<StepOutcome> check(const Step& step);
    engine::Task<StepOutcome> http(const Step& step, const HttpAction& action);
    engine::Task<StepOutcome> exec(const Step& step, const ExecAction& action);
    engine::Task<StepOutcome> tcp(const Step& step, const TcpAction& action);
    engine::Task<StepOutcome> log(const Step& step, std::string since);
    engine::Task<StepOutcome> health();
    engine::Task<StepOutcome> restart(const RestartAction& action);
    Result<std::uint16_t> published(std::uint16_t container_port) const;

    engine::Client& client_;
    std::string container_, network_;
    CommandWrapper wrapper_;
    std::map<std::string, std::uint16_t> ports_;
};

// "NAME exited with code 1" and its last log lines.
engine::Task<std::string> describe_exit(engine::Client& client, const engine::ContainerState& state);

}  // namespace rogate::scenario
