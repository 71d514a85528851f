// JUnit's XML, as test runners write it -> how each test ended. Pure.
#pragma once

#include <rogate/error.hpp>
#include <rogate/observation.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::suite {

// A file that is larger is refused, and so are more tests than these, of all files of a command together.
inline constexpr std::size_t largest_file = 32U << 20U, most_tests = 200'000;

struct TestCase {
    std::string name;  // "classname.name", or the name alone where no class is said
    TestOutcome outcome;
    bool operator==(const TestCase&) const = default;
};

// Appends the test cases of a file to `cases`. Whoever wrote it is not trusted: a document type (and with it
// every entity of the file's own), what is not well-formed, and a root other than testsuites or testsuite are
// refused. ErrorKind::scenario names `file` and the line.
Result<> read_junit(std::string_view text, const std::string& file, std::vector<TestCase>& cases);

}  // namespace rogate::suite
