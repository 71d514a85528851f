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

// A lock that knows none is no consent to all of them, and a run that did not ask is no answer.
TEST(LockedCapability, ALockOfWhatWasNotAskedAgreesToNothing) {
    const Lock without = updated({}, {test::result({})});
    EXPECT_EQ(test::rules(test::decide({with_capabilities({{"CHOWN", V::needed}, {"KILL", V::unused}})}, "",
                                       &without)),
              (std::vector<std::string>{"fail:new-scenario", "fail:new-capability"}));
    const Lock lock = lock_of(with_capabilities({{"CHOWN", V::needed}}));
    const Decision decision = test::decide({test::result({})}, "", &lock);
    EXPECT_EQ(test::rules(decision), std::vector<std::string>{"open:capabilities-not-asked"});
    EXPECT_EQ(decision.exit_code(), 4);
}

TEST(ToleratedCapability, NeedsConsent) {
    const std::vector<CampaignResult> results{
        with_capabilities({{"CHOWN", V::tolerated}, {"KILL", V::unused}, {"SETUID", V::needed}})};
    const Decision open = test::decide(results);
    EXPECT_EQ(test::rules(open), std::vector<std::string>{"fail:tolerated-capability"});
    EXPECT_EQ(open.exit_code(), 1);
    EXPECT_THAT(open.findings.at(0).what, HasSubstr("CHOWN is tolerated to be missing, and nobody accepts"));
    // What it proposes accepts it, once a reason is given.
    std::string entry = open.findings.at(0).snippet;
    entry.replace(entry.find("reason: "), 8, "reason: it copes");
    EXPECT_EQ(test::rules(test::decide(results, entry)), std::vector<std::string>{});
    const std::string other = "capabilities: [{name: KILL, reason: r}]";
    EXPECT_EQ(test::rules(test::decide(results, other)),
              (std::vector<std::string>{"fail:tolerated-capability", "note:unused-entry"}));
    const std::string late = "capabilities: [{name: cap_chown, reason: r, by: Ada, until: 2026-06-14}]";
    const Decision expired = test::decide(results, late);
    EXPECT_EQ(test::rules(expired), std::vector<std::string>{"fail:expired-acceptance"});
    EXPECT_THAT(expired.findings.at(0).evidence.at(0), HasSubstr("accepted by Ada until 2026-06-14"));
    const std::string soon = "capabilities: [{name: '*', scenario: sh*, reason: r, until: 2026-06-15}]";
    EXPECT_EQ(test::rules(test::decide(results, soon)), std::vector<std::string>{"note:expires-soon"});
    EXPECT_EQ(test::decide(results, soon).exit_code(), 0);
}

TEST(ToleratedCapability, AnEntryThatSaysNothingIsAnError) {
    for (const auto& [text, problem] :
         {std::pair{"capabilities: [{name: CHOWM, reason: r}]", "1:23: 'CHOWM' is no capability"},
          {"capabilities: [{name: CHOWN}]", "has no 'reason'"},
          {"capabilities: [{reason: r}]", "has no 'name'"}}) {
        const auto read = parse_policy(text, "policy.yaml");
        ASSERT_FALSE(read) << text;
        EXPECT_THAT(read.error().message, HasSubstr(problem));
    }
}

TEST(Capabilities, AScenarioIsRequiredForThemToo) {
    CampaignResult made = with_capabilities({{"KILL", V::unused}});
    made.exercised = {"a restart"};
    EXPECT_EQ(test::rules(test::decide({made}, "require: scenario")),
              std::vector<std::string>{"fail:no-scenario"});
    EXPECT_EQ(test::rules(test::decide({made})), std::vector<std::string>{});
    made.exercised.clear();
    EXPECT_EQ(test::rules(test::decide({made}, "require: scenario")), std::vector<std::string>{});
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
