// A Compose project as a system, and one of its services as the subject of a scenario.
#pragma once

#include <rogate/system.hpp>
#include <string>
#include <vector>

#include "spec/fields.hpp"

namespace rogate::spec {

struct ComposeChoice {
    std::vector<std::string> files;     // as the user named them, in the order in which they are merged
    std::vector<std::string> services;  // under test, with all that they need
    std::vector<std::string> profiles;
    std::vector<std::string> env_files;  // empty: .env beside the first file
    std::vector<std::string> without;    // keys of services that are read as if they were not there
    Place files_at, service_at;          // for messages
};

// The project: of `choice.services`, and what they need; without any, every service whose profile is on.
// `text`: of the only file, if it was read already (it is file 0 of the problems then). What is wrong with a
// service is told to the problems, and stands in `refused`.
System read_compose_system(const ComposeChoice& choice, const std::string* text, const Context& context);

// Sets subject, companions, after, notes and the shutdown's time of `scenario`; the subject is the service
// that is chosen, or the only one.
void read_compose_project(const ComposeChoice& choice, const std::string* text, const Context& context,
                          Scenario& scenario);

// The key `subject.compose`.
ComposeChoice read_compose_choice(const Value& value, const Context& context);

// "healthy" if the subject declares a health check, else its tcp ports, else nothing: for a subject that
// comes without a scenario's `ready`. What its image declares is added when that is known.
Readiness default_readiness(const Subject& subject);

}  // namespace rogate::spec
