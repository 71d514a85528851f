#include <gtest/gtest.h>

#include "gate/lock.hpp"
#include "unit/gate/support.hpp"

namespace rogate::gate {
namespace {

using testing::HasSubstr;
using V = CapabilityVerdict;

CampaignResult with_capabilities(const std::map<std::string, V>& verdicts) {
    CampaignResult made = test::result({});
    for (const auto& [name, verdict] : verdicts) {
        CapabilityResult each;
        each.name = name;
        each.verdict = verdict;
        each.reason = "the reason";
        CapabilityCheck check;
        check.capability = name;
        check.call = "chown";
        check.comm = "app";
        check.phase = "entrypoint";
        if (verdict == V::needed) each.checks = {check};
        made.capabilities.push_back(each);
    }
    return made;
}

Lock lock_of(const CampaignResult& result, const Lock& old = {}) {
    const Lock made = updated(old, {result});
    const auto read = parse_lock(render_lock(made), made.file);
    EXPECT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, made);
    return made;
}

TEST(LockedCapability, OneThatBecomesNeededFails) {
    const Lock lock =
        lock_of(with_capabilities({{"CHOWN", V::needed}, {"KILL", V::unused}, {"MKNOD", V::tolerated}}));
    const auto codes = [&](const std::map<std::string, V>& now) {
        return test::decide({with_capabilities(now)}, "", &lock).exit_code();
    };
    EXPECT_EQ(codes({{"CHOWN", V::needed}, {"KILL", V::unused}, {"MKNOD", V::tolerated}}), 0);
    EXPECT_EQ(codes({{"CHOWN", V::unused}, {"MKNOD", V::unused}}), 0);
    EXPECT_EQ(codes({{"KILL", V::needed}}), 1);
    EXPECT_EQ(codes({{"KILL", V::tolerated}}), 1);
    EXPECT_EQ(codes({{"MKNOD", V::needed}}), 1);
    EXPECT_EQ(codes({{"NET_ADMIN", V::needed}}), 1);
    EXPECT_EQ(codes({{"NET_ADMIN", V::unused}}), 0);
    EXPECT_EQ(codes({{"KILL", V::inconclusive}}), 4);
    const Decision decision = test::decide({with_capabilities({{"KILL", V::needed}})}, "", &lock);
    EXPECT_EQ(decision.findings.at(0).rule, "new-capability");
    EXPECT_THAT(decision.findings.at(0).what, HasSubstr("KILL was unused and is needed now: the reason"));
    EXPECT_THAT(decision.findings.at(0).evidence.at(0),
                HasSubstr("KILL for chown  allowed  in entrypoint  by app"));
}

TEST(LockedCapability, WhatIsInconclusiveStays) {
    const Lock lock = lock_of(with_capabilities({{"CHOWN", V::needed}, {"KILL", V::unused}}));
    const Lock again = lock_of(with_capabilities({{"CHOWN", V::inconclusive}, {"KILL", V::tolerated}}), lock);
    EXPECT_EQ(again.capabilities.at("shop"),
              (LockedCapabilities{{"CHOWN", V::needed}, {"KILL", V::tolerated}}));
    // A campaign that did not ask leaves what is known.
    EXPECT_EQ(lock_of(test::result({}), again), again);
    EXPECT_EQ(render_lock(again).find("NET_RAW"), std::string::npos);
    EXPECT_FALSE(parse_lock(
        "schema: rogate.lock/2\nscenarios: [{name: a, mounts: [], capabilities: [{name: X, verdict: safe}]}]",
        "l"));
}

}  // namespace
}  // namespace rogate::gate
