#include "suite/judge.hpp"

#include <gmock/gmock.h>

using namespace rogate;
using namespace rogate::suite;
using Status = TestOutcome::Status;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

Tests tests(std::initializer_list<std::pair<const char*, Status>> all) {
    Tests made;
    for (const auto& [name, status] : all) made.emplace(name, TestOutcome{status, "", name});
    return made;
}

constexpr Status passed = Status::passed, failed = Status::failed, skipped = Status::skipped;

}  // namespace

TEST(SuiteJudge, ATestThatFailsFailsTheControlRun) {
    const Judgement judged =
        judge({{"a", {passed, "", "a"}}, {"b", {failed, "500 != 201", "b"}}}, nullptr, {});
    EXPECT_THAT(judged.suite.failed, ElementsAre("b"));
    EXPECT_EQ(judged.message, "1 of 2 tests fails: b (500 != 201)");
}

TEST(SuiteJudge, NamesAFewAndCountsTheRest) {
    Tests all;
    for (int i = 0; i < 9; ++i) all.emplace("t" + std::to_string(i), TestOutcome{failed, "", ""});
    EXPECT_EQ(judge(all, nullptr, {}).message, "9 of 9 tests fail: t0; t1; t2; t3; t4; and 4 more");
    EXPECT_EQ(judge(all, nullptr, {}).suite.failed.size(), 9U);
}

TEST(SuiteJudge, ATestThatPassedInTheControlRunHasToPass) {
    const Tests control = tests({{"a", passed}, {"b", passed}, {"c", passed}, {"d", skipped}});
    const Judgement judged =
        judge(tests({{"a", passed}, {"b", skipped}, {"d", passed}, {"e", skipped}}), &control, {});
    EXPECT_THAT(judged.suite.failed, ElementsAre("b", "c"));
    EXPECT_THAT(judged.message,
                HasSubstr("2 of 4 tests fail: b (it passed in the control run, and was skipped "
                          "here); c (it passed in the control run, and was not run here)"));
    EXPECT_EQ(judge(control, &control, {}).message, "");
}

TEST(SuiteJudge, ANewTestThatFailsFails) {
    const Tests control = tests({{"a", passed}});
    EXPECT_THAT(judge(tests({{"a", passed}, {"new", failed}}), &control, {}).suite.failed,
                ElementsAre("new"));
}

TEST(SuiteJudge, AKnownFailureCountsForNothingAndIsNamed) {
    const Tests control = {{"shop.keeps", {passed, "", "keeps"}}, {"shop.pays", {passed, "", "pays"}}};
    const Tests here = {{"shop.keeps", {failed, "x", "keeps"}}};
    for (const char* known : {"keeps", "shop.keeps"}) {
        const Judgement judged = judge(here, &control, {known, "pays"});
        EXPECT_THAT(judged.suite.failed, IsEmpty());
        EXPECT_THAT(judged.suite.known, ElementsAre("shop.keeps"));
    }
    EXPECT_THAT(judge(here, nullptr, {"eeps", "op.keeps"}).suite.failed, ElementsAre("shop.keeps"));
}

TEST(SuiteJudge, SaysWhichKnownFailuresAreNoTests) {
    const Tests here = {{"shop.keeps", {failed, "x", "keeps"}}};
    EXPECT_THAT(unused({"keeps", "shop.keeps", "kept"}, here), ElementsAre("kept"));
}

TEST(SuiteJudge, TestsOfOneNameAreKeptApart) {
    const Tests two =
        by_name({{"a", {failed, "x", "a"}}, {"a", {passed, "", "a"}}, {"b", {passed, "", "b"}}});
    EXPECT_EQ(two.size(), 3U);
    EXPECT_EQ(two.at("a").status, passed);
    EXPECT_EQ(two.at("a (2)").status, failed);
    // One of them is missing.
    const Tests control = by_name({{"a", {passed, "", "a"}}, {"a", {passed, "", "a"}}});
    const Tests here = by_name({{"a", {passed, "", "a"}}});
    EXPECT_THAT(judge(here, &control, {}).suite.failed, ElementsAre("a (2)"));
    // In another order, they are the same.
    const Tests first = by_name({{"a", {passed, "", "a"}}, {"a", {skipped, "", "a"}}});
    const Tests turned = by_name({{"a", {skipped, "", "a"}}, {"a", {passed, "", "a"}}});
    EXPECT_EQ(first, turned);
    EXPECT_EQ(judge(turned, &first, {}).message, "");
}
