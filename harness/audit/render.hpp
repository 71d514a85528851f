// An audit for a person, a pull request, machines.
#pragma once

#include <string>

#include "audit/audit.hpp"

namespace rogate::audit {

std::string render_table(const Audit& audit);
std::string render_markdown(const Audit& audit);
// {"schema": "rogate.audit/1", "mounts": [ … ], "troubles": [ … ]}
std::string render_json(const Audit& audit);
// SARIF 2.1.0: a note for each mount that is worth trying read-only.
std::string render_sarif(const Audit& audit);

}  // namespace rogate::audit
