#include "observe/recorder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

namespace rogate::observe {
namespace {

const std::vector<std::string> targets = {"/", "/data", "/data/sub", "/etc/app"};

TEST(TargetOf, IsTheLongestTargetThatTheMountPointLiesIn) {
    EXPECT_EQ(target_of("/data", targets), "/data");
    EXPECT_EQ(target_of("/data/sub", targets), "/data/sub");
    EXPECT_EQ(target_of("/data/nested", targets), "/data");
    EXPECT_EQ(target_of("/database", targets), "/");
    EXPECT_EQ(target_of("/etc/hosts", targets), "/");
    EXPECT_EQ(target_of("/proc/sys", targets), "");
    EXPECT_EQ(target_of("/dev", targets), "");
    EXPECT_EQ(target_of("/dev/shm", {"/", "/dev/shm"}), "/dev/shm");
    EXPECT_EQ(target_of("", targets), "");
}

AttemptEvent event(std::string syscall, std::string path, int error = EROFS) {
    AttemptEvent made;
    made.syscall = std::move(syscall);
    made.path = std::move(path);
    made.mount = "/data";
    made.comm = "app";
    made.fixed.error = error;
    made.fixed.root = 100;
    made.fixed.pid = 100;
    static std::uint64_t id = 0;
    made.fixed.id = ++id;
    return made;
}

TEST(OperationOf, NamesTheOperationNotTheCall) {
    const auto of = [](std::string call, std::uint32_t open_flags = 0, std::uint32_t flags = 0) {
        AttemptEvent made = event(std::move(call), "/data/x");
        made.fixed.open_flags = open_flags;
        made.fixed.flags = flags;
        return operation_of(made);
    };
    EXPECT_EQ(of("openat", O_WRONLY | O_CREAT, ATTEMPT_CREATES), "create");
    EXPECT_EQ(of("openat", O_RDWR), "open-write");
    EXPECT_EQ(of("open", O_RDONLY | O_TRUNC), "truncate");
    EXPECT_EQ(of("openat", O_TMPFILE | O_RDWR), "create");
    EXPECT_EQ(of("renameat2"), "rename");
    EXPECT_EQ(of("linkat"), "link");
    EXPECT_EQ(of("unlinkat"), "unlink");
    EXPECT_EQ(of("fchmodat2"), "chmod");
    EXPECT_EQ(of("lchown"), "chown");
    EXPECT_EQ(of("utimensat"), "utime");
    EXPECT_EQ(of("fremovexattr"), "removexattr");
    EXPECT_EQ(of("faccessat2"), "access");
    EXPECT_EQ(of("symlinkat"), "symlink");
    EXPECT_EQ(of("io_uring:openat", O_WRONLY), "open-write");
    EXPECT_EQ(of("io_uring:openat2", O_WRONLY | O_CREAT, ATTEMPT_CREATES), "create");
    EXPECT_EQ(of("io_uring:fsetxattr"), "setxattr");
}

class Recording_ : public ::testing::Test {
  protected:
    Recording_() : recorder(targets, {"entrypoint"}) { recorder.take(RootEvent{100, 1, "app", 0}); }
    Recorder recorder;
};

TEST_F(Recording_, CountsAreExact) {
    AttemptEvent first = event("openat", "/data/x"), second = event("openat", "/data/x");
    second.fixed.pid = 200;
    const std::uint64_t id = first.fixed.id;
    recorder.take(first);
    recorder.take(second);
    recorder.take(CountEvent{id, 999'999});
    const Recording recording = recorder.finish();
    ASSERT_EQ(recording.attempts.size(), 1U);
    EXPECT_EQ(recording.attempts[0].count, 1'000'000U);
    EXPECT_EQ(recording.attempts[0].mount, "/data");
}

TEST_F(Recording_, TheFirstAttemptSpeaksForItsEquals) {
    Recorder timed(targets, {"entrypoint"});
    timed.take(RootEvent{100, 1, "app", 2'000'000'000});
    AttemptEvent late = event("openat", "/data/x"), early = event("openat", "/data/x");
    late.fixed.time = 4'500'000'000;
    early.fixed.time = 2'250'000'000;
    early.fixed.pid = 300;
    early.fixed.parent = 100;
    early.fixed.open_flags = O_WRONLY | O_CREAT;
    timed.take(late);
    timed.take(RootEvent{100, 1, "app", 9'000'000'000});  // a restart
    timed.take(early);
    const Recording recording = timed.finish();
    ASSERT_EQ(recording.attempts.size(), 1U);
    EXPECT_EQ(recording.attempts[0].count, 2U);
    EXPECT_DOUBLE_EQ(recording.attempts[0].first_s, 0.25);
    EXPECT_EQ(recording.attempts[0].process.pid, 300);
    EXPECT_EQ(recording.attempts[0].process.parent, 100);
    EXPECT_EQ(recording.attempts[0].open_flags, static_cast<std::uint32_t>(O_WRONLY | O_CREAT));
}

TEST_F(Recording_, KeepsApartWhatDiffers) {
    recorder.take(event("openat", "/data/x"));
    recorder.take(event("openat", "/data/y"));
    recorder.take(event("openat", "/data/x", 0));
    recorder.take(event("unlink", "/data/x"));
    EXPECT_EQ(recorder.finish().attempts.size(), 4U);
}

TEST_F(Recording_, PhasesByNumberAndProcess) {
    const std::uint32_t step = recorder.add_phase("step one");
    AttemptEvent main = event("mkdir", "/data/a"), own = event("mkdir", "/data/b"),
                 health = event("mkdir", "/data/c");
    main.fixed.phase = own.fixed.phase = health.fixed.phase = step;
    own.fixed.root = 300;
    health.fixed.root = 400;
    recorder.own_processes({300});
    recorder.take(RootEvent{300, 77, "sh", 0});
    recorder.take(RootEvent{400, 78, "curl", 0});
    recorder.take(main);
    recorder.take(own);
    recorder.take(health);
    std::map<std::string, std::string> phases;
    for (const Attempt& attempt : recorder.finish().attempts) phases[attempt.path.str()] = attempt.phase;
    EXPECT_EQ(phases.at("/data/a"), "step one");
    EXPECT_EQ(phases.at("/data/b"), "step one");
    EXPECT_EQ(phases.at("/data/c"), "healthcheck");
}

TEST_F(Recording_, RefusalOnAMountThatIsNotKnownIsDoubtedAndNotLost) {
    AttemptEvent doubtful = event("openat", "/data/x");
    doubtful.fixed.flags = ATTEMPT_DOUBTFUL;
    recorder.take(doubtful);
    recorder.take(StatsEvent{2, 10});
    const Recording recording = recorder.finish();
    EXPECT_EQ(recording.lost_events, 2U);
    EXPECT_EQ(
        recording.problem,
        "app was refused 'open-write' at /data/x by openat, and it is not known which mount refused it");
    EXPECT_TRUE(recording.is_guess);
    EXPECT_EQ(recording.attempts.size(), 1U);
}

TEST_F(Recording_, OneOfManyDoubtsSpeaksForThemAndSoDoesWhatTheAgentSays) {
    for (const char* path : {"/data/x", "/data/y", "/data/z"}) {
        AttemptEvent doubtful = event("openat", path);
        doubtful.fixed.flags = ATTEMPT_DOUBTFUL;
        recorder.take(doubtful);
    }
    Recorder told = recorder;
    EXPECT_THAT(recorder.finish().problem, testing::EndsWith("(the first of 3 such)"));
    told.take(DoubtEvent{0, DOUBT_RUN, "one thing"});
    told.take(DoubtEvent{0, DOUBT_RUN, "another"});
    const Recording recording = told.finish();
    EXPECT_EQ(recording.problem, "one thing");
    EXPECT_FALSE(recording.is_guess);
    EXPECT_EQ(recording.lost_events, 0U);
}

TEST_F(Recording_, WhatWasChangedBeforeItWasLookedAtIsNoNoOp) {
    AttemptEvent changed = event("chmod", "/data/x"), other = event("chmod", "/data/y");
    changed.fixed.flags = other.fixed.flags = ATTEMPT_NO_OP;
    recorder.take(changed);
    recorder.take(other);
    recorder.take(DoubtEvent{changed.fixed.id, DOUBT_STATE, ""});
    std::map<std::string, AttemptClass> classes;
    const Recording recording = recorder.finish();
    for (const Attempt& attempt : recording.attempts) classes[attempt.path.str()] = attempt.cls;
    EXPECT_EQ(classes.at("/data/x"), AttemptClass::write);
    EXPECT_EQ(classes.at("/data/y"), AttemptClass::no_op);
    EXPECT_EQ(recording.problem, "");
}

TEST_F(Recording_, TargetsAreCalledAsTheyWereAskedFor) {
    Recorder linked({"/", "/var/run/app"}, {"entrypoint"});
    linked.take(TargetEvent{"/var/run/app", "/run/app"});
    AttemptEvent made = event("mkdir", "/run/app/x");
    made.mount = "/run/app";
    linked.take(made);
    linked.take(UseEvent{3, "/run/app"});
    linked.take(UseEvent{2, "/run/application"});
    const Recording recording = linked.finish();
    ASSERT_EQ(recording.attempts.size(), 1U);
    EXPECT_EQ(recording.attempts[0].mount, "/var/run/app");
    EXPECT_EQ(recording.attempts[0].path, "/var/run/app/x");
    EXPECT_EQ(recording.uses, (std::map<std::string, std::uint64_t>{{"/", 2}, {"/var/run/app", 3}}));
    EXPECT_EQ(recording.problem, "");
}

// Overlays of the runs' give no file handles; of the root file system, neither does that of the user's.
TEST_F(Recording_, FileHandlesThatTheRunsDoNotGive) {
    AttemptEvent on_root = event("name_to_handle_at", "/etc/x", EOPNOTSUPP), on_mount = on_root;
    on_root.mount = "/";
    on_mount.path = "/data/x";
    recorder.take(on_root);
    EXPECT_EQ(Recorder(recorder).finish().problem, "");
    recorder.take(on_mount);
    const Recording recording = recorder.finish();
    EXPECT_THAT(recording.problem, testing::HasSubstr("/data/x by name_to_handle_at"));
    EXPECT_TRUE(recording.attempts.empty());
    EXPECT_FALSE(recording.is_guess);
}

TEST_F(Recording_, RefusalOnAMountThatTheSubjectMadeIsDoubted) {
    // mount --bind /data /tmp/root/data; chroot /tmp/root touch /data/x
    AttemptEvent elsewhere = event("openat", "/tmp/root/data/x");
    elsewhere.mount = "/tmp/root/data";
    elsewhere.fixed.error = EROFS;
    recorder.take(elsewhere);
    for (const char* engines : {"/proc/sys", "/etc/hosts", "/"}) {
        AttemptEvent no_users = event("openat", "/x");
        no_users.mount = engines;
        no_users.fixed.error = EROFS;
        recorder.take(no_users);
    }
    EXPECT_THAT(recorder.finish().problem,
                testing::StartsWith("app was refused 'open-write' at /tmp/root/data/x"));
}

// mount --bind /data /other/in; touch /other/in/x: it is not /other that refuses.
TEST_F(Recording_, NorIsOneBelowAnotherMountThatMount) {
    for (const char* point : {"/data/in", "/data", "/data/submount"}) {
        AttemptEvent refused = event("openat", std::string(point) + "/x");
        refused.mount = point;
        refused.fixed.error = EROFS;
        recorder.take(refused);
    }
    Recorder unknown = recorder;  // of a container that was joined it is not known what it had at the start
    EXPECT_EQ(unknown.finish().problem, "");
    recorder.know_all({"/data/submount"});
    EXPECT_THAT(recorder.finish().problem, testing::HasSubstr("at /data/in/x"));
}

// Podman mounts a tmpfs on /run, /tmp and /var/tmp of a container whose root is read-only.
TEST_F(Recording_, SuccessOnAMountThatIsNobodysIsNoWriteOnTheRoot) {
    const std::map<std::string, std::string> target_of_mount = {
        {"/", "/"}, {"/var/tmp", ""}, {"/dev/shm", ""}, {"/data", "/data"}, {"/data/below", "/data"}};
    for (const auto& [mount, target] : target_of_mount) {
        AttemptEvent made = event("openat", mount + "/x", 0);
        made.mount = mount;
        recorder.take(made);
    }
    std::map<std::string, std::string> found;
    const Recording recording = recorder.finish();
    for (const Attempt& attempt : recording.attempts) found[attempt.path.str()] = attempt.mount;
    for (const auto& [mount, target] : target_of_mount) EXPECT_EQ(found.at(mount + "/x"), target) << mount;
    EXPECT_EQ(recording.lost_events, 0U);
}

TEST(RecordingLimits, WhatIsBeyondThemCountsAsLost) {
    Recorder few({"/data"}, {"entrypoint"}, {.kinds = 3, .text_bytes = 1000});
    AttemptEvent one;
    one.mount = "/data";
    one.syscall = "mkdir";
    for (int i = 0; i < 10; ++i) {
        one.fixed.id = static_cast<std::uint64_t>(i);
        one.path = "/data/" + std::to_string(i);
        few.take(one);
        few.take(CountEvent{one.fixed.id, 2});
    }
    few.take(StatsEvent{1, 10});
    const Recording recording = few.finish();
    EXPECT_EQ(recording.attempts.size(), 3U);
    EXPECT_EQ(recording.lost_events, 8U);

    Recorder short_texts({"/data"}, {"entrypoint"}, {.kinds = 100, .text_bytes = 1000});
    one.path = "/data/" + std::string(600, 'x');
    for (int i = 0; i < 10; ++i) short_texts.take(one);
    EXPECT_EQ(short_texts.finish().lost_events, 8U);
}

TEST_F(Recording_, ClassesComeFromTheCallAndTheFilesState) {
    AttemptEvent no_op = event("chmod", "/data/x");
    no_op.fixed.flags = ATTEMPT_NO_OP;
    recorder.take(no_op);
    recorder.take(event("access", "/data/y"));
    std::map<std::string, AttemptClass> classes;
    for (const Attempt& attempt : recorder.finish().attempts) classes[attempt.path.str()] = attempt.cls;
    EXPECT_EQ(classes.at("/data/x"), AttemptClass::no_op);
    EXPECT_EQ(classes.at("/data/y"), AttemptClass::access_check);
}

TEST_F(Recording_, UsesBelongToTargets) {
    recorder.take(UseEvent{3, "/data"});
    recorder.take(UseEvent{4, "/data/nested"});
    recorder.take(UseEvent{5, "/proc"});
    EXPECT_EQ(recorder.finish().uses, (std::map<std::string, std::uint64_t>{{"/data", 7}}));
}

// Files that were there before the restart; and directories, if something was left in them.
TEST(ReadBack, IsWhatCanHaveBeenReadAfterARestart) {
    Recorder recorder({"/", "/data"}, {"entrypoint"});
    recorder.take(RootEvent{100, 1, "app", 1'000});
    EXPECT_FALSE(Recorder(recorder).finish().read_back.has_value());  // no restart, nothing to tell
    recorder.take(ReadEvent{7, 1, "/data/cache"});
    const auto done = [&](const char* call, std::uint64_t time, std::uint32_t kind = 0) {
        AttemptEvent made = event(call, "/data/cache/x", 0);
        made.mount = "/data/cache";
        made.fixed.flags = kind;
        made.fixed.time = time;
        recorder.take(made);
    };
    done("openat", 2'000, ATTEMPT_CREATES);
    done("unlink", 3'000);
    recorder.take(RootEvent{200, 1, "app", 9'000});
    recorder.take(ReadEvent{0, 5, "/data/cache"});
    Recording recording = Recorder(recorder).finish();
    EXPECT_EQ(recording.read_back.value().at("/data/cache"), 0U);  // an empty directory has no content
    EXPECT_EQ(recording.listed.at("/data/cache"), 5U);
    recorder.take(ReadEvent{2, 0, "/data/cache"});
    EXPECT_EQ(Recorder(recorder).finish().read_back.value().at("/data/cache"), 2U);
    done("openat", 4'000, ATTEMPT_CREATES);
    EXPECT_EQ(Recorder(recorder).finish().read_back.value().at("/data/cache"), 7U);
    recorder.take(
        RootEvent{300, 1, "app", 9'500});  // what the one restart has shown, another does not take back
    EXPECT_EQ(recorder.finish().read_back.value().at("/data/cache"), 7U);
}

TEST(ReadBack, WhatIsRenamedAwayIsNotLeft) {
    Recorder recorder({"/"}, {"entrypoint"});
    recorder.take(RootEvent{100, 1, "app", 1'000});
    const auto done = [&](const char* call, const char* path, std::uint32_t kind) {
        AttemptEvent made = event(call, path, 0);
        made.mount = "/cache";
        made.fixed.flags = kind;
        made.fixed.time = 2'000;
        recorder.take(made);
    };
    done("openat", "/cache/new", ATTEMPT_CREATES);
    done("rename", "/cache/new", 0);
    recorder.take(RootEvent{200, 1, "app", 9'000});
    recorder.take(ReadEvent{0, 1, "/cache"});
    EXPECT_EQ(Recorder(recorder).finish().read_back.value().at("/cache"), 0U);
    done("rename", "/cache/kept", ATTEMPT_SECOND);
    EXPECT_EQ(recorder.finish().read_back.value().at("/cache"), 1U);
}

TEST(Noexec, IsToldByMountPointAndIsNoAttempt) {
    Recorder recorder({"/"}, {"entrypoint"});
    AttemptEvent refused = event("execve", "/tmp/tool", EACCES);
    refused.mount = "/tmp";
    refused.fixed.flags = ATTEMPT_NOEXEC;
    recorder.take(refused);
    const Recording recording = recorder.finish();
    EXPECT_EQ(recording.exec_refused, (std::map<std::string, std::string>{{"/tmp", "/tmp/tool"}}));
    EXPECT_TRUE(recording.attempts.empty());
}

AttemptEvent opening(std::uint32_t open_flags, int error, std::uint32_t flags = 0) {
    AttemptEvent made = event("openat", "/data/db", error);
    made.fixed.open_flags = open_flags;
    made.fixed.flags = flags;
    return made;
}
AttemptEvent reading() {
    return opening(O_RDONLY, 0, ATTEMPT_READ_INSTEAD | ATTEMPT_NO_OP);
}

TEST_F(Recording_, WhatIsReadInsteadIsTold) {
    recorder.take(opening(O_RDWR | O_CREAT, EROFS));
    recorder.take(reading());
    const Recording recording = recorder.finish();
    ASSERT_EQ(recording.attempts.size(), 1U);  // the reading is none
    EXPECT_TRUE(recording.attempts[0].read_instead);
    EXPECT_EQ(recording.attempts[0].cls, AttemptClass::write);
}

TEST_F(Recording_, WhatIsReadInsteadIsReadAsOftenAsItWasRefused) {
    AttemptEvent refused = opening(O_RDWR, EROFS), read = reading();
    recorder.take(CountEvent{refused.fixed.id, 3});
    recorder.take(CountEvent{read.fixed.id, 2});
    recorder.take(refused);
    recorder.take(read);
    EXPECT_FALSE(recorder.finish().attempts.at(0).read_instead);
}

TEST_F(Recording_, WhatIsNotSurelyReadInsteadIsNot) {
    const auto read_instead = [](const AttemptEvent& refused, const AttemptEvent& read) {
        Recorder one(targets, {"entrypoint", "step"});
        one.take(RootEvent{100, 1, "app", 0});
        one.take(refused);
        one.take(read);
        const Recording recording = one.finish();
        return std::ranges::any_of(recording.attempts, &Attempt::read_instead);
    };
    EXPECT_TRUE(read_instead(opening(O_RDWR, EROFS), reading()));
    for (const std::uint32_t flags : {O_WRONLY, O_RDWR | O_TRUNC, O_RDWR | O_APPEND, O_RDWR | O_TMPFILE})
        EXPECT_FALSE(read_instead(opening(flags, EROFS), reading())) << flags;
    for (const std::uint32_t flags :
         {ATTEMPT_LEXICAL, ATTEMPT_TRUNCATED, ATTEMPT_DOUBTFUL, ATTEMPT_IO_URING, ATTEMPT_CREATES})
        EXPECT_FALSE(read_instead(opening(O_RDWR | O_CREAT, EROFS, flags), reading())) << flags;
    EXPECT_FALSE(read_instead(opening(O_RDWR, EACCES), reading()));
    AttemptEvent other = reading();
    other.path = "/data/other";
    EXPECT_FALSE(read_instead(opening(O_RDWR, EROFS), other));
    other = reading();
    other.mount = "/etc/app";
    EXPECT_FALSE(read_instead(opening(O_RDWR, EROFS), other));
    other = reading();
    other.comm = "another";
    EXPECT_FALSE(read_instead(opening(O_RDWR, EROFS), other));
    other = reading();
    other.fixed.phase = 1;
    EXPECT_FALSE(read_instead(opening(O_RDWR, EROFS), other));
}

TEST_F(Recording_, WhatElseIsRefusedOfAFileIsNotReadInstead) {
    recorder.take(opening(O_RDWR, EROFS));
    recorder.take(event("fchmod", "/data/db"));
    recorder.take(reading());
    recorder.take(reading());
    for (const Attempt& each : recorder.finish().attempts) EXPECT_FALSE(each.read_instead);
}

TEST_F(Recording_, WhereSomebodyLookedIsToldOncePerMount) {
    const auto look = [&](std::string path, std::string mount) {
        AttemptEvent made = event("newfstatat", std::move(path), 0);
        made.mount = std::move(mount);
        made.fixed.flags = ATTEMPT_LOOK | ATTEMPT_NO_OP;
        recorder.take(made);
    };
    look("/data/x", "/data");
    look("/data/y", "/data");
    look("/proc/1/stat", "/proc");
    look("/lost", "");
    const Recording recording = recorder.finish();
    ASSERT_EQ(recording.attempts.size(), 2U);
    for (const Attempt& each : recording.attempts) EXPECT_EQ(each.cls, AttemptClass::access_check);
    EXPECT_TRUE(recording.problem.empty());
}

CapabilityEvent asked(int capability, std::uint32_t root, int error = 0) {
    CapabilityEvent made;
    made.fixed.capability = capability;
    made.fixed.root = root;
    made.fixed.phase = 1;
    made.fixed.count = 2;
    made.fixed.error = error;
    made.comm = "app";
    made.call = "chown";
    return made;
}

TEST(Checks, OfProcessesThatAgreeAreOne) {
    Recorder recorder(targets, {"entrypoint", "ready"});
    recorder.take(RootEvent{100, 1, "app", 5});
    recorder.own_processes({200});
    recorder.take(asked(0, 100));
    recorder.take(asked(0, 200));
    recorder.take(asked(0, 300));
    recorder.take(asked(0, 100, EPERM));
    recorder.take(asked(-1, 100, EACCES));
    recorder.take(ChecksEvent{7, true});
    const Recording recording = recorder.finish();
    ASSERT_TRUE(recording.checks);
    EXPECT_EQ(recording.checks->lost, 7U);
    EXPECT_TRUE(recording.checks->audited_only);
    ASSERT_EQ(recording.checks->all.size(), 4U);
    const CapabilityCheck& first = recording.checks->all[0];
    EXPECT_EQ(first.capability, "CHOWN");
    EXPECT_EQ(first.call, "chown");
    EXPECT_EQ(first.phase, "ready");
    EXPECT_EQ(first.count, 4U);
    EXPECT_EQ(recording.checks->all[1].phase, "healthcheck");
    EXPECT_EQ(recording.checks->all[2].error, EPERM);
    EXPECT_TRUE(recording.checks->all[3].capability.empty());
}

// Not the same as none: an observer that sees no checks says nothing of them.
TEST(Checks, AreNotKnownWithoutTheirEnd) {
    Recorder silent(targets, {"entrypoint"}), none(targets, {"entrypoint"});
    silent.take(asked(0, 100));
    none.take(ChecksEvent{0, false});
    EXPECT_FALSE(silent.finish().checks);
    EXPECT_EQ(none.finish().checks, CapabilityChecks{});
}

}  // namespace
}  // namespace rogate::observe
