#include "verdict/judge.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "verdict/compare.hpp"
#include "verdict/difference.hpp"

namespace rogate::verdict {
namespace {

Attempt attempt(std::string operation, std::string path, int error, AttemptClass cls = AttemptClass::write) {
    Attempt made;
    made.mount = "/data";
    made.operation = std::move(operation);
    made.path = std::move(path);
    made.error = error;
    made.cls = cls;
    return made;
}

RunRecord passing(RunKind kind) {
    RunRecord run;
    run.plan.id = kind == RunKind::control ? 1 : 2;
    run.plan.kind = kind;
    run.passed = true;
    run.phases = {{.name = "ready", .passed = true, .message = {}, .duration_s = 0}};
    run.uses["/data"] = 1;
    if (kind != RunKind::control) {
        run.plan.read_only = {"/data"};
        run.canary["/data"] = Canary::seen;
    }
    return run;
}

RunRecord failing(RunKind kind) {
    RunRecord run = passing(kind);
    run.passed = false;
    run.phases = {
        {.name = "step upload", .passed = false, .message = "expected status 200, got 500", .duration_s = 0}};
    return run;
}

class Judge : public ::testing::Test {
  protected:
    MountResult judged() {
        compare_with_control(probe, control);
        MountEvidence evidence;
        evidence.mount = mount;
        evidence.control = &control;
        evidence.probe = &probe;
        const Difference found = difference(control, probe);
        if (!found.empty()) evidence.difference = &found;
        return judge(evidence);
    }
    Verdict verdict() { return judged().verdict; }

    Mount mount{.type = MountType::bind,
                .source = "/srv",
                .target = "/data",
                .read_only = false,
                .no_copy = false,
                .tmpfs_options = {},
                .propagation = {},
                .declared = {}};
    RunRecord control = passing(RunKind::control);
    RunRecord probe = passing(RunKind::probe);
};

TEST_F(Judge, OnlyReadIsSafe) {
    EXPECT_EQ(verdict(), Verdict::safe);
}

TEST_F(Judge, RefusedWriteThatDoesNotMatterIsTolerated) {
    control.attempts = {attempt("create", "/data/cache", 0)};
    probe.attempts = {attempt("create", "/data/cache", EROFS)};
    const MountResult result = judged();
    EXPECT_EQ(result.verdict, Verdict::tolerated);
    ASSERT_EQ(result.attempts.size(), 1U);
    EXPECT_EQ(result.attempts[0].control, "ok");
}

TEST_F(Judge, WhatTheRunThatMadeTheDataWroteIsNamed) {
    control.made_data = {attempt("create", "/data/first-start", 0)};
    const MountResult result = judged();
    EXPECT_EQ(result.verdict, Verdict::safe);
    EXPECT_NE(result.reason.find("written to only by the run that made the data: create /data/first-start"),
              std::string::npos)
        << result.reason;
}

TEST_F(Judge, FailedScenarioWithRefusedWriteIsRequired) {
    probe = failing(RunKind::probe);
    probe.attempts = {attempt("create", "/data/upload", EROFS)};
    const MountResult result = judged();
    EXPECT_EQ(result.verdict, Verdict::required);
    EXPECT_NE(result.reason.find("expected status 200, got 500"), std::string::npos);
}

TEST_F(Judge, FailedScenarioWithoutRefusedWriteIsNoProof) {
    probe = failing(RunKind::probe);
    EXPECT_EQ(verdict(), Verdict::inconclusive);
}

TEST_F(Judge, OtherErrorWhereTheControlRunSucceededIsAConsequence) {
    control.attempts = {attempt("open-write", "/data/a/b", 0)};
    probe = failing(RunKind::probe);
    probe.attempts = {attempt("open-write", "/data/a/b", ENOENT)};
    EXPECT_EQ(verdict(), Verdict::required);
}

TEST_F(Judge, PermissionProblemThatWasThereBeforeIsNotOurs) {
    control.attempts = {attempt("open-write", "/data/f", EACCES)};
    probe.attempts = {attempt("open-write", "/data/f", EACCES)};
    EXPECT_EQ(verdict(), Verdict::safe);
}

TEST_F(Judge, EachWayInWhichTheControlRunFailedIsRemembered) {
    for (const int error : {EEXIST, EACCES, EEXIST, ENOSPC})
        control.attempts.edit().push_back(attempt("create", "/data/a", error));
    control.attempts.edit().push_back(attempt("open-write", "/data/a", EACCES));
    probe.attempts = {attempt("create", "/data/a", EEXIST), attempt("open-write", "/data/a", ENOSPC),
                      attempt("create", "/data/a", EBUSY), attempt("mkdir", "/data/a", EEXIST)};
    probe.attempts.edit()[0].count = 2;
    probe.attempts.edit()[1].count = 2;
    compare_with_control(probe, control);
    EXPECT_EQ(probe.attempts[0].control, "EEXIST");
    EXPECT_EQ(probe.attempts[1].control, "EACCES") << "it failed so once more than in the control run";
    EXPECT_EQ(probe.attempts[2].control, "EACCES");
    EXPECT_EQ(probe.attempts[3].control, "absent");
}

TEST_F(Judge, NoneOfThreeWaysInWhichTheControlRunFailedIsForgotten) {
    for (const int error : {EEXIST, ENOSPC, EACCES}) {
        control.attempts.edit().push_back(attempt("create", "/data/a", error));
        probe.attempts.edit().push_back(attempt("create", "/data/a", error));
    }
    compare_with_control(probe, control);
    EXPECT_EQ(probe.attempts[0].control, "EEXIST");
    EXPECT_EQ(probe.attempts[1].control, "ENOSPC");
    EXPECT_EQ(probe.attempts[2].control, "EACCES");
}

TEST_F(Judge, BothRunsHaveOneTextForThePathThatTheyShare) {
    control.attempts = {attempt("create", "/data/a", 0)};
    probe.attempts = {attempt("create", "/data/a", EROFS), attempt("create", "/data/b", EROFS)};
    const MountResult result = judged();
    EXPECT_TRUE(probe.attempts[0].path.is_copy_of(control.attempts[0].path));
    EXPECT_EQ(probe.attempts[1].path, "/data/b");
    EXPECT_EQ(&result.attempts[0], &probe.attempts[0]) << "nor does the result have attempts of its own";
    EXPECT_EQ(&result.writes[0], &control.attempts[0]);
}

TEST_F(Judge, TellingAttemptsComeFirst) {
    const std::vector<std::string> paths = {"/data/d",
                                            "/data/d1/a",
                                            "/data/d1/aa",
                                            "/data/d1/aaaaaaa",
                                            "/data/d1/aaaaaaaab",
                                            "/data/d1/aaaaaaaaa",
                                            "/data/d1/\xc3\xa9",
                                            "/data/e"};
    // Each wanted place, and the attempts from the last to the first.
    for (const AttemptClass cls : {AttemptClass::write, AttemptClass::access_check, AttemptClass::no_op})
        for (const std::uint64_t count : {10, 2})
            for (const std::string& path :
                 {paths[0], paths[1], paths[2], paths[3], paths[5], paths[4], paths[6], paths[7]})
                for (const char* operation : {"create", "unlink"}) {
                    Attempt made = attempt(operation, path, EROFS, cls);
                    made.count = count;
                    probe.attempts.edit().push_back(made);
                }
    const Attempts wanted = probe.attempts;
    std::ranges::reverse(probe.attempts.edit());
    EXPECT_EQ(failed_attempts(probe, "/data"), wanted);
}

TEST_F(Judge, RemovingWhatIsMissingIsANoOp) {
    control.attempts = {attempt("unlink", "/data/old.pid", ENOENT)};
    probe.attempts = {attempt("unlink", "/data/old.pid", EROFS)};
    const MountResult result = judged();
    EXPECT_EQ(result.verdict, Verdict::safe);
    ASSERT_EQ(result.attempts.size(), 1U);
    EXPECT_EQ(result.attempts[0].cls, AttemptClass::no_op);
}

TEST_F(Judge, FailureThatHappensInTheControlRunTooIsNotReadOnlys) {
    control.attempts = {attempt("open-write", "/data/lock", 0), attempt("create", "/data/lock", EEXIST)};
    probe.attempts = {attempt("create", "/data/lock", EEXIST)};
    EXPECT_TRUE(judged().attempts.empty());
    probe.attempts.edit()[0].count = 2;  // once more than there
    EXPECT_EQ(judged().attempts.size(), 1U);
}

// Each consequence of a read-only mount that is not EROFS: known by its success in the control run.
TEST_F(Judge, ConsequencesAreRecognisedByComparison) {
    for (const int error : {EACCES, EXDEV, EBUSY, ENOENT}) {
        SCOPED_TRACE(error);
        control.attempts = {attempt("rename", "/data/x", 0)};
        probe.attempts = {attempt("rename", "/data/x", error)};
        EXPECT_EQ(verdict(), Verdict::tolerated);
        control.attempts = probe.attempts;
        EXPECT_EQ(verdict(), Verdict::safe);
    }
}

struct Hopeless {
    const char* operation;
    int control;
    AttemptClass cls;
};
class RefusedAndHopeless : public Judge, public ::testing::WithParamInterface<Hopeless> {};

TEST_P(RefusedAndHopeless, IsANoOpIfItNeverChangedAnything) {
    control.attempts = {attempt(GetParam().operation, "/data/x", GetParam().control)};
    probe.attempts = {attempt(GetParam().operation, "/data/x", EROFS)};
    const MountResult result = judged();
    ASSERT_EQ(result.attempts.size(), 1U);
    EXPECT_EQ(result.attempts[0].cls, GetParam().cls);
}

INSTANTIATE_TEST_SUITE_P(All, RefusedAndHopeless,
                         ::testing::Values(Hopeless{"unlink", ENOENT, AttemptClass::no_op},
                                           Hopeless{"rmdir", ENOTEMPTY, AttemptClass::no_op},
                                           Hopeless{"rename", ENOENT, AttemptClass::no_op},
                                           Hopeless{"chown", EPERM, AttemptClass::no_op},
                                           Hopeless{"removexattr", ENODATA, AttemptClass::no_op},
                                           Hopeless{"removexattr", EPERM, AttemptClass::no_op},
                                           Hopeless{"setxattr", EPERM, AttemptClass::no_op},
                                           Hopeless{"open-write", EACCES, AttemptClass::no_op},
                                           // Another file system may do it, or another moment.
                                           Hopeless{"rename", EXDEV, AttemptClass::write},
                                           Hopeless{"setxattr", EOPNOTSUPP, AttemptClass::write},
                                           Hopeless{"create", ENOSPC, AttemptClass::write},
                                           Hopeless{"utime", 0, AttemptClass::write}));

TEST_F(Judge, RefusedOnceAfterAFailureThatComesAndGoesIsAWrite) {
    control.attempts = {attempt("unlink", "/data/x", ENOENT), attempt("unlink", "/data/x", EBUSY)};
    probe.attempts = {attempt("unlink", "/data/x", EROFS)};
    EXPECT_EQ(judged().attempts[0].cls, AttemptClass::write);
}

TEST_F(Judge, RemovingWhatIsThereIsAWrite) {
    control.attempts = {attempt("unlink", "/data/old.pid", 0)};
    probe.attempts = {attempt("unlink", "/data/old.pid", EROFS)};
    EXPECT_EQ(verdict(), Verdict::tolerated);
}

// Somebody made the file after the observer had looked for the first of these calls, or its name was not
// understood.
TEST_F(Judge, RemovingNothingCannotSucceed) {
    for (const char* operation : {"unlink", "rmdir", "rename"}) {
        control.attempts = {attempt(operation, "/data/job", ENOENT), attempt(operation, "/data/job", 0)};
        probe.attempts = {attempt(operation, "/data/job", EROFS, AttemptClass::no_op)};
        EXPECT_EQ(verdict(), Verdict::tolerated) << operation;
    }
    control.attempts = {attempt("chmod", "/data/job", 0)};
    probe.attempts = {attempt("chmod", "/data/job", EROFS, AttemptClass::no_op)};
    EXPECT_EQ(verdict(), Verdict::safe);
}

// The run was refused to make it: that is what has to be known.
TEST_F(Judge, RemovingWhatCouldNotBeMadeStaysANoOp) {
    control.attempts = {attempt("create", "/data/pid", 0), attempt("unlink", "/data/pid", 0)};
    probe.attempts = {attempt("create", "/data/pid", EROFS),
                      attempt("unlink", "/data/pid", EROFS, AttemptClass::no_op)};
    const MountResult result = judged();
    EXPECT_EQ(result.verdict, Verdict::tolerated);
    EXPECT_EQ(std::ranges::count(result.attempts, AttemptClass::no_op, &Attempt::cls), 1);
}

TEST_F(Judge, WritesThatSucceedWhereItIsReadOnlyContradictIt) {
    control.attempts = {attempt("open-write", "/data/state", 0)};
    probe.attempts = {attempt("open-write", "/data/state", 0)};
    EXPECT_EQ(verdict(), Verdict::inconclusive);
    EXPECT_NE(judged().reason.find("writes on it succeeded in run 2"), std::string::npos);
    probe.attempts = {attempt("open-write", "/data/pipe", 0, AttemptClass::no_op)};  // a FIFO
    control.attempts = probe.attempts;
    EXPECT_EQ(verdict(), Verdict::safe);
}

TEST_F(Judge, NoOpsAndAccessChecksAreSafe) {
    control.attempts = {attempt("chmod", "/data", 0)};
    probe.attempts = {attempt("chmod", "/data", EROFS, AttemptClass::no_op),
                      attempt("access", "/data", EROFS, AttemptClass::access_check)};
    EXPECT_EQ(verdict(), Verdict::safe);
}

TEST_F(Judge, WriteThatIsNotEvenTriedReadOnlyIsTolerated) {
    control.attempts = {attempt("create", "/data/state", 0)};
    probe.attempts = {attempt("access", "/data", EROFS, AttemptClass::access_check)};
    EXPECT_EQ(verdict(), Verdict::tolerated);
}

// The path is the same, but something else is mounted over it: a tmpfs of podman's, or one of the subject's.
TEST_F(Judge, WriteThatGoesToAnotherMountWhenReadOnlyIsTolerated) {
    control.attempts = {attempt("create", "/data/state", 0)};
    probe.attempts = {attempt("create", "/data/state", 0)};
    for (const char* elsewhere : {"", "/other", "/data-of-others"}) {
        probe.attempts.edit()[0].mount = elsewhere;
        EXPECT_EQ(verdict(), Verdict::tolerated) << elsewhere;
    }
    probe.attempts.edit()[0].mount = "/data/state";  // split off
    EXPECT_EQ(verdict(), Verdict::safe);
}

TEST_F(Judge, UnusedIsUntested) {
    control.uses.clear();
    probe.uses.clear();
    EXPECT_EQ(verdict(), Verdict::untested);
}

TEST_F(Judge, WhatIsOnlyAskedAboutIsUntested) {
    control.uses.clear();
    probe.uses.clear();
    probe.attempts = {attempt("access", "/data", EROFS, AttemptClass::access_check)};
    EXPECT_EQ(verdict(), Verdict::untested);
}

TEST_F(Judge, ReadByOneOfTheTwoIsTooLittle) {
    control.uses.clear();
    EXPECT_EQ(verdict(), Verdict::untested);
    std::swap(control.uses, probe.uses);
    EXPECT_EQ(verdict(), Verdict::tolerated) << "it has fallen out of use";
}

TEST_F(Judge, ReadZeroTimesIsNotSafe) {
    control.observer = probe.observer = "ptrace";
    control.uses.clear();
    probe.uses.clear();
    control.attempts = probe.attempts = {attempt("unlink", "/data/x", ENOENT)};
    EXPECT_EQ(verdict(), Verdict::untested);
}

TEST_F(Judge, SafeSaysWhatWasWatched) {
    probe.phases = {{.name = "entrypoint", .passed = true, .message = {}, .duration_s = 3},
                    {.name = "ready", .passed = true, .message = {}, .duration_s = 0.25},
                    {.name = "step upload", .passed = true, .message = {}, .duration_s = 0.25}};
    const MountResult result = judged();
    EXPECT_EQ(result.reason, "read 2 times, never written to; watched through 1 step, 0.5 s");
    EXPECT_EQ(result.watched, (Watched{.steps = 1, .seconds = 0.5}));
}

TEST_F(Judge, RequiredNamesWhatDecided) {
    probe = failing(RunKind::probe);
    Attempt chown = attempt("chown", "/data", EROFS, AttemptClass::no_op);
    chown.process.comm = "init.sh";
    probe.attempts = {chown};
    EXPECT_NE(judged().reason.find(
                  "only by a no-op (chown to the owner it has: chown /data by init.sh): run as that user"),
              std::string::npos)
        << judged().reason;
    Attempt gone = attempt("unlink", "/data/db.new", EROFS, AttemptClass::no_op);
    gone.process.comm = "app";
    probe.attempts = {gone};
    control.attempts = {attempt("create", "/data/db.new", 0), attempt("rename", "/data/db", 0)};
    EXPECT_NE(
        judged().reason.find("; refused: unlink /data/db.new by app, without which it does not go on to "
                             "write there: create /data/db.new and rename /data/db"),
        std::string::npos)
        << judged().reason;
    control.attempts = {};
    Attempt last = attempt("create", "/data/b", EROFS);
    last.first_s = 2;
    probe.attempts = {attempt("create", "/data/a", EROFS), last};
    EXPECT_NE(judged().reason.find("; refused: create /data/b and 1 more"), std::string::npos)
        << judged().reason;
}

TEST_F(Judge, AFailureWithoutProofOfTheObserverIsNone) {
    probe = failing(RunKind::probe);
    probe.canary["/data"] = Canary::not_seen;
    control.attempts = {attempt("open-write", "/data/f", 0)};
    probe.attempts = {attempt("open-write", "/data/f", EACCES)};
    EXPECT_EQ(verdict(), Verdict::inconclusive);
    probe.attempts = {attempt("open-write", "/data/f", EROFS)};
    EXPECT_EQ(verdict(), Verdict::required) << "a refusal that was seen is one";
}

TEST_F(Judge, WhatWasRefusedIsListedWhateverTheVerdictIs) {
    control.attempts = {attempt("create", "/data/x", EROFS)};
    MountEvidence evidence;
    evidence.mount = mount;
    evidence.control = evidence.refusals = &control;
    evidence.ineffective = "the source is a unix socket";
    EXPECT_EQ(judge(evidence).attempts.size(), 1U);
    evidence.ineffective.clear();
    evidence.not_tried = "no run can tell";
    EXPECT_EQ(judge(evidence).attempts.size(), 1U);
}

TEST_F(Judge, AttemptsOnOtherMountsDoNotCount) {
    probe.attempts = {attempt("create", "/data/cache", EROFS)};
    probe.attempts.edit()[0].mount = "/other";
    EXPECT_EQ(verdict(), Verdict::safe);
}

TEST_F(Judge, AlreadyReadOnlyListsItsFailedWrites) {
    mount.read_only = true;
    control.canary["/data"] = Canary::seen;
    control.attempts = {attempt("create", "/data/x", EROFS)};
    const MountResult result = judged();
    EXPECT_EQ(result.verdict, Verdict::already_ro);
    EXPECT_EQ(result.attempts.size(), 1U);
}

TEST_F(Judge, EngineThatRefusesAMountPointIsNotTheApplication) {
    probe = failing(RunKind::probe);
    probe.could_not_start = true;
    probe.phases[0].message = "address already in use";
    EXPECT_EQ(verdict(), Verdict::inconclusive);
    probe.phases[0].message = "cannot create mountpoint: read-only file system";
    EXPECT_EQ(verdict(), Verdict::required);
}

TEST_F(Judge, IneffectiveIsSaidWithoutARun) {
    MountEvidence evidence;
    evidence.mount = mount;
    evidence.ineffective = "the source is a unix socket";
    EXPECT_EQ(judge(evidence).verdict, Verdict::ineffective);
}

// Each way in which a run can fail to be evidence; none may come out as safe.
struct Doubt {
    const char* name;
    void (*spoil)(RunRecord& control, RunRecord& probe);
    const char* said;
};
class Doubts : public Judge, public ::testing::WithParamInterface<Doubt> {};

TEST_P(Doubts, EndInInconclusive) {
    GetParam().spoil(control, probe);
    const MountResult result = judged();
    EXPECT_EQ(result.verdict, Verdict::inconclusive);
    EXPECT_NE(result.reason.find(GetParam().said), std::string::npos) << result.reason;
}

INSTANTIATE_TEST_SUITE_P(
    All, Doubts,
    ::testing::Values(
        Doubt{"control_failed", [](RunRecord& c, RunRecord&) { c = failing(RunKind::control); },
              "control run failed"},
        Doubt{"control_lost", [](RunRecord& c, RunRecord&) { c.lost_events = 1; }, "1 events were lost"},
        Doubt{"probe_lost", [](RunRecord&, RunRecord& p) { p.lost_events = 7; }, "7 events were lost"},
        Doubt{"observer_gone",
              [](RunRecord&, RunRecord& p) { p.observer_problem = "the observer was killed"; },
              "observer was killed"},
        Doubt{"control_without_a_service",
              [](RunRecord& c, RunRecord&) { c.services_problem = "service 'db' exited with code 1"; },
              "service 'db' exited with code 1"},
        Doubt{"probe_without_a_service",
              [](RunRecord&, RunRecord& p) {
                  p = failing(RunKind::probe);
                  p.attempts = {attempt("create", "/data/x", EROFS)};
                  p.services_problem = "service 'db' exited with code 1; read-only file system";
              },
              "service 'db' exited with code 1"},
        Doubt{"unwatched_probe_without_a_service",
              [](RunRecord&, RunRecord& p) {
                  p = failing(RunKind::probe);
                  p.observer = "none";
                  p.services_problem = "service 'db' exited with code 1";
              },
              "service 'db' exited with code 1"},
        Doubt{"unseen_writers",
              [](RunRecord&, RunRecord& p) { p.unseen_writers.emplace("", "others can write there"); },
              "as far as can be seen, but others can write there"},
        Doubt{"unseen_writers_where_a_write_failed",
              [](RunRecord&, RunRecord& p) {
                  p.attempts = {attempt("create", "/data/x", EROFS)};
                  p.unseen_writers.emplace("", "others can write there");
              },
              "failed, and others can write there"},
        Doubt{"unseen_writers_where_a_write_was_left_out",
              [](RunRecord& c, RunRecord& p) {
                  c.attempts = {attempt("create", "/data/state", 0)};
                  p.unseen_writers.emplace("", "others can write there");
              },
              "; others can write there"},
        Doubt{"canary_not_seen", [](RunRecord&, RunRecord& p) { p.canary["/data"] = Canary::not_seen; },
              "did not see it"},
        Doubt{"canary_not_refused", [](RunRecord&, RunRecord& p) { p.canary["/data"] = Canary::not_refused; },
              "did not refuse"},
        Doubt{"canary_failed", [](RunRecord&, RunRecord& p) { p.canary["/data"] = Canary::failed; },
              "could not be made"},
        Doubt{"canary_missing", [](RunRecord&, RunRecord& p) { p.canary.clear(); }, "no canary write"}),
    [](const auto& each) { return std::string(each.param.name); });

// A page that is answered in the same way and says something else: an application that finds a mount
// read-only may do less, and answer 200.
TEST_F(Judge, PagesThatSaySomethingElseAreTolerated) {
    control.observations["pages"].contents = {{"80/", 1}, {"80/clock", 2}, {"80/once", 3}};
    control.observations["pages again"].contents = {{"80/", 1}, {"80/clock", 4}};
    probe.observations["pages"].contents = {{"80/", 1}, {"80/clock", 5}, {"80/once", 6}};
    probe.observations["pages again"].contents = {{"80/", 1}, {"80/clock", 7}};
    EXPECT_EQ(verdict(), Verdict::safe);
    probe.observations["pages again"].contents["80/"] = 8;
    const MountResult result = judged();
    EXPECT_EQ(result.verdict, Verdict::tolerated);
    EXPECT_NE(result.reason.find("GET / of port 80 shows something else"), std::string::npos)
        << result.reason;
}

// What one of them says is nothing about the other.
TEST_F(Judge, PagesOfTwoServicesWithTheSamePortAreTwo) {
    control.observations["pages of web"].contents =
        control.observations["pages of web again"].contents = {{"80/", 1}};
    control.observations["pages of api"].contents =
        control.observations["pages of api again"].contents = {{"80/", 2}};
    probe.observations = control.observations;
    EXPECT_EQ(verdict(), Verdict::safe);
    probe.observations["pages of web again"].contents["80/"] = 2;
    EXPECT_EQ(verdict(), Verdict::tolerated);
}

}  // namespace
}  // namespace rogate::verdict
