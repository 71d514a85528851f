// "Did you mean …?" for names that nobody knows.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rogate::spec {

// The known name that `name` is most likely a slip of; empty if none is near.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known);

// "did you mean 'command'?", or else "known here: command, user, …".
std::string suggestion(std::string_view name, std::span<const std::string_view> known);

}  // namespace rogate::spec
