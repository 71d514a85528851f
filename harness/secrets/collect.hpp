// The secrets of a scenario and of what is done in it. Pure.
#pragma once

#include <map>
#include <rogate/pods.hpp>
#include <rogate/scenario.hpp>
#include <rogate/secret.hpp>
#include <string>
#include <vector>

namespace rogate::secrets {

// In all the forms in which a program may show them (with_forms): environment values of the subject and of
// all that is beside it, what is a secret in Compose and Kubernetes, credentials in commands, health checks,
// requests and URLs. A value that the scenario also writes in the open, in a mount's target or source or an
// image's name, is none: to hide it there would make the answer wrong ("mount *** read-only").
Secrets of_scenario(const Scenario& scenario);

// What the pods of a system have beside their containers.
Secrets of_pods(const Pods& pods, const Scenario& scenario);

// Of one step, with what was captured put in already; `scenario` says what is in the open.
Secrets of_step(const Step& step, const Scenario& scenario);

// Those of variables whose names are those of credentials.
Secrets of_variables(const std::map<std::string, std::string>& variables, const Scenario& scenario);

// What an image brings: of its own variables only those that are secrets, since their values ("1.17") are
// known to all.
Secrets of_image(const std::vector<std::string>& environment, const Scenario& scenario);

}  // namespace rogate::secrets
