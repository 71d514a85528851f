// What the ptrace observer does to containers: pure.
#pragma once

#include <string>
#include <vector>

#include "engine/client.hpp"

namespace rogate::observe {

inline constexpr const char* ptrace_home = "/.rogate";  // where the agent is mounted in the subject

// The volume by which the agent gets into the subject.
std::string ptrace_volume(const std::string& session);

// The relay's container: no privilege on the engine.
engine::ContainerSpec ptrace_relay(const std::string& session, const std::string& image,
                                   std::size_t ring_bytes);

// Wraps the first process and the health check, resolved from `spec`, else from the image; mounts the agent;
// adds the capabilities that the agent gives up before the subject's own program is executed. Returns the
// numbers of those, as the agent takes them: "19,21", "-" for none.
std::string ptrace_dress(engine::ContainerSpec& spec, const engine::ImageInfo& image,
                         const std::string& session);

// `command` as a process of the running container that is traced too.
std::vector<std::string> ptrace_exec(const std::string& session, const std::string& drop,
                                     std::vector<std::string> command);

}  // namespace rogate::observe
