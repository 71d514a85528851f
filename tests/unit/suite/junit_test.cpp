#include "suite/junit.hpp"

#include <gmock/gmock.h>

using namespace rogate;
using namespace rogate::suite;
using Status = TestOutcome::Status;
using testing::HasSubstr;

namespace {

std::vector<TestCase> read(std::string_view text) {
    std::vector<TestCase> cases;
    const auto done = read_junit(text, "results/a.xml", cases);
    EXPECT_TRUE(done) << (done ? "" : done.error().message);
    return cases;
}

std::string refusal(std::string_view text) {
    std::vector<TestCase> cases;
    const auto done = read_junit(text, "results/a.xml", cases);
    EXPECT_FALSE(done);
    return done ? "" : done.error().message;
}

}  // namespace

TEST(Junit, HasEachTestWithItsClassAndHowItEnded) {
    // As pytest writes it.
    const auto cases = read(R"(<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" tests="4">
  <testcase classname="tests.shop" name="lists" time="0.1"/>
  <testcase classname="tests.shop" name="uploads"><failure message="AssertionError: 500 != 201
and more">the traceback</failure></testcase>
  <testcase classname="tests.shop" name="pays"><skipped type="pytest.skip" message="no bank"/></testcase>
  <testcase name="begins"><error>
     ConnectionRefusedError: &lt;refused&gt;
     more</error></testcase>
</testsuite></testsuites>)");
    const std::vector<TestCase> expected = {
        {"tests.shop.lists", {Status::passed, "", "lists"}},
        {"tests.shop.uploads", {Status::failed, "AssertionError: 500 != 201 and more", "uploads"}},
        {"tests.shop.pays", {Status::skipped, "no bank", "pays"}},
        {"begins", {Status::failed, "ConnectionRefusedError: <refused>", "begins"}}};
    EXPECT_EQ(cases, expected);
}

TEST(Junit, TakesASuiteAsTheRootAndSuitesInSuites) {
    EXPECT_EQ(read("<testsuite><testcase name='a'/></testsuite>").size(), 1U);
    EXPECT_EQ(read("<testsuites><testsuite><testsuite><testcase name='a'/></testsuite>"
                   "<testcase name='b'/></testsuite></testsuites>")
                  .size(),
              2U);
}

// GoogleTest 1.10 says of a skipped test nothing else; others name a failure so alone.
TEST(Junit, AttributesSayHowATestEndedToo) {
    const auto ended = [](const std::string& attributes) {
        return read("<testsuite><testcase name='a' " + attributes + "/></testsuite>").front().outcome.status;
    };
    EXPECT_EQ(ended("status='run' result='completed'"), Status::passed);
    EXPECT_EQ(ended("status='run' result='skipped'"), Status::skipped);
    EXPECT_EQ(ended("status='notrun' result='suppressed'"), Status::skipped);
    EXPECT_EQ(ended("status='Failed'"), Status::failed);
    const auto both =
        read("<testsuite><testcase name='a' status='failed'><failure message='why'/></testcase></testsuite>");
    EXPECT_EQ(both.front().outcome, (TestOutcome{Status::failed, "why", "a"}));
}

TEST(Junit, AFailureOfTheSuiteItselfIsOne) {
    const auto cases = read(
        "<testsuites><testsuite name='db'><testsuite name='in'><testcase name='a'/></testsuite>"
        "<error message='no set-up'/><testcase "
        "name='b'/><system-out><failure/></system-out></testsuite></testsuites>");
    ASSERT_EQ(cases.size(), 3U);
    EXPECT_EQ(cases[1].outcome, (TestOutcome{Status::failed, "no set-up", "the suite itself"}));
    EXPECT_EQ(cases[2].outcome.status, Status::passed);
}

TEST(Junit, AFlakyTestThatPassedInTheEndHasPassed) {
    const auto cases =
        read("<testsuite><testcase name='a'><flakyFailure message='once'/></testcase></testsuite>");
    EXPECT_EQ(cases.front().outcome.status, Status::passed);
}

TEST(Junit, WhatIsWithinATestsOutputIsNoFailure) {
    const auto cases =
        read("<testsuite><testcase name='a'><system-out><failure/></system-out></testcase></testsuite>");
    EXPECT_EQ(cases.front().outcome.status, Status::passed);
}

TEST(Junit, AFailureCountsMoreThanASkip) {
    const auto cases =
        read("<testsuite><testcase name='a'><failure message='x'/><skipped/></testcase></testsuite>");
    EXPECT_EQ(cases.front().outcome, (TestOutcome{Status::failed, "x", "a"}));
}

TEST(Junit, RefusesWhatIsNoJunit) {
    EXPECT_THAT(refusal("<html>\n<body></html>"), HasSubstr("results/a.xml:1: its root is <html>"));
    EXPECT_THAT(refusal(""), HasSubstr("not well-formed"));
    EXPECT_THAT(refusal("<testsuite>\n<testcase name='a'>\n</testsuite>"),
                HasSubstr("results/a.xml:3: it is not well-formed XML (mismatched tag)"));
    EXPECT_THAT(refusal("<testsuite/><testsuite/>"), HasSubstr("not well-formed"));
    EXPECT_THAT(refusal("<testsuite><testcase/></testsuite>"), HasSubstr("has no name"));
    EXPECT_THAT(refusal("<testsuite><testcase name='a'><testcase name='b'/></testcase></testsuite>"),
                HasSubstr("within another one"));
}

TEST(Junit, RefusesEntitiesOfItsOwn) {
    EXPECT_THAT(refusal(R"(<!DOCTYPE testsuite [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>
<testsuite><testcase name="&b;"/></testsuite>)"),
                HasSubstr("document type"));
    EXPECT_THAT(refusal(R"(<!DOCTYPE testsuite SYSTEM "file:///etc/passwd"><testsuite/>)"),
                HasSubstr("document type"));
}

TEST(Junit, HasBounds) {
    std::string deep = "<testsuites>";
    for (int i = 0; i < 100; ++i) deep += "<testsuite>";
    EXPECT_THAT(refusal(deep), HasSubstr("nested deeper than 64"));
    EXPECT_THAT(refusal(std::string(largest_file + 1, ' ')), HasSubstr("larger than the 32 MiB"));
    const auto cases = read("<testsuite><testcase name='" + std::string(3000, 'n') + "'/></testsuite>");
    EXPECT_LT(cases.front().name.size(), 600U);
}
