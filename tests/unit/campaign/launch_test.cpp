// One launch over a fake engine: what a run records, and what is left of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "campaign/runner.hpp"
#include "support/one_launch.hpp"

namespace rogate::campaign {
namespace {

using test::Act;
using test::Script;
using testing::ElementsAre;
using testing::HasSubstr;

Act write_to(std::string path, Act::Refused refused = Act::Refused::go_on) {
    return {.kind = Act::Kind::write, .path = std::move(path), .refused = refused};
}

class LaunchTest : public testing::Test, protected test::OneLaunch {
  protected:
    LaunchTest() : OneLaunch("app:1") {
        session.fake.disk.put("/srv/data/a", test::file("a"));
        Mount data;
        data.source = "/srv/data";
        data.target = "/data";
        scenario.subject.mounts = {data};
        scenario.subject.image = "app:1";
        scenario.shutdown.timeout_ms = 3000;
    }

    void set_up(Script script) {
        session.fake.add_image("app:1", std::move(script));
        std::vector<Mount> mounts = scenario.subject.mounts;
        mounts.emplace_back().type = MountType::rootfs;
        mounts.back().target = "/";
        survey(std::move(mounts));
    }
    Result<RunRecord> go(RunPlan plan = {}) { return session.run(launch(bench, std::move(plan))); }
    static RunPlan read_only_data() {
        RunPlan plan;
        plan.id = 2;
        plan.kind = RunKind::probe;
        plan.read_only = {"/data"};
        return plan;
    }
    static Step step(std::string name) {
        Step made;
        made.name = std::move(name);
        ExecAction action;
        action.command = {"do", made.name};
        made.action = action;
        return made;
    }

    engine::ImageInfo image;
    Bench bench = bench_of(image);
};

TEST_F(LaunchTest, RecordsPhasesAndWhatWasDoneInEach) {
    scenario.steps = {step("save")};
    Script script;
    script.at_start = {{.kind = Act::Kind::read, .path = "/data/a"}};
    script.on_exec["save"] = {write_to("/data/b")};
    set_up(script);
    const auto record = go();
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_TRUE(record->passed);
    EXPECT_THAT(phases(*record), ElementsAre("entrypoint", "ready", "step save", "shutdown"));
    ASSERT_EQ(record->attempts.size(), 1U);
    EXPECT_EQ(record->attempts[0].phase, "step save");
    EXPECT_EQ(record->uses.at("/data"), 1U);
    EXPECT_EQ(session.fake.disk.find("/srv/data/b"), nullptr);
}

// A worker that declares nothing would be told to end before it has done anything.
TEST_F(LaunchTest, LetsWhatDeclaresNothingRunForAWhile) {
    scenario.readiness.derived = true;
    set_up({});
    const auto record = go();
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_TRUE(record->passed);
    EXPECT_GE(record->phases.at(1).duration_s, 2.0);
}

TEST_F(LaunchTest, DoesNotLetRunWhatHasAScenarioOfItsOwn) {
    set_up({});
    const auto record = go();
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_LT(record->phases.at(1).duration_s, 1.0);
}

// Who has ended is not waited for.
TEST_F(LaunchTest, DoesNotLetRunWhatHasEnded) {
    scenario.readiness.derived = true;
    Script script;
    script.at_start = {write_to("/data/b", Act::Refused::end)};
    set_up(script);
    const auto record = go(read_only_data());
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_TRUE(record->exited_early);
    EXPECT_LT(record->phases.at(1).duration_s, 1.5);
}

// Whether it had ended when the shutdown came would be chance.
TEST_F(LaunchTest, LetsAProgramThatEndsByItselfEndAfterARestartAsWell) {
    Script script;
    script.at_start = {write_to("/data/b")};
    script.at_start.front().after = std::chrono::milliseconds(200);
    script.ends_with = 0;
    set_up(script);
    Step wait, restart;
    wait.name = "wait";
    wait.action = WaitAction{400};
    restart.name = "restart";
    restart.action = RestartAction{};
    scenario.steps = {wait, restart};
    const auto record = go();
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_TRUE(record->passed);
    EXPECT_TRUE(record->exited_early);
}

TEST_F(LaunchTest, RecordsARefusalAndTheEndThatFollowsIt) {
    Script script;
    script.at_start = {write_to("/data/b", Act::Refused::end)};
    set_up(script);
    const auto record = go(read_only_data());
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_FALSE(record->passed);
    EXPECT_EQ(record->exit_code, 1);
    EXPECT_TRUE(record->exited_early);
    EXPECT_EQ(record->canary.at("/data"), Canary::seen);
    ASSERT_EQ(record->attempts.size(), 1U);
    EXPECT_EQ(record->attempts[0].error, EROFS);
}

TEST_F(LaunchTest, KillsWhatIgnoresItsSignalWhenTheGraceIsOver) {
    scenario.steps = {step("nothing")};
    Script script;
    script.ignores_signals = true;
    set_up(script);
    const auto record = go();
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_TRUE(record->killed);
    EXPECT_FALSE(record->deaf_to_stop);
    EXPECT_GE(record->phases.back().duration_s, 3.0);
}

TEST_F(LaunchTest, DoesNotWaitForWhatIsDeafToItsSignal) {
    scenario.steps = {step("nothing")};
    Script script;
    script.is_deaf = true;
    set_up(script);
    const auto record = go();
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_TRUE(record->deaf_to_stop);
    EXPECT_LT(record->phases.back().duration_s, 2.0);
}

TEST_F(LaunchTest, TellsAContainerThatCannotStartFromAnApplicationThatFails) {
    set_up({});
    // A mount point that nobody has made, below a read-only mount.
    RunPlan plan = read_only_data();
    plan.writable = {{.path = "/data/none", .mount = "/data", .tmpfs_options = {}, .reason = {}}};
    const auto record = go(plan);
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_TRUE(record->could_not_start);
    EXPECT_THAT(record->phases.back().message, HasSubstr("read-only file system"));
}

TEST_F(LaunchTest, NamesTheCallThatBrokeOff) {
    set_up({});
    session.fake.fault = [](int, const test::Call& call) -> std::optional<test::Fault> {
        if (call.path.ends_with("/start")) return test::Fault::broken_within;
        return std::nullopt;
    };
    const auto record = go();
    ASSERT_FALSE(record);
    EXPECT_THAT(record.error().message, HasSubstr("run 1: engine: POST /containers/"));
    EXPECT_TRUE(session.ran_dry);
}

TEST_F(LaunchTest, LeavesItsContainerToTheNextRun) {
    set_up({});
    ASSERT_TRUE(go());
    EXPECT_NE(session.fake.find("rogate-s1-run1"), nullptr);
    ASSERT_TRUE(go(read_only_data()));
    EXPECT_EQ(session.fake.find("rogate-s1-run1"), nullptr);
    ASSERT_TRUE(session.run(clear_remains(bench)));
    EXPECT_EQ(session.fake.find("rogate-s1-run2"), nullptr);
    for (const auto& [name, volume] : session.fake.volumes) EXPECT_EQ(name, "rogate-s1-scratch");
}

// What a run drops takes the place of what the user adds and drops.
TEST_F(LaunchTest, GivesTheCapabilitiesOfThePlan) {
    scenario.subject.cap_add = {"SYS_TIME"};
    scenario.subject.cap_drop = {"KILL"};
    scenario.subject.security_opt = {"label=disable"};
    set_up({});
    RunPlan plan;
    engine::ContainerSpec spec = container_for(bench, plan, {});
    EXPECT_THAT(spec.cap_add, ElementsAre("SYS_TIME"));
    EXPECT_THAT(spec.cap_drop, ElementsAre("KILL"));
    plan.capabilities = {"CHOWN"};
    plan.no_new_privileges = true;
    spec = container_for(bench, plan, {});
    EXPECT_THAT(spec.cap_add, ElementsAre("CHOWN"));
    EXPECT_THAT(spec.cap_drop, ElementsAre("ALL"));
    EXPECT_THAT(spec.security_opt, ElementsAre("label=disable", "no-new-privileges:true"));
}

}  // namespace
}  // namespace rogate::campaign
