// The key `subject.docker_run`: a command line as people paste it.
#pragma once

#include <rogate/subject.hpp>
#include <string>
#include <vector>

#include "spec/fields.hpp"

namespace rogate::spec {

// Options that have no bearing on the test are named in `notes`; what cannot be honoured is a problem.
Subject read_docker_run(const Value& value, const Context& context, std::vector<std::string>& notes);

}  // namespace rogate::spec
