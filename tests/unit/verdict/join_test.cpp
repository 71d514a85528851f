#include "verdict/join.hpp"

#include <gmock/gmock.h>

namespace rogate::verdict {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CampaignResult result(const std::string& name, Verdict verdict, std::vector<WritablePath> writable = {}) {
    CampaignResult made;
    made.scenario.name = name;
    made.image_id = "sha256:1";
    for (int id = 1; id <= 2; ++id) {
        RunRecord run;
        run.plan.id = id;
        made.runs.push_back(run);
    }
    MountResult mount;
    mount.mount.target = "/data";
    mount.verdict = verdict;
    mount.reason = "because of " + name;
    mount.runs = {1, 2};
    mount.writable = std::move(writable);
    made.mounts = {mount};
    if (verdict == Verdict::safe)
        made.recommendation = {.read_only = {"/data"}, .writable = {}, .verified_by_run = 2};
    return made;
}

Verdict of(Verdict one, Verdict other) {
    const auto forth = joined({result("a", one), result("b", other)}),
               back = joined({result("b", other), result("a", one)});
    EXPECT_EQ(forth->mounts[0].verdict, back->mounts[0].verdict);
    return forth->mounts[0].verdict;
}

TEST(Joined, TheWorstVerdictCounts) {
    EXPECT_EQ(of(Verdict::safe, Verdict::safe), Verdict::safe);
    EXPECT_EQ(of(Verdict::safe, Verdict::tolerated), Verdict::tolerated);
    EXPECT_EQ(of(Verdict::safe, Verdict::inconclusive), Verdict::inconclusive);
    EXPECT_EQ(of(Verdict::tolerated, Verdict::required), Verdict::required);
    EXPECT_EQ(of(Verdict::inconclusive, Verdict::required), Verdict::required);
    EXPECT_EQ(of(Verdict::safe, Verdict::untested), Verdict::safe);
    EXPECT_EQ(of(Verdict::untested, Verdict::untested), Verdict::untested);
    EXPECT_EQ(of(Verdict::split, Verdict::safe), Verdict::split);
}

TEST(Joined, OfACapabilityAsWell) {
    using V = CapabilityVerdict;
    const auto with = [](const std::string& name, std::optional<V> verdict) {
        CampaignResult made = result(name, Verdict::safe);
        if (!verdict) return made;
        CapabilityResult each;
        each.name = "CHOWN";
        each.verdict = *verdict;
        each.reason = "because of " + name;
        each.runs = {2};
        made.capabilities = {each};
        made.recommendation.capabilities = std::vector<std::string>{};
        return made;
    };
    const auto joined_verdict = [&](std::optional<V> one, std::optional<V> other) {
        const auto forth = joined({with("a", one), with("b", other)}),
                   back = joined({with("b", other), with("a", one)});
        EXPECT_EQ(forth->capabilities.at(0).verdict, back->capabilities.at(0).verdict);
        return forth->capabilities.at(0).verdict;
    };
    EXPECT_EQ(joined_verdict(V::unused, V::unused), V::unused);
    EXPECT_EQ(joined_verdict(V::unused, V::tolerated), V::tolerated);
    EXPECT_EQ(joined_verdict(V::tolerated, V::inconclusive), V::inconclusive);
    EXPECT_EQ(joined_verdict(V::inconclusive, V::needed), V::needed);
    EXPECT_EQ(joined_verdict(V::unused, std::nullopt), V::inconclusive);
    EXPECT_EQ(joined_verdict(V::needed, std::nullopt), V::needed);
    const auto both = joined({with("a", V::unused), with("b", V::needed)});
    EXPECT_THAT(both->capabilities[0].reason, HasSubstr("scenario 'b': because of b"));
    EXPECT_THAT(both->capabilities[0].runs, ElementsAre(2, 4));
    EXPECT_EQ(joined({with("a", V::unused), with("b", std::nullopt)})->recommendation, Recommendation{});
}

TEST(Joined, APassThatNobodyWatchedIsNoSafe) {
    const auto unwatched = [](Verdict verdict) {
        CampaignResult made = result("b", verdict);
        for (RunRecord& run : made.runs) run.observer = "none";
        return made;
    };
    for (const Verdict one : {Verdict::safe, Verdict::tolerated, Verdict::split}) {
        const CampaignResult other = unwatched(Verdict::untested);
        EXPECT_EQ(joined({result("a", one), other})->mounts[0].verdict, Verdict::untested);
        EXPECT_EQ(joined({other, result("a", one)})->mounts[0].verdict, Verdict::untested);
        EXPECT_EQ(joined({result("a", one), other, result("c", one)})->mounts[0].verdict, Verdict::untested);
    }
    EXPECT_EQ(joined({result("a", Verdict::safe), unwatched(Verdict::untested)})->mounts[0].reason,
              "scenario 'b': because of b");
    EXPECT_EQ(joined({unwatched(Verdict::untested), result("a", Verdict::required)})->mounts[0].verdict,
              Verdict::required);
}

TEST(Joined, AMountThatIsReadOnlyInOneIsAnotherSubject) {
    CampaignResult other = result("b", Verdict::already_ro);
    other.mounts[0].mount.read_only = true;
    const auto whole = joined({result("a", Verdict::safe), other});
    ASSERT_FALSE(whole.has_value());
    EXPECT_THAT(whole.error().message, HasSubstr("their mounts differ"));
}

TEST(Joined, RunsAreNumberedAnewAndReasonsSayWhose) {
    const auto whole = joined({result("a", Verdict::safe), result("b", Verdict::required)});
    ASSERT_TRUE(whole.has_value());
    EXPECT_EQ(whole->scenario.name, "a + b");
    EXPECT_EQ(whole->runs[3].plan.id, 4);
    EXPECT_THAT(whole->mounts[0].runs, ElementsAre(1, 2, 3, 4));
    EXPECT_EQ(whole->mounts[0].reason, "scenario 'b': because of b");
    EXPECT_TRUE(whole->recommendation.read_only.empty()) << "what one of them cannot do is not recommended";
}

TEST(Joined, OnlyWhatAllRecommendIsRecommended) {
    const auto whole =
        joined({result("a", Verdict::safe), result("b", Verdict::safe), result("c", Verdict::safe)});
    EXPECT_THAT(whole->recommendation.read_only, ElementsAre("/data"));
    EXPECT_EQ(whole->recommendation.verified_by_run, 6);
}

TEST(Joined, ArrangementsThatDifferWereNotRunTogether) {
    WritablePath run, log;
    run.path = "/data/run";
    log.path = "/data/log";
    EXPECT_EQ(
        joined({result("a", Verdict::split, {run}), result("b", Verdict::split, {run})})->mounts[0].verdict,
        Verdict::split);
    const auto whole = joined({result("a", Verdict::split, {run}), result("b", Verdict::split, {log})});
    EXPECT_EQ(whole->mounts[0].verdict, Verdict::inconclusive);
    EXPECT_THAT(whole->mounts[0].reason, HasSubstr("both together were not run"));
}

TEST(Joined, OtherSubjectsAreRefused) {
    CampaignResult other = result("b", Verdict::safe);
    other.image_id = "sha256:2";
    EXPECT_THAT(joined({result("a", Verdict::safe), other}).error().message,
                HasSubstr("their images differ"));
    other = result("b", Verdict::safe);
    other.mounts[0].mount.target = "/other";
    EXPECT_THAT(joined({result("a", Verdict::safe), other}).error().message,
                HasSubstr("their mounts differ"));
    EXPECT_THAT(joined({result("a", Verdict::safe), result("a", Verdict::safe)}).error().message,
                HasSubstr("there twice"));
    EXPECT_FALSE(joined({}).has_value());
}

}  // namespace
}  // namespace rogate::verdict
