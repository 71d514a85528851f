#pragma once

#include <string>
#include <vector>

#include "engine/client.hpp"

namespace rogate::campaign {

// Of the runtimes that containers name ("": the engine's default), the first one that is not known to leave
// its containers the engine's kernel, as a person calls it: "runsc (/usr/bin/runsc)". Empty: all of them do.
// Their calls cannot be seen from outside.
engine::Task<std::string> kernel_apart(engine::Client& client, std::vector<std::string> runtimes);

}  // namespace rogate::campaign
