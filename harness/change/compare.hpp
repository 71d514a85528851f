// What became read-only between two versions of the same files. Pure.
#pragma once

#include "audit/audit.hpp"
#include "change/change.hpp"

namespace rogate::change {

// Mounts are the same if file, kind of file, name, container and target are; a file that is not in `now` any
// more (it was renamed) counts for any other. Of several equal ones (Deployments of two namespaces) each has
// its turn. Change::path is left empty.
std::vector<Change> made_read_only(const audit::Audit& before, const audit::Audit& now);

}  // namespace rogate::change
