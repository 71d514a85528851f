#include "change/change.hpp"
#include "gate/render.hpp"
#include "support.hpp"

namespace rogate::gate::test {
namespace {

using change::Change;
using change::Since;

Change change(std::string target = "/data") {
    return {.kind = "compose",
            .name = "web",
            .container = "",
            .target = std::move(target),
            .declared = {"deploy/compose.yaml", 7, 9},
            .path = "/repo/deploy/compose.yaml"};
}

CampaignResult web(std::vector<MountResult> mounts, std::string file = "deploy/compose.yaml") {
    CampaignResult made = result(std::move(mounts));
    made.scenario.subject.origin = {Origin::Kind::compose, {std::move(file)}, "web", ""};
    return made;
}

Decision judged(const std::vector<CampaignResult>& results, std::vector<Change> changes,
                const std::string& policy_text = "") {
    const Policy agreed = policy_text.empty() ? Policy{} : policy(policy_text);
    const Since since{
        .revision = "origin/main", .folder = "/repo", .changes = std::move(changes), .not_compared = {}};
    return gate::decide({.results = results, .policy = agreed, .today = day("2026-06-15"), .since = &since});
}

struct Row {
    Verdict verdict;
    std::vector<std::string> rules;
    int code;
};

class MadeReadOnly : public testing::TestWithParam<Row> {};

TEST_P(MadeReadOnly, IsJudgedByWhatARunSays) {
    const std::vector<Attempt> failed =
        GetParam().verdict == Verdict::tolerated || GetParam().verdict == Verdict::required
            ? std::vector<Attempt>{write("/data/x")}
            : std::vector<Attempt>{};
    const Decision decision = judged({web({mount(GetParam().verdict, failed)})}, {change()});
    EXPECT_EQ(rules(decision), GetParam().rules);
    EXPECT_EQ(decision.exit_code(), GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(All, MadeReadOnly,
                         testing::Values(Row{Verdict::safe, {}, 0}, Row{Verdict::already_ro, {}, 0},
                                         Row{Verdict::ineffective, {}, 0},
                                         Row{Verdict::tolerated, {"fail:failed-write"}, 1},
                                         Row{Verdict::required, {"fail:made-read-only"}, 1},
                                         Row{Verdict::split, {"fail:made-read-only"}, 1},
                                         Row{Verdict::untested, {"fail:verdict"}, 1},
                                         Row{Verdict::inconclusive, {"open:inconclusive"}, 4}));

TEST(Since, OnlyTheChangedMountsAreJudged) {
    MountResult other = mount(Verdict::inconclusive);
    other.mount.target = "/other";
    const Decision decision = judged({web({mount(Verdict::safe), other})}, {change()});
    EXPECT_EQ(rules(decision), std::vector<std::string>{});
    EXPECT_EQ(decision.mounts, 1U);
}

TEST(Since, WhatHasNoResultIsToldAndIsNoYes) {
    const CampaignResult about_another = [] {
        CampaignResult made = web({mount(Verdict::safe)});
        made.scenario.subject.origin.name = "db";
        return made;
    }();
    for (const std::vector<CampaignResult>& results :
         {std::vector<CampaignResult>{},
          {about_another},
          {web({mount(Verdict::safe)}, "compose.yaml")},
          {web({mount(Verdict::safe)}, "/elsewhere/compose.yaml")}}) {
        const Decision decision = judged(results, {change()});
        EXPECT_EQ(rules(decision), std::vector<std::string>{"open:no-result"});
        EXPECT_EQ(decision.exit_code(), 4);
        EXPECT_NE(decision.findings[0].remedy.find(
                      "rogate run --since origin/main deploy/compose.yaml --service web"),
                  std::string::npos);
    }
    EXPECT_EQ(
        judged({web({mount(Verdict::safe)}, "/other/checkout/deploy/compose.yaml")}, {change()}).exit_code(),
        0);
    EXPECT_EQ(
        judged({web({mount(Verdict::safe)}, "/repo/deploy/../deploy/compose.yaml")}, {change()}).exit_code(),
        0);
}

TEST(Since, AnOverrideIsRunWithWhatItIsMergedOver) {
    Change over = change();
    over.declared.file = "deploy/compose.override.yaml";
    over.base = "deploy/compose.yaml";
    EXPECT_EQ(judged({}, {over}).findings.at(0).remedy,
              "Run both files: rogate run --since origin/main deploy/ --service web --out DIR");
    over.declared.file = "deploy/prod.yaml";
    EXPECT_EQ(judged({}, {over}).findings.at(0).remedy,
              "Run a scenario with 'subject: {compose: {file: [deploy/compose.yaml, deploy/prod.yaml], "
              "service: web}}': rogate run --since origin/main SCENARIO --out DIR");
}

TEST(Since, NothingChangedIsAYes) {
    EXPECT_EQ(judged({}, {}).exit_code(), 0);
}

TEST(Since, ThePolicyHoldsForWhatFails) {
    EXPECT_EQ(judged({web({mount(Verdict::tolerated, {write("/data/x")})})}, {change()},
                     "mounts: [{target: /data, must_be_read_only: true}]\n"
                     "writes: [{path: /data/x, reason: r}]\n")
                  .exit_code(),
              0);
}

TEST(Since, TheScenarioIsAsItWasBefore) {
    Scenario scenario;
    scenario.subject.origin = {Origin::Kind::compose, {"deploy/compose.yaml"}, "web", ""};
    for (const char* target : {"/data", "/conf"}) {
        scenario.subject.mounts.emplace_back().target = target;
        scenario.subject.mounts.back().read_only = true;
    }
    scenario.subject.read_only_rootfs = true;
    scenario.pod.mounts = {{"/data", "data", "", true}, {"/conf", "conf", "", true}};
    const Since since{"main", "/repo", {change("/data"), change("/"), change("/data")}, {}};
    const auto targets = made_read_only(since, scenario);
    EXPECT_EQ(targets, (std::vector<std::string>{"/", "/data"}));
    const Scenario before = change::before_the_change(scenario, targets);
    EXPECT_FALSE(before.subject.mounts[0].read_only);
    EXPECT_TRUE(before.subject.mounts[1].read_only);
    EXPECT_FALSE(before.subject.read_only_rootfs);
    // Else the pod's volume would be taken for one that nobody writes to, and be given as it is.
    EXPECT_FALSE(before.pod.mounts[0].read_only);
    EXPECT_TRUE(before.pod.mounts[1].read_only);
    EXPECT_EQ(before.candidates, targets);
}

TEST(Since, WhatCannotBeToldIsNoYes) {
    const std::vector<CampaignResult> none;
    const Policy agreed;
    Since since;
    since.revision = "main";
    since.not_known = {"web /data (compose.yaml:5:16): its mode came from MODE"};
    const Decision decision =
        gate::decide({.results = none, .policy = agreed, .today = day("2026-06-15"), .since = &since});
    EXPECT_EQ(decision.exit_code(), 4);
    const std::string text = render_terminal(decision, {});
    EXPECT_THAT(text, testing::HasSubstr("The gate cannot tell: 1 inconclusive"));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("says yes")));
}

}  // namespace
}  // namespace rogate::gate::test
