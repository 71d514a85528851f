// Finds the files below a folder that may declare mounts, and reads them.
#pragma once

#include <string>

#include "audit/audit.hpp"

namespace rogate::cli {

// A file is read whatever its name; a folder is walked, without following links and without the folders that
// tools fill (.git, node_modules, …). What cannot be read is told in audit.troubles, and the rest goes on.
void read_tree(const std::string& path, audit::Audit& audit);

// One file, called `name` in what is found.
void read_file_as(const std::string& path, const std::string& name, audit::Audit& audit);

}  // namespace rogate::cli
