// Containers that ended otherwise than in the control run, of which COMMAND need not know.
#include "wrap/lives.hpp"

#include <gmock/gmock.h>

namespace rogate::wrap::test {
namespace {

using testing::HasSubstr;

const Life running{.by_itself = false};
Life ended(std::optional<int> code) {
    return {.by_itself = true, .exit_code = code};
}
LivesCompared of(Life there, Life here) {
    return compare_lives({{"web", {there}}}, {{"web", {here}}});
}

TEST(WrapLives, OneThatEndedOtherwiseFailsTheRun) {
    EXPECT_THAT(of(running, ended(3)).failure,
                HasSubstr("container web ended by itself with code 3, and was running in the control run"));
    EXPECT_THAT(of(running, ended(0)).failure, HasSubstr("with code 0"));
    EXPECT_THAT(of(running, ended(std::nullopt)).failure, HasSubstr("ended by itself, and was running"));
    EXPECT_THAT(of(ended(0), ended(1)).failure,
                HasSubstr("with code 1, and ended by itself with code 0 in the control run"));
    Life restarted = running;
    restarted.restarts = 4;
    EXPECT_THAT(of(running, restarted).failure, HasSubstr("started again 4 times by its restart policy"));
}

TEST(WrapLives, WhatIsTheSameOrNotKnownFailsNothing) {
    Life restarted = running, more = running;
    restarted.restarts = 1, more.restarts = 2;
    for (const auto& [there, here] : {std::pair{running, running}, std::pair{ended(0), ended(0)},
                                      std::pair{ended(7), ended(7)}, std::pair{ended(std::nullopt), ended(1)},
                                      std::pair{ended(0), ended(std::nullopt)}, std::pair{restarted, more}}) {
        EXPECT_EQ(of(there, here).failure, "");
        EXPECT_EQ(of(there, here).doubt, "");
    }
    EXPECT_EQ(compare_lives({}, {{"new", {ended(1)}}}).failure, "");
}

TEST(WrapLives, OneThatGoesOnWhereItHadEndedIsADoubt) {
    EXPECT_EQ(of(ended(0), running).failure, "");
    EXPECT_THAT(of(ended(0), running).doubt, HasSubstr("container web was running, and ended by itself"));
}

TEST(WrapLives, EachStartIsALife) {
    const LivesCompared found =
        compare_lives({{"web", {running, ended(0)}}}, {{"web", {running, ended(2), running}}});
    EXPECT_THAT(found.failure, HasSubstr("with code 2"));
}

TEST(WrapLives, SignalsThatEndAProgram) {
    for (const char* signal : {"", "KILL", "SIGTERM", "15", "SIGINT", "9"})
        EXPECT_TRUE(ends_by(signal)) << signal;
    for (const char* signal : {"HUP", "SIGUSR1", "1", "10", "WINCH"}) EXPECT_FALSE(ends_by(signal)) << signal;
}

}  // namespace
}  // namespace rogate::wrap::test
