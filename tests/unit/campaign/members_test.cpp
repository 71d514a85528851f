#include "campaign/members.hpp"

#include <gtest/gtest.h>

namespace rogate::campaign {
namespace {

Member member(const std::string& name, const std::vector<std::string>& after = {}) {
    Member made;
    made.name = name;
    for (const std::string& other : after) {
        Dependency dependency;
        dependency.service = other;
        made.after.push_back(dependency);
    }
    return made;
}

using Groups = std::vector<std::vector<std::string>>;

TEST(InOrderOfEnding, EndsWhoDependsOnSomebodyBeforeThatOne) {
    const std::vector<Member> members = {member("db"), member("cache"), member("app", {"db", "cache"}),
                                         member("web", {"app"}), member("worker", {"db"})};
    EXPECT_EQ(in_order_of_ending(members), (Groups{{"worker", "web"}, {"app"}, {"cache", "db"}}));
}

TEST(InOrderOfEnding, EndsWhoSharesANetworkBeforeItsOwner) {
    std::vector<Member> members = {member("vpn"), member("app")};
    members[1].subject.network_mode = "service:vpn";
    EXPECT_EQ(in_order_of_ending(members), (Groups{{"app"}, {"vpn"}}));
    EXPECT_EQ(network_owner(members, members[1]), "vpn");
    EXPECT_EQ(network_owner(members, members[0]), "");
}

TEST(IsStartedAgain, FollowsThePolicyInTheControlRun) {
    EXPECT_FALSE(is_started_again({}, 1, 0, nullptr));
    EXPECT_FALSE(is_started_again({"no", 0}, 1, 0, nullptr));
    EXPECT_TRUE(is_started_again({"always", 0}, 0, 0, nullptr));
    EXPECT_FALSE(is_started_again({"on-failure", 0}, 0, 0, nullptr));
    EXPECT_TRUE(is_started_again({"on-failure", 2}, 1, 1, nullptr));
    EXPECT_FALSE(is_started_again({"on-failure", 2}, 1, 2, nullptr));
    EXPECT_FALSE(is_started_again({"always", 0}, 1, 10, nullptr)) << "it never settles";
}

// To start it again would hide that it ended for what was read-only.
TEST(IsStartedAgain, LeavesWhoDidNotEndInTheControlRunAsItIs) {
    ContainerRecord control;
    EXPECT_FALSE(is_started_again({"always", 0}, 1, 0, &control));
    control.restarts = 2;
    EXPECT_TRUE(is_started_again({"always", 0}, 1, 2, &control));
    EXPECT_FALSE(is_started_again({"always", 0}, 1, 5, &control));
    control.trouble = "it never settled";
    EXPECT_FALSE(is_started_again({"always", 0}, 1, 2, &control));
}

}  // namespace
}  // namespace rogate::campaign
