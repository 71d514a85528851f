// Volumes that an engine has lost during a run.
#pragma once

#include <string>

#include "engine/client.hpp"

namespace rogate::campaign {

// A volume that the engine has lost is made anew by it for the next container that has it, and is empty: the
// runs had something else then than they were given, which is an error of the engine's.
engine::Task<> look_for_remade_volumes(engine::Client& client, std::string session);

}  // namespace rogate::campaign
