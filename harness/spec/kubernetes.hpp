// The key `subject.kubernetes`: a container of a workload in Kubernetes manifests, with the pod around it.
#pragma once

#include <rogate/system.hpp>

#include "spec/kube_objects.hpp"

namespace rogate::spec {

// Steps of the hooks of the container's lifecycle; the scenario's own stand between them.
inline constexpr const char* post_start_name = "postStart hook";
inline constexpr const char* pre_stop_name = "preStop hook";

// Also of one container of a system. It stays behind whatever else is asked.
inline bool is_pre_stop(const Step& step) {
    return step.name == pre_stop_name ||
           (!step.container.empty() && step.name == std::string(pre_stop_name) + " of " + step.container);
}

// Fills subject, pod, readiness (from the probes, unless the scenario has a `ready` of its own), hooks and
// the time that the shutdown may take.
void read_kubernetes(const Value& value, bool has_ready, Scenario& scenario, const Context& context);

// Every workload of the manifests, each with its pod. What no file has is made up: a text for the keys of
// secrets and config maps that are asked for, empty claims; one note names all of it, as a `values:` block.
// Problems of a workload stand in `refused` and are told to the context; the containers of the others are
// there all the same.
System read_kubernetes_system(const std::vector<ManifestFile>& files, const Context& context);
// The same of a scenario's `subject.kubernetes` without a workload, with its `values` where it has some.
System read_kubernetes_system(const Value& value, const Context& context);

}  // namespace rogate::spec
