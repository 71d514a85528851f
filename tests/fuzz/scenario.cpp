#include <cstdint>
#include <string_view>

#include "spec/scenario_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto scenario =
        rogate::spec::parse_scenario({reinterpret_cast<const char*>(data), size}, "fuzz.yaml");  // NOLINT
    if (!scenario && scenario.error().message.empty()) __builtin_trap();
    return 0;
}
