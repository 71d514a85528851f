// An audit for a person, a pull request, machines; and scenarios to begin with.
#pragma once

#include <map>
#include <string>

#include "audit/audit.hpp"

namespace rogate::audit {

std::string render_table(const Audit& audit);
std::string render_markdown(const Audit& audit);
// {"schema": "rogate.audit/1", "mounts": [ … ], "troubles": [ … ]}
std::string render_json(const Audit& audit);
// SARIF 2.1.0: a note for each mount that is worth trying read-only.
std::string render_sarif(const Audit& audit);

// A scenario to begin with for every service, container or scenario found: file name -> text. What cannot be
// known, such as ports and steps, stands there as comments. `folder`: that they are for.
std::map<std::string, std::string> skeletons(const Audit& audit, const std::string& folder);

}  // namespace rogate::audit
