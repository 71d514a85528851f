// A container that exists on an engine -> a Subject that is like it. Pure: gets what
// GET /containers/{id}/json answers.
#pragma once

#include <rogate/error.hpp>
#include <rogate/scenario.hpp>
#include <string>
#include <string_view>

namespace rogate::spec {

// Image (by its id), command, entrypoint, environment, user, mounts, capabilities, health check, ports,
// limits and the rest, as they are set on the original. ErrorKind::usage names what cannot be had a second
// time (devices, the host's namespaces), and says what to do.
Result<Subject> subject_of_container(std::string_view inspect, const std::string& name, CloneNetwork network);

// `scenario.subject` names a container only: the clone, with the ports that the
// scenario's steps talk to. Without a readiness condition, the health check is it, if there is one. Its notes
// say which mounts the engine relabels for SELinux.
Result<Scenario> with_container(Scenario scenario, std::string_view inspect);

// What `rogate run --container NAME` runs without a scenario: see with_container() for when it is ready.
Scenario scenario_of_container(const std::string& name);

}  // namespace rogate::spec
