// What one step or readiness check does, and what it expects.
#pragma once

#include <optional>
#include <rogate/scenario.hpp>
#include <span>

#include "spec/fields.hpp"

namespace rogate::spec {

// Reads the one action among `names` that `mapping` has, with its `expect`, into a step; name and timing stay
// as they are. Nothing if there is none, or more than one. `ports` are those that the subject declares: a
// step may leave out its port if there is exactly one.
std::optional<Step> read_action(const Mapping& mapping, std::span<const std::string_view> names,
                                std::span<const Port> ports, const Context& context);

// A list of words, or one string for the shell.
std::optional<std::vector<std::string>> read_command(const Value& value, const Context& context);

// "http GET /index.html", "exec redis-cli ping", …: one line that tells a person which step it is.
std::string default_name(const Step& step);

}  // namespace rogate::spec
