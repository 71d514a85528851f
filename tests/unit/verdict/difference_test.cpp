#include "verdict/difference.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "verdict/compare.hpp"
#include "verdict/merge.hpp"

namespace rogate::verdict {
namespace {

Attempt write(std::string path, int error = 0, std::string operation = "create", std::string phase = "ready",
              std::uint64_t count = 1) {
    Attempt made;
    made.mount = path.substr(0, path.find('/', 1));
    made.path = path;
    made.operation = operation;
    made.error = error;
    made.phase = phase;
    made.count = count;
    made.process.comm = "app";
    return made;
}

// Runs of an application with /cfg read-only in those that are no control runs.
struct Runs {
    std::vector<std::vector<Attempt>> controls, probes;
    std::string observer = "ebpf";
    std::vector<std::map<std::string, std::uint64_t>> control_uses = {}, probe_uses = {};

    RunRecord whole(const std::vector<std::vector<Attempt>>& tries,
                    const std::vector<std::map<std::string, std::uint64_t>>& uses, RunKind kind) const {
        std::vector<RunRecord> records;
        for (std::size_t i = 0; i < tries.size(); ++i) {
            RunRecord run;
            run.passed = true;
            run.observer = observer;
            run.plan.id = static_cast<int>(i) + 1;
            run.plan.kind = kind;
            if (i > 0) run.plan.repeats = 1;
            if (kind != RunKind::control) run.plan.read_only = {"/cfg"};
            run.attempts = tries[i];
            if (i < uses.size()) run.uses = uses[i];
            if (kind != RunKind::control) {
                RunRecord control;
                control.attempts = controls.front();
                compare_with_control(run, control);
            }
            records.push_back(std::move(run));
        }
        return with_repeats(records).front();
    }
    Difference found() const {
        return difference(whole(controls, control_uses, RunKind::control),
                          whole(probes, probe_uses, RunKind::probe));
    }
    std::string left_out() const {
        std::string text;
        for (const Attempt& each : found().left_out)
            text += (text.empty() ? "" : " ") + std::string(each.path.view());
        return text;
    }
};

struct Case {
    const char* what;
    Runs runs;
    const char* left_out;
};

TEST(Difference, WritesLeftOut) {
    const Case cases[] = {
        {"nothing differs", {{{write("/data/a")}}, {{write("/data/a")}}}, ""},
        {"on another mount", {{{write("/data/a"), write("/data/b")}}, {{write("/data/a")}}}, "/data/b"},
        {"on a path of no mount", {{{write("/mnt/view/new")}}, {{}}}, "/mnt/view/new"},
        {"on the mount itself, in one control run only", {{{write("/cfg/a")}, {}}, {{}, {}}}, "/cfg/a"},
        {"… and not the first", {{{}, {write("/cfg/a")}}, {{}, {}}}, "/cfg/a"},
        {"… where something else is refused", {{{write("/cfg/a")}, {}}, {{write("/cfg/b", EROFS)}, {}}}, ""},
        {"… and elsewhere that is only how it varies", {{{write("/data/a")}, {}}, {{}, {}}}, ""},
        {"it is opened for writing there already",
         {{{write("/data/a")}}, {{write("/data/a", 0, "open-write")}}},
         ""},
        {"a failure elsewhere makes nothing",
         {{{write("/data/a")}}, {{write("/data/a", ENOENT)}}},
         "/data/a"},
        {"what is refused read-only is told as such", {{{write("/cfg/a")}}, {{write("/cfg/a", EROFS)}}}, ""},
        {"not even tried read-only", {{{write("/cfg/a")}}, {{}}}, "/cfg/a"},
        {"below a directory that could not be made",
         {{{write("/cfg/d", 0, "mkdir"), write("/cfg/d/a"), write("/cfg/e")}},
          {{write("/cfg/d", EROFS, "mkdir")}}},
         "/cfg/e"},
        {"nobody keeps what is written there", {{{write("/dev/null"), write("/dev/tty")}}, {{}}}, ""},
        {"another name of the same pattern",
         {{{write("/data/tmp.Xa3b9Q")}}, {{write("/data/tmp.pQ7x2Z")}}},
         ""},
        {"one of several with numbers",
         {{{write("/data/p1"), write("/data/p2")}}, {{write("/data/p1")}}},
         "/data/p2"},
        {"made once, but not always", {{{write("/data/a")}, {}}, {{}, {}}}, ""},
        {"left out once, but not always",
         {{{write("/data/a")}, {write("/data/a")}}, {{}, {write("/data/a")}}},
         ""},
        {"names without a pattern vary at one place",
         {{{write("/data/fooqwerty")}, {write("/data/foobnmqwe")}},
          {{write("/data/fooasdfgh")}, {write("/data/foozxcvbn")}}},
         ""},
        {"such a name is always missing",
         {{{write("/data/fooqwerty")}, {write("/data/foobnmqwe")}}, {{}, {}}},
         "/data/fooqwerty"},
        {"a directory's name varies",
         {{{write("/data/qwertz/a")}, {write("/data/asdfgh/a")}},
          {{write("/data/yxcvbn/a")}, {write("/data/uiopjk/a")}}},
         ""},
        {"once instead of twice, and not in the step",
         {{{write("/data/a"), write("/data/a", 0, "open-write", "step order")}}, {{write("/data/a")}}},
         "/data/a"},
        {"as often, only earlier",
         {{{write("/data/a"), write("/data/a", 0, "open-write", "step order")}},
          {{write("/data/a", 0, "create", "ready", 2)}}},
         ""},
        {"at the end, which comes before a restart that the run makes",
         {{{write("/data/a", 0, "open-write", "shutdown")}},
          {{write("/data/a", 0, "open-write", "again: restart")}}},
         ""},
        {"by what was killed at the end, when it is started again",
         {{{write("/data/a"), write("/data/a", 0, "open-write", "shutdown")}},
          {{write("/data/a"), write("/data/a", 0, "open-write", "again: start after a crash")}}},
         ""},
        {"at the end, and only a step of a second pass makes up for it",
         {{{write("/data/a"), write("/data/a", 0, "open-write", "shutdown")}},
          {{write("/data/a"), write("/data/a", 0, "open-write", "again: step order")}}},
         "/data/a"},
        {"in a step, and only a restart makes up for it",
         {{{write("/data/a"), write("/data/a", 0, "open-write", "step order")}},
          {{write("/data/a"), write("/data/a", 0, "open-write", "again: restart")}}},
         "/data/a"},
        {"in steps alone, and only a restart makes up for it",
         {{{write("/data/a", 0, "open-write", "step order")}},
          {{write("/data/a", 0, "open-write", "again: restart")}}},
         "/data/a"},
        {"in a second pass alone",
         {{{write("/data/a")}}, {{write("/data/a", 0, "create", "again: step x")}}},
         "/data/a"},
    };
    for (const Case& each : cases) {
        SCOPED_TRACE(each.what);
        EXPECT_EQ(each.runs.left_out(), each.left_out);
    }
}

TEST(Difference, WhatIsDoneInsteadIsNamed) {
    Runs runs{{{write("/cfg/a")}}, {{write("/tmp/a"), write("/tmp/b", ENOENT)}}};
    EXPECT_EQ(named(runs.found().instead), "create /tmp/a by app");
    runs.controls[0].push_back(write("/tmp/a"));
    EXPECT_TRUE(runs.found().instead.empty());
}

TEST(Difference, AMountFallsOutOfUse) {
    Runs runs{.controls = {{}}, .probes = {{}}};
    runs.control_uses = {{{"/cfg", 2}, {"/data", 1}}};
    runs.probe_uses = {{{"/data", 1}}};
    EXPECT_EQ(runs.found().unused, std::vector<std::string>{"/cfg"});
    runs.observer = "ptrace";
    EXPECT_TRUE(runs.found().empty()) << "its counts are lower bounds";
    runs.observer = "ebpf";
    runs.probes = {{write("/cfg/a", EROFS)}};
    EXPECT_TRUE(runs.found().unused.empty()) << "an attempt is use";
    runs.probes = {{write("/cfg/a", EROFS)}};
    runs.probes[0][0].cls = AttemptClass::access_check;
    EXPECT_EQ(runs.found().unused, std::vector<std::string>{"/cfg"}) << "to ask is none";
}

TEST(Difference, EachStateOfTheDataIsComparedByItself) {
    const auto run = [](RunKind kind, DataState state, std::vector<Attempt> attempts) {
        RunRecord made;
        made.passed = true;
        made.plan.kind = kind;
        made.plan.state = state;
        made.attempts = std::move(attempts);
        return made;
    };
    const auto control = merged({run(RunKind::control, DataState::fresh, {write("/data/a")}),
                                 run(RunKind::control, DataState::restart, {write("/data/a")})});
    const auto probe = merged({run(RunKind::probe, DataState::fresh, {write("/data/a")}),
                               run(RunKind::probe, DataState::restart, {})});
    EXPECT_EQ(difference(control, probe).left_out.size(), 1U);
    EXPECT_EQ(times_tried(control), 1);
}

TEST(Difference, NamesEachOnce) {
    EXPECT_EQ(named({write("/a/1", 0, "create", "entrypoint"), write("/a/1", 0, "create", "step x"),
                     write("/a/2", 0, "create", "step x")}),
              "create /a/1 by app and create /a/2 by app");
}

TEST(Difference, NamesThreeAndCountsTheRest) {
    EXPECT_EQ(named({write("/a/1"), write("/a/2", 0, "unlink")}),
              "create /a/1 by app and unlink /a/2 by app");
    EXPECT_EQ(named({write("/a/1"), write("/a/2"), write("/a/3"), write("/a/4"), write("/a/5")}),
              "create /a/1 by app, create /a/2 by app, create /a/3 by app and 2 more");
}

}  // namespace
}  // namespace rogate::verdict
