// Files that hold several scenarios for one subject.
#pragma once

#include <vector>

#include "spec/fields.hpp"
#include "spec/scenario_file.hpp"

namespace rogate::spec {

// The scenarios of a file: one; or those of its list `scenarios`, and of each of its documents. An entry of
// the list has what stands beside the list, except name and description, unless it says it itself; a document
// after the first takes the first one's subject, candidates, ready, shutdown, vars, fixtures and states in
// the same way. Each has a name of its own.
Result<std::vector<Scenario>> load_scenarios(const std::string& path, const Surroundings& surroundings = {},
                                             const ComposeOptions& compose = {});

// The same of a text, which holds more than one document, or a list; nothing: it does not.
std::optional<Result<std::vector<Scenario>>> parse_scenario_list(std::string_view text,
                                                                 const std::string& file_name,
                                                                 const Surroundings& surroundings = {});

// One scenario, given its mapping; for these two. What is wrong is told to the context's problems.
Scenario read_scenario_root(const Value& root, const Context& context);
// Where relative paths of the file start.
std::string folder_of(const std::string& file_name, const Surroundings& surroundings);

}  // namespace rogate::spec
