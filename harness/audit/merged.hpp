// Compose files that are merged over others: docker compose -f one.yaml -f other.yaml. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "audit/audit.hpp"

namespace rogate::audit {

class MergedOver {
  public:
    // Keeps pointers into `mounts`.
    explicit MergedOver(const std::vector<Found>& mounts);
    // The same mount in the file that the one of `over` is merged over, null if it is none that is merged: in
    // its own folder by its name (compose.override.yaml); or, since its service leaves the rest to another
    // file (Found::partial), the nearest that has the service. Of several that are as near, one that is
    // writable.
    const Found* base_of(const Found& over) const;

  private:
    std::map<std::pair<std::string, std::string>, std::vector<const Found*>> whole_;  // by service and target
};

}  // namespace rogate::audit
