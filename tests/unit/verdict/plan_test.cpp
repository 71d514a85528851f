#include "verdict/plan.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <set>

#include "verdict/compare.hpp"

namespace rogate::verdict {
namespace {

// An application whose needs are known: `writes` are its mounts that it writes, `needs` those it cannot do
// without. `clash`: the run fails when all of these are read-only together, though each of them alone is
// fine.
struct Application {
    std::set<std::string> writes, needs, clash;

    RunRecord run(const RunPlan& plan) const {
        RunRecord record;
        record.plan = plan;
        record.exit_code = 0;
        record.passed = true;
        std::set<std::string> read_only(plan.read_only.begin(), plan.read_only.end());
        for (const std::string& target : plan.read_only) {
            record.canary[target] = Canary::seen;
            if (needs.contains(target)) record.passed = false;
        }
        if (!clash.empty() && std::includes(read_only.begin(), read_only.end(), clash.begin(), clash.end()))
            record.passed = false;
        record.phases = {{.name = "ready", .passed = record.passed, .message = "no", .duration_s = 0}};
        for (const std::string& target : writes) {
            Attempt attempt;
            attempt.mount = target;
            attempt.operation = "create";
            attempt.path = target + "/f";
            attempt.error = read_only.contains(target) ? EROFS : 0;
            record.attempts.edit().push_back(attempt);
        }
        for (const char* name : {"/a", "/b", "/c", "/d"}) record.uses[name] = 1;
        return record;
    }

    std::vector<RunRecord> settle(const std::vector<std::string>& candidates) const;
};

Question question_of(const std::vector<std::string>& targets) {
    Question question;
    question.candidates = targets;
    for (const std::string& target : targets) {
        Mount mount;
        mount.target = target;
        question.mounts.push_back(mount);
    }
    return question;
}

std::vector<RunRecord> Application::settle(const std::vector<std::string>& candidates) const {
    Question question = question_of(candidates);
    std::vector<RunRecord> runs;
    for (;;) {
        const NextStep step = next_step(question, runs);
        // Nothing is there but the mounts, which are empty.
        for (const std::string& path : step.look_at)
            question.facts[path] = {.exists = true, .is_directory = true, .empty = true, .uid = 0, .gid = 0};
        if (!step.run && step.look_at.empty()) return runs;
        if (!step.run) continue;
        RunRecord record = run(*step.run);
        if (!runs.empty()) compare_with_control(record, runs.front());
        runs.push_back(std::move(record));
        if (runs.size() > 60) return runs;
    }
}

std::vector<MountResult> judged(const std::vector<std::string>& candidates,
                                const std::vector<RunRecord>& runs) {
    return judge_all(question_of(candidates), runs);
}

std::map<std::string, Verdict> verdicts(const std::vector<std::string>& candidates,
                                        const std::vector<RunRecord>& runs) {
    std::map<std::string, Verdict> found;
    for (const MountResult& result : judged(candidates, runs)) found[result.mount.target] = result.verdict;
    return found;
}

Step step(std::string name, Action action = WaitAction{}) {
    Step made;
    made.name = std::move(name);
    made.action = std::move(action);
    return made;
}

TEST(PhasesAfterRestart, AreThoseAfterTheLastThatIsAlwaysMade) {
    using Phases = std::set<std::string>;
    Step perhaps = step("perhaps", RestartAction{});
    perhaps.skip_if.emplace();
    EXPECT_FALSE(phases_after_restart({step("a"), perhaps}).has_value());
    EXPECT_EQ(phases_after_restart({step("a"), step("r", RestartAction{})}), Phases{});
    EXPECT_EQ(phases_after_restart({step("r", RestartAction{}), step("a"), perhaps}),
              (Phases{"step a", "step perhaps"}));
    EXPECT_EQ(
        phases_after_restart({step("r", RestartAction{}), step("a"), step("s", RestartAction{}), step("b")}),
        Phases{"step b"});
    EXPECT_EQ(phases_after_restart({step("r", RestartAction{.kill = true})}), Phases{"shutdown"});
    EXPECT_FALSE(
        phases_after_restart({step("load", BackgroundAction{}), step("r", RestartAction{})}).has_value());
}

TEST(Plan, RecommendsOnlyWhatARunHadAndPassed) {
    const Application application{.writes = {"/a", "/b"}, .needs = {}, .clash = {"/a", "/b"}};
    const std::vector<std::string> all = {"/a", "/b", "/c"};
    const auto runs = application.settle(all);
    const Recommendation advice = recommend(judged(all, runs), runs);
    // Together they fail, so what is recommended is a set that did pass, and that nothing can be added to.
    EXPECT_EQ(advice.read_only.size(), 2U);
    ASSERT_TRUE(advice.verified_by_run.has_value());
    const RunRecord& proof = runs.at(static_cast<std::size_t>(*advice.verified_by_run) - 1);
    EXPECT_TRUE(proof.passed);
    EXPECT_EQ(proof.plan.read_only, advice.read_only);
    EXPECT_FALSE(std::set<std::string>(advice.read_only.begin(), advice.read_only.end()).contains("/a") &&
                 std::set<std::string>(advice.read_only.begin(), advice.read_only.end()).contains("/b"));
}

TEST(Plan, FewRunsFindTheLargestSetThatPassesTogether) {
    std::vector<std::string> twenty;
    Application application;
    for (char name = 'a'; name < 'a' + 20; ++name) {
        twenty.push_back(std::string("/") + name);
        application.writes.insert(twenty.back());
    }
    application.clash = {"/c", "/q"};
    const auto runs = application.settle(twenty);
    // control, all together, one alone, and then the halving.
    EXPECT_LE(runs.size(), 17U);
    EXPECT_EQ(recommend(judged(twenty, runs), runs).read_only.size(), 19U);
}

TEST(Plan, CommonRunThatFailsIsTakenApart) {
    // /a fails without any write having been seen in the control run.
    Application application;
    application.needs = {"/a"};
    const std::vector<std::string> all = {"/a", "/b", "/c"};
    const auto runs = application.settle(all);
    const auto found = verdicts(all, runs);
    EXPECT_NE(found.at("/a"), Verdict::safe);
    EXPECT_EQ(found.at("/b"), Verdict::safe);
    EXPECT_EQ(found.at("/c"), Verdict::safe);
}

TEST(Plan, NothingFollowsAControlRunThatCannotBeReliedOn) {
    std::vector<RunRecord> runs = {Application{}.run(RunPlan{})};
    runs[0].lost_events = 1;
    EXPECT_FALSE(next_step(question_of({"/a"}), runs).run.has_value());
    runs[0].lost_events = 0;
    runs[0].passed = false;
    EXPECT_FALSE(next_step(question_of({"/a"}), runs).run.has_value());
}

TEST(Plan, UntestedMountsAreNotRecommended) {
    Application application;
    const std::vector<std::string> all = {"/a", "/unused"};
    const auto runs = application.settle(all);
    const Recommendation advice = recommend(judged(all, runs), runs);
    EXPECT_EQ(advice.read_only, (std::vector<std::string>{"/a"}));
    EXPECT_EQ(runs.at(static_cast<std::size_t>(*advice.verified_by_run) - 1).plan.read_only,
              advice.read_only);
}

// Whatever the number of runs that are made: what is said then is what all of them would have said.
void check_bounds(const Application& application, const std::vector<std::string>& all) {
    const auto runs = application.settle(all);
    const auto expected = verdicts(all, runs);
    for (std::size_t made = 0; made < runs.size(); ++made) {
        SCOPED_TRACE(made);
        Question question = question_of(all);
        question.stopped = "--max-runs is used up";
        const std::vector<RunRecord> some(runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(made));
        EXPECT_FALSE(next_step(question, some).run.has_value());
        const auto results = judge_all(question, some);
        const Recommendation advice = recommend(results, some);
        bool any_open = false;
        for (const MountResult& each : results) {
            SCOPED_TRACE(each.mount.target + ": " + each.reason);
            any_open = any_open || each.verdict == Verdict::inconclusive;
            if (each.verdict == Verdict::inconclusive) {
                EXPECT_NE(each.reason.find("--max-runs is used up"), std::string::npos);
                EXPECT_EQ(std::count(advice.read_only.begin(), advice.read_only.end(), each.mount.target), 0);
            } else {
                EXPECT_EQ(each.verdict, expected.at(each.mount.target));
            }
        }
        if (made < 2) {
            EXPECT_TRUE(any_open);
        }
    }
}

TEST(StoppedPlan, KeepsWhatIsSettledAndNothingElse) {
    const std::vector<std::string> all = {"/a", "/b", "/c", "/d"};
    check_bounds({}, all);
    check_bounds({.writes = {"/a"}, .needs = {"/a"}, .clash = {}}, all);
    check_bounds({.writes = {"/a", "/b"}, .needs = {"/a"}, .clash = {}}, all);
    check_bounds({.writes = {"/a", "/b"}, .needs = {"/b"}, .clash = {}}, all);
    check_bounds({.writes = {"/a", "/b", "/c"}, .needs = {"/a", "/c"}, .clash = {}}, all);
    check_bounds({.writes = {}, .needs = {"/a"}, .clash = {}}, all);
    check_bounds({.writes = {"/a", "/b"}, .needs = {}, .clash = {"/a", "/b"}}, all);
    check_bounds({.writes = {"/a", "/b", "/c"}, .needs = {"/c"}, .clash = {"/a", "/b"}}, all);
}

// One mount fails, and another run has shown of the rest that it passes.
TEST(StoppedPlan, RecommendsWhatARunHas) {
    const std::vector<std::string> all = {"/a", "/b", "/c"};
    const Application application{.writes = {"/a"}, .needs = {"/a"}, .clash = {}};
    auto runs = application.settle(all);
    ASSERT_GE(runs.size(), 3U);
    runs.resize(3);
    Question question = question_of(all);
    question.stopped = "--max-runs 3 is used up";
    const auto results = judge_all(question, runs);
    // Whether a part of it could stay writable would have been the next to be asked.
    EXPECT_EQ(results[0].verdict, Verdict::inconclusive);
    EXPECT_NE(results[0].reason.find("a part of it writable was not tried, since --max-runs 3 is used up"),
              std::string::npos)
        << results[0].reason;
    EXPECT_EQ(results[1].verdict, Verdict::safe);
    EXPECT_EQ(recommend(results, runs).read_only, (std::vector<std::string>{"/b", "/c"}));
    EXPECT_EQ(recommend(results, runs).verified_by_run, 3);
}

// A write to another mount is missing in the probe run: whether it stays away is asked in further runs.
TEST(StoppedPlan, DoesNotCallSafeWhatWasToBeAskedAgain) {
    const std::vector<std::string> all = {"/a"};
    Question question = question_of(all);
    const Application application{.writes = {"/data"}, .needs = {}, .clash = {}};
    std::vector<RunRecord> runs = {application.run(RunPlan{})};
    runs.push_back(Application{}.run(*next_step(question, runs).run));
    compare_with_control(runs[1], runs[0]);
    ASSERT_TRUE(next_step(question, runs).run.has_value());
    question.stopped = "--max-runs 2 is used up";
    const auto results = judge_all(question, runs);
    EXPECT_EQ(results[0].verdict, Verdict::inconclusive);
    EXPECT_NE(results[0].reason.find("was not asked again"), std::string::npos) << results[0].reason;
    EXPECT_TRUE(recommend(results, runs).read_only.empty());
}

TEST(Plan, ProbesCarryTheControlRunsExitCode) {
    std::vector<RunRecord> runs = {Application{}.run(RunPlan{})};
    runs[0].exit_code = 143;
    EXPECT_EQ(next_step(question_of({"/a"}), runs).run->expected_exit_code, 143);
}

}  // namespace
}  // namespace rogate::verdict
