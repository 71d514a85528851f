// Whether an observer sees what the kernel refuses, shown with a container of rogate's own.
#pragma once

#include <string>

#include "observe/observer.hpp"

namespace rogate::campaign {

// Its image is the observer's own: nothing has to be there, and nothing is pulled. It has a read-only volume
// on /canary, and is not started yet.
engine::Task<std::string> make_canary_container(engine::Client& client, std::string session,
                                                observe::Observer& observer);

struct CanaryOutcome {
    Canary canary = Canary::failed;
    std::string problem;  // why it failed
};
// Starts that container, tries to write on its volume, and removes it: it keeps the observer's image in use.
engine::Task<CanaryOutcome> run_canary(engine::Client& client, observe::Observer& observer,
                                       std::string container);

}  // namespace rogate::campaign
