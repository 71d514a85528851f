// Plans for a person and for machines.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.hpp"

namespace rogate::plan {

std::string render_table(const std::vector<Plan>& plans);
// {"schema": "rogate.plan/1", "plans": [ … ]}; scenarios/plan.schema.json
std::string render_json(const std::vector<Plan>& plans);

// In the words of both: what the runs have in place of the user's data.
std::string_view text_of(Given given);
std::string_view name_of(Given given);
std::string_view name_of(SystemData::Kind kind);
std::string_view name_of(Reach::Kind kind);
std::string_view name_of(SystemContainer::Role role);
std::string_view name_of(Dependency::Condition condition);

}  // namespace rogate::plan
