// The keys `ready`, `steps` and `shutdown`.
#pragma once

#include <rogate/scenario.hpp>
#include <span>
#include <vector>

#include "spec/fields.hpp"

namespace rogate::spec {

Readiness read_readiness(const Value& value, std::span<const Port> ports, const Context& context);
std::vector<Step> read_steps(const Value& value, std::span<const Port> ports, const Context& context);
// A problem for each file that a step looks at and cannot see.
void check_looked_at(const std::vector<Step>& steps, const std::vector<Mount>& mounts,
                     const Context& context);
// Every port that a check, a probe or a step talks to is one of the subject's, so that it can be reached.
void add_ports_asked(Scenario& scenario);
Shutdown read_shutdown(const Value& value, Shutdown otherwise, const Context& context);

}  // namespace rogate::spec
