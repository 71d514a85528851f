// What the repository's work tree made read-only since a revision, as git tells it.
#pragma once

#include <functional>
#include <rogate/error.hpp>
#include <string>

#include "audit/audit.hpp"
#include "change/change.hpp"

namespace rogate::change {

// Reads one file of the work tree, called `name` in what is found.
using ReadFile = std::function<void(const std::string& path, const std::string& name, audit::Audit& audit)>;

// Compares with the point where the current branch parted from `revision`, so that what others did there
// meanwhile is no change of this branch. ErrorKind::usage: no repository, no such revision, no common
// history.
Result<Since> changes_since(const std::string& revision, const ReadFile& read);

}  // namespace rogate::change
