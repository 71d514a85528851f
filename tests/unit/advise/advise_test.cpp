#include "advise/advise.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <rogate/place.hpp>
#include <rogate/variable.hpp>

#include "verdict/compare.hpp"

namespace rogate::advise {
namespace {

struct Write {
    std::string path;
    bool fatal = true;            // the application ends when it fails
    std::string removed_by = {};  // the variable with which it is not made
    std::string value = "1";
};

Setting setting(const std::string& id, const std::string& path, const std::string& variable,
                const std::string& value = "1") {
    Setting made;
    made.id = id;
    made.what = made.how = id;
    made.shown_by = {{.processes = {"app"}, .paths = {path}, .operations = {}, .phases = {}}};
    if (!variable.empty()) made.environment = {{variable, value}};
    return made;
}

// An application whose root it writes to, and what a campaign of it comes to. `containers`: of a system, each
// of which does the same.
class Application {
  public:
    explicit Application(std::vector<Write> writes, std::vector<std::string> containers = {""})
        : writes_(std::move(writes)), containers_(std::move(containers)) {
        for (const std::string& name : containers_) {
            Mount root;
            root.type = MountType::rootfs;
            root.target = place_in(name, "/");
            question.mounts.push_back(root);
            question.candidates.push_back(root.target);
            for (const char* path : {"/", "/app", "/app/cache", "/tmp"})
                question.facts[place_in(name, path)] = {
                    .exists = true, .is_directory = true, .empty = std::string(path) != "/"};
        }
    }

    RunRecord run(const RunPlan& plan) const {
        RunRecord record;
        record.plan = plan;
        record.exit_code = 0;
        record.observer = "ebpf";
        record.passed =
            !(plan.kind == RunKind::control && std::ranges::any_of(breaks, [&](const std::string& name) {
                  return plan.environment.contains(name);
              }));
        for (const std::string& target : plan.read_only) record.canary[target] = Canary::seen;
        for (const std::string& name : containers_) perform(name, record);
        record.phases = {{.name = "ready", .passed = record.passed, .message = "no", .duration_s = 0}};
        if (plan.again) record.read_back.emplace();
        return record;
    }

    void perform(const std::string& name, RunRecord& record) const {
        const RunPlan& plan = record.plan;
        record.uses[place_in(name, "/")] = 1;
        for (const Write& write : writes_) {
            const auto set = plan.environment.find(variable_in(name, write.removed_by));
            if (set != plan.environment.end() && set->second == write.value) continue;
            const bool kept = std::ranges::any_of(plan.writable, [&](const WritablePath& each) {
                return place_in(name, write.path).starts_with(each.path + "/");
            });
            const bool read_only =
                std::ranges::find(plan.read_only, place_in(name, "/")) != plan.read_only.end();
            Attempt attempt;
            attempt.mount = place_in(name, "/");
            attempt.operation = "create";
            attempt.path = place_in(name, write.path);
            attempt.process.comm = "app";
            attempt.phase = "ready";
            attempt.error = !read_only || kept ? 0 : EROFS;
            record.attempts.edit().push_back(attempt);
            if (attempt.error == 0 || !write.fatal) continue;
            record.passed = false;
            if (!name.empty()) record.containers[name].trouble = name + " ended";
        }
    }

    Conclusion settle() {
        for (;;) {
            const verdict::NextStep step = next_step(advisor, question, runs);
            for (const std::string& path : step.look_at) question.facts.try_emplace(path);
            if (!step.run && step.look_at.empty()) break;
            if (!step.run) continue;
            EXPECT_EQ(step.run->id, static_cast<int>(runs.size()) + 1);
            RunRecord record = run(*step.run);
            for (const RunRecord& before : runs)
                if (before.plan.kind == RunKind::control &&
                    before.plan.environment == record.plan.environment) {
                    verdict::compare_with_control(record, before);
                    break;
                }
            runs.push_back(std::move(record));
            if (runs.size() > 30) break;
        }
        EXPECT_LT(runs.size(), 30U);
        return conclude(advisor, question, runs);
    }

    verdict::Question question;
    Advisor advisor;
    std::vector<RunRecord> runs;
    std::vector<std::string> breaks;  // variables with which it does not pass

  private:
    std::vector<Write> writes_;
    std::vector<std::string> containers_;
};

TEST(Advise, OffersWhatLeavesNothingWritable) {
    Application application({{"/app/cache/x", true, "NO_CACHE"}});
    application.advisor.settings = {setting("cache", "/app/cache/*", "NO_CACHE")};
    const Conclusion made = application.settle();
    EXPECT_EQ(made.mounts.front().verdict, Verdict::split);  // as it is configured
    EXPECT_EQ(made.recommendation.environment, (std::map<std::string, std::string>{{"NO_CACHE", "1"}}));
    EXPECT_EQ(made.recommendation.read_only, (std::vector<std::string>{"/"}));
    EXPECT_TRUE(made.recommendation.writable.empty());
    ASSERT_EQ(made.settings.size(), 1U);
    EXPECT_EQ(made.settings[0].outcome, SettingResult::Outcome::offered);
    EXPECT_EQ(made.settings[0].how, "NO_CACHE=1");
    const RunRecord& proof =
        application.runs.at(static_cast<std::size_t>(*made.recommendation.verified_by_run) - 1);
    EXPECT_EQ(proof.plan.environment, made.recommendation.environment);
    EXPECT_TRUE(proof.passed);
}

// It turns off more than the writes that it is known for; no step notices.
TEST(Advise, OffersNothingThatStopsOtherWork) {
    Application application({{"/app/cache/x", true, "NO_CACHE"},
                             {"/app/cache", false, "NO_CACHE"},
                             {"/srv/orders", false, "NO_CACHE"}});
    application.advisor.settings = {setting("cache", "/app/cache/*", "NO_CACHE")};
    const Conclusion made = application.settle();
    EXPECT_TRUE(made.recommendation.environment.empty());
    ASSERT_EQ(made.settings.size(), 1U);
    EXPECT_EQ(made.settings[0].outcome, SettingResult::Outcome::breaks);

    // The folder of what is not written any more is not made either.
    Application other({{"/app/cache/x", true, "NO_CACHE"}, {"/app/cache", false, "NO_CACHE"}});
    other.advisor = application.advisor;
    EXPECT_FALSE(other.settle().recommendation.environment.empty());
}

// Of a system each container has variables of its own, and what one of them has set is none of the other's.
TEST(Advise, SetsTheVariablesOfTheContainerThatWrites) {
    Application application({{"/app/cache/x", true, "NO_CACHE"}}, {"a", "b"});
    application.advisor.settings = {setting("cache", "/app/cache/*", "NO_CACHE")};
    application.advisor.variables = {"b:NO_CACHE"};
    const Conclusion made = application.settle();
    EXPECT_EQ(made.recommendation.environment, (std::map<std::string, std::string>{{"a:NO_CACHE", "1"}}));
    EXPECT_EQ(made.recommendation.read_only, (std::vector<std::string>{"a:/", "b:/"}));
    ASSERT_EQ(made.recommendation.writable.size(), 1U);
    EXPECT_EQ(made.recommendation.writable[0].path, "b:/app/cache");
    ASSERT_EQ(made.settings.size(), 2U);
    EXPECT_EQ(made.settings[0].outcome, SettingResult::Outcome::offered);
    EXPECT_EQ(made.settings[0].how, "NO_CACHE=1");
    EXPECT_EQ(made.settings[0].mounts, (std::vector<std::string>{"a:/"}));
    EXPECT_EQ(made.settings[1].outcome, SettingResult::Outcome::not_tried);
}

TEST(Advise, APlaceIsOneOfTheSameContainer) {
    Application application({{"/app/cache/x", true, "CACHE", "/tmp/cache"}, {"/tmp/y", true}}, {"a", "b"});
    application.advisor.settings = {setting("move", "/app/cache/*", "CACHE", "${writable}/cache")};
    const Conclusion made = application.settle();
    EXPECT_EQ(made.recommendation.environment,
              (std::map<std::string, std::string>{{"a:CACHE", "/tmp/cache"}, {"b:CACHE", "/tmp/cache"}}));
}

TEST(Advise, TriesNothingWhereNothingMatches) {
    Application application({{"/app/cache/x", true, "NO_CACHE"}});
    application.advisor.settings = {setting("other", "/srv/*", "NO_CACHE")};
    EXPECT_TRUE(application.settle().settings.empty());
    for (const RunRecord& run : application.runs) EXPECT_TRUE(run.plan.environment.empty());
}

TEST(Advise, OnePairOfRunsForAll) {
    Application application({{"/app/cache/x", false, "NO_CACHE"}, {"/tmp/log", false, "NO_LOG"}});
    application.advisor.settings = {setting("cache", "/app/cache/*", "NO_CACHE"),
                                    setting("log", "/tmp/*", "NO_LOG")};
    const Conclusion made = application.settle();
    EXPECT_EQ(made.mounts.front().verdict, Verdict::tolerated);
    EXPECT_EQ(made.recommendation.environment.size(), 2U);
    EXPECT_EQ(application.runs.size(), 4U);
}

TEST(Advise, WhatDoesNotHelpIsSaidAndTakenOut) {
    Application application({{"/app/cache/x", false, "NO_CACHE"}});
    application.advisor.settings = {setting("cache", "/app/cache/*", "NO_CACHE"),
                                    setting("belief", "/app/cache/*", "QUIET"),
                                    setting("flag", "/app/cache/*", "")};
    application.advisor.settings[0].environment = {{"NO_CACHE", "1"}};
    // Together they remove it, so that each seems to help; one that removes nothing of its own is a case of
    // its own.
    application.advisor.settings[1].shown_by = {
        {.processes = {}, .paths = {"/tmp/**"}, .operations = {}, .phases = {}}};
    Application other({{"/app/cache/x", false, "NO_CACHE"}, {"/tmp/y", false, "NOTHING"}});
    other.advisor = application.advisor;
    const Conclusion made = other.settle();
    EXPECT_EQ(made.settings.size(), 3U);
    EXPECT_EQ(made.settings[1].outcome, SettingResult::Outcome::no_help);
    EXPECT_EQ(made.settings[1].reason, "/tmp/y is written all the same (run 3)");
    EXPECT_EQ(made.settings[2].outcome, SettingResult::Outcome::not_tried);
    EXPECT_FALSE(made.recommendation.environment.contains("QUIET"));
}

TEST(Advise, WhatBreaksTheApplicationIsFoundByHalving) {
    Application application({{"/app/cache/x", true, "NO_CACHE"}, {"/tmp/y", false, "BAD"}});
    application.advisor.settings = {setting("bad", "/tmp/*", "BAD"),
                                    setting("cache", "/app/cache/*", "NO_CACHE")};
    application.breaks = {"BAD"};
    const Conclusion made = application.settle();
    EXPECT_EQ(made.settings[0].outcome, SettingResult::Outcome::breaks);
    EXPECT_EQ(made.settings[1].outcome, SettingResult::Outcome::offered);
    EXPECT_EQ(made.recommendation.environment, (std::map<std::string, std::string>{{"NO_CACHE", "1"}}));
}

TEST(Advise, TrapsAndWhatTheUserHasSetAreNotTried) {
    Application application({{"/app/cache/x", true, "NO_CACHE"}});
    application.advisor.settings = {setting("trap", "/app/cache/*", "NO_CACHE"),
                                    setting("set", "/app/cache/*", "MINE")};
    application.advisor.settings[0].trap = "it does harm";
    application.advisor.variables = {"MINE"};
    const Conclusion made = application.settle();
    for (const SettingResult& each : made.settings)
        EXPECT_EQ(each.outcome, SettingResult::Outcome::not_tried);
    for (const RunRecord& run : application.runs) EXPECT_TRUE(run.plan.environment.empty());
    EXPECT_TRUE(made.recommendation.environment.empty());
}

TEST(Advise, APlaceIsOneThatStaysWritableAnyway) {
    Application application({{"/app/cache/x", true, "CACHE", "/tmp/cache"}, {"/tmp/y", true}});
    application.advisor.settings = {setting("move", "/app/cache/*", "CACHE", "${writable}/cache")};
    const Conclusion made = application.settle();
    EXPECT_EQ(made.recommendation.environment, (std::map<std::string, std::string>{{"CACHE", "/tmp/cache"}}));
    ASSERT_EQ(made.recommendation.writable.size(), 1U);
    EXPECT_EQ(made.recommendation.writable[0].path, "/tmp");
    Application without({{"/srv/x", true, "CACHE", "/tmp/cache"}});
    without.advisor.settings = {setting("move", "/srv/*", "CACHE", "${writable}/cache")};
    without.question.facts["/srv"] = {.exists = true, .is_directory = true, .empty = true};
    EXPECT_EQ(without.settle().settings.at(0).outcome, SettingResult::Outcome::not_tried);
}

}  // namespace
}  // namespace rogate::advise
