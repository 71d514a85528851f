// Verdicts by name, and how they compare.
#pragma once

#include <optional>
#include <rogate/result.hpp>
#include <span>
#include <string_view>

namespace rogate::gate {

std::optional<Verdict> verdict_from(std::string_view name);
std::span<const std::string_view> verdict_names();

// How much a mount asks for: 0 nothing (safe, already-ro), 1 tolerated, 2 split, 3 required. Nothing for the
// verdicts that do not say.
std::optional<int> need(Verdict verdict);

}  // namespace rogate::gate
