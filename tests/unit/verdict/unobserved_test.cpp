// --observer none: verdicts rest on the scenario's outcomes, and are never more than these can show.
#include <gtest/gtest.h>

#include "verdict/compare.hpp"
#include "verdict/judge.hpp"
#include "verdict/plan.hpp"

namespace rogate::verdict {
namespace {

RunRecord run(int id, std::vector<std::string> read_only, bool passed) {
    RunRecord made;
    made.plan.id = id;
    made.plan.kind = id == 1 ? RunKind::control : RunKind::probe;
    made.plan.read_only = std::move(read_only);
    made.observer = "none";
    made.passed = passed;
    made.phases = {{.name = "ready", .passed = passed, .message = passed ? "" : "exited", .duration_s = 0}};
    for (const std::string& target : made.plan.read_only) made.canary[target] = Canary::not_seen;
    return made;
}

MountResult judged(const RunRecord& control, const RunRecord& probe, bool read_only = false) {
    MountEvidence evidence;
    evidence.mount.target = "/data";
    evidence.mount.read_only = read_only;
    evidence.control = &control;
    evidence.probe = &probe;
    return judge(evidence);
}

TEST(Unobserved, PassingIsUntestedNeverSafe) {
    const MountResult result = judged(run(1, {}, true), run(2, {"/data"}, true));
    EXPECT_EQ(result.verdict, Verdict::untested);
    EXPECT_NE(result.reason.find("nothing watched"), std::string::npos);
}

TEST(Unobserved, PassingIsUntestedEvenIfUsesAndCanaryWereClaimed) {
    RunRecord control = run(1, {}, true), probe = run(2, {"/data"}, true);
    control.uses["/data"] = probe.uses["/data"] = 7;
    probe.canary["/data"] = Canary::seen;
    EXPECT_EQ(judged(control, probe).verdict, Verdict::untested);
}

TEST(Unobserved, AProbeWithoutObserverIsNotHelpedByAnObservedControl) {
    RunRecord control = run(1, {}, true);
    control.observer = "ebpf";
    control.uses["/data"] = 1;
    EXPECT_EQ(judged(control, run(2, {"/data"}, true)).verdict, Verdict::untested);
}

TEST(Unobserved, FailingAloneIsRequired) {
    const MountResult result = judged(run(1, {}, true), run(2, {"/data"}, false));
    EXPECT_EQ(result.verdict, Verdict::required);
    EXPECT_NE(result.reason.find("ready: exited"), std::string::npos);
}

TEST(Unobserved, FailingTogetherIsInconclusive) {
    EXPECT_EQ(judged(run(1, {}, true), run(2, {"/data", "/etc"}, false)).verdict, Verdict::inconclusive);
}

TEST(Unobserved, FailingControlIsInconclusive) {
    EXPECT_EQ(judged(run(1, {}, false), run(2, {"/data"}, true)).verdict, Verdict::inconclusive);
}

TEST(Unobserved, ReadOnlyAlreadyClaimsNoAbsenceOfWrites) {
    const RunRecord control = run(1, {}, true);
    const MountResult result = judged(control, control, true);
    EXPECT_EQ(result.verdict, Verdict::already_ro);
    EXPECT_NE(result.reason.find("was not watched"), std::string::npos);
}

TEST(Unobserved, EachIsTriedAloneWhenAllTogetherFail) {
    std::vector<RunRecord> runs = {run(1, {}, true), run(2, {"/a", "/b"}, false)};
    Question question;
    question.candidates = {"/a", "/b"};
    const NextStep next = next_step(question, runs);
    ASSERT_TRUE(next.run);
    EXPECT_EQ(next.run->read_only, (std::vector<std::string>{"/a"}));
}

TEST(Unobserved, NothingIsRecommended) {
    std::vector<RunRecord> runs = {run(1, {}, true), run(2, {"/data"}, true)};
    std::vector<MountResult> mounts = {judged(runs[0], runs[1])};
    EXPECT_TRUE(recommend(mounts, runs).read_only.empty());
}

TEST(Ptrace, ReadsAreALowerBound) {
    RunRecord control = run(1, {}, true), probe = run(2, {"/data"}, true);
    control.observer = probe.observer = "ptrace";
    control.uses["/data"] = 2;
    probe.canary["/data"] = Canary::seen;
    EXPECT_EQ(judged(control, probe).reason,
              "read at least 2 times, never written to; watched through no step, 0.0 s");
}

}  // namespace
}  // namespace rogate::verdict
