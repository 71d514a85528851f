// A system -> what one campaign settles, and the way back. Pure.
#pragma once

#include <rogate/pods.hpp>
#include <rogate/system.hpp>
#include <string>
#include <vector>

namespace rogate::spec {

// The container's own scenario, without steps: the container is the subject; beside it are those that it
// needs, and of a pod the others, each in its place. What comes behind an init container is not started.
// `container` must be one of the system's.
Scenario scenario_of(const System& system, const std::string& container);

// Of a Compose project: the services that the subject does not need stand beside it as well, those that wait
// for it behind it, as whoever tests the whole project needs them.
void put_all_beside(const System& system, Scenario& scenario);

// Whether it runs until it is told to end, as far as the files tell.
bool goes_on(const System& system, const SystemContainer& container);

// The scenario that settles these containers in one campaign; what they need beside them is in it, and is not
// tried.
Scenario together_of(const System& system, const std::vector<std::string>& containers);
// Which of its members are in pods, and what these have in common.
Pods pods_of(const System& system, const Scenario& together);
// What is in the system that such a campaign does not have; empty: nothing.
std::string why_not_together(const System& system);

// What a scenario's subject stands in. scenario_of(system_of(s), its name) is `s` again, but for steps and
// whatever else only a scenario says.
System system_of(const Scenario& scenario);
// The name of a scenario's subject in there.
std::string subject_name(const Scenario& scenario);

// Where the data of the containers are mounted, each source once. Of mounts that only an engine knows (an
// image's VOLUME) it has none; the root filesystem of each container is the last of them.
std::vector<SystemData> data_of(const System& system);

const SystemContainer* find_container(const System& system, const std::string& name);

// The name of a pod's container in the system; `pod`: its workload's.
std::string container_name(const std::string& pod, const std::string& container);

// What the user has to know before `scenarios` of the system are run: its notes, what is left out, and which
// keys have no effect.
std::vector<std::string> notes_of(const System& system, const std::vector<Scenario>& scenarios);

}  // namespace rogate::spec
