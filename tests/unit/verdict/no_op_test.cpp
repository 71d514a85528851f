#include "verdict/no_op.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "verdict/compare.hpp"
#include "verdict/merge.hpp"

namespace rogate::verdict {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Attempt opening(int error, std::uint32_t flags = O_RDWR, std::string path = "/data/db") {
    Attempt made;
    made.mount = "/data";
    made.operation = "open-write";
    made.path = std::move(path);
    made.error = error;
    made.open_flags = flags;
    return made;
}
Attempt call(std::string operation, std::string path, int error = 0) {
    Attempt made = opening(error, 0, std::move(path));
    made.operation = std::move(operation);
    return made;
}

std::vector<std::string> only_opened_of(std::vector<Attempt> attempts) {
    RunRecord run;
    run.attempts = std::move(attempts);
    return only_opened(run);
}

TEST(OnlyOpened, AreFilesThatWereOpenedForReadingAndWritingAndNothingElse) {
    EXPECT_THAT(only_opened_of({opening(0)}), ElementsAre("/data/db"));
    EXPECT_THAT(only_opened_of({opening(0, O_RDWR | O_CREAT | O_CLOEXEC)}), ElementsAre("/data/db"));
    EXPECT_THAT(only_opened_of({opening(0), call("access", "/data/db")}), ElementsAre("/data/db"));
    EXPECT_THAT(only_opened_of({opening(0), call("create", "/data/log")}), ElementsAre("/data/db"));
    for (const std::uint32_t flags : {O_WRONLY, O_RDWR | O_TRUNC, O_RDWR | O_APPEND, O_RDONLY | O_TRUNC})
        EXPECT_THAT(only_opened_of({opening(0), opening(0, flags)}), IsEmpty()) << flags;
    EXPECT_THAT(only_opened_of({opening(EACCES)}), IsEmpty());
    for (const char* operation :
         {"create", "chmod", "chown", "utime", "setxattr", "truncate", "unlink", "rename", "link", "ioctl"})
        EXPECT_THAT(only_opened_of({opening(0), call(operation, "/data/db")}), IsEmpty()) << operation;
}

TEST(OnlyOpened, AreNotBelowARenamedFolder) {
    EXPECT_THAT(only_opened_of({opening(0, O_RDWR, "/data/a/b/db"), call("rename", "/data/a")}), IsEmpty());
    EXPECT_THAT(only_opened_of({opening(0, O_RDWR, "/data/ab/db"), call("rename", "/data/a")}),
                ElementsAre("/data/ab/db"));
}

TEST(OnlyOpened, AreOnAMount) {
    Attempt nowhere = opening(0);
    nowhere.mount = {};
    EXPECT_THAT(only_opened_of({nowhere}), IsEmpty());
}

class Openings : public ::testing::Test {
  protected:
    Openings() {
        control.plan.kind = RunKind::control;
        control.attempts = {opening(0)};
        control.unwritten = {"/data/db"};
        Attempt refused = opening(EROFS);
        refused.read_instead = true;
        probe.plan.kind = RunKind::probe;
        probe.plan.id = 2;
        probe.attempts = {refused};
        control.passed = probe.passed = true;
    }
    AttemptClass judged() {
        compare_with_control(probe, control);
        return probe.attempts[0].cls;
    }
    RunRecord control, probe;
};

TEST_F(Openings, ThroughWhichNothingWasWrittenAreNoOps) {
    EXPECT_EQ(judged(), AttemptClass::no_op);
    EXPECT_EQ(writes_made(control, "/data"), 0U);
    EXPECT_TRUE(write_attempts(control, "/data").empty());
}

TEST_F(Openings, AreWritesWhereTheDataHaveChangedOrCannotBeCompared) {
    control.unwritten.clear();
    EXPECT_EQ(judged(), AttemptClass::write);
    EXPECT_EQ(writes_made(control, "/data"), 1U);
}

TEST_F(Openings, AreWritesWhereTheFileIsNotReadInstead) {
    probe.attempts.edit()[0].read_instead = false;
    EXPECT_EQ(judged(), AttemptClass::write);
}

TEST_F(Openings, AreWritesWhereTheControlRunMadeNone) {
    control.attempts = {opening(0, O_RDWR, "/data/other")};
    EXPECT_EQ(judged(), AttemptClass::write);
}

TEST_F(Openings, AreWritesWhereTheControlRunMadeAgainWrote) {
    ASSERT_EQ(judged(), AttemptClass::no_op);
    RunRecord again = control;
    again.plan.id = 3;
    again.plan.repeats = control.plan.id;
    EXPECT_EQ(with_repeats({control, probe, again})[1].attempts[0].cls, AttemptClass::no_op);
    again.unwritten.clear();
    EXPECT_EQ(with_repeats({control, probe, again})[1].attempts[0].cls, AttemptClass::write);
}

TEST_F(Openings, AreUnwrittenIfNoneOfSeveralTriesWrote) {
    RunRecord other = control;
    other.plan.id = 2;
    EXPECT_THAT(merged({control, other}).unwritten, ElementsAre("/data/db"));
    other.unwritten.clear();
    EXPECT_THAT(merged({control, other}).unwritten, IsEmpty());
    EXPECT_THAT(merged({other, control}).unwritten, IsEmpty());
}

}  // namespace
}  // namespace rogate::verdict
