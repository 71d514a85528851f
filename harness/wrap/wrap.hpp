// Any program that drives an engine is the scenario, and what it creates is the system: COMMAND is started
// again and again, behind a proxy that makes candidates read-only in what it creates.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <rogate/result.hpp>
#include <rogate/secret.hpp>
#include <string>
#include <vector>

#include "campaign/budget.hpp"
#include "campaign/status.hpp"
#include "engine/client.hpp"

namespace rogate::wrap {

struct Options {
    std::vector<std::string> command;
    std::vector<std::string> junit;           // patterns of files that COMMAND writes; see JunitFiles
    std::vector<std::string> known_failures;  // names of tests whose failures count for nothing
    bool real_engine_socket = false;          // containers that mount it get the engine's own
    bool rootfs = false;                      // "/" of each container is tried as well
    std::optional<std::chrono::milliseconds> timeout;    // for one run of COMMAND; absent: see limit_of()
    std::size_t ring_bytes = 16U << 20U;                 // of each observer's ring buffer
    std::chrono::milliseconds observer_timeout{30'000};  // for its answer to a command
    std::shared_ptr<campaign::Budget> budget = {};       // null: no bounds
    std::function<void(std::string_view)> output;        // what COMMAND says, as it comes
    std::function<void(const std::string&)> note;        // what the user should know beforehand
};

// How long COMMAND may take: the control run as long as it likes, each other run three times as long as that
// and a minute, unless `timeout` says.
std::optional<std::chrono::milliseconds> limit_of(const Options& options, const RunRecord* control);

// One for each container of the control run, and one for each that was there before.
struct Answer {
    std::vector<CampaignResult> results;
    Secrets secrets;  // of the containers: what no report may show
};

class Wrap {
  public:
    // `transport` connects to the client's engine; all of them outlive it.
    Wrap(engine::Client& client, engine::Transport& transport, std::string session, Options options,
         campaign::Status& status);
    ~Wrap();

    // ErrorKind::scenario: COMMAND created no container.
    engine::Task<Answer> go();
    // Whatever came of go(): COMMAND has ended afterwards, and nothing is passed on any more. What was
    // labelled is left to the session's sweep.
    engine::Task<> end();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace rogate::wrap
