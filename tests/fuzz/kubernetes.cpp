#include <cstdint>
#include <string>

#include "spec/scenario_file.hpp"

// The manifests that a scenario names.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    rogate::spec::Surroundings surroundings;
    surroundings.environment = [](const std::string&) { return std::nullopt; };
    surroundings.read_file = [&](const std::string&) -> rogate::Result<std::string> {
        return std::string(reinterpret_cast<const char*>(data), size);  // NOLINT
    };
    const auto scenario =
        rogate::spec::parse_scenario("subject: {kubernetes: {file: pod.yaml}}\n", "fuzz.yaml", surroundings);
    if (!scenario && scenario.error().message.empty()) __builtin_trap();
    return 0;
}
