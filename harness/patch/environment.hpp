// The variables that a recommendation sets, in the form that the file has: a list or a mapping.
#pragma once

#include <string>

#include "patch/job.hpp"

namespace rogate::patch {

// Below the key `environment` of a Compose service or a scenario's subject. `dollars`: '$' begins a variable
// here.
void set_environment(Job& job, OpenFile& file, const NodePtr& owner, const std::string& who,
                     const Sharing& sharing, bool dollars);
// The list `env` of a container in a manifest.
void set_container_env(Job& job, OpenFile& file, const NodePtr& container, const std::string& who,
                       const Sharing& sharing);

}  // namespace rogate::patch
