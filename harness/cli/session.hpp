// Runs one piece of work against an engine: finds and reaches it, stops it on SIGINT and SIGTERM, and cleans
// up whatever came of it.
#pragma once

#include <functional>
#include <rogate/error.hpp>

#include "cli/commands.hpp"
#include "engine/client.hpp"

namespace rogate::cli {

struct EngineWork {
    // The work itself; cancelled on SIGINT and SIGTERM.
    std::function<engine::Task<>(engine::Client&)> work;
    // Always awaited after it when the engine was reached, whatever came of the work; not cancelled by the
    // first signal.
    std::function<engine::Task<>(engine::Client&)> clean_up;
    // Called a few times a second.
    std::function<void()> tick;
};

struct EngineOutcome {
    Result<> result;
    int signal = 0;  // the signal that ended it; 0: none
};

EngineOutcome with_engine(const Global& global, EngineWork work);

// Prints the error on stderr and gives the exit code.
int report_error(const Error& error);
int report_outcome(const EngineOutcome& outcome);

}  // namespace rogate::cli
