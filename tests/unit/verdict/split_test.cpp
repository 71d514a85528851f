#include "verdict/split.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "base/text.hpp"
#include "verdict/compare.hpp"
#include "verdict/plan.hpp"

namespace rogate::verdict {
namespace {

struct Write {
    std::string operation, path;
    bool fatal = false;        // the application ends when it fails
    std::string instead = {};  // what is tried where it fails; the application ends when that fails, too
};

// An application with one mount that makes these writes in turn, and stops at the first fatal one that fails.
class Application {
  public:
    explicit Application(std::vector<Write> writes) : writes_(std::move(writes)) {
        question.candidates = {"/data"};
        Mount mount;
        mount.target = "/data";
        question.mounts = {mount};
        question.can_make_mount_points = {"/data"};
        directory("/data", false);
    }

    void directory(const std::string& path, bool empty, std::uint32_t uid = 0) {
        question.facts[path] = {
            .exists = true, .is_directory = true, .empty = empty, .uid = uid, .gid = uid, .mode = 0750};
    }

    RunRecord run(const RunPlan& plan) const {
        RunRecord record;
        record.plan = plan;
        record.exit_code = 0;
        record.passed = true;
        for (const std::string& target : plan.read_only) record.canary[target] = Canary::seen;
        record.uses["/data"] = 1;
        for (const Write& write : writes_) {
            Attempt attempt;
            attempt.mount = "/data";
            attempt.operation = write.operation;
            attempt.path = write.path;
            attempt.process.uid = 33;
            attempt.phase = phase;
            attempt.error = may_write(plan, write) ? 0 : EROFS;
            record.attempts.edit().push_back(attempt);
            if (attempt.error != 0 && write.fatal) record.passed = false;
            if (attempt.error != 0 && !write.instead.empty()) {
                Attempt second = attempt;
                second.path = write.instead;
                second.error = may_write(plan, {write.operation, write.instead}) ? 0 : EROFS;
                record.attempts.edit().push_back(second);
                if (second.error != 0) record.passed = false;
            }
            if (!record.passed) break;
        }
        const bool any_tmpfs =
            std::any_of(plan.writable.begin(), plan.writable.end(),
                        [](const WritablePath& path) { return path.as == WritableAs::tmpfs; });
        if (tmpfs_fails && any_tmpfs) record.passed = false;
        for (const WritablePath& path : plan.writable)
            if (path.path == executes && path.as == WritableAs::tmpfs &&
                !path.tmpfs_options.ends_with(",exec"))
                record.exec_refused[executes] = executes + "/tool";
        const bool crashed = plan.crashes && !starts_after_a_crash && record.passed;
        if (crashed && tells_reads_after_a_crash)
            for (const WritablePath& path : plan.writable) record.read_back.emplace()[path.path] = read_back;
        if (crashed) record.passed = false;
        record.phases = {{.name = "ready", .passed = record.passed, .message = "no", .duration_s = 0}};
        if (crashed)
            record.phases = {{.name = crash_phase, .passed = false, .message = "no", .duration_s = 0}};
        if (!plan.again || !record.passed) return record;
        record.passed = passes_twice && !(needs_what_it_wrote && any_tmpfs);
        record.phases.push_back(
            {.name = "again: step x", .passed = record.passed, .message = "gone", .duration_s = 0});
        if (tells_reads) record.read_back.emplace();
        for (const WritablePath& path : plan.writable)
            if (tells_reads && path.as == WritableAs::volume) (*record.read_back)[path.path] = read_back;
        return record;
    }

    MountResult settle() {
        for (;;) {
            const NextStep step = next_step(question, runs);
            for (const std::string& path : step.look_at) question.facts.try_emplace(path);
            if (!step.run && step.look_at.empty()) break;
            if (!step.run) continue;
            RunRecord record = run(*step.run);
            for (const char* asked : {"pages", "pages again"})
                record.observations[asked].contents["80/"] = shows_more && !step.run->read_only.empty();
            if (others_write) record.unseen_writers.emplace("", "others can write there");
            if (!runs.empty()) compare_with_control(record, runs.front());
            runs.push_back(std::move(record));
            if (runs.size() > 20) break;
        }
        return judge_all(question, runs).front();
    }

    Question question;
    std::vector<RunRecord> runs;
    bool shows_more = false;  // that it may not write everywhere
    bool others_write = false;
    bool tmpfs_fails = false, needs_what_it_wrote = false, passes_twice = true, tells_reads = true;
    bool starts_after_a_crash = true, tells_reads_after_a_crash = false;
    std::string executes = {};  // a directory with a program; that it cannot be executed is not noticed
    std::uint64_t read_back = 0;
    std::string phase = "ready";

  private:
    static bool below(const std::string& path, const std::string& above) {
        return path.starts_with(above + "/");
    }
    static bool may_write(const RunPlan& plan, const Write& write) {
        if (plan.read_only.empty()) return true;
        for (const WritablePath& kept : plan.writable)
            if (below(write.path, kept.path) || (write.operation == "mkdir" && write.path == kept.path))
                return true;
        return false;
    }

    std::vector<Write> writes_;
};

TEST(Split, SaysWhichPageShowsSomethingElse) {
    Application application({{"create", "/data/run/app.pid", true}});
    application.directory("/data/run", true, 33);
    application.shows_more = true;
    const MountResult result = application.settle();
    EXPECT_EQ(result.verdict, Verdict::split);
    EXPECT_NE(result.reason.find("GET / of port 80 shows something else"), std::string::npos)
        << result.reason;
}

// They may write elsewhere on the mount.
TEST(Split, IsNoneWhereOthersWriteUnseen) {
    Application application({{"create", "/data/run/app.pid", true}});
    application.directory("/data/run", true, 33);
    application.others_write = true;
    const MountResult result = application.settle();
    EXPECT_EQ(result.verdict, Verdict::required);
    EXPECT_NE(result.reason.find("cannot be told, since others can write there"), std::string::npos)
        << result.reason;
}

TEST(Split, KeepsThePidFilesDirectoryWritable) {
    Application application({{"create", "/data/run/app.pid", true}});
    application.directory("/data/run", true, 33);
    const MountResult result = application.settle();
    EXPECT_EQ(result.verdict, Verdict::split);
    ASSERT_EQ(result.writable.size(), 1U);
    EXPECT_EQ(result.writable[0].path, "/data/run");
    EXPECT_EQ(result.writable[0].as, WritableAs::tmpfs);
    EXPECT_EQ(result.writable[0].tmpfs_options, "mode=0750,uid=33,gid=33");
    EXPECT_FALSE(result.writable[0].needs_mount_point);
    EXPECT_EQ(result.reason,
              "read-only fails ready: no; refused: create /data/run/app.pid, but passes with /data/run "
              "(tmpfs) writable");
    // control, alone, split; the split run is its own proof.
    EXPECT_EQ(application.runs.size(), 3U);
    const Recommendation advice = recommend({result}, application.runs);
    EXPECT_EQ(advice.read_only, (std::vector<std::string>{"/data"}));
    EXPECT_EQ(advice.writable, result.writable);
    EXPECT_EQ(advice.verified_by_run, 3);
}

TEST(Split, ATmpfsIsOfferedOnceARestartHasEmptiedOne) {
    Application application({{"create", "/data/run/app.pid", true}});
    application.directory("/data/run", true);
    const MountResult result = application.settle();
    EXPECT_EQ(result.writable.at(0).reason,
              "only sockets, pid and lock files and temporary files are written there, and the scenario "
              "passes again after a restart that empties it (run 3)");
    EXPECT_TRUE(application.runs.at(2).plan.again);
    application = Application({{"create", "/data/run/app.pid", true}});
    application.directory("/data/run", true);
    application.question.after_restart.emplace();  // a step does it
    EXPECT_EQ(application.settle().writable.at(0).as, WritableAs::tmpfs);
    EXPECT_FALSE(application.runs.at(2).plan.again);
}

TEST(Split, ARestartBeforeTheLastWritesShowsNothingOfThem) {
    Application application({{"create", "/data/run/app.pid", true}});
    application.directory("/data/run", true);
    application.phase = "step rebuild";
    application.question.after_restart = {"step look", "step rebuild"};
    application.settle();
    EXPECT_TRUE(application.runs.at(2).plan.again);
    application.runs.clear();
    application.question.after_restart = {"step look"};
    application.settle();
    EXPECT_FALSE(application.runs.at(2).plan.again);
}

TEST(Split, WhatIsMissedAfterARestartTakesAVolume) {
    Application application({{"create", "/data/run/app.pid", true}});
    application.directory("/data/run", true);
    application.needs_what_it_wrote = true;
    const MountResult result = application.settle();
    EXPECT_EQ(result.verdict, Verdict::split);
    EXPECT_EQ(result.writable.at(0).as, WritableAs::volume);
    EXPECT_EQ(result.writable.at(0).reason,
              "the scenario does not pass again after a restart that empties it (run 3)");
    EXPECT_EQ(application.runs.size(), 4U);
}

// A name alone is no proof: first with a volume, to see whether anything is read back, then with a tmpfs.
TEST(Split, ByItsNameATmpfsTakesNothingReadBack) {
    Application application({{"create", "/data/cache/x", true}});
    application.directory("/data/cache", true);
    const MountResult result = application.settle();
    EXPECT_EQ(result.writable.at(0).as, WritableAs::tmpfs);
    EXPECT_EQ(result.writable.at(0).reason,
              "by its name it is for temporary files, nothing in it was opened for reading after a restart "
              "(run 3), and the scenario passes again after a restart that empties it (run 4)");
    EXPECT_EQ(application.runs.size(), 4U);
    EXPECT_EQ(recommend({result}, application.runs).verified_by_run, 4);
}

TEST(Split, WhatIsReadBackAfterARestartTakesAVolume) {
    Application application({{"create", "/data/cache/x", true}});
    application.directory("/data/cache", true);
    application.read_back = 2;
    const MountResult result = application.settle();
    EXPECT_EQ(result.writable.at(0).as, WritableAs::volume);
    EXPECT_EQ(result.writable.at(0).reason,
              "what was there was opened for reading 2 times after a restart (run 3)");
    EXPECT_EQ(application.runs.size(), 3U);
}

TEST(Split, WhatNobodyCanTellTakesAVolume) {
    Application application({{"create", "/data/cache/x", true}});
    application.directory("/data/cache", true);
    application.tells_reads = false;
    MountResult result = application.settle();
    EXPECT_EQ(result.writable.at(0).as, WritableAs::volume);
    EXPECT_EQ(result.writable.at(0).reason,
              "this observer cannot tell whether it is read back after a restart");
    application = Application({{"create", "/data/cache/x", true}});
    application.directory("/data/cache", true);
    application.passes_twice = false;
    result = application.settle();
    EXPECT_EQ(result.verdict, Verdict::split);
    EXPECT_EQ(result.writable.at(0).as, WritableAs::volume);
    EXPECT_EQ(result.writable.at(0).reason,
              "whether it is read back after a restart is not known, since the scenario does not pass twice "
              "(run 3)");
}

// "written, then renamed into its place" leaves a file.
TEST(Split, WhatIsRenamedIsNotGone) {
    Application application({{"create", "/data/state/new.tmp", true},
                             {"rename", "/data/state/new.tmp", true},
                             {"rename", "/data/state/current", true}});
    application.directory("/data/state", true);
    const MountResult result = application.settle();
    EXPECT_EQ(result.writable.at(0).as, WritableAs::volume);
    EXPECT_EQ(result.writable.at(0).reason, "what is written there may have to survive a restart");
}

TEST(Split, FilesThatMaySurviveTakeAVolume) {
    Application application({{"create", "/data/db/table", true}});
    application.directory("/data/db", true);
    const MountResult result = application.settle();
    ASSERT_EQ(result.writable.size(), 1U);
    EXPECT_EQ(result.writable[0].as, WritableAs::volume);
    EXPECT_EQ(result.writable[0].reason, "what is written there may have to survive a restart");
}

// What a lock file of a package manager says has to stay.
TEST(Split, WhichVersionsAreWantedMaySurvive) {
    Application application({{"create", "/data/plugins/composer.lock", true}});
    application.directory("/data/plugins", true);
    EXPECT_EQ(application.settle().writable.at(0).as, WritableAs::volume);
}

TEST(Split, ATmpfsHidesNothing) {
    Application application({{"create", "/data/cache/x", true}});
    application.directory("/data/cache", false);
    const MountResult result = application.settle();
    ASSERT_EQ(result.writable.size(), 1U);
    EXPECT_EQ(result.writable[0].as, WritableAs::volume);
    EXPECT_EQ(result.writable[0].reason, "it holds files already, which a tmpfs would hide");
}

TEST(Split, AVolumeIsTriedWhereATmpfsFails) {
    Application application({{"create", "/data/cache/x", true}});
    application.directory("/data/cache", true);
    application.tmpfs_fails = true;
    const MountResult result = application.settle();
    EXPECT_EQ(result.verdict, Verdict::split);
    ASSERT_EQ(result.writable.size(), 1U);
    EXPECT_EQ(result.writable[0].as, WritableAs::volume);
    EXPECT_EQ(result.writable[0].reason, "with a tmpfs there the scenario fails (run 4)");
    EXPECT_EQ(application.runs.size(), 4U);
}

// Podman 4 knows neither uid= nor gid=.
// A pid file or a socket that another container looks for.
TEST(Split, WhatOthersSeeAsWellIsNoTmpfs) {
    Application application({{"create", "/data/run/app.pid", true}});
    application.directory("/data/run", true);
    application.question.seen_elsewhere = {"/data"};
    EXPECT_EQ(application.settle().writable.at(0).as, WritableAs::volume);

    // Made anew below a volume it would be a volume of its own, which nobody else has.
    application = Application({{"mkdir", "/data/run", true}, {"create", "/data/run/app.pid", true}});
    application.question.seen_elsewhere = {"/data"};
    application.question.mounts.front().type = MountType::volume;
    EXPECT_EQ(application.settle().verdict, Verdict::required);
    application.runs.clear();
    application.question.mounts.front().type = MountType::bind;
    EXPECT_EQ(application.settle().writable.at(0).as, WritableAs::volume);
}

TEST(Split, WhereATmpfsIsAlwaysRootsAnothersDirectoryIsAVolume) {
    for (const std::uint32_t owner : {0, 33}) {
        Application application({{"create", "/data/run/app.pid", true}});
        application.directory("/data/run", true, owner);
        application.question.tmpfs_has_owner = false;
        const MountResult result = application.settle();
        EXPECT_EQ(result.verdict, Verdict::split);
        ASSERT_EQ(result.writable.size(), 1U);
        EXPECT_EQ(result.writable[0].as, owner == 0 ? WritableAs::tmpfs : WritableAs::volume);
        EXPECT_EQ(result.writable[0].tmpfs_options, owner == 0 ? "mode=0750" : "");
    }
}

TEST(Split, ADirectoryThatIsMadeInTheMountBecomesAMountPoint) {
    Application application({{"mkdir", "/data/tmp", true}, {"create", "/data/tmp/x", true}});
    const MountResult result = application.settle();
    EXPECT_EQ(result.verdict, Verdict::split);
    ASSERT_EQ(result.writable.size(), 1U);
    EXPECT_EQ(result.writable[0].path, "/data/tmp");
    EXPECT_TRUE(result.writable[0].needs_mount_point);
    EXPECT_EQ(result.writable[0].tmpfs_options, "mode=0755,uid=33,gid=33");
    application = Application({{"mkdir", "/data/tmp", true}, {"create", "/data/tmp/x", true}});
    application.question.can_make_mount_points.clear();
    EXPECT_EQ(application.settle().verdict, Verdict::required);
}

TEST(Split, TheMountsOwnDirectoryCannotBeSplitOff) {
    Application application({{"create", "/data/app.pid", true}});
    EXPECT_EQ(application.settle().verdict, Verdict::required);
    EXPECT_EQ(application.runs.size(), 2U);
}

TEST(Split, AnEmptyMountIsNotSplit) {
    Application application({{"mkdir", "/data/tmp", true}});
    application.directory("/data", true);
    EXPECT_EQ(application.settle().verdict, Verdict::required);
}

TEST(Split, AMountWithoutFilesIsNotSplit) {
    Application application({{"create", "/data/metrics/wal", true}});
    application.directory("/data/metrics", true);
    EXPECT_EQ(application.settle().verdict, Verdict::split);
    application.question.facts["/data"].only_directories = true;
    application.runs.clear();
    EXPECT_EQ(application.settle().verdict, Verdict::required);
}

// What fails first hides what would fail next, but the control run has seen it all: one trial is enough.
TEST(Split, ACascadeIsGrantedInOneTrial) {
    Application application({{"mkdir", "/data/a/sub", true},
                             {"create", "/data/b/x.lock", true},
                             {"create", "/data/c/y.sock", true}});
    for (const char* path : {"/data/a", "/data/b", "/data/c"}) application.directory(path, true);
    const MountResult result = application.settle();
    EXPECT_EQ(result.verdict, Verdict::split);
    std::vector<std::string> paths;
    for (const WritablePath& each : result.writable) paths.push_back(each.path);
    EXPECT_EQ(paths, (std::vector<std::string>{"/data/a", "/data/b", "/data/c"}));
    EXPECT_EQ(application.runs.size(), 3U);
}

// A write in the mount's root that the application can do without does not stand in the way.
TEST(Split, WhatTheApplicationCanDoWithoutIsLeftOut) {
    Application application({{"create", "/data/note", false}, {"create", "/data/run/app.pid", true}});
    application.directory("/data/run", true);
    const MountResult result = application.settle();
    EXPECT_EQ(result.verdict, Verdict::split);
    EXPECT_NE(result.reason.find("1 kind of write still failed"), std::string::npos) << result.reason;
}

TEST(Split, ManySiblingsAreOneDirectory) {
    std::vector<Write> writes;
    for (char name = 'a'; name < 'a' + 12; ++name)
        writes.push_back({"create", std::string("/data/all/") + name + "/x", true});
    Application application(writes);
    application.directory("/data/all", false);
    for (char name = 'a'; name < 'a' + 12; ++name)
        application.directory(std::string("/data/all/") + name, true);
    const MountResult result = application.settle();
    ASSERT_EQ(result.writable.size(), 1U);
    EXPECT_EQ(result.writable[0].path, "/data/all");
}

// So that describing all directories takes a look at each attempt, not one for each directory.
TEST(Split, EachAttemptIsLookedAtForOneDirectory) {
    for (const std::size_t count : {10U, 1000U}) {
        std::set<std::string> directories;
        std::vector<Attempt> attempts;
        for (std::size_t i = 0; i < count; ++i) {
            directories.insert("/data/d" + std::to_string(i));
            for (const char* below : {"", "/x", "/deep/er/x"})
                attempts.emplace_back().path = "/data/d" + std::to_string(i) + below;
        }
        for (const char* elsewhere : {"/data", "/data/d", "/data/d1x/y", "/", "relative"})
            attempts.emplace_back().path = elsewhere;
        std::vector<const Attempt*> all;
        for (const Attempt& each : attempts) all.push_back(&each);
        const ByDirectory lists = by_directory(directories, all);
        ASSERT_EQ(lists.size(), count);
        std::size_t looked_at = 0;
        for (const auto& [directory, below] : lists) {
            EXPECT_EQ(below.size(), 3U) << directory;
            looked_at += below.size();
            for (const Attempt* each : below) EXPECT_TRUE(is_or_below(each->path, directory));
        }
        EXPECT_EQ(looked_at, 3 * count);
    }
    Attempt in_root;
    in_root.path = "/x";
    EXPECT_EQ(by_directory({"/"}, {&in_root}).at("/").size(), 1U);
}

// Whatever an application writes: the campaign ends, and what it recommends is what a run had and passed.
TEST(Split, AlwaysEnds) {
    for (unsigned seed = 0; seed < 3000; ++seed) {
        unsigned state = seed * 2654435761U + 1;
        const auto random = [&](unsigned n) {
            state = state * 1103515245U + 12345U;
            return (state >> 16U) % n;
        };
        std::vector<Write> writes;
        for (unsigned i = 0; i < 1 + random(6); ++i) {
            static const char* const operations[] = {"create", "mkdir", "unlink", "chown", "bind", "rename"};
            std::string path = "/data";
            for (unsigned depth = 0; depth <= random(3); ++depth) path += std::string("/") + "abt"[random(3)];
            writes.push_back({operations[random(6)], path, random(2) == 0});
        }
        Application application(writes);
        for (const char* path : {"/data/a", "/data/b", "/data/a/b", "/data/t"})
            if (random(2) == 0) application.directory(path, random(2) == 0);
        application.tmpfs_fails = random(3) == 0;
        application.needs_what_it_wrote = random(3) == 0;
        application.passes_twice = random(3) != 0;
        application.tells_reads = random(3) != 0;
        application.read_back = random(2);
        const MountResult result = application.settle();
        ASSERT_LE(application.runs.size(), 12U) << seed;
        const Recommendation advice = recommend({result}, application.runs);
        if (result.verdict == Verdict::split) {
            ASSERT_TRUE(advice.verified_by_run.has_value()) << seed;
            const RunRecord& proof =
                application.runs.at(static_cast<std::size_t>(*advice.verified_by_run) - 1);
            ASSERT_TRUE(proof.passed && proof.plan.writable.size() == advice.writable.size()) << seed;
            for (std::size_t i = 0; i < advice.writable.size(); ++i) {
                ASSERT_EQ(proof.plan.writable[i].path, advice.writable[i].path) << seed;
                ASSERT_EQ(proof.plan.writable[i].as, advice.writable[i].as) << seed;
                ASSERT_FALSE(advice.writable[i].reason.empty()) << seed;
                // Never a tmpfs that was not seen to be emptied.
                ASSERT_TRUE(advice.writable[i].as == WritableAs::volume || proof.plan.again) << seed;
            }
        }
    }
}

// Of the image's own file system, which a new container has as the image has it.
class OfTheImage : public Application {
  public:
    explicit OfTheImage(std::vector<Write> writes) : Application(std::move(writes)) {
        question.mounts.front().type = MountType::rootfs;
    }
};

Attempt made(const char* path) {
    Attempt attempt;
    attempt.mount = "/";
    attempt.operation = "create";
    attempt.path = std::string(path);
    return attempt;
}

TEST(Places, VolatileOnesAreTriedAsTmpfsAtOnce) {
    Mount root;
    root.type = MountType::rootfs;
    root.target = "/";
    const SplitQuestion question{.mount = root};
    RunRecord control;
    for (const char* path : {"/run/state", "/var/lib/state", "/var/cache/x", "/tmp/y"})
        control.attempts.edit().push_back(made(path));
    Facts facts;
    for (const char* path : {"/", "/run", "/var/lib", "/var/cache", "/tmp"})
        facts[path] = {.exists = true, .is_directory = true, .empty = std::string(path) != "/run"};
    facts["/run"].only_directories = true;  // Debian's /run/lock
    facts["/tmp"].empty = false;
    const SplitProposal proposal = propose_split(question, {control}, facts);
    std::map<std::string, WritableAs> as;
    for (const WritablePath& each : proposal.writable) as[each.path] = each.as;
    EXPECT_EQ(as, (std::map<std::string, WritableAs>{{"/run", WritableAs::tmpfs},
                                                     {"/tmp", WritableAs::tmpfs},
                                                     {"/var/cache", WritableAs::tmpfs},
                                                     {"/var/lib", WritableAs::volume}}));
    // Where the image has files, or only the name speaks for it, a run has to show it first.
    EXPECT_EQ(proposal.by_name, (std::set<std::string>{"/tmp", "/var/cache"}));
    EXPECT_EQ(proposal.hides, (std::set<std::string>{"/tmp"}));
}

TEST(Places, ADirectoryThatATmpfsHidesIsOneOfItsOwn) {
    Mount root;
    root.type = MountType::rootfs;
    root.target = "/";
    const SplitQuestion question{.mount = root, .executes = {"/run"}};
    RunRecord control;
    for (const char* path : {"/run/a.pid", "/run/web/b.pid", "/run/new/c.pid"})
        control.attempts.edit().push_back(made(path));
    Facts facts;
    for (const char* path : {"/", "/run", "/run/web"}) facts[path] = {.exists = true, .is_directory = true};
    facts["/run"].only_directories = true;
    facts["/run/web"] = {
        .exists = true, .is_directory = true, .empty = true, .uid = 33, .gid = 33, .mode = 0750};
    facts["/run/new"] = {};
    const SplitProposal proposal = propose_split(question, {control}, facts);
    ASSERT_EQ(proposal.writable.size(), 2U);
    EXPECT_EQ(proposal.writable[0].path, "/run");
    EXPECT_EQ(proposal.writable[0].tmpfs_options, "mode=0755,exec");
    EXPECT_EQ(proposal.writable[1].path, "/run/web");
    EXPECT_EQ(proposal.writable[1].tmpfs_options, "mode=0750,uid=33,gid=33");
}

TEST(Places, EveryTmpfsOfAPodIsAnEmptyDir) {
    Application application({{"create", "/data/run/app.pid", true}});
    application.directory("/data/run", true, 33);
    application.question.tmpfs_options = "mode=0777,exec";
    EXPECT_EQ(application.settle().writable.at(0).tmpfs_options, "mode=0777,exec");
}

// The run with a tmpfs passes, though something on it could not be executed.
TEST(Places, WhatIsExecutedIsRunWithExec) {
    Application application({{"create", "/data/run/app.pid", true}});
    application.directory("/data/run", true);
    application.executes = "/data/run";
    const MountResult result = application.settle();
    EXPECT_EQ(result.writable.at(0).tmpfs_options, "mode=0750,exec");
    EXPECT_EQ(application.runs.size(), 4U);
    EXPECT_EQ(recommend({result}, application.runs).verified_by_run, 4);
}

TEST(Places, WhatIsNeverWrittenToIsTakenOut) {
    Application application({{"create", "/data/run/app.pid", false, "/data/spare/app.pid"}});
    application.directory("/data/run", true);
    application.directory("/data/spare", true);
    const MountResult result = application.settle();
    ASSERT_EQ(result.writable.size(), 1U);
    EXPECT_EQ(result.writable[0].path, "/data/run");
    const Recommendation advice = recommend({result}, application.runs);
    EXPECT_EQ(advice.writable, result.writable);
    EXPECT_EQ(advice.verified_by_run, static_cast<int>(application.runs.size()));
}

TEST(Places, WhatOneStartTripsOverAndNobodyReadsIsATmpfs) {
    for (const std::uint64_t reads : {0, 1}) {
        OfTheImage application({{"create", "/data/db/table", true}});
        application.directory("/data/db", true);
        application.starts_after_a_crash = false;
        application.tells_reads_after_a_crash = true;
        application.read_back = reads;
        const MountResult result = application.settle();
        EXPECT_EQ(result.verdict, reads == 0 ? Verdict::split : Verdict::required);
        if (reads == 0) {
            EXPECT_EQ(result.writable.at(0).as, WritableAs::tmpfs);
        }
    }
}

// The directory is there already, since the first start has made it.
TEST(Places, WhatASecondStartMeetsIsNotPutDownToReadOnly) {
    Attempt again = made("/data/body");
    again.operation = "mkdir";
    again.error = EEXIST;
    again.control = "ok";
    EXPECT_TRUE(failed_by_read_only(again));
    again.phase = crash_phase;
    EXPECT_FALSE(failed_by_read_only(again));
    again.error = EROFS;
    EXPECT_TRUE(failed_by_read_only(again));
    again.error = 0;
    EXPECT_FALSE(failed_by_read_only(again));
}

TEST(Places, AVolumeInPlaceOfTheContainersOwnFilesHasToOutliveACrash) {
    for (const bool starts_again : {true, false}) {
        OfTheImage application({{"create", "/data/db/table", true}});
        application.directory("/data/db", true);
        application.starts_after_a_crash = starts_again;
        const MountResult result = application.settle();
        EXPECT_TRUE(application.runs.back().plan.crashes);
        EXPECT_EQ(result.verdict, starts_again ? Verdict::split : Verdict::required);
    }
    Application application({{"create", "/data/db/table", true}});  // the user's own data outlive it anyway
    application.directory("/data/db", true);
    application.settle();
    EXPECT_FALSE(application.runs.back().plan.crashes);
}

}  // namespace
}  // namespace rogate::verdict
