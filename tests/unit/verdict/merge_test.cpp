#include "verdict/merge.hpp"

#include <gmock/gmock.h>

#include <cerrno>

#include "verdict/judge.hpp"

namespace rogate::verdict {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Attempt attempt(const std::string& path, int error, std::uint64_t count = 1) {
    Attempt made;
    made.mount = "/data";
    made.path = path;
    made.operation = "create";
    made.error = error;
    made.count = count;
    return made;
}

RunRecord run(int id, DataState state, bool passed, std::vector<Attempt> attempts = {}) {
    RunRecord made;
    made.plan.id = id;
    made.plan.state = state;
    made.plan.kind = RunKind::probe;
    made.plan.read_only = {"/data"};
    made.passed = passed;
    made.phases = {{.name = "step a", .passed = passed, .message = passed ? "" : "no", .duration_s = 1}};
    made.attempts = std::move(attempts);
    made.canary = {{"/data", Canary::seen}};
    made.uses = {{"/data", 2}};
    return made;
}

TEST(Merged, OneRunOfTheDataAsTheyAreIsItself) {
    const RunRecord one = run(3, DataState::current, true, {attempt("/data/x", EROFS)});
    EXPECT_EQ(merged({one}), one);
}

TEST(Merged, AttemptsSayInWhichStatesTheyWereMade) {
    const RunRecord whole =
        merged({run(3, DataState::fresh, true, {attempt("/data/x", EROFS, 2), attempt("/data/y", EROFS)}),
                run(4, DataState::used, true, {attempt("/data/x", EROFS, 3)})});
    EXPECT_TRUE(whole.passed);
    ASSERT_EQ(whole.attempts.size(), 2U);
    EXPECT_EQ(whole.attempts[0].count, 5U);
    EXPECT_EQ(whole.attempts[0].state, "fresh, used");
    EXPECT_EQ(whole.attempts[1].state, "fresh");
    EXPECT_EQ(whole.uses.at("/data"), 4U);
}

TEST(Merged, WhatAMountKeptFromRunningInOneStateCounts) {
    RunRecord fresh = run(3, DataState::fresh, true), used = run(4, DataState::used, true);
    fresh.exec_refused = {{"/tmp", "/tmp/tool"}};
    fresh.listed = used.listed = {{"/tmp", 2}};
    const RunRecord whole = merged({fresh, used});
    EXPECT_EQ(whole.exec_refused, fresh.exec_refused);
    EXPECT_EQ(whole.listed.at("/tmp"), 4U);
}

TEST(Merged, ARunMadeForItsDataIsNoEvidenceButHasToPass) {
    RunRecord seed = run(1, DataState::current, true, {attempt("/data/first-start", 0)});
    seed.plan.leaves_data = true;
    const RunRecord control = run(2, DataState::used, true, {attempt("/data/x", 0)});
    const RunRecord whole = merged({seed, control});
    EXPECT_TRUE(whole.passed);
    ASSERT_EQ(whole.attempts.size(), 1U);
    EXPECT_EQ(whole.attempts[0].path, "/data/x");
    ASSERT_EQ(whole.made_data.size(), 1U);
    EXPECT_EQ(whole.made_data[0].path, "/data/first-start");
    seed.passed = false;
    EXPECT_FALSE(merged({seed}).passed);
    EXPECT_FALSE(merged({seed, control}).passed);
}

TEST(Merged, OneStateThatFailsDecides) {
    const RunRecord whole = merged({run(3, DataState::fresh, true, {attempt("/data/harmless", EROFS)}),
                                    run(4, DataState::crash, false, {attempt("/data/wal", EROFS)})});
    EXPECT_FALSE(whole.passed);
    EXPECT_EQ(whole.plan.id, 4);
    ASSERT_EQ(whole.attempts.size(), 1U);
    EXPECT_EQ(whole.attempts[0].path, "/data/wal");
    EXPECT_EQ(whole.attempts[0].state, "crash");
    EXPECT_EQ(whole.doubt, "");
}

TEST(Merged, TheWorstAccountCounts) {
    RunRecord lossy = run(4, DataState::used, true);
    lossy.lost_events = 2;
    lossy.canary["/data"] = Canary::not_seen;
    const RunRecord whole = merged({run(3, DataState::fresh, true), lossy, run(5, DataState::crash, true)});
    EXPECT_EQ(whole.lost_events, 2U);
    EXPECT_EQ(whole.canary.at("/data"), Canary::not_seen);
}

TEST(Merged, TriesThatEndDifferentlyAreNoEvidence) {
    const RunRecord whole = merged({run(3, DataState::current, true),
                                    run(4, DataState::current, false, {attempt("/data/x", EROFS)}),
                                    run(5, DataState::current, true)});
    EXPECT_EQ(whole.doubt, "2 of 3 tries passed; one failed step a: no");
    MountEvidence evidence;
    evidence.mount.target = "/data";
    RunRecord control = run(1, DataState::current, true);
    control.plan.kind = RunKind::control;
    evidence.control = &control;
    evidence.probe = &whole;
    const MountResult result = judge(evidence);
    EXPECT_EQ(result.verdict, Verdict::inconclusive);
    EXPECT_THAT(result.reason, HasSubstr("2 of 3 tries passed"));
    control = whole;
    const RunRecord good = run(6, DataState::current, true);
    evidence.probe = &good;
    EXPECT_EQ(judge(evidence).verdict, Verdict::inconclusive);
    EXPECT_THAT(judge(evidence).reason, HasSubstr("2 of 3 tries passed"));
}

TEST(Merged, AllTriesThatFailAreAFailure) {
    const RunRecord whole = merged({run(3, DataState::current, false), run(4, DataState::current, false)});
    EXPECT_FALSE(whole.passed);
    EXPECT_EQ(whole.doubt, "");
}

TEST(MergedChecks, AreKnownIfTheyAreInEachTry) {
    RunRecord run;
    run.passed = true;
    run.plan.state = DataState::fresh;
    CapabilityCheck check;
    check.capability = "CHOWN";
    run.checks = CapabilityChecks{.all = {check}, .audited_only = true, .lost = 1};
    RunRecord other = run;
    other.plan.state = DataState::used;
    other.checks->audited_only = false;
    const RunRecord whole = merged({run, other});
    ASSERT_TRUE(whole.checks);
    EXPECT_EQ(whole.checks->all.size(), 2U);
    EXPECT_EQ(whole.checks->lost, 2U);
    EXPECT_FALSE(whole.checks->audited_only);
    other.checks.reset();
    EXPECT_FALSE(merged({run, other}).checks);
    EXPECT_FALSE(merged({other, run}).checks);
}

}  // namespace
}  // namespace rogate::verdict
