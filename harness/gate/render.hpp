// A decision for a person at a terminal, for a pull request, and for machines.
#pragma once

#include <string>

#include "gate/decide.hpp"

namespace rogate::gate {

struct Style {
    bool colour = false;
};

std::string render_terminal(const Decision& decision, const Style& style);
std::string render_markdown(const Decision& decision);
// {"schema": "rogate.gate/1", "passed": …, "exit_code": …, "findings": [ … ]}
std::string render_json(const Decision& decision);

}  // namespace rogate::gate
