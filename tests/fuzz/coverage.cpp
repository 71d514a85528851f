// What g++ calls on every edge (-fsanitize-coverage=trace-pc), counted where libFuzzer looks for further
// counters. clang 14 would count by itself, but cannot compile the coroutines of libstdc++ 12.
#include <cstdint>

namespace {
constexpr std::uintptr_t slots = 1U << 16U;
__attribute__((section("__libfuzzer_extra_counters")))
std::uint8_t counters[slots];  // NOLINT: libFuzzer's interface
}  // namespace

extern "C" __attribute__((no_sanitize_coverage, no_sanitize("address"))) void
__sanitizer_cov_trace_pc() {                                                           // NOLINT
    const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));  // NOLINT
    ++counters[(place ^ (place >> 16U)) % slots];
}

// g++ reports comparisons of floating-point numbers too, which libFuzzer does not know.
extern "C" void __sanitizer_cov_trace_cmpf(float, float) {}    // NOLINT
extern "C" void __sanitizer_cov_trace_cmpd(double, double) {}  // NOLINT
