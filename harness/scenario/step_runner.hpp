// Performs steps and readiness checks against a running subject.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <rogate/run.hpp>
#include <rogate/scenario.hpp>
#include <string>
#include <vector>

#include "engine/client.hpp"
#include "scenario/expectation.hpp"
#include "scenario/places.hpp"
#include "scenario/variables.hpp"

namespace rogate::scenario {

// What became of a step. An application that does not do what is expected is an outcome; an engine that fails
// is an Error.
struct StepOutcome {
    bool passed = false;
    std::string message;  // why it did not pass
    std::vector<std::int64_t>
        exec_pids;  // processes that this step started in the subject (engine host's pids)
    std::optional<Observed> observed = {};
    std::optional<SuiteRecord> suite = {};  // of a command that tells of its tests
    std::string output = {};                // the end of a command's, where it did not pass
};

// What the steps of one run share.
struct Memory {
    Variables variables;
    std::map<std::string, Observed> observed;  // by the step's key; what can be compared with another run's
    const std::map<std::string, Observed>* control = nullptr;  // the control run's; absent: this is it
    const Scenario* scenario = nullptr;                        // that the steps are of
    Secrets secrets;  // what no message may show: the scenario's, and what the steps bring along
    Masker masker;    // of these

    void hide(const Secrets& more);
};

// Where containers beside the subject are put, and how they are named.
struct Neighbourhood {
    std::string session, network, name;
    std::string relay = {};  // the container on `network` by which the subject's ports are reached; empty:
                             // they are published
};

// The subject's mounts in this run, by target: whether it is a tmpfs. "/" is left out.
using TmpfsByTarget = std::map<std::string, bool>;

struct Address;
struct HostReach;
class Connection;
class JunitFiles;
using Conversation = std::function<engine::Task<StepOutcome>(Connection&)>;

// What is executed in place of a command, so that an observer can see it.
using CommandWrapper = std::function<std::vector<std::string>(std::vector<std::string>)>;

// A start that failed: success when it is the container that cannot be started (the runtime cannot set it up,
// or cannot find the command), which the engine notes in the container's state; else the engine's own error.
engine::Task<> start_was_refused(engine::Client& client, std::string container, Error error);

class StepRunner {
  public:
    // `memory` outlives it. `published_by`: the container whose network namespace the subject is in,
    // and whose ports are published; empty: its own.
    StepRunner(engine::Client& client, std::string container, Memory& memory,
               Neighbourhood neighbourhood = {}, CommandWrapper wrapper = {}, std::string published_by = {})
        : client_(client),
          container_(std::move(container)),
          network_(published_by.empty() ? container_ : std::move(published_by)),
          memory_(memory),
          neighbourhood_(std::move(neighbourhood)),
          wrapper_(std::move(wrapper)) {}

    // What file and copy steps must not be tried on.
    void know_mounts(TmpfsByTarget mounts) { mounts_ = std::move(mounts); }
    // Log steps see only what was written since the subject's last start, as readiness checks do: what the
    // same steps have brought about before it is no proof.
    void read_log_from_start() { log_from_start_ = true; }
    // What commands are told: where the containers are, and of which run.
    void know_places(std::vector<Place> places, RunFacts run) {
        places_ = std::move(places);
        run_ = std::move(run);
    }
    // Who shows what commands write, line by line and without secrets.
    void show_output(std::function<void(const std::string& line)> show) { show_output_ = std::move(show); }
    // Who has to know of a restart: called before the subject is told to end, and when it has ended, before
    // it is started again.
    using Told = std::function<engine::Task<>()>;
    void tell_of_restarts(Told before_end, Told before_start) {
        before_end_ = std::move(before_end);
        before_start_ = std::move(before_start);
    }
    // Looks up where the subject's ports are; again after a restart, since the engine may choose new ones.
    engine::Task<> refresh();
    // As often as the step says; what it captures and what has to be compared goes into the memory.
    engine::Task<StepOutcome> perform(const Step& step);
    // Round after round until `stop` is set (a round is never broken off) or one fails.
    engine::Task<StepOutcome> in_background(const Step& step, const bool& stop);
    // Passed when every check held; ends early, not passed, when the subject stops running. A log check sees
    // only what was written since the subject's last start.
    // `meanwhile`: called, if it is there, each time that a check did not hold yet.
    engine::Task<StepOutcome> wait_ready(const Readiness& readiness,
                                         std::function<engine::Task<>()> meanwhile = {});

  private:
    engine::Task<StepOutcome> perform(const Step& step, std::string key);
    engine::Task<StepOutcome> once(const Step& step, std::string key);
    engine::Task<StepOutcome> attempt(const Step& step);
    engine::Task<StepOutcome> signal(const SignalAction& action);
    engine::Task<StepOutcome> copy(const CopyAction& action);
    engine::Task<StepOutcome> file(const Step& step, const FileAction& action);
    engine::Task<StepOutcome> run(const Step& step, const RunContainerAction& action);
    engine::Task<std::string> make_neighbour(const RunContainerAction& action);
    engine::Task<StepOutcome> watch_neighbour(const Step& step, const std::string& id,
                                              const std::string& image);
    engine::Task<StepOutcome> pages(const Step& step, const std::string& key);
    // Of the control run: follows links as long as there is time.
    engine::Task<StepOutcome> look_around(const PagesAction& action, Observed& seen);
    // Of the others: asks for what the control run asked for, and has to get the same.
    engine::Task<StepOutcome> ask_again(const std::map<std::string, std::string>& control,
                                        const PagesAction& action, Observed& seen);
    engine::Task<HostReach> reach();
    Variables variables_for_commands(const HostReach& reach) const;
    engine::Task<StepOutcome> command(const Step& step, const std::string& key, HostReach& reach);
    // What a command that has ended tells: by its exit code, and by what it says of its tests.
    StepOutcome tested(const Step& step, const std::string& key, Observed observed, const JunitFiles& junit);
    engine::Task<StepOutcome> parallel(const ParallelAction& action, std::string key);
    // Whether the step is to be left out; nothing: not to be.
    engine::Task<std::optional<std::string>> skip(const Step& step, StepOutcome& outcome);
    // What the observation adds to an outcome that passed so far: captures, and the comparison.
    void settle(const Step& step, const std::string& key, StepOutcome& outcome);
    engine::Task<StepOutcome> check(const Step& step);
    engine::Task<StepOutcome> http(const Step& step, const HttpAction& action);
    engine::Task<StepOutcome> exec(const Step& step, const ExecAction& action);
    engine::Task<StepOutcome> tcp(const Step& step, const TcpAction& action);
    engine::Task<StepOutcome> log(const Step& step, std::string since);
    engine::Task<StepOutcome> health();
    engine::Task<StepOutcome> restart(const RestartAction& action);
    // Why the engine's archive calls do not reach `path`; empty: they do.
    std::string out_of_reach(const std::string& path) const;
    Result<Address> address_of(std::uint16_t container_port) const;
    engine::Task<StepOutcome> over_connection(std::uint16_t port, std::int64_t timeout_ms, Conversation talk);

    engine::Client& client_;
    std::string container_, network_;
    Memory& memory_;
    TmpfsByTarget mounts_;
    Neighbourhood neighbourhood_;
    CommandWrapper wrapper_;
    std::vector<Place> places_;
    RunFacts run_;
    std::function<void(const std::string&)> show_output_;
    std::map<std::string, std::uint16_t> ports_;
    std::string address_;  // on the network
    Told before_end_, before_start_;
    int neighbours_ = 0;
    bool log_from_start_ = false;
    std::optional<std::string> ended_before_;  // when the subject had ended that restart() started again
};

// "NAME exited with code 1" and its last log lines. `masker` outlives the call.
engine::Task<std::string> describe_exit(engine::Client& client, const engine::ContainerState& state,
                                        const Masker& masker);

// What a log shows; of one that was cut, without what could be the rest of a secret.
std::string whole_secrets(engine::Client::Log log, const Masker& masker);

// The last `lines` lines of what a container wrote, of `limit` bytes at most, without secrets; `masker`
// outlives the call.
engine::Task<std::string> last_lines(engine::Client& client, std::string container, const Masker& masker,
                                     std::size_t limit, int lines);

}  // namespace rogate::scenario
