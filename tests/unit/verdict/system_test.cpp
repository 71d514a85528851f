// Systems of several containers, whose needs are known: how few runs settle them, and that each container is
// blamed for its own mounts alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <random>
#include <rogate/place.hpp>
#include <set>

#include "verdict/by_container.hpp"
#include "verdict/compare.hpp"
#include "verdict/plan.hpp"
#include "verdict/settle.hpp"

namespace rogate::verdict {
namespace {

struct Container {
    std::string name;
    std::vector<std::string> reads, writes,
        needs;                             // paths of mounts; what it needs it writes, and falls without
    std::vector<std::string> after = {};   // containers that it waits for
    std::vector<std::string> misses = {};  // places of others: without what is written there it fails a step
};

class TestSystem {
  public:
    explicit TestSystem(std::vector<Container> containers) : containers_(std::move(containers)) {}

    std::vector<std::string> candidates() const {
        std::vector<std::string> all;
        for (const Container& each : containers_)
            for (const auto* list : {&each.reads, &each.writes, &each.needs})
                for (const std::string& path : *list) all.push_back(place_in(each.name, path));
        std::sort(all.begin(), all.end());
        return all;
    }

    RunRecord run(const RunPlan& plan) const {
        RunRecord record;
        record.plan = plan;
        record.observer = "ebpf";
        record.passed = true;
        record.phases = {{.name = "entrypoint", .passed = true, .message = {}, .duration_s = 0}};
        const std::set<std::string> read_only(plan.read_only.begin(), plan.read_only.end());
        for (const std::string& target : plan.read_only) record.canary[target] = Canary::seen;
        double time = 0;
        for (const Container& each : containers_) {
            ContainerRecord& own = record.containers[each.name];
            own.behind_another = std::ranges::any_of(each.after, [&](const std::string& other) {
                return !record.containers[other].trouble.empty();
            });
            if (own.behind_another) {
                own.trouble = each.name + " was not started";
                continue;
            }
            for (const std::string& path : each.reads) record.uses[place_in(each.name, path)] = 1;
            const auto write = [&](const std::string& path) {
                Attempt attempt;
                attempt.mount = place_in(each.name, path);
                attempt.operation = "create";
                attempt.path = place_in(each.name, path + "/file");
                attempt.error = read_only.contains(place_in(each.name, path)) ? EROFS : 0;
                attempt.first_s = time += 0.1;
                record.uses[place_in(each.name, path)] = 1;
                record.attempts.edit().push_back(attempt);
                return attempt.error == 0;
            };
            for (const std::string& path : each.writes) write(path);
            for (const std::string& path : each.needs)
                if (own.trouble.empty() && !write(path)) own.trouble = each.name + " exited with code 3";
            own.restarted = true;
            for (const std::string& place : each.misses) {
                if (!own.trouble.empty() || !read_only.contains(place)) continue;
                own.trouble = each.name + " answers 500";
                own.fell_at_step = true;
            }
        }
        for (const auto& [name, own] : record.containers) {
            if (own.trouble.empty() || !record.passed) continue;
            record.passed = false;
            record.phases.back().passed = false;
            record.phases.back().message = own.trouble;
        }
        return record;
    }

    Question question() const {
        Question question;
        question.candidates = candidates();
        for (const std::string& target : question.candidates) {
            Mount mount;
            mount.target = target;
            question.mounts.push_back(mount);
        }
        return question;
    }

    // What is there in each source is one file, so that nothing can be split.
    std::vector<RunRecord> settle() const {
        Question asked = question();
        std::vector<RunRecord> runs;
        for (int i = 0; i < 100; ++i) {
            NextStep step = next_step(asked, runs);
            for (const std::string& path : step.look_at)
                asked.facts[path] = {.exists = true, .is_directory = false};
            if (!step.run && step.look_at.empty()) break;
            if (!step.run) continue;
            runs.push_back(run(*step.run));
            if (runs.size() > 1) compare_with_control(runs.back(), runs.front());
        }
        return runs;
    }

    std::map<std::string, Verdict> verdicts(const std::vector<RunRecord>& runs) const {
        Question asked = question();
        for (const std::string& target : asked.candidates)
            for (const std::string& path : {target, target + "/file"})
                asked.facts[path] = {.exists = true, .is_directory = false};
        std::map<std::string, Verdict> found;
        for (const MountResult& each : judge_all(asked, runs)) found[each.mount.target] = each.verdict;
        return found;
    }

  private:
    std::vector<Container> containers_;
};

TEST(System, TakesTwoRunsWhereNothingIsWritten) {
    std::vector<Container> containers;
    for (int i = 0; i < 12; ++i)
        containers.push_back({"s" + std::to_string(i), {"/etc/app", "/srv"}, {}, {}});
    const TestSystem system(containers);
    const auto runs = system.settle();
    EXPECT_EQ(runs.size(), 2U);
    for (const auto& [target, verdict] : system.verdicts(runs)) EXPECT_EQ(verdict, Verdict::safe) << target;
}

// The other container has the same path, and only reads there.
TEST(System, BlamesTheContainerThatWrites) {
    const TestSystem system({{"reader", {"/data"}, {}, {}}, {"writer", {"/conf"}, {}, {"/data"}}});
    const auto runs = system.settle();
    EXPECT_EQ(system.verdicts(runs), (std::map<std::string, Verdict>{{"reader:/data", Verdict::safe},
                                                                     {"writer:/conf", Verdict::safe},
                                                                     {"writer:/data", Verdict::required}}));
    EXPECT_LE(runs.size(), 3U);
}

TEST(System, BlamesAllWhoFallInOneRunAtOnce) {
    std::vector<Container> containers;
    for (int i = 0; i < 10; ++i)
        containers.push_back({"s" + std::to_string(i), {"/a", "/b", "/c"}, {}, {"/data"}});
    const TestSystem system(containers);
    const auto runs = system.settle();
    EXPECT_LE(runs.size(), 3U);
    for (const auto& [target, verdict] : system.verdicts(runs))
        EXPECT_EQ(verdict, target.ends_with("/data") ? Verdict::required : Verdict::safe) << target;
}

// Ten services with 40 mounts of which 12 are written to.
TEST(System, TakesEightRunsForAWholeProject) {
    std::vector<Container> containers;
    for (int i = 0; i < 10; ++i) containers.push_back({"s" + std::to_string(i), {"/a", "/b", "/c"}, {}, {}});
    for (int i = 0; i < 8; ++i) containers[static_cast<std::size_t>(i)].needs = {"/data"};
    containers[0].needs.push_back("/run");
    containers[1].needs.push_back("/run");
    containers[8].writes = {"/log"};
    containers[9].writes = {"/log"};
    containers[3].after = {"s0"};
    containers[4].after = {"s3"};
    const TestSystem system(containers);
    EXPECT_EQ(system.candidates().size(), 42U);
    const auto runs = system.settle();
    EXPECT_LE(runs.size(), 8U);
    for (const auto& [target, verdict] : system.verdicts(runs))
        EXPECT_EQ(verdict, target.ends_with("/data") || target.ends_with("/run") ? Verdict::required
                           : target.ends_with("/log")                            ? Verdict::tolerated
                                                                                 : Verdict::safe)
            << target;
}

// Each falls for one of two on which something is refused: which one is asked of both at once.
TEST(System, AsksSeveralContainersAtOnceWhichMountItWas) {
    const TestSystem system(
        {{"a", {}, {"/log"}, {"/data"}}, {"b", {}, {"/log"}, {"/data"}}, {"c", {}, {"/log"}, {"/data"}}});
    const auto runs = system.settle();
    EXPECT_LE(runs.size(), 5U);
    for (const auto& [target, verdict] : system.verdicts(runs))
        EXPECT_EQ(verdict, target.ends_with("/data") ? Verdict::required : Verdict::tolerated) << target;
}

// Each that it needs shows only when the one before is writable.
TEST(System, AsksAloneForWhatMadeAContainerFallAgain) {
    const TestSystem shop({{"db", {}, {}, {"/data"}}, {"web", {"/srv"}, {"/conf"}, {"/cache", "/run"}}});
    const auto runs = shop.settle();
    EXPECT_EQ(runs.size(), 6U);
    const auto found = shop.verdicts(runs);
    EXPECT_EQ(found.at("db:/data"), Verdict::required);
    EXPECT_EQ(found.at("web:/cache"), Verdict::required);
    EXPECT_EQ(found.at("web:/run"), Verdict::required);
    EXPECT_EQ(found.at("web:/conf"), Verdict::tolerated);
    EXPECT_EQ(found.at("web:/srv"), Verdict::safe);
}

// One that goes on was refused something later. It is not asked for what the other one fell.
TEST(System, AsksWhoFellWhichMountItWas) {
    const TestSystem system(
        {{"web", {"/a"}, {"/conf"}, {"/cache"}}, {"app", {"/b"}, {"/sessions"}, {}}, {"db", {"/c"}, {}, {}}});
    const auto runs = system.settle();
    EXPECT_LE(runs.size(), 5U);
    for (const auto& [target, verdict] : system.verdicts(runs))
        EXPECT_EQ(verdict, target.ends_with("/cache")                                   ? Verdict::required
                           : target.ends_with("/conf") || target.ends_with("/sessions") ? Verdict::tolerated
                                                                                        : Verdict::safe)
            << target;
}

// Two of them remove one file, and who comes first is chance: the control run has only seen the other one do
// it.
TEST(System, DoesNotCallSafeWhatAnyRunHasSeenWritten) {
    RunRecord control, other, probe;
    int id = 0;
    for (RunRecord* run : {&control, &other, &probe}) {
        run->passed = true, run->observer = "ebpf";
        run->plan.id = ++id;
        run->uses = {{"a:/data", 1}, {"b:/data", 1}, {"b:/conf", 1}};
    }
    other.plan.kind = probe.plan.kind = RunKind::probe;
    other.plan.read_only = {"b:/conf"};
    probe.plan.read_only = {"b:/data"};
    other.canary["b:/conf"] = probe.canary["b:/data"] = Canary::seen;
    Attempt removal;
    removal.operation = "unlink";
    removal.mount = "b:/data";
    removal.path = "b:/data/file";
    Question question;
    question.candidates = {"b:/conf", "b:/data"};
    for (const std::string& target : question.candidates) question.mounts.emplace_back().target = target;
    EXPECT_EQ(judge_all(question, {control, other, probe})[1].verdict, Verdict::safe);
    other.attempts.edit().push_back(removal);
    const MountResult result = judge_all(question, {control, other, probe})[1];
    EXPECT_EQ(result.verdict, Verdict::tolerated);
    EXPECT_NE(result.reason.find("run 2"), std::string::npos) << result.reason;
    // Also where that run failed, but not where its account is not whole.
    other.passed = false;
    EXPECT_EQ(judge_all(question, {control, other, probe})[1].verdict, Verdict::tolerated);
    other.lost_events = 1;
    EXPECT_EQ(judge_all(question, {control, other, probe})[1].verdict, Verdict::safe);
}

// Nothing is known of what it does while another one is away.
TEST(System, DoesNotBlameWhoWaitsForAnother) {
    const TestSystem system({{"db", {}, {}, {"/data"}}, {"web", {"/srv"}, {"/cache"}, {}, {"db"}}});
    const auto runs = system.settle();
    EXPECT_EQ(system.verdicts(runs), (std::map<std::string, Verdict>{{"db:/data", Verdict::required},
                                                                     {"web:/cache", Verdict::tolerated},
                                                                     {"web:/srv", Verdict::safe}}));
}

// Its page fails, since another one, which goes on, could not write what it shows. What is refused to it
// itself is not to blame.
TEST(System, DoesNotBlameWhoIsAskedForWhatAnotherHasToGive) {
    const TestSystem system(
        {{"app", {"/conf"}, {"/data"}, {}}, {"web", {"/srv"}, {"/cache"}, {}, {}, {"app:/data"}}});
    const auto runs = system.settle();
    EXPECT_EQ(system.verdicts(runs), (std::map<std::string, Verdict>{{"app:/conf", Verdict::safe},
                                                                     {"app:/data", Verdict::required},
                                                                     {"web:/cache", Verdict::tolerated},
                                                                     {"web:/srv", Verdict::safe}}));
    EXPECT_LE(runs.size(), 7U);
}

// Of three that something was refused to, one ended and was made anew, and of the others one page failed.
// `early`: what was refused to the third one before that, which could be why.
RunRecord failed_at_a_page(bool made_anew, bool early) {
    RunRecord run;
    run.plan.kind = RunKind::probe;
    run.plan.id = 2;
    run.plan.read_only = {"db:/data", "log:/log", "web:/sessions"};
    run.observer = "ebpf";
    for (const std::string& target : run.plan.read_only) run.canary[target] = Canary::seen;
    run.phases = {{.name = "entrypoint", .passed = false, .message = "db exited"},
                  {.name = "step pages of web", .passed = false, .message = "500", .container = "web"},
                  {.name = "step pages of log", .passed = true, .message = {}, .container = "log"}};
    run.containers["db"].trouble = "db exited";
    run.containers["db"].made_anew = made_anew;
    run.containers["web"].trouble = "500";
    run.containers["web"].fell_at_step = true;
    const auto refuse = [&](const char* mount, const char* phase) {
        Attempt attempt;
        attempt.mount = mount;
        attempt.path = std::string(mount) + "/file";
        attempt.operation = "create";
        attempt.error = EROFS;
        attempt.phase = phase;
        run.attempts.edit().push_back(attempt);
    };
    refuse("db:/data", "entrypoint");
    refuse("log:/log", early ? "entrypoint" : "step pages of log");
    refuse("web:/sessions", "step pages of web");
    return run;
}

Attempt written(const std::string& mount) {
    Attempt attempt;
    attempt.mount = mount;
    attempt.path = mount + "/file";
    attempt.operation = "create";
    return attempt;
}

TEST(System, BlamesAStepForWhatAloneWasRefusedUntilThen) {
    const std::vector<std::string> candidates = {"db:/data", "log:/log", "web:/sessions"};
    RunRecord control;
    control.passed = true;
    const auto next = [&](bool made_anew, bool early) {
        return next_probe(candidates, {control, failed_at_a_page(made_anew, early)});
    };
    using Targets = std::vector<std::string>;
    EXPECT_EQ(next(true, false), Targets({"log:/log"}));
    EXPECT_EQ(next(true, true), Targets({"log:/log", "web:/sessions"}));
    EXPECT_EQ(next(false, false), Targets({"log:/log", "web:/sessions"}));
    // It ran while the other one was made anew, and may have lost it: it waits, and is not to blame yet.
    RunRecord shaken = failed_at_a_page(true, false);
    shaken.containers["web"].behind_another = true;
    control.attempts = {written("log:/log")};
    EXPECT_EQ(next_probe(candidates, {control, shaken}), Targets({"log:/log"}));
    RunRecord rest = failed_at_a_page(false, false);
    rest.plan.read_only = {"log:/log"};
    rest.containers.clear();
    rest.attempts = {};
    rest.passed = true;
    EXPECT_EQ(next_probe(candidates, {control, shaken, rest}), Targets({"web:/sessions"}));
    EXPECT_EQ(settling_run("web:/sessions", {control, shaken, rest}), nullptr);
}

// `api` falls while `web` is made anew, perhaps for that.
TEST(System, LetsWaitWhoFellWhileAnotherWasMadeAnew) {
    using Targets = std::vector<std::string>;
    const Targets candidates = {"api:/srv", "api:/uploads", "web:/cache"};
    std::vector<RunRecord> runs(2);
    runs.front().passed = true;
    runs.front().attempts = {written("api:/srv")};
    RunRecord& run = runs.back();
    run.plan.kind = RunKind::probe;
    run.plan.read_only = candidates;
    run.observer = "ebpf";
    for (const std::string& target : candidates) run.canary[target] = Canary::seen;
    for (const char* mount : {"web:/cache", "api:/uploads"}) {
        Attempt attempt = written(mount);
        attempt.error = EROFS;
        run.attempts.edit().push_back(attempt);
    }
    run.containers["web"].trouble = "web exited";
    run.containers["web"].made_anew = true;
    run.containers["api"].trouble = "api exited";
    run.containers["api"].behind_another = true;
    EXPECT_EQ(next_probe(candidates, runs), Targets({"api:/srv"}));
    EXPECT_EQ(settling_run("api:/uploads", runs), nullptr);
    EXPECT_EQ(settling_run("web:/cache", runs), &run) << "and this one is told apart";
    // Nothing was made anew: what it waits for is not there, and it is tried again as it was.
    run.containers["web"].made_anew = false;
    EXPECT_EQ(next_probe(candidates, runs), Targets({"api:/srv", "api:/uploads"}));
}

// Whatever the runs say: what is wanted has not been run, and there is an end to it.
TEST(System, SettlesWhateverFalls) {
    using Targets = std::vector<std::string>;
    for (unsigned seed = 0; seed < 500; ++seed) {
        std::mt19937 random(seed);
        const auto one_in = [&](unsigned many) { return random() % many == 0; };
        Targets candidates;
        for (const char* name : {"a", "b", "c"})
            for (const char* path : {"/1", "/2", "/3"}) candidates.push_back(place_in(name, path));
        std::vector<RunRecord> runs(1);
        runs.front().passed = true;
        for (const std::string& target : candidates)
            if (one_in(2)) runs.front().attempts.edit().push_back(written(target));
        std::set<Targets> made;
        while (const auto wanted = next_probe(candidates, runs)) {
            ASSERT_TRUE(made.insert(*wanted).second) << "seed " << seed;
            RunRecord& run = runs.emplace_back();
            run.plan.kind = RunKind::probe;
            run.plan.id = static_cast<int>(runs.size());
            run.plan.read_only = *wanted;
            run.observer = "ebpf";
            run.passed = one_in(3);
            double time = 0;
            for (const std::string& target : *wanted) {
                run.canary[target] = one_in(30) ? Canary::not_seen : Canary::seen;
                if (!one_in(2)) continue;
                Attempt attempt = written(target);
                attempt.error = EROFS;
                attempt.phase = one_in(2) ? "entrypoint" : "step look";
                attempt.first_s = time += 0.1;
                run.attempts.edit().push_back(attempt);
            }
            run.phases = {{.name = "entrypoint", .passed = run.passed, .message = {}},
                          {.name = "step look", .passed = run.passed || one_in(2), .message = {}}};
            for (const char* name : {"a", "b", "c"}) {
                ContainerRecord& container = run.containers[name];
                if (run.passed || one_in(2)) continue;
                container.trouble = "fell";
                container.made_anew = one_in(2);
                container.behind_another = one_in(2);
                container.fell_at_step = one_in(4);
            }
        }
    }
}

// A gate that asks for steps is not content with those of others.
TEST(System, CountsTheStepsOfTheContainerAlone) {
    RunRecord control, probe;
    for (RunRecord* run : {&control, &probe}) {
        run->passed = true, run->observer = "ebpf";
        run->uses["web:/srv"] = 1;
        run->phases.push_back({.name = "entrypoint", .passed = true, .message = {}});
        run->phases.push_back({.name = "step running", .passed = true, .message = {}});
        run->phases.push_back(
            {.name = "step pages of web", .passed = true, .message = {}, .container = "web"});
        run->phases.push_back({.name = "step pages of db", .passed = true, .message = {}, .container = "db"});
    }
    probe.plan.id = 2;
    probe.plan.kind = RunKind::probe;
    probe.plan.read_only = {"web:/srv"};
    probe.canary["web:/srv"] = Canary::seen;
    Question question;
    question.candidates = {"web:/srv"};
    question.mounts.emplace_back().target = "web:/srv";
    const MountResult result = judge_all(question, {control, probe}).front();
    EXPECT_EQ(result.verdict, Verdict::safe);
    ASSERT_TRUE(result.watched);
    EXPECT_EQ(result.watched->steps, 2);
}

// A tmpfs of one that was not restarted is not emptied by the restart of the others: that takes a run of its
// own.
TEST(System, AsksAgainWhatAJobMissesThatIsNotRestarted) {
    for (const bool restarted : {true, false}) {
        RunRecord control, failed;
        for (RunRecord* run : {&control, &failed}) run->observer = "ebpf";
        control.passed = true;
        control.containers["job"].restarted = restarted;
        failed.plan.kind = RunKind::probe;
        failed.plan.id = 2;
        failed.plan.read_only = {"job:/data"};
        failed.canary["job:/data"] = Canary::seen;
        failed.containers["job"].trouble = "job exited with code 1";
        for (RunRecord* run : {&control, &failed}) {
            Attempt write;
            write.mount = "job:/data";
            write.path = "job:/data/run/app.pid";
            write.operation = "create";
            write.phase = "entrypoint";
            write.error = run == &failed ? EROFS : 0;
            write.control = run == &failed ? "ok" : "";
            run->attempts.edit().push_back(write);
        }
        Question question;
        question.candidates = {"job:/data"};
        question.mounts.emplace_back().target = "job:/data";
        question.mounts.back().type = MountType::volume;
        question.can_make_mount_points = {"job:/data"};
        question.after_restart = {"step pages again"};
        question.facts["job:/data"] = {.exists = true, .is_directory = true};
        question.facts["job:/data/run"] = {.exists = true, .is_directory = true, .empty = true};
        NextStep step = next_step(question, {control, failed});
        for (int i = 0; i < 10 && !step.run && !step.look_at.empty(); ++i) {
            for (const std::string& path : step.look_at) question.facts.try_emplace(path);
            step = next_step(question, {control, failed});
        }
        ASSERT_TRUE(step.run);
        ASSERT_FALSE(step.run->writable.empty());
        ASSERT_EQ(step.run->writable.front().as, WritableAs::tmpfs) << step.run->writable.front().path;
        EXPECT_EQ(step.run->again, !restarted);
    }
}

// Of the same name, on mounts of the same path: what one leaves out is not what the other has done.
TEST(System, DoesNotExcuseAWriteByAnotherContainer) {
    RunRecord control, probe;
    for (RunRecord* run : {&control, &probe}) run->passed = true, run->observer = "ebpf";
    probe.plan.kind = RunKind::probe;
    probe.plan.id = 2;
    probe.plan.read_only = {"app1:/conf"};
    probe.canary["app1:/conf"] = Canary::seen;
    for (RunRecord* run : {&control, &probe})
        for (const char* name : {"app1", "app2"}) {
            run->uses[place_in(name, "/conf")] = 1;
            if (run == &probe && std::string(name) == "app1") continue;
            Attempt write;
            write.operation = "create";
            write.path = place_in(name, "/proc/sys/file1");
            if (run == &probe) write.path = "app2:/proc/sys/file2";  // a name that no control run has
            run->attempts.edit().push_back(write);
        }
    Question question;
    question.candidates = {"app1:/conf"};
    question.mounts.emplace_back().target = "app1:/conf";
    RunRecord again = control, probe_again = probe;
    std::vector<RunRecord> runs{control, probe};
    for (int i = 0; i < 10; ++i) {
        const NextStep step = next_step(question, runs);
        if (!step.run) break;
        runs.push_back(step.run->kind == RunKind::control ? again : probe_again);
        runs.back().plan = *step.run;
    }
    EXPECT_EQ(judge_all(question, runs).front().verdict, Verdict::tolerated);
}

TEST(ByContainer, TellsEachOfItsOwn) {
    CampaignResult whole;
    for (const char* name : {"a", "b", "c"}) whole.scenario.members.emplace_back().name = name;
    whole.image_ids = {{"a", "sha256:1"}, {"b", "sha256:2"}};
    RunRecord control, probe;
    control.passed = probe.passed = true;
    control.phases = {{.name = "shutdown", .passed = true, .message = {}, .duration_s = 0}};
    control.containers["a"].exit_code = 0;
    control.containers["b"].exit_code = 143;
    control.containers["c"].exit_code = 1;
    control.containers["c"].trouble = "c fell";
    control.uses = {{"a:/data", 3}, {"b:/data", 4}};
    WritablePath writable;
    writable.path = "a:/data/run";
    writable.mount = "a:/data";
    probe.plan.id = 2;
    probe.plan.kind = RunKind::probe;
    probe.plan.read_only = {"a:/data", "b:/data"};
    probe.plan.writable = {writable};
    probe.canary = {{"a:/data", Canary::seen}, {"b:/data", Canary::seen}};
    whole.runs = {control, probe};
    MountResult mount;
    mount.mount.target = "a:/data";
    Attempt left_out;
    left_out.path = "b:/data/x";
    left_out.mount = "b:/data";
    mount.difference.left_out = {left_out};
    whole.mounts = {mount};
    whole.recommendation.read_only = {"a:/data", "b:/data"};
    whole.recommendation.writable = {writable};
    whole.recommendation.verified_by_run = 2;
    whole.recommendation.environment = {{"a:LEAN", "1"}, {"b:LEAN", "2"}};
    whole.runs[1].plan.environment = whole.recommendation.environment;
    SettingResult setting;
    setting.mounts = {"a:/data"};
    setting.paths = {"a:/data/x"};
    setting.environment = {{"a:LEAN", "1"}};
    whole.settings = {setting};
    Scenario of_a, of_c;
    of_a.name = "a";
    of_c.name = "c";
    const auto parts = by_container(whole, {{"a", of_a}, {"c", of_c}});
    using Environment = std::map<std::string, std::string>;
    EXPECT_EQ(parts[0].recommendation.environment, (Environment{{"LEAN", "1"}}));
    EXPECT_EQ(parts[0].runs[1].plan.environment, (Environment{{"LEAN", "1"}, {"b:LEAN", "2"}}));
    ASSERT_EQ(parts[0].settings.size(), 1U);
    EXPECT_EQ(parts[0].settings[0].mounts, (std::vector<std::string>{"/data"}));
    EXPECT_EQ(parts[0].settings[0].environment, (Environment{{"LEAN", "1"}}));
    EXPECT_TRUE(parts[1].settings.empty());
    EXPECT_TRUE(parts[1].recommendation.environment.empty());
    ASSERT_EQ(parts.size(), 2U);
    const CampaignResult &a = parts[0], &c = parts[1];
    EXPECT_EQ(a.image_id, "sha256:1");
    EXPECT_EQ(a.mounts.front().mount.target, "/data");
    EXPECT_EQ(a.mounts.front().difference.left_out[0].path, "b:/data/x");
    EXPECT_EQ(a.runs[1].plan.read_only, std::vector<std::string>{"/data"});
    EXPECT_EQ(a.runs[1].beside, std::vector<std::string>{"b:/data"});
    EXPECT_EQ(a.runs[1].plan.writable.front().path, "/data/run");
    EXPECT_EQ(a.runs[0].uses, (std::map<std::string, std::uint64_t>{{"/data", 3}}));
    EXPECT_EQ(a.recommendation.read_only, std::vector<std::string>{"/data"});
    EXPECT_EQ(a.recommendation.writable.front().mount, "/data");
    EXPECT_EQ(a.recommendation.verified_by_run, 2);
    EXPECT_TRUE(a.runs[0].passed);
    EXPECT_FALSE(c.runs[0].passed);
    EXPECT_EQ(c.runs[0].phases.back().message, "c fell");
    EXPECT_TRUE(c.mounts.empty());
    EXPECT_EQ(c.recommendation, Recommendation{});
}

}  // namespace
}  // namespace rogate::verdict
