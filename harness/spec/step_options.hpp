// What a step may say beside its action: what it keeps, when it is left out, how often it is done.
#pragma once

#include <rogate/scenario.hpp>

#include "spec/fields.hpp"

namespace rogate::spec {

// capture, skip_if, repeat and same_as_control of `mapping`, into `step`, whose action is read already.
void read_step_options(const Mapping& mapping, Step& step, const Context& context);

// {/a/0: 3}: JSON pointer -> JSON text.
std::map<std::string, std::string> read_json_expectations(const Value& value, const Context& context);

}  // namespace rogate::spec
