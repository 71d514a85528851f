#include <gtest/gtest.h>

#include <string>
#include <vector>

extern "C" {
#include "observe/agent/looks.h"
}

namespace {

std::vector<std::string> mounts, states;

const look_doubts doubts = {[](const look* each) { mounts.emplace_back(each->what); },
                            [](const look* each) { states.emplace_back(each->what); }};

constexpr std::uint64_t second = 1'000'000'000;

// Each test has a time of its own, since what is looked up stays until its time is over.
class Looks : public ::testing::Test {
  protected:
    Looks() : now(epoch += 100 * second) {
        looks_told_until(now);
        mounts.clear();
        states.clear();
    }
    // /links/current/new, which makes its last name: it was called at 0 and looked up a millisecond later.
    void add(bool refused = true, bool no_op = false, bool mount_known = false) {
        look made{};
        made.called = now;
        made.looked = now + 1'000'000;
        made.refused = refused;
        made.no_op = no_op;
        made.mount_known = mount_known;
        made.device = 7;
        made.inode = 70;
        made.what = "made";
        const passed names[] = {{name_hash("links"), 1, 2, 1, 10, false, false},
                                {name_hash("current"), 1, 10, 1, 11, false, false},
                                {name_hash("new"), 1, 20, 0, 0, true, true}};
        looks_add(&made, names, 3, &doubts);
    }
    // /data/file, which is followed.
    void add_followed(bool refused, bool no_op = false) {
        look made{};
        made.called = now;
        made.looked = now + 1'000'000;
        made.refused = refused;
        made.no_op = no_op;
        made.device = 7;
        made.inode = 70;
        made.what = "followed";
        const passed names[] = {{name_hash("data"), 1, 2, 1, 30, false, false},
                                {name_hash("file"), 1, 30, 7, 70, true, false}};
        looks_add(&made, names, 2, &doubts);
    }
    change moved(const char* name, std::uint64_t directory, changed_object object, bool off = false) const {
        change made{};
        made.time = now + 500'000;
        made.of_name = true;
        made.moved_off = off;
        made.name = name_hash(name);
        made.knows_place = directory != 0;
        made.device = 1;
        made.directory = directory;
        made.object = object;
        return made;
    }
    static void tell(const change& made) { looks_change(&made, &doubts); }
    static std::uint64_t epoch;
    std::uint64_t now;
};
std::uint64_t Looks::epoch = 0;

TEST_F(Looks, ASymlinkOnTheWayThatIsMovedIsDoubted) {
    add();
    tell(moved("current", 10, OBJECT_LINK));
    tell(moved("current", 10, OBJECT_LINK));  // once is enough
    EXPECT_EQ(mounts, (std::vector<std::string>{"made"}));
}

TEST_F(Looks, SoIsOneOfASuccess) {
    add(false);
    tell(moved("current", 10, OBJECT_LINK));
    EXPECT_EQ(mounts.size(), 1U);
}

TEST_F(Looks, WhatIsNotOnTheWayIsNot) {
    add();
    tell(moved("current", 11, OBJECT_LINK));       // in another directory
    tell(moved("other", 10, OBJECT_LINK));         // another name
    tell(moved("current", 10, OBJECT_DIRECTORY));  // leads to the same mount wherever it is
    tell(moved("current", 10, OBJECT_OTHER, true));
    tell(moved("new", 20, OBJECT_LINK));  // the name that the call is about, not what it leads to
    EXPECT_TRUE(mounts.empty());
}

// What has the name now was not what the look found there.
TEST_F(Looks, WhatIsToldALittleLaterMostlyHappenedLater) {
    change later = moved("current", 10, OBJECT_LINK);
    later.time = now + 2'000'000;
    later.object_device = 1;
    later.object_inode = 12;
    add();
    tell(later);
    EXPECT_TRUE(mounts.empty());
    later.object_inode = 11;
    tell(later);
    EXPECT_EQ(mounts.size(), 1U);
    add_followed(true, true);
    change off = moved("file", 30, OBJECT_OTHER, true);
    off.time = now + 2'000'000;
    off.object_device = 7;
    off.object_inode = 70;
    tell(off);
    EXPECT_TRUE(states.empty());
}

TEST_F(Looks, OfManyChangesNobodyKnowsWhichCameFirst) {
    change later = moved("current", 10, OBJECT_LINK);
    later.time = now + 2'000'000;
    later.object_inode = 12;
    add();
    for (int i = 0; i < 3; ++i) tell(later);
    EXPECT_EQ(mounts.size(), 1U);
}

TEST_F(Looks, WhereTheDirectoryIsNotKnownTheNameDecides) {
    add();
    tell(moved("current", 0, OBJECT_UNKNOWN));
    EXPECT_EQ(mounts.size(), 1U);
}

TEST_F(Looks, OnlyWhatHappensBetweenTheCallAndALittleAfterTheLookCounts) {
    add();
    change early = moved("current", 10, OBJECT_LINK), late = early;
    early.time = now - 1;
    late.object_device = 1;
    late.object_inode = 11;
    late.time = now + 1'000'000 + LOOK_GRACE_NS + 1;
    tell(early);
    tell(late);
    EXPECT_TRUE(mounts.empty());
    late.time = now + 1'000'000 + LOOK_GRACE_NS;
    tell(late);
    EXPECT_EQ(mounts.size(), 1U);
}

TEST_F(Looks, AChangeThatIsToldBeforeItsAttemptCountsAsWell) {
    tell(moved("current", 10, OBJECT_LINK));
    add();
    EXPECT_EQ(mounts.size(), 1U);
}

TEST_F(Looks, WhatTookTheLastNamesPlaceCountsForRefusalsOnly) {
    add_followed(false);
    tell(moved("file", 30, OBJECT_OTHER));
    EXPECT_TRUE(mounts.empty());
    add_followed(true);
    tell(moved("file", 30, OBJECT_OTHER));
    EXPECT_EQ(mounts.size(), 1U);
}

TEST_F(Looks, TheKernelsWordOnTheMountIsNotDoubted) {
    add(true, false, true);
    tell(moved("current", 10, OBJECT_LINK));
    EXPECT_TRUE(mounts.empty());
}

TEST_F(Looks, ANoOpIsDoubtedWhenItsFileIsChangedOrAnotherOne) {
    add_followed(true, true);
    change mode{};
    mode.time = now + 500'000;
    mode.knows_file = mode.knows_device = true;
    mode.file_device = 7;
    mode.inode = 71;
    tell(mode);
    EXPECT_TRUE(states.empty());
    mode.inode = 70;
    tell(mode);
    EXPECT_EQ(states.size(), 1U);
    EXPECT_TRUE(mounts.empty());
    add_followed(true, true);
    tell(moved("file", 30, OBJECT_OTHER, true));
    EXPECT_EQ(states.size(), 2U);
}

TEST_F(Looks, EndWhenTheirTimeIsOver) {
    add();
    add();
    EXPECT_EQ(looks_live(), 2U);
    EXPECT_TRUE(looks_want(name_hash("current"), true));
    EXPECT_FALSE(looks_want(name_hash("other"), true));
    looks_told_until(now + second);
    EXPECT_EQ(looks_live(), 0U);
    EXPECT_FALSE(looks_want(name_hash("current"), true));
    tell(moved("current", 10, OBJECT_LINK));
    EXPECT_TRUE(mounts.empty());
}

TEST_F(Looks, MoreThanThereIsRoomForAreDoubted) {
    for (int i = 0; i < 65537; ++i) add();
    EXPECT_EQ(mounts.size(), 1U);
}

}  // namespace
