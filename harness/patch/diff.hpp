// Unified diffs that `git apply` and `patch` take. Pure.
#pragma once

#include <string>
#include <string_view>

namespace rogate::patch {

// `path`: relative, with '/'. Empty if the two are equal.
std::string unified_diff(std::string_view path, std::string_view before, std::string_view after);

}  // namespace rogate::patch
