// Several containers in one question, and the answers for each of them.
#include "wrap/question.hpp"

#include <gmock/gmock.h>

#include <cerrno>

#include "verdict/compare.hpp"
#include "wrap/keyed.hpp"
#include "wrap/wrap.hpp"

namespace rogate::wrap::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Mount mount(MountType type, const std::string& target, bool read_only = false,
            const std::string& source = "") {
    Mount made;
    made.type = type;
    made.target = target;
    made.read_only = read_only;
    made.source = source;
    return made;
}

std::vector<Subjected> system() {
    Subjected web{.key = "web", .how = "by its name", .mounts = {}};
    web.mounts = {mount(MountType::rootfs, "/"), mount(MountType::bind, "/conf"),
                  mount(MountType::bind, "/data", false, "/srv"), mount(MountType::bind, "/run/docker.sock")};
    web.special = {{"/run/docker.sock", "a unix socket"}, {"/gone", ""}};
    web.mounts.push_back(mount(MountType::bind, "/gone"));
    Subjected db{.key = "db", .how = "by its name", .mounts = {}};
    db.mounts = {mount(MountType::rootfs, "/", true), mount(MountType::volume, "/data", false, "v"),
                 mount(MountType::tmpfs, "/run")};
    Subjected old{.key = "old", .how = "by its name", .mounts = {mount(MountType::volume, "/data")}};
    old.was_there = true;
    return {web, db, old};
}

Attempt attempt(const std::string& mount, const std::string& path, int error = 0) {
    Attempt made;
    made.mount = mount;
    made.path = path;
    made.error = error;
    made.operation = "create";
    made.phase = "command";
    return made;
}

RunRecord run(std::vector<std::string> read_only, std::vector<Attempt> attempts, bool passed = true) {
    RunRecord made;
    made.plan.kind = read_only.empty() ? RunKind::control : RunKind::probe;
    made.plan.read_only = std::move(read_only);
    made.plan.id = made.plan.kind == RunKind::control ? 1 : 2;
    made.passed = passed;
    made.observer = "ebpf";
    made.phases = {{"command", passed, passed ? "" : "COMMAND ended with code 1", 1.0}};
    made.attempts = std::move(attempts);
    for (const std::string& target : made.plan.read_only) made.canary[target] = Canary::seen;
    made.canary["db:/"] = Canary::seen;
    made.uses = {{"web:/conf", 3}, {"web:/data", 2}, {"db:/data", 4}, {"db:/run", 1}};
    return made;
}

TEST(WrapQuestion, WhichAreTried) {
    const verdict::Question question = question_of(system(), false, false);
    EXPECT_THAT(question.candidates, ElementsAre("web:/conf", "web:/data", "db:/data", "db:/run"));
    EXPECT_THAT(question.ineffective.at("web:/run/docker.sock"), HasSubstr("a unix socket"));
    EXPECT_THAT(question.not_tried.at("old:/data"), HasSubstr("there before COMMAND"));
    EXPECT_THAT(question.not_tried.at("web:/gone"), HasSubstr("could not be looked at"));
    EXPECT_THAT(question_of(system(), true, false).candidates, testing::Contains("web:/"));
    EXPECT_THAT(question_of(system(), true, true).not_tried.at("web:/"), HasSubstr("podman"));
}

TEST(WrapQuestion, OneThatIsNotThereInEachRunIsNoEvidence) {
    verdict::Question question = question_of(system(), false, false);
    RunRecord failed = run({"web:/conf"}, {}, false);
    note_absent(question, failed, {}, false);
    EXPECT_EQ(question.candidates.size(), 4U);  // it failed before
    note_absent(question, run({"web:/conf"}, {}), {"db"}, false);
    EXPECT_THAT(question.candidates, ElementsAre("db:/data", "db:/run"));
    EXPECT_THAT(question.not_tried.at("web:/conf"), HasSubstr("did not start this container in run 2"));
}

// The same target in two containers; what one leaves out for the sake of the other's mount is told.
TEST(WrapQuestion, VerdictsAreOfEachContainerAlone) {
    const auto containers = system();
    const verdict::Question question = question_of(containers, false, false);
    std::vector<RunRecord> runs = {run({}, {attempt("db:/data", "db:/data/x")})};
    const auto first = verdict::next_step(question, runs);
    ASSERT_TRUE(first.run);
    EXPECT_EQ(first.run->read_only, question.candidates);
    runs.push_back(run(question.candidates, {attempt("db:/data", "db:/data/x", EROFS)}, false));
    verdict::compare_with_control(runs.back(), runs.front());
    const auto second = verdict::next_step(question, runs);
    ASSERT_TRUE(second.run);
    EXPECT_THAT(second.run->read_only, ElementsAre("web:/conf", "web:/data", "db:/run"));
    EXPECT_TRUE(second.look_at.empty());
    runs.push_back(run(second.run->read_only, {attempt("db:/data", "db:/data/x")}));
    runs.back().plan.id = 3;
    verdict::compare_with_control(runs.back(), runs.front());
    EXPECT_FALSE(verdict::next_step(question, runs).run);  // no parts are tried

    std::map<std::string, std::string> verdicts;
    for (MountResult result : verdict::judge_all(question, runs)) {
        refine(result, containers, question, nullptr);
        for (const Subjected& each : containers)
            if (without_key(each.key, result.mount.target)) {
                const MountResult own = of_container(result, each.key);
                verdicts[each.key + " " + own.mount.target] = own.reason;
                EXPECT_EQ(own.reason.find(each.key + ":/"), std::string::npos) << own.reason;
            }
    }
    EXPECT_THAT(verdicts.at("db /data"), HasSubstr("create /data/x"));
    EXPECT_THAT(verdicts.at("db /data"), HasSubstr("tries mounts as a whole"));
    EXPECT_THAT(verdicts.at("web /data"), HasSubstr("never written to"));
    EXPECT_THAT(verdicts.at("db /"), HasSubstr("read-only already"));
    EXPECT_THAT(verdicts.at("old /data"), HasSubstr("there before COMMAND"));
    EXPECT_EQ(of_container(verdict::recommend(verdict::judge_all(question, runs), runs), "web").read_only,
              (std::vector<std::string>{"/conf", "/data"}));
}

TEST(WrapQuestion, NoMountIsSafeWhereTheEnginesSocketIs) {
    auto containers = system();
    containers[0].unseen_writers = "/run/docker.sock gives the application the engine's socket";
    MountResult result;
    result.mount.target = "web:/conf";
    result.verdict = Verdict::safe;
    refine(result, containers, {}, nullptr);
    EXPECT_EQ(result.verdict, Verdict::inconclusive);
    EXPECT_THAT(result.reason, HasSubstr("the engine's socket"));
    EXPECT_EQ(result.mount.type, MountType::bind);
    result.verdict = Verdict::tolerated;
    refine(result, containers, {}, nullptr);
    EXPECT_EQ(result.verdict, Verdict::inconclusive);
    result.mount.target = "db:/data";
    result.verdict = Verdict::safe;
    refine(result, containers, {}, nullptr);
    EXPECT_EQ(result.verdict, Verdict::safe);
}

TEST(WrapQuestion, DataThatOutlastARun) {
    const auto outlasts = [](const std::string& volume) { return volume == "v"; };
    const auto never = [](const std::string&) { return false; };
    EXPECT_FALSE(writes_what_outlasts(run({}, {}), system(), outlasts));
    EXPECT_TRUE(writes_what_outlasts(run({}, {attempt("db:/data", "db:/data/x")}), system(), outlasts));
    EXPECT_FALSE(writes_what_outlasts(run({}, {attempt("db:/data", "db:/data/x")}), system(), never));
    EXPECT_TRUE(writes_what_outlasts(run({}, {attempt("web:/data", "web:/data/x")}), system(), never));
    EXPECT_FALSE(writes_what_outlasts(run({}, {attempt("db:/run", "db:/run/x")}), system(), outlasts));
}

// The control run is made again where its data outlast it; what only the first one wrote is written to by
// whoever begins with nothing.
TEST(WrapQuestion, WhatOnlyTheFirstRunWroteIsNotSafe) {
    const RunRecord first = run({}, {attempt("web:/data", "web:/data/made")});
    for (const Verdict verdict : {Verdict::safe, Verdict::untested, Verdict::required}) {
        MountResult result;
        result.mount.target = "web:/data";
        result.verdict = verdict;
        refine(result, system(), {}, &first);
        EXPECT_EQ(result.verdict, verdict == Verdict::required ? verdict : Verdict::tolerated);
        if (verdict == Verdict::safe) {
            EXPECT_THAT(result.reason, HasSubstr("once the first run has made what the others find: create"));
        }
    }
    MountResult other;
    other.mount.target = "web:/conf";
    other.verdict = Verdict::safe;
    refine(other, system(), {}, &first);
    EXPECT_EQ(other.verdict, Verdict::safe);
}

TEST(WrapQuestion, HowLongCommandMayTake) {
    Options options;
    RunRecord control;
    control.duration_s = 2.5;
    EXPECT_FALSE(limit_of(options, nullptr));
    EXPECT_EQ(limit_of(options, &control)->count(), 67'500);
    options.timeout = std::chrono::seconds(1);
    EXPECT_EQ(limit_of(options, nullptr)->count(), 1'000);
    EXPECT_EQ(limit_of(options, &control)->count(), 1'000);
}

TEST(WrapKeyed, TextsForPeopleLoseTheirOwnKeyOnly) {
    MountResult result;
    result.mount.target = "web:/data";
    result.reason = "create web:/data/x, unlink db:/x and myweb:/y; http://web:/z";
    result.attempts = {attempt("web:/data", "web:/data/x"), attempt("db:/data", "db:/data/y")};
    result.difference.unused = {"web:/conf", "db:/data"};
    const MountResult own = of_container(result, "web");
    EXPECT_EQ(own.reason, "create /data/x, unlink db:/x and myweb:/y; http://web:/z");
    EXPECT_EQ(own.attempts[0].path, "/data/x");
    EXPECT_EQ(own.attempts[0].mount, "/data");
    EXPECT_EQ(own.attempts[1].path, "db:/data/y");
    EXPECT_THAT(own.difference.unused, ElementsAre("/conf", "db:/data"));
}

TEST(WrapKeyed, WhatNobodyKeepsIsNobodysDifference) {
    observe::Recording recording;
    recording.attempts = {attempt("", "/dev/null"), attempt("/data", "/data/x"), attempt("", "/elsewhere/x")};
    recording.attempts[1].phase = "healthcheck";
    recording.uses = {{"/data", 2}};
    recording.lost_events = 3;
    recording.problem = "trouble";
    RunRecord record;
    add_recording(record, "web", std::move(recording), false);
    EXPECT_EQ(record.attempts[0].path, "/dev/null");
    EXPECT_EQ(record.attempts[1].path, "web:/data/x");
    EXPECT_EQ(record.attempts[1].phase, "docker exec");
    EXPECT_EQ(record.attempts[2].path, "web:/elsewhere/x");
    EXPECT_EQ(record.uses.at("web:/data"), 2U);
    EXPECT_EQ(record.lost_events, 3U);
    EXPECT_EQ(record.observer_problem, "web: trouble");
}

}  // namespace
}  // namespace rogate::wrap::test
