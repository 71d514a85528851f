// A Compose project as the subject of a scenario: the service under test, and every service that it needs.
#pragma once

#include <rogate/scenario.hpp>
#include <string>
#include <vector>

#include "spec/fields.hpp"

namespace rogate::spec {

struct ComposeChoice {
    std::vector<std::string> files;  // as the user named them, in the order in which they are merged
    std::string service;             // empty: the only one
    std::vector<std::string> profiles;
    std::vector<std::string> env_files;  // empty: .env beside the first file
    std::vector<std::string> without;    // keys of services that are read as if they were not there
    Place files_at, service_at;          // for messages
};

// Sets subject, companions, after, notes and the shutdown's time of `scenario`. `text`: of the only file, if
// it was read already (it is file 0 of the problems then).
void read_compose_project(const ComposeChoice& choice, const std::string* text, const Context& context,
                          Scenario& scenario);

// The key `subject.compose`.
ComposeChoice read_compose_choice(const Value& value, const Context& context);

// "healthy" if the subject declares a health check, else its tcp ports, else nothing: for a subject that
// comes without a scenario's `ready`. What its image declares is added when that is known.
Readiness default_readiness(const Subject& subject);

}  // namespace rogate::spec
