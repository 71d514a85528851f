// The key `expect` of a step or check.
#pragma once

#include <rogate/scenario.hpp>

#include "spec/fields.hpp"

namespace rogate::spec {

// What `step` expects of its action; a key that does not fit the action is a problem.
Expect read_expect(const Mapping& step, std::string_view action, const Context& context);

// Adds the pattern of the short form (log: "regex"), and sees to it that a log step expects anything at all.
void complete_log_expectation(const Mapping& step, const Value& log, Expect& expect, const Context& context);

void check_header_name(const Value& name, const Context& context);

}  // namespace rogate::spec
