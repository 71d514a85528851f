// One launch of several containers over a fake engine: who is asked what, who is restarted, and who falls.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <rogate/place.hpp>

#include "campaign/campaign.hpp"
#include "campaign/runner.hpp"
#include "support/one_launch.hpp"
#include "verdict/plan.hpp"

namespace rogate::campaign {
namespace {

using test::Act;
using test::Script;
using testing::ElementsAre;
using testing::HasSubstr;

Act writes(Act::Refused refused) {
    return {.kind = Act::Kind::write, .path = "/data/b", .refused = refused};
}

// `web` goes on, `job` ends; both have the same folder.
class TogetherLaunchTest : public testing::Test, protected test::OneLaunch {
  protected:
    TogetherLaunchTest() : OneLaunch("web:1") {
        session.fake.disk.put("/srv/data/a", test::file("a"));
        for (const char* name : {"job", "web"}) {
            Member member;
            member.name = name;
            member.subject.image = member.name + ":1";
            Mount mount;
            mount.source = "/srv/data";
            mount.target = "/data";
            member.subject.mounts = {mount};
            scenario.members.push_back(std::move(member));
        }
        scenario.members.front().ends = true;
        scripts["job"].at_start = {writes(Act::Refused::go_on)};
        scripts["job"].ends_with = 0;
        scripts["web"].at_start = {writes(Act::Refused::go_on)};
        scenario.steps = {step("look", "job"), step("look", "web"), all("running", WaitAction{100}),
                          all("restart", RestartAction{}), step("again", "web")};
    }

    void set_up() {
        for (const auto& [name, script] : scripts) session.fake.add_image(name + ":1", script);
        std::vector<Mount> mounts = effective_mounts(scenario.members, {});
        Mount nobodys;
        nobodys.type = MountType::rootfs;
        nobodys.target = "/";
        mounts.insert(mounts.begin(), nobodys);
        data.know_images({{"job", "job:1"}, {"web", "web:1"}});
        survey(std::move(mounts));
    }
    RunRecord go(RunPlan plan = {}) {
        auto record = session.run(launch(bench, std::move(plan)));
        EXPECT_TRUE(record) << record.error().message;
        return record ? std::move(*record) : RunRecord();
    }
    static RunPlan web_read_only() {
        RunPlan plan;
        plan.read_only = {"web:/data"};
        return plan;
    }
    // With the control run before it.
    RunRecord probe(RunPlan plan) {
        set_up();
        control = go();
        EXPECT_TRUE(control.passed);
        bench.control = &control;
        plan.id = 2;
        plan.kind = RunKind::probe;
        return go(std::move(plan));
    }
    static Step all(std::string name, Action action) {
        Step made;
        made.name = std::move(name);
        made.action = std::move(action);
        return made;
    }
    static Step step(const std::string& word, const std::string& container) {
        ExecAction action;
        action.command = {"do", word};
        Step made = all(word + " of " + container, std::move(action));
        made.container = container;
        return made;
    }
    // In which it wrote.
    static std::vector<std::string> phases_of(const RunRecord& record, const std::string& name) {
        std::vector<std::string> found;
        for (const Attempt& each : record.attempts)
            if (container_of(each.path.view()) == name) found.push_back(each.phase.str());
        return found;
    }

    std::map<std::string, Script> scripts;
    std::map<std::string, engine::ImageInfo> images{{"job", {}}, {"web", {}}};
    RunRecord control;
    Bench bench = bench_of(images.at("web"), &images);
};

TEST_F(TogetherLaunchTest, AsksAndRestartsWhatGoesOn) {
    set_up();
    const RunRecord record = go();
    EXPECT_TRUE(record.passed);
    EXPECT_THAT(phases(record), ElementsAre("entrypoint", "ready", "step look of web", "step running",
                                            "step restart", "step again of web", "shutdown"));
    EXPECT_TRUE(record.observations.at("look of job").skipped);
    EXPECT_TRUE(record.containers.at("web").restarted);
    EXPECT_FALSE(record.containers.at("job").restarted);
    EXPECT_THAT(phases_of(record, "web"), ElementsAre("entrypoint", "step restart"));
    EXPECT_THAT(phases_of(record, "job"), ElementsAre("entrypoint"));
    EXPECT_EQ(record.phases[2].container, "web");
    EXPECT_EQ(record.phases[4].container, "");
}

TEST_F(TogetherLaunchTest, WhoDoesNotGiveWhatIsAskedFallsAtTheStep) {
    scenario.steps.push_back(step("last", "web"));
    scripts["web"].on_exec["look"] = {writes(Act::Refused::end)};
    const RunRecord record = probe(web_read_only());
    EXPECT_FALSE(record.passed);
    EXPECT_TRUE(record.containers.at("web").fell_at_step);
    EXPECT_THAT(record.containers.at("web").trouble, HasSubstr("service 'web': expected exit code 0, got 1"));
    // Nothing is done with the system any more, and nothing asked of who fell.
    EXPECT_THAT(phases(record), ElementsAre("entrypoint", "ready", "step look of web", "shutdown"));
}

TEST_F(TogetherLaunchTest, WhoHasEndedBeforeItIsAskedFellForThat) {
    scripts["web"].at_start = {writes(Act::Refused::end)};
    const RunRecord record = probe(web_read_only());
    EXPECT_FALSE(record.passed);
    EXPECT_FALSE(record.containers.at("web").fell_at_step);
    EXPECT_THAT(record.containers.at("web").trouble, HasSubstr("exited with code 1"));
}

// A restart would hide it.
TEST_F(TogetherLaunchTest, WhoHasEndedBeforeTheRestartIsNotRestarted) {
    scripts["web"].at_start = {writes(Act::Refused::end)};
    scenario.steps = {all("running", WaitAction{100}), all("restart", RestartAction{})};
    const RunRecord record = probe(web_read_only());
    EXPECT_FALSE(record.passed);
    EXPECT_FALSE(record.containers.at("web").restarted);
    EXPECT_THAT(phases(record),
                ElementsAre("entrypoint", "ready", "step running", "step restart", "shutdown"));
}

TEST_F(TogetherLaunchTest, WhatFailsInTheControlRunIsAskedNoMore) {
    scripts["web"].on_exec["look"] = {
        {.kind = Act::Kind::need, .path = "/data/missing", .refused = Act::Refused::end}};
    scenario.members.front().ends = false;
    scripts["job"].ends_with.reset();
    set_up();
    const RunRecord record = go();
    EXPECT_TRUE(record.passed);  // for the others
    EXPECT_TRUE(record.containers.at("web").fell_at_step);
    EXPECT_TRUE(record.observations.at("again of web").skipped);
    EXPECT_TRUE(record.containers.at("job").restarted);
    EXPECT_FALSE(record.containers.at("web").restarted);
}

// Whatever a restart or a crash could leave behind is asked of all of them.
TEST_F(TogetherLaunchTest, BeginsAnewWithTheJobsAndAfterACrash) {
    RunPlan plan;
    plan.again = plan.crashes = true;
    const RunRecord record = probe(std::move(plan));
    EXPECT_TRUE(record.passed);
    EXPECT_THAT(
        phases(record),
        ElementsAre("entrypoint", "ready", "step look of web", "step running", "step restart",
                    "step again of web", "again: restart", "again: step look of web", "again: step running",
                    "again: step restart", "again: step again of web", verdict::crash_phase, "shutdown"));
    EXPECT_THAT(phases_of(record, "job"), ElementsAre("entrypoint", "again: restart"));
    EXPECT_THAT(phases_of(record, "web"), ElementsAre("entrypoint", "step restart", "again: restart",
                                                      "again: step restart", verdict::crash_phase));
}

TEST_F(TogetherLaunchTest, SetsVariablesOfTheContainerAlone) {
    set_up();
    std::map<std::string, std::string> bodies;
    session.fake.fault = [&](int, const test::Call& call) -> std::optional<test::Fault> {
        if (call.path == "/containers/create") bodies[call.query.at("name")] = call.body;
        return std::nullopt;
    };
    RunPlan plan;
    plan.environment = {{"web:LEAN", "1"}};
    go(std::move(plan));
    EXPECT_THAT(bodies.at("rogate-s1-run1-web"), HasSubstr("LEAN=1"));
    EXPECT_THAT(bodies.at("rogate-s1-run1-job"), testing::Not(HasSubstr("LEAN")));
}

}  // namespace
}  // namespace rogate::campaign
