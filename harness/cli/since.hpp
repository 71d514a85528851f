// What the repository's work tree made read-only since a revision, as git tells it.
#pragma once

#include <rogate/error.hpp>

#include "gate/since.hpp"

namespace rogate::cli {

// Compares with the point where the current branch parted from `revision`, so that what others did there
// meanwhile is no change of this branch. ErrorKind::usage: no repository, no such revision, no common
// history.
Result<gate::Since> changes_since(const std::string& revision);

}  // namespace rogate::cli
