#include "scenario/expectation.hpp"

#include <gtest/gtest.h>

namespace rogate::scenario {
namespace {

Step http(Expect expect = {}) {
    Step step;
    step.action = HttpAction{};
    step.expect = std::move(expect);
    return step;
}
Step exec(Expect expect = {}) {
    Step step;
    step.action = ExecAction{};
    step.expect = std::move(expect);
    return step;
}
Observed reply(int status, std::string body = {}) {
    Observed seen;
    seen.status = status;
    seen.text = std::move(body);
    return seen;
}
Observed exited(int code, std::string output = {}) {
    Observed seen;
    seen.exit_code = code;
    seen.text = std::move(output);
    return seen;
}

TEST(Expectation, HttpWithoutStatusWantsSuccess) {
    EXPECT_EQ(mismatch(http(), reply(200)), "");
    EXPECT_EQ(mismatch(http(), reply(302)), "");
    EXPECT_EQ(mismatch(http(), reply(404, "gone")),
              "expected a status from 200 to 399, got 404 (body: \"gone\")");
    EXPECT_EQ(mismatch(http(), reply(199)), "expected a status from 200 to 399, got 199 (body: \"\")");
}

TEST(Expectation, StatusIsExact) {
    Expect expect;
    expect.status = 404;
    EXPECT_EQ(mismatch(http(expect), reply(404)), "");
    EXPECT_NE(mismatch(http(expect), reply(200)), "");
}

TEST(Expectation, StatusBelowALimit) {
    Expect expect;
    expect.status = -500;
    EXPECT_EQ(mismatch(http(expect), reply(404)), "");
    EXPECT_EQ(mismatch(http(expect), reply(499)), "");
    EXPECT_EQ(mismatch(http(expect), reply(500, "no")),
              "expected a status below 500, got 500 (body: \"no\")");
}

TEST(Expectation, ExecWithoutCodeWantsZero) {
    EXPECT_EQ(mismatch(exec(), exited(0)), "");
    EXPECT_EQ(mismatch(exec(), exited(3, "no\nway\n")), "expected exit code 0, got 3 (output: \"no ⏎ way\")");
    Expect expect;
    expect.exit_code = 3;
    EXPECT_EQ(mismatch(exec(expect), exited(3)), "");
}

TEST(Expectation, TextIsLookedAtEveryWay) {
    Expect expect;
    expect.equals = "PONG";
    EXPECT_EQ(mismatch(exec(expect), exited(0, "PONG\n")), "");
    EXPECT_NE(mismatch(exec(expect), exited(0, "PONG PONG\n")), "");
    expect = {};
    expect.contains = "b";
    expect.not_contains = "z";
    EXPECT_EQ(mismatch(exec(expect), exited(0, "abc")), "");
    EXPECT_NE(mismatch(exec(expect), exited(0, "abcz")), "");
    EXPECT_NE(mismatch(exec(expect), exited(0, "ac")), "");
    expect = {};
    expect.matches = "^b+$";
    EXPECT_EQ(mismatch(exec(expect), exited(0, "a\nbbb\nc")), "");
    EXPECT_NE(mismatch(exec(expect), exited(0, "a\nbxb\nc")), "");
}

TEST(Expectation, LongTextIsSearchedWithoutOverflowingTheStack) {
    Expect expect;
    expect.matches = "(a|b)*needle";
    EXPECT_EQ(mismatch(exec(expect), exited(0, std::string(5'000'000, 'a') + "\nneedle\n")), "");
    EXPECT_NE(mismatch(exec(expect), exited(0, std::string(5'000'000, 'a'))), "");
}

TEST(Expectation, HeadersAreMatchedWhateverTheirCase) {
    Expect expect;
    expect.headers = {{"X-Cache", "^HIT$"}};
    Observed seen = reply(200);
    EXPECT_EQ(mismatch(http(expect), seen), "the answer has no header 'X-Cache'");
    seen.headers["x-cache"] = "HIT";
    EXPECT_EQ(mismatch(http(expect), seen), "");
    seen.headers["x-cache"] = "MISS";
    EXPECT_NE(mismatch(http(expect), seen), "");
}

TEST(Excerpt, IsCutAtACharacter) {
    EXPECT_EQ(excerpt("äöü", {}, 3), "äö…");
    EXPECT_EQ(excerpt("short\n", {}), "short");
}

}  // namespace
}  // namespace rogate::scenario
