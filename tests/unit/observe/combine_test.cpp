#include "observe/combine.hpp"

#include <gtest/gtest.h>

namespace rogate::observe {
namespace {

Recording recording(double started_s, const char* path) {
    Recording made;
    Attempt attempt;
    attempt.mount = "/data";
    attempt.path = path;
    attempt.first_s = 0.5;
    made.attempts = {attempt};
    made.uses = {{"/data", 2}};
    made.started_s = started_s;
    return made;
}

TEST(Combined, LeavesOneThatIsAloneAsItIs) {
    const Recording whole = combined({{"", recording(7, "/data/x")}});
    EXPECT_EQ(whole.attempts.front().path, "/data/x");
    EXPECT_EQ(whole.attempts.front().mount, "/data");
}

TEST(Combined, TellsContainersApartAndTheirTimesTogether) {
    const Recording whole =
        combined({{"late", recording(12, "/data/x")}, {"first", recording(10, "/data/x")}});
    ASSERT_EQ(whole.attempts.size(), 2U);
    EXPECT_EQ(whole.attempts[0].path, "late:/data/x");
    EXPECT_EQ(whole.attempts[0].mount, "late:/data");
    EXPECT_DOUBLE_EQ(whole.attempts[0].first_s, 2.5);
    EXPECT_EQ(whole.attempts[1].path, "first:/data/x");
    EXPECT_DOUBLE_EQ(whole.attempts[1].first_s, 0.5);
    EXPECT_EQ(whole.uses, (std::map<std::string, std::uint64_t>{{"first:/data", 2}, {"late:/data", 2}}));
}

// On /proc, or nowhere that is known: it is on no mount of that container either.
TEST(Combined, PutsWhatIsOnNoMountOnNone) {
    Recording one = recording(1, "/proc/self/x");
    one.attempts.front().mount = {};
    EXPECT_TRUE(combined({{"a", one}}).attempts.front().mount.empty());
}

TEST(Combined, DoubtsAllForOne) {
    Recording doubtful = recording(1, "/data/x");
    doubtful.problem = "it is not known which mount refused it";
    doubtful.lost_events = 3;
    const Recording whole = combined({{"a", recording(1, "/data/x")}, {"b", doubtful}});
    EXPECT_EQ(whole.problem, "container 'b': it is not known which mount refused it");
    EXPECT_EQ(whole.lost_events, 3U);
}

// That nothing is listed would mean that nothing was read.
TEST(Combined, KnowsWhatWasReadBackOnlyIfItIsKnownOfAll) {
    Recording known = recording(1, "/data/x");
    known.read_back = {{"/data", 4}};
    EXPECT_EQ(combined({{"a", known}, {"b", known}}).read_back,
              (std::map<std::string, std::uint64_t>{{"a:/data", 4}, {"b:/data", 4}}));
    EXPECT_FALSE(combined({{"a", known}, {"b", recording(1, "/data/x")}}).read_back);
    EXPECT_FALSE(combined({{"a", recording(1, "/data/x")}, {"b", known}}).read_back);
}

}  // namespace
TEST(Combined, KeepsWhatWasListedAndNotExecuted) {
    Recording one = recording(1, "/data/x");
    one.listed = {{"/data", 2}};
    one.exec_refused = {{"/run", "/run/program"}};
    const Recording whole = combined({{"a", one}, {"b", recording(1, "/data/x")}});
    EXPECT_EQ(whole.listed, (std::map<std::string, std::uint64_t>{{"a:/data", 2}}));
    EXPECT_EQ(whole.exec_refused, (std::map<std::string, std::string>{{"a:/run", "a:/run/program"}}));
}

}  // namespace rogate::observe
