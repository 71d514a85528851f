// The key `subject.kubernetes`: a container of a workload in Kubernetes manifests, with the pod around it.
#pragma once

#include <rogate/scenario.hpp>
#include <string_view>

#include "spec/fields.hpp"

namespace rogate::spec {

// Steps of the hooks of the container's lifecycle; the scenario's own stand between them.
inline constexpr const char* post_start_name = "postStart hook";
inline constexpr const char* pre_stop_name = "preStop hook";

// Fills subject, pod, readiness (from the probes, unless the scenario has a `ready` of its own), hooks and
// the time that the shutdown may take.
void read_kubernetes(const Value& value, bool has_ready, Scenario& scenario, const Context& context);

}  // namespace rogate::spec
