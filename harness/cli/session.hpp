// Runs work against engines: finds and reaches them, stops the work on SIGINT and SIGTERM, and cleans up
// whatever came of it. Everything happens on the calling thread.
#pragma once

#include <functional>
#include <rogate/error.hpp>
#include <vector>

#include "cli/commands.hpp"
#include "engine/client.hpp"

namespace rogate::cli {

struct EngineOutcome {
    Result<> result;
    int signal = 0;  // the signal that ended it; 0: none
};

struct EngineWork {
    // The work itself; cancelled on SIGINT and SIGTERM.
    std::function<engine::Task<>(engine::Client&)> work;
    // Always awaited after it when the engine was reached, whatever came of the work; not cancelled by the
    // first signal.
    std::function<engine::Task<>(engine::Client&)> clean_up;
    // Asked at a signal: true if the work ends by itself because of it, and is not to be cancelled. May be
    // empty.
    std::function<bool()> on_signal;
    // What came of both; called before the lane takes its next piece of work.
    std::function<void(EngineOutcome)> ended;
};

// One piece of work after the other, in several lanes at once.
struct EngineQueue {
    using Host = std::optional<std::string>;
    std::vector<Host>
        lanes;  // the engine of each (as Global::host), one engine in as many as it is to do at once
    // The next piece of work for lane number `lane`; nullopt: nothing is left. Not asked after a signal.
    std::function<std::optional<EngineWork>(std::size_t lane)> next;
    std::function<void()> tick;  // called a few times a second; may be empty
};

// Nothing is begun unless every engine is reached. A lane whose engine goes away takes no more work while
// there are others that can; then the result says so.
EngineOutcome with_engines(const Global& global, EngineQueue queue);

EngineOutcome with_engine(const Global& global, EngineWork work);

// Prints the error on stderr and gives the exit code.
int report_error(const Error& error);
int report_outcome(const EngineOutcome& outcome);

}  // namespace rogate::cli
