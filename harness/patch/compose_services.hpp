// The services of a Compose project, and who of them gets another one's mounts.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "patch/job.hpp"
#include "patch/reach.hpp"

namespace rogate::patch {

// Null if the file has none.
NodePtr services_of(const OpenFile& file);

// The services that take over the mounts of `service` by `volumes_from`, themselves or by another one between
// them, whether that stands in the service or in what it extends, in whatever file of the project.
struct Takers {
    std::set<std::string> names;
    std::vector<std::string> unknown;  // "compose.yaml:3:5: 'worker' extends base.yaml, which …"
};
Takers takers_of(const std::vector<std::unique_ptr<OpenFile>>& files, const std::string& service);

}  // namespace rogate::patch
