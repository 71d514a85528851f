#include <cstdint>
#include <string_view>

#include "report/json.hpp"
#include "report/terminal.hpp"

// What is read can be rendered again, and is read the same then.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto result = rogate::report::parse_json({reinterpret_cast<const char*>(data), size});  // NOLINT
    if (!result) return 0;
    const std::string rendered = rogate::report::render_json(*result);
    const auto again = rogate::report::parse_json(rendered);
    if (!again || rogate::report::render_json(*again) != rendered) __builtin_trap();
    rogate::report::render_terminal(*result, {});
    return 0;
}
