#include <gtest/gtest.h>

#include <rogate/attempts.hpp>

namespace rogate {
namespace {

Attempts made_of(std::vector<std::string> paths) {
    std::vector<Attempt> list;
    for (const std::string& path : paths) list.emplace_back().path = path;
    return list;
}

std::string paths_of(const Attempts& list) {
    std::string text;
    for (const Attempt& each : list) text += each.path.str();
    return text;
}

TEST(Attempts, OfNothingAreEmpty) {
    EXPECT_TRUE(Attempts().empty());
    EXPECT_EQ(Attempts(), made_of({}));
    EXPECT_EQ(paths_of(Attempts()), "");
    EXPECT_TRUE(made_of({"a"}).picked({}).empty());
}

TEST(Attempts, PickedOnesAreThoseOfTheWholeListInTheAskedOrder) {
    const Attempts all = made_of({"a", "b", "c", "d"}), some = all.picked({3, 0, 2});
    EXPECT_EQ(paths_of(some), "dac");
    EXPECT_EQ(some.size(), 3U);
    EXPECT_EQ(&some[0], &all[3]) << "not copied";
    EXPECT_EQ(paths_of(some.picked({2, 0})), "cd");
    EXPECT_EQ(some, made_of({"d", "a", "c"}));
    EXPECT_NE(some, made_of({"d", "a"}));
}

TEST(Attempts, AreCopiedByTheFirstEditAndOnlyIfOthersReferToThem) {
    Attempts all = made_of({"a", "b"});
    const Attempt* const before = &all[0];
    all.edit()[0].path = "x";
    EXPECT_EQ(&all[0], before) << "there was nobody else";
    Attempts copy = all, some = all.picked({1});
    EXPECT_EQ(&copy[0], &all[0]);
    copy.edit()[0].path = "y";
    some.edit()[0].path = "z";
    EXPECT_EQ(paths_of(all) + paths_of(copy) + paths_of(some),
              "xb"
              "yb"
              "z");
}

TEST(Attempts, OutliveTheListThatTheyWerePickedFrom) {
    Attempts some;
    {
        const Attempts all = made_of({"a", "b"});
        some = all.picked({1});
    }
    EXPECT_EQ(paths_of(some), "b");
    some.edit()[0].path = "c";
    EXPECT_EQ(paths_of(some), "c") << "though nobody else refers to what it was picked from";
}

TEST(Attempts, CanBeginAsNothing) {
    Attempts list;
    list.edit().emplace_back().path = "a";
    EXPECT_EQ(paths_of(list), "a");
}

}  // namespace
}  // namespace rogate
