// One launch of several containers over a fake engine: who is asked what, who is restarted, and who falls.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <rogate/place.hpp>

#include "campaign/campaign.hpp"
#include "campaign/pods.hpp"
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

TEST_F(TogetherLaunchTest, NothingIsDoneWithASystemOfWhichOneEndedAtOnce) {
    scripts["web"].at_start = {writes(Act::Refused::end)};
    scenario.steps = {all("running", WaitAction{100}), all("restart", RestartAction{})};
    const RunRecord record = probe(web_read_only());
    EXPECT_FALSE(record.passed);
    EXPECT_THAT(record.containers.at("web").trouble, HasSubstr("exited with code 1"));
    EXPECT_THAT(phases(record), ElementsAre("entrypoint", "ready", "shutdown"));
}

// `job` is ready when it finds what `web` writes, and `web` ends where it cannot.
TEST_F(TogetherLaunchTest, WhoFallsIsMadeAnewWhileOthersAreNotReady) {
    scripts["web"].at_start = {writes(Act::Refused::end)};
    scripts["job"] = {};
    scripts["job"].on_exec["ready"] = {
        {.kind = Act::Kind::need, .path = "/data/b", .refused = Act::Refused::end}};
    Member& job = scenario.members.front();
    job.ends = false;
    job.readiness.checks = {step("ready", "")};
    scenario.steps.clear();
    const RunRecord record = probe(web_read_only());
    EXPECT_FALSE(record.passed);
    EXPECT_TRUE(record.containers.at("web").made_anew);
    EXPECT_EQ(record.containers.at("job").trouble, "");
}

// A restart would hide it.
TEST_F(TogetherLaunchTest, WhoHasEndedBeforeTheRestartIsNotRestarted) {
    scripts["web"].at_start = {writes(Act::Refused::end)};
    scripts["web"].at_start.front().after = std::chrono::milliseconds(1000);
    scenario.steps = {all("running", WaitAction{1500}), all("restart", RestartAction{})};
    const RunRecord record = probe(web_read_only());
    EXPECT_FALSE(record.passed);
    EXPECT_FALSE(record.containers.at("web").restarted);
    EXPECT_THAT(phases(record), ElementsAre("entrypoint", "ready", "step running", "shutdown"));
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

TEST_F(TogetherLaunchTest, WhatHasNoImageIsInNoRun) {
    scenario.members.back().after = {{"job", Dependency::Condition::completed}};
    bench.not_had = {{"job", "service 'job': the image 'job:1' is not on the engine"}};
    Member other;
    other.name = "other";
    other.subject.image = "web:1";
    scenario.members.push_back(std::move(other));
    images["other"] = {};
    set_up();
    const RunRecord record = go();
    EXPECT_TRUE(record.passed);
    EXPECT_THAT(record.containers.at("job").trouble, HasSubstr("is not on the engine"));
    EXPECT_FALSE(record.containers.at("job").exit_code);
    EXPECT_THAT(record.containers.at("web").trouble,
                HasSubstr("service 'job', which 'web' waits for, was not started"));
    EXPECT_TRUE(record.containers.at("web").behind_another);
    EXPECT_EQ(record.containers.at("other").trouble, "");
}

// Two pods. Of `shop` the containers share a folder, into which `init` writes before `web` is started.
class PodsLaunchTest : public TogetherLaunchTest {
  protected:
    PodsLaunchTest() {
        scenario.members.clear();
        scenario.steps.clear();
        scripts.clear();
        scenario.subject.origin.kind = Origin::Kind::kubernetes;
        bench.pods.pods.resize(2);
        bench.pods.pods[0].name = "Deployment/shop";
        bench.pods.pods[1].name = "Deployment/db";
        add_volume("work");
        add("Deployment/shop", "shop/init").ends = true;
        bench.pods.members["shop/init"].init = true;
        add("Deployment/shop", "shop/web").after = {{"shop/init", Dependency::Condition::completed}};
        add("Deployment/db", "db/db");
        mount(0, "/work", "");
        mount(1, "/work", "");
        script("shop/init").at_start = {writes_in("/work/page", 5000)};
        script("shop/init").ends_with = 0;
        script("shop/web").at_start = {needs("/work/page")};
        script("db/db");
    }
    void add_volume(const std::string& name) {
        bench.pods.pods[0].volumes.emplace_back();
        bench.pods.pods[0].volumes.back().name = name;
    }
    Member& add(const std::string& pod, const std::string& name) {
        Member member;
        member.name = name;
        member.subject.image = test::image_of(name);
        member.subject.hostname = pod.substr(pod.find('/') + 1);
        member.subject.aliases = {"front"};
        images[name] = {};
        bench.pods.members[name].pod = pod;
        scenario.members.push_back(std::move(member));
        return scenario.members.back();
    }
    void mount(std::size_t member, const std::string& target, const std::string& part,
               const std::string& volume = "work") {
        Mount own;
        own.type = MountType::anonymous;
        own.target = target;
        own.no_copy = true;
        scenario.members[member].subject.mounts.push_back(own);
        bench.pods.members[scenario.members[member].name].mounts.push_back(
            {.target = target, .volume = volume, .sub_path = part});
    }
    Script& script(const std::string& member) {
        return scripts[test::image_of(member).substr(0, member.size())];
    }
    // From now on it ends with an error, whatever it may write.
    void spoil(const std::string& member) {
        for (auto& [id, image] : session.fake.images)
            if (image.tags.contains(test::image_of(member))) image.script->ends_with = 1;
    }
    // The probe run behind a control run in which nothing was wrong; `created` is of the former.
    RunRecord with_spoiled_init(const std::string& read_only) {
        furnish();
        control = go();
        bench.control = &control;
        spoil("shop/init");
        RunPlan plan;
        plan.id = 2;
        plan.kind = RunKind::probe;
        plan.read_only = {read_only};
        created.clear();
        return go(std::move(plan));
    }
    static Act writes_in(const std::string& path, int after_ms) {
        return {.kind = Act::Kind::write,
                .path = path,
                .refused = Act::Refused::end,
                .after = std::chrono::milliseconds(after_ms)};
    }
    static Act needs(const std::string& path) {
        return {.kind = Act::Kind::need, .path = path, .refused = Act::Refused::end};
    }
    void furnish() {
        for (const auto& [name, script] : scripts) session.fake.add_image(name + ":1", script);
        for (const char* image : {"holder:1", "web:1"}) session.fake.add_image(image, Script{});
        bench.holder_image = "holder:1";
        std::vector<Mount> mounts = effective_mounts(scenario.members, {});
        Mount nobodys;
        nobodys.type = MountType::rootfs;
        nobodys.target = "/";
        mounts.insert(mounts.begin(), nobodys);
        PodData pods = data_of_pods(bench.pods);
        for (Mount& each : pods.volumes) mounts.push_back(std::move(each));
        for (DataMount& each : pods.known) data.know(std::move(each));
        session.fake.fault = [&](int, const test::Call& call) -> std::optional<test::Fault> {
            if (call.path == "/containers/create") created.emplace_back(call.query.at("name"), call.body);
            return std::nullopt;
        };
        survey(std::move(mounts));
    }
    std::vector<std::string> started() const {
        std::vector<std::string> names;
        for (const auto& [name, body] : created)
            if (name.starts_with("rogate-s1-run1-")) names.push_back(name.substr(15));
        return names;
    }
    const std::string& body_of(const std::string& name) const {
        return std::ranges::find(created, "rogate-s1-run1-" + name,
                                 [](const auto& each) { return each.first; })
            ->second;
    }

    std::vector<std::pair<std::string, std::string>> created;
};

TEST_F(PodsLaunchTest, OnePodDoesNotWaitForAnother) {
    furnish();
    const RunRecord record = go();
    EXPECT_TRUE(record.passed);
    EXPECT_THAT(started(), ElementsAre("shop_init", "db_db", "shop_web"));
    EXPECT_EQ(record.containers.at("shop/web").trouble, "");
    EXPECT_EQ(record.containers.at("shop/init").exit_code, 0);
    EXPECT_TRUE(record.containers.at("shop/init").exited_early);
}

TEST_F(PodsLaunchTest, SharesAFolderThatIsNewInEachRun) {
    furnish();
    control = go();
    EXPECT_TRUE(control.passed);
    bench.control = &control;
    RunPlan plan;
    plan.id = 2;
    plan.kind = RunKind::probe;
    plan.read_only = {"shop/web:/work"};
    EXPECT_TRUE(go(plan).passed);
    plan.id = 3;
    plan.read_only = {"shop/init:/work"};
    created.clear();
    const RunRecord record = go(plan);
    EXPECT_FALSE(record.passed);
    EXPECT_THAT(record.containers.at("shop/init").trouble, HasSubstr("exited with code 1"));
    EXPECT_EQ(record.containers.at("shop/init").exit_code, 1);
    // It is made anew as it is configured, so that the others tell of themselves.
    EXPECT_TRUE(record.containers.at("shop/init").made_anew);
    EXPECT_EQ(record.containers.at("shop/web").trouble, "");
    EXPECT_EQ(record.containers.at("db/db").trouble, "");
    // Who ran meanwhile may miss it.
    EXPECT_TRUE(record.containers.at("db/db").behind_another);
    EXPECT_FALSE(record.containers.at("shop/web").behind_another);
    std::vector<bool> read_only;
    for (const auto& [name, body] : created)
        if (name == "rogate-s1-run3-shop_init")
            read_only.push_back(body.find("\"ReadOnly\":true") != std::string::npos);
    EXPECT_THAT(read_only, ElementsAre(true, false));
}

TEST_F(PodsLaunchTest, IsMadeAnewOnceOnly) {
    const RunRecord record = with_spoiled_init("shop/init:/work");
    EXPECT_FALSE(record.containers.at("shop/init").made_anew);
    EXPECT_THAT(record.containers.at("shop/web").trouble,
                HasSubstr("container 'shop/init', which 'shop/web' waits for, exited with code 1"));
    EXPECT_TRUE(record.containers.at("shop/web").behind_another);
}

// What has nothing read-only for the run's sake would do the same again.
TEST_F(PodsLaunchTest, IsNotMadeAnewWithoutReason) {
    const RunRecord record = with_spoiled_init("shop/web:/work");
    EXPECT_THAT(record.containers.at("shop/web").trouble,
                HasSubstr("which 'shop/web' waits for, exited with code 1"));
    EXPECT_EQ(
        std::ranges::count(created, "rogate-s1-run2-shop_init", [](const auto& each) { return each.first; }),
        1);
}

TEST_F(PodsLaunchTest, HasAPartOfAVolumeMadeWhenItIsStarted) {
    scenario.members[1].subject.mounts.clear();
    bench.pods.members["shop/web"].mounts.clear();
    mount(1, "/part", "a/b");
    script("shop/init").at_start = {writes_in("/work/a/b/page", 1)};
    script("shop/web").at_start = {needs("/part/page")};
    furnish();
    EXPECT_EQ(go().containers.at("shop/web").trouble, "");
}

TEST_F(PodsLaunchTest, ContainersOfAPodShareItsNetwork) {
    add("Deployment/shop", "shop/side").subject.ports = {{.container = 9090}};
    script("shop/side");
    scenario.members[1].subject.ports = {{.container = 80}};
    furnish();
    const RunRecord record = go();
    EXPECT_TRUE(record.passed);
    EXPECT_THAT(started(), ElementsAre("Deployment_shop-pod", "shop_init", "db_db", "shop_side", "shop_web"));
    EXPECT_THAT(body_of("Deployment_shop-pod"),
                testing::AllOf(HasSubstr("9090/tcp"), HasSubstr("80/tcp"), HasSubstr("front"),
                               HasSubstr("\"Hostname\":\"shop\"")));
    EXPECT_THAT(body_of("shop_web"),
                testing::AllOf(HasSubstr("container:"), testing::Not(HasSubstr("80/tcp"))));
    EXPECT_THAT(body_of("db_db"), testing::Not(HasSubstr("container:")));
    EXPECT_TRUE(session.run(session.client.network_remove("rogate-s1")));
    for (const std::string& left : session.fake.left_of(session_label))
        EXPECT_THAT(left, testing::Not(HasSubstr("pod")));
}

// What an init container has made is still there when the others are started again.
TEST_F(PodsLaunchTest, InitContainersRunOnce) {
    furnish();
    control = go();
    bench.control = &control;
    RunPlan plan;
    plan.id = 2;
    plan.kind = RunKind::probe;
    plan.again = plan.crashes = true;
    const RunRecord record = go(std::move(plan));
    EXPECT_TRUE(record.passed);
    EXPECT_THAT(phases_of(record, "shop/init"), ElementsAre("entrypoint"));
}

// A mount point that is missing keeps the engine from starting it: its exit code says nothing.
TEST_F(PodsLaunchTest, WhatCouldNotBeStartedIsMadeAnewForThoseBehindIt) {
    add_volume("inner");
    mount(0, "/work/inner", "", "inner");
    furnish();
    control = go();
    EXPECT_TRUE(control.passed);
    bench.control = &control;
    RunPlan plan;
    plan.id = 2;
    plan.kind = RunKind::probe;
    plan.read_only = {"shop/init:/work"};
    const RunRecord record = go(std::move(plan));
    EXPECT_TRUE(record.containers.at("shop/init").could_not_start);
    EXPECT_THAT(record.containers.at("shop/init").trouble, HasSubstr("could not be started"));
    EXPECT_TRUE(record.containers.at("shop/init").made_anew);
    EXPECT_EQ(record.containers.at("shop/web").trouble, "");
}

}  // namespace
}  // namespace rogate::campaign
