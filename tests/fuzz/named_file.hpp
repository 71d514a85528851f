// A scenario whose subject is in another file: the one that is fuzzed.
#pragma once

#include <cstdint>
#include <string>

#include "spec/scenario_file.hpp"

inline int fuzz_named_file(const std::uint8_t* data, std::size_t size, const char* scenario) {
    rogate::spec::Surroundings surroundings;
    surroundings.folder = "/fuzz";
    surroundings.environment = [](const std::string&) { return std::nullopt; };
    surroundings.read_file = [&](const std::string&) -> rogate::Result<std::string> {
        return std::string(reinterpret_cast<const char*>(data), size);  // NOLINT
    };
    const auto parsed = rogate::spec::parse_scenario(scenario, "fuzz.yaml", surroundings);
    if (!parsed && parsed.error().message.empty()) __builtin_trap();
    return 0;
}
