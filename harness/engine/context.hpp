// A docker context that is named (--context): what DOCKER_HOST and DOCKER_CONTEXT say does not count then.
#pragma once

#include <string>

#include "engine/endpoint.hpp"

namespace rogate::engine {

// ErrorKind::usage when there is none of that name in the folder of docker, or it names no engine.
Result<Endpoint> endpoint_of_context(const std::string& name, const EnvironmentLookup& environment);

}  // namespace rogate::engine
