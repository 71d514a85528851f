// What a stranger's test runner writes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "suite/judge.hpp"

using namespace rogate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT: the fuzzer's bytes
    std::vector<suite::TestCase> cases;
    const auto read = suite::read_junit(text, "results.xml", cases);
    if (!read) return 0;
    // Each test is kept once, whatever its name.
    const suite::Tests tests = suite::by_name(cases);
    if (tests.size() != cases.size()) std::abort();
    // Nothing is worse than itself: what fails here failed in the control run too.
    const suite::Judgement judged = suite::judge(tests, &tests, {});
    if (judged.suite.total != tests.size()) std::abort();
    return 0;
}
