// What a Dockerfile begins with. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rogate::campaign {

// The references of its FROM lines, each once: neither its own stages, nor `scratch`, nor what a variable
// says.
std::vector<std::string> base_images(std::string_view dockerfile);

}  // namespace rogate::campaign
