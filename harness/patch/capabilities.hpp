// The capabilities that a recommendation keeps, and no-new-privileges, in the form that each file has.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "patch/job.hpp"

namespace rogate::patch {

// Below a Compose service or a scenario's subject: cap_drop, cap_add and security_opt.
void set_capabilities(Job& job, OpenFile& file, const NodePtr& owner, const std::string& who,
                      const Sharing& sharing);
// Below the securityContext of a container in a manifest.
// What a securityContext that is new has of it: keys and values.
std::vector<std::pair<std::string, NodePtr>> security_context_of(const Recommendation& advice);
void set_container_capabilities(Job& job, OpenFile& file, const NodePtr& container, const std::string& who,
                                const Sharing& sharing);

// "NET_RAW" for "cap_net_raw": as a recommendation has it.
std::string plain_capability(std::string text);
// Some form of it that docker understands.
bool is_no_new_privileges(const std::string& option);

}  // namespace rogate::patch
