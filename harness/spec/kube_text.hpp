// The text of manifests, before it is read as YAML.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rogate::spec {

inline constexpr std::size_t largest_manifest = std::size_t{64} << 20U;

// The same text with the documents blanked that are CustomResourceDefinitions; all others stay on their
// lines.
std::string without_definitions(std::string_view text);

}  // namespace rogate::spec
