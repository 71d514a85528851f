#include "verdict/blame.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <rogate/names.hpp>
#include <set>

#include "verdict/compare.hpp"
#include "verdict/plan.hpp"

namespace rogate::verdict {
namespace {

using Set = std::set<std::string>;

// An application that reads all of its mounts, and writes an order to /data/orders, which is no candidate, if
// it wants to: `orders` is asked with what is read-only and with the number of the run.
struct Shop {
    std::vector<std::string> mounts;
    std::function<bool(const Set& read_only, int run)> orders;
    Set puts_up_with = {};  // mounts that it writes, and can do without
    std::function<bool(int run)> passes = [](int) { return true; };
    Set idle = {};  // mounts that it never uses

    RunRecord run(const RunPlan& plan) const {
        const Set read_only(plan.read_only.begin(), plan.read_only.end());
        RunRecord record;
        record.plan = plan;
        record.observer = "ebpf";
        record.passed = passes(plan.id);
        record.phases = {{.name = "ready", .passed = record.passed, .message = "no", .duration_s = 0}};
        for (const std::string& target : plan.read_only) record.canary[target] = Canary::seen;
        for (const std::string& target : mounts)
            if (!idle.contains(target)) record.uses[target] = 1;
        const auto write = [&](const std::string& mount, const std::string& name) {
            Attempt attempt;
            attempt.mount = mount;
            attempt.operation = "create";
            attempt.path = mount + "/" + name;
            attempt.error = read_only.contains(mount) ? EROFS : 0;
            attempt.process.comm = "shop";
            record.attempts.edit().push_back(attempt);
        };
        if (orders(read_only, plan.id)) write("/data", "orders");
        for (const std::string& mount : puts_up_with) write(mount, "log");
        return record;
    }

    struct Campaign {
        std::vector<RunRecord> runs;
        std::map<std::string, MountResult> results;

        std::string verdicts() const {
            std::string text;
            for (const auto& [target, result] : results)
                text += (text.empty() ? "" : " ") + target + "=" + std::string(to_string(result.verdict));
            return text;
        }
    };
    Campaign campaign() const {
        Question question;
        question.candidates = mounts;
        for (const std::string& target : mounts) question.mounts.emplace_back().target = target;
        Campaign done;
        while (done.runs.size() < 60) {
            const NextStep step = next_step(question, done.runs);
            if (!step.run) break;
            RunRecord record = run(*step.run);
            if (!done.runs.empty()) compare_with_control(record, done.runs.front());
            done.runs.push_back(std::move(record));
        }
        for (MountResult& each : judge_all(question, done.runs)) done.results[each.mount.target] = each;
        return done;
    }
};

bool any_of(const Set& read_only, const Set& of) {
    return std::any_of(of.begin(), of.end(),
                       [&](const std::string& each) { return read_only.contains(each); });
}

TEST(Blame, NoDifferenceTakesNoMoreRuns) {
    const auto done = Shop{{"/a", "/b", "/c"}, [](const Set&, int) { return true; }}.campaign();
    EXPECT_EQ(done.runs.size(), 2U);
    EXPECT_EQ(done.verdicts(), "/a=safe /b=safe /c=safe");
}

TEST(Blame, AWriteLeftOutElsewhereCountsWhenItStaysSo) {
    const auto done =
        Shop{{"/cfg"}, [](const Set& read_only, int) { return !read_only.contains("/cfg"); }}.campaign();
    EXPECT_EQ(done.verdicts(), "/cfg=tolerated");
    EXPECT_EQ(done.runs.size(), 2U * tries_of_a_difference);
    const MountResult& found = done.results.at("/cfg");
    EXPECT_NE(found.reason.find("leaves out create /data/orders by shop"), std::string::npos) << found.reason;
    ASSERT_EQ(found.difference.left_out.size(), 1U);
    EXPECT_TRUE(found.difference.with.empty());
    EXPECT_EQ(found.runs.size(), done.runs.size()) << "the verdict rests on all of them";
}

TEST(Blame, WhatComesAndGoesIsNoDifference) {
    // Every other run, every third run, only the first one, never but in the last.
    const std::vector<std::function<bool(int)>> sometimes = {
        [](int run) { return run % 2 == 1; }, [](int run) { return run % 3 == 1; },
        [](int run) { return run == 1; }, [](int run) { return run % 5 != 2; }};
    for (const auto& orders : sometimes) {
        const auto done = Shop{{"/a", "/b"}, [&](const Set&, int run) { return orders(run); }}.campaign();
        EXPECT_EQ(done.verdicts(), "/a=safe /b=safe");
        EXPECT_LE(done.runs.size(), 2U * tries_of_a_difference);
    }
}

TEST(Blame, OneOfManyIsFoundByHalving) {
    std::vector<std::string> mounts;
    for (char name = 'a'; name < 'i'; ++name) mounts.push_back(std::string("/") + name);
    for (const std::string& guilty : mounts) {
        const auto done =
            Shop{mounts, [&](const Set& read_only, int) { return !read_only.contains(guilty); }}.campaign();
        for (const auto& [target, result] : done.results)
            EXPECT_EQ(result.verdict, target == guilty ? Verdict::tolerated : Verdict::safe) << target;
        EXPECT_LE(done.runs.size(), static_cast<std::size_t>(2 * tries_of_a_difference + most_blaming_runs));
    }
}

TEST(Blame, EachOfSeveralIsFound) {
    const auto done = Shop{
        {"/a", "/b", "/c", "/d"}, [](const Set& read_only, int) {
            return !any_of(read_only, {"/b", "/d"});
        }}.campaign();
    EXPECT_EQ(done.verdicts(), "/a=safe /b=tolerated /c=safe /d=tolerated");
}

TEST(Blame, WhatOnlyBothTogetherDoCountsAgainstEach) {
    const auto done =
        Shop{{"/a", "/b"}, [](const Set& read_only, int) { return read_only.size() < 2; }}.campaign();
    EXPECT_EQ(done.verdicts(), "/a=tolerated /b=tolerated");
    EXPECT_EQ(done.results.at("/a").difference.with, std::vector<std::string>{"/b"});
}

TEST(Blame, WhereWritesFailAlreadyTheOthersAreCleared) {
    const auto done = Shop{
        {"/a", "/b", "/log"},
        [](const Set& read_only, int) { return !read_only.contains("/log"); },
        {"/log"}}.campaign();
    EXPECT_EQ(done.verdicts(), "/a=safe /b=safe /log=tolerated");
    EXPECT_EQ(done.runs.size(), 3U) << "one run without it is enough";
}

TEST(Blame, WhatIsClearedBesideAnUnusedMountIsNotTriedWithoutIt) {
    Shop shop{{"/a", "/idle", "/log"},
              [](const Set& read_only, int) { return !read_only.contains("/log"); },
              {"/log"}};
    shop.idle = {"/idle"};
    const auto done = shop.campaign();
    EXPECT_EQ(done.verdicts(), "/a=safe /idle=untested /log=tolerated");
    EXPECT_EQ(done.runs.size(), 4U) << "the last one with what is recommended";
}

TEST(Blame, WhereWritesFailAlreadyTheOthersMayBeToBlameStill) {
    const auto done = Shop{
        {"/a", "/b", "/log"},
        [](const Set& read_only, int) { return !read_only.contains("/b"); },
        {"/log"}}.campaign();
    EXPECT_EQ(done.verdicts(), "/a=safe /b=tolerated /log=tolerated");
}

TEST(Blame, ThereIsABound) {
    std::vector<std::string> mounts;
    Set all;
    for (int i = 10; i < 50; ++i) mounts.push_back("/m" + std::to_string(i));
    all.insert(mounts.begin(), mounts.end());
    const auto done = Shop{mounts, [&](const Set& read_only, int) { return read_only.empty(); }}.campaign();
    for (const auto& [target, result] : done.results) EXPECT_EQ(result.verdict, Verdict::tolerated) << target;
    EXPECT_LE(done.runs.size(), 2U * tries_of_a_difference + most_blaming_runs + 10U);
}

TEST(Blame, ARunThatFailsWhenItIsMadeAgainIsFlaky) {
    const Shop flaky{{"/cfg"},
                     [](const Set& read_only, int) { return read_only.empty(); },
                     {},
                     [](int run) { return run != 3; }};
    const auto done = flaky.campaign();
    EXPECT_EQ(done.verdicts(), "/cfg=inconclusive");
    EXPECT_NE(done.results.at("/cfg").reason.find("flaky"), std::string::npos)
        << done.results.at("/cfg").reason;
}

TEST(Blame, DataThatTheRunsDidNotHaveDoubtEveryMountUnlessNothingUsedThem) {
    const Shop shop{{"/a", "/b"}, [](const Set&, int) { return true; }};
    Question question;
    question.candidates = {"/a"};
    for (const char* target : {"/a", "/b", "/c"}) question.mounts.emplace_back().target = target;
    question.data_differences = {
        {.target = "/c", .what = "/c is hidden", .way_out = "mend it", .used = true}};
    std::vector<RunRecord> runs = {shop.run(RunPlan{})};
    const NextStep next = next_step(question, runs);
    ASSERT_TRUE(next.run.has_value()) << "nothing used /c";
    runs.push_back(shop.run(*next.run));
    EXPECT_EQ(judge_all(question, runs)[0].verdict, Verdict::safe);
    runs[1].uses["/c"] = 1;
    EXPECT_EQ(judge_all(question, runs)[0].verdict, Verdict::inconclusive);
    EXPECT_NE(judge_all(question, runs)[0].reason.find("/c is hidden; mend it"), std::string::npos);
    runs[1].uses.erase("/c");
    runs[0].observer = "ptrace";
    EXPECT_EQ(judge_all(question, runs)[0].verdict, Verdict::inconclusive) << "its counts are lower bounds";
}

}  // namespace
}  // namespace rogate::verdict
