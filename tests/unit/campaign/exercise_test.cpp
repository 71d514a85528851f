// What is done with an application that nobody wrote a scenario for.
#include "campaign/exercise.hpp"

#include <gmock/gmock.h>

using namespace rogate;
using namespace rogate::campaign;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

Scenario self_made() {
    Scenario scenario;
    scenario.self_made = true;
    scenario.subject.origin.kind = Origin::Kind::compose;
    return scenario;
}

std::vector<std::string> names(const Scenario& scenario) {
    std::vector<std::string> all;
    for (const Step& step : scenario.steps) all.push_back(step.name);
    return all;
}

engine::ImageInfo image(std::vector<std::string> ports, bool checked) {
    engine::ImageInfo made;
    made.exposed_ports = std::move(ports);
    made.has_healthcheck = checked;
    return made;
}

}  // namespace

TEST(Exercise, AsksWhatCanBeAskedAndAgainBehindARestart) {
    Scenario scenario = self_made();
    add_exercise(scenario, image({"80/tcp", "53/udp"}, true));
    EXPECT_THAT(names(scenario), ElementsAre("health check", "pages", "running", "restart",
                                             "health check again", "pages again"));
    EXPECT_EQ(std::get<WaitAction>(scenario.steps[2].action).duration_ms, 10'000);
    EXPECT_THAT(scenario.subject.ports, ElementsAre(Port{80, "tcp"}));
}

TEST(Exercise, WhatIsNotThereIsNotAsked) {
    Scenario scenario = self_made();
    scenario.goes_on = true;
    scenario.soak_ms = 0;
    add_exercise(scenario, image({}, false));
    EXPECT_THAT(names(scenario), ElementsAre("restart"));
    scenario = self_made();
    scenario.subject.healthcheck = Healthcheck{
        .test = {"NONE"}, .interval_ms = {}, .timeout_ms = {}, .start_period_ms = {}, .retries = {}};
    scenario.subject.ports = {{8080, "tcp"}};
    add_exercise(scenario, image({}, true));
    EXPECT_THAT(names(scenario), ElementsAre("pages", "running", "restart", "pages again"));
}

TEST(Exercise, NotOfWhatMayEndByItselfNorOfAScenario) {
    Scenario scenario = self_made();
    add_exercise(scenario, image({}, false));
    EXPECT_THAT(scenario.steps, IsEmpty());
    scenario.self_made = false;
    add_exercise(scenario, image({"80/tcp"}, true));
    EXPECT_THAT(scenario.steps, IsEmpty());
}

TEST(Exercise, StaysBeforeAPodsLastHook) {
    Scenario scenario = self_made();
    scenario.goes_on = true;
    scenario.subject.origin.kind = Origin::Kind::kubernetes;
    for (const char* name : {"postStart hook", "preStop hook"}) {
        Step step;
        step.name = name;
        scenario.steps.push_back(step);
    }
    add_exercise(scenario, image({}, true));  // a cluster passes over the image's check
    EXPECT_THAT(names(scenario), ElementsAre("postStart hook", "running", "restart", "preStop hook"));
}

TEST(Exercise, IsToldInTheResult) {
    CampaignResult result;
    result.scenario = self_made();
    result.scenario.soak_ms = 2500;
    add_exercise(result.scenario, image({"80/tcp"}, false));
    RunRecord control;
    control.observations["pages"].answers = {{"80/", "200 text/html"}, {"80/a", "404"}};
    result.runs.push_back(control);
    for (const Verdict verdict : {Verdict::safe, Verdict::untested, Verdict::required}) {
        MountResult mount;
        mount.candidate = true;
        mount.verdict = verdict;
        mount.reason = "because";
        result.mounts.push_back(mount);
    }
    tell_exercise(result);
    EXPECT_THAT(result.exercised, ElementsAre("2 pages of port 80", "2.5 s of running", "a restart"));
    EXPECT_TRUE(result.mounts[0].self_made);
    EXPECT_EQ(result.mounts[0].reason,
              "because; only rogate's own exercise vouches for it (2 pages of port 80, 2.5 s of running, a "
              "restart)");
    EXPECT_THAT(result.mounts[1].reason, HasSubstr("came near it: give a test that does"));
    EXPECT_FALSE(result.mounts[1].self_made);
    EXPECT_EQ(result.mounts[2].reason, "because");
}

namespace {

Scenario system_of(std::vector<Member> members) {
    Scenario system;
    system.self_made = true;
    system.members = std::move(members);
    for (Member& member : system.members) member.subject.origin.kind = Origin::Kind::compose;
    return system;
}

Member member(std::string name, bool goes_on, bool ends) {
    Member made;
    made.name = std::move(name);
    made.goes_on = goes_on;
    made.ends = ends;
    return made;
}

// Of a campaign in which `web` was restarted.
CampaignResult exercised_system() {
    CampaignResult whole;
    whole.scenario = system_of({member("web", true, false), member("job", false, false)});
    add_exercise(whole.scenario, std::map<std::string, engine::ImageInfo>{{"web", image({"80/tcp"}, false)},
                                                                          {"job", image({"1/tcp"}, false)}});
    RunRecord control;
    control.observations["pages of web"].answers = {{"80/", "200 text/html"}};
    control.observations["pages of job"].skipped = true;
    control.observations["pages of job again"].skipped = true;
    control.containers["web"].restarted = true;
    control.containers["job"].exited_early = true;
    whole.runs.push_back(control);
    return whole;
}

}  // namespace

TEST(ExerciseOfASystem, AsksEachAndRestartsAllAtOnce) {
    Scenario system = system_of({member("db", true, false), member("job", false, true),
                                 member("web", false, false), member("quiet", false, false)});
    add_exercise(system, std::map<std::string, engine::ImageInfo>{{"db", image({}, true)},
                                                                  {"job", image({"80/tcp"}, true)},
                                                                  {"web", image({"80/tcp", "81/tcp"}, true)},
                                                                  {"quiet", image({}, false)}});
    EXPECT_THAT(names(system),
                ElementsAre("health check of db", "health check of web", "pages of web", "running", "restart",
                            "health check of db again", "health check of web again", "pages of web again"));
    EXPECT_EQ(system.steps[2].container, "web");
    EXPECT_THAT(std::get<PagesAction>(system.steps[2].action).ports, ElementsAre(80, 81));
    EXPECT_EQ(system.steps[3].container, "");
    EXPECT_EQ(system.steps[4].container, "");
    EXPECT_THAT(system.members[2].subject.ports, ElementsAre(Port{80, "tcp"}, Port{81, "tcp"}));
    EXPECT_THAT(system.members[1].subject.ports, IsEmpty());
}

TEST(ExerciseOfASystem, StaysBeforeWhatAPodIsAskedInTheEnd) {
    Scenario system = system_of({member("shop/web", true, false)});
    for (const char* name : {"postStart hook of shop/web", "preStop hook of shop/web"}) {
        Step hook;
        hook.name = name;
        hook.container = "shop/web";
        system.steps.push_back(hook);
    }
    add_exercise(system, std::map<std::string, engine::ImageInfo>{{"shop/web", image({}, false)}});
    EXPECT_THAT(names(system),
                ElementsAre("postStart hook of shop/web", "running", "restart", "preStop hook of shop/web"));
}

TEST(ExerciseOfASystem, IsNoneOfJobsOrWhereTestsAreGiven) {
    const std::map<std::string, engine::ImageInfo> images{{"job", image({"80/tcp"}, true)}};
    Scenario jobs = system_of({member("job", false, true)});
    add_exercise(jobs, images);
    EXPECT_THAT(jobs.steps, IsEmpty());
    Scenario tested = system_of({member("job", true, false)});
    tested.self_made = false;
    add_exercise(tested, images);
    EXPECT_THAT(tested.steps, IsEmpty());
}

TEST(ExerciseOfASystem, IsToldOfEachByWhatItHadPartIn) {
    const CampaignResult whole = exercised_system();
    const auto told = [&](const std::string& name) {
        CampaignResult part;
        part.scenario.self_made = true;
        part.scenario.steps = steps_of(whole, name);
        part.runs = whole.runs;
        tell_exercise(part);
        return part.exercised;
    };
    EXPECT_THAT(told("web"), ElementsAre("1 page of port 80", "10 s of running", "a restart"));
    EXPECT_THAT(told("job"), ElementsAre("its start and its end"));
}
