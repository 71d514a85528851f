// An agent's program as an image of the engine's.
#pragma once

#include <string>

#include "engine/client.hpp"
#include "observe/agent_program.hpp"

namespace rogate::observe {

// Imports an image that holds `agent` as /rogate-observer, for the engine's architecture, and returns its id.
// `name` and `tag` are what it is called there; it carries the labels of `session`.
engine::Task<std::string> import_agent(engine::Client& client, AgentProgram agent, std::string session,
                                       std::string name, std::string tag);

}  // namespace rogate::observe
