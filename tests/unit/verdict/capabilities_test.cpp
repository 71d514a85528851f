#include "verdict/capabilities.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <random>
#include <set>
#include <string_view>

namespace rogate::verdict {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Names = std::vector<std::string>;

CapabilityCheck check(const std::string& capability, const std::string& call, int error = 0,
                      const std::string& comm = "app") {
    CapabilityCheck made;
    made.capability = capability;
    made.call = call;
    made.comm = comm;
    made.phase = "entrypoint";
    made.error = error;
    return made;
}

// An application that asks for these capabilities, and does with each what its letter says:
//   n  ends if it is refused
//   t  puts up with it
//   s  looks itself whether it has it, and asks for it only then
//   S  the same, and leaves out a write if it has it not
//   x  has a program with it as a file capability, which is not executed then; it puts up with that
//   b  another user's: refused as it is configured, too
struct Application {
    std::map<std::string, char> asks;
    char privileges = '-';  // of no-new-privileges: n, t as above, for what a setuid program asks
    bool sees = true;       // the observer does
    std::uint64_t lost = 0;
    std::set<int> loses_events;                  // runs
    std::set<std::string> fails_read_only = {};  // capabilities without which it needs a writable mount
    std::vector<Names> made = {};                // what each run had

    RunRecord run(const RunPlan& plan) {
        RunRecord record;
        record.plan = plan;
        record.plan.id = static_cast<int>(made.size()) + 1;
        record.passed = true;
        record.exit_code = 0;
        record.observer = sees ? "ebpf" : "ptrace";
        if (loses_events.contains(record.plan.id)) record.lost_events = 1;
        const Names all = plan.capabilities.value_or(configured());
        const std::set<std::string> has(all.begin(), all.end());
        CapabilityChecks checks{.all = {}, .audited_only = true, .lost = lost};
        const auto fail = [&](const std::string& name) {
            record.passed = false;
            record.phases.push_back(
                {.name = "ready", .passed = false, .message = "no " + name, .duration_s = 0});
        };
        const auto write = [&](const std::string& name) {
            Attempt attempt;
            attempt.mount = "/data";
            attempt.operation = "create";
            attempt.path = "/data/" + name;
            attempt.control = "ok";
            record.attempts.edit().push_back(attempt);
        };
        record.attempts.edit();
        for (const auto& [name, letter] : asks) {
            const std::string call = "call_" + name;
            const bool had = has.contains(name);
            if (letter == 'b') {
                checks.all.push_back(check(name, call, EPERM, "other"));
                continue;
            }
            if (letter == 'S' && had) write(name);
            if (letter == 'x' && !had) checks.all.push_back(check("", "execve", EPERM));
            if (had || letter == 'n' || letter == 't')
                checks.all.push_back(check(name, call, had ? 0 : EPERM));
            if (!had && letter == 'n') fail(name);
            if (!had && fails_read_only.contains(name) && !plan.read_only.empty()) fail(name);
        }
        if (privileges != '-') {
            checks.all.push_back(check("SETUID", "setuid", plan.no_new_privileges ? EPERM : 0, "su"));
            if (plan.no_new_privileges && privileges == 'n') fail("su");
        }
        if (sees) record.checks = checks;
        made.push_back(all);
        return record;
    }
    static Names configured() { return {"CHOWN", "KILL", "MKNOD", "NET_RAW", "SETUID"}; }
};

struct Settled {
    CapabilityConclusion conclusion;
    int runs = 0;

    const CapabilityResult& operator[](const std::string& name) const {
        for (const CapabilityResult& each : conclusion.results)
            if (each.name == name) return each;
        ADD_FAILURE() << "nothing is said of " << name;
        static const CapabilityResult none;
        return none;
    }
    std::map<std::string, std::string> verdicts() const {
        static const std::map<CapabilityVerdict, std::string> words{
            {CapabilityVerdict::unused, "unused"},
            {CapabilityVerdict::tolerated, "tolerated"},
            {CapabilityVerdict::needed, "needed"},
            {CapabilityVerdict::inconclusive, "?"}};
        std::map<std::string, std::string> found;
        for (const CapabilityResult& each : conclusion.results) found[each.name] = words.at(each.verdict);
        return found;
    }
};

Settled settle(Application app, CapabilityQuestion question = {}, int at_most = 100) {
    question.configured = Application::configured();
    question.tries_capabilities = true;
    std::vector<RunRecord> configured{app.run({})}, tried;
    while (auto plan = next_capability_run(question, configured, tried)) {
        if (static_cast<int>(tried.size()) == at_most) {
            question.stopped = "--max-runs is used up";
            continue;  // then no more is wanted
        }
        tried.push_back(app.run(*plan));
        if (tried.size() > 60) {
            ADD_FAILURE() << "it does not come to an end";
            break;
        }
    }
    return {conclude_capabilities(question, configured, tried), static_cast<int>(tried.size())};
}

TEST(Capabilities, NothingIsUsed) {
    const Settled settled = settle({.asks = {}, .loses_events = {}});
    for (const auto& [name, verdict] : settled.verdicts()) EXPECT_EQ(verdict, "unused") << name;
    EXPECT_EQ(settled.runs, 1);
    EXPECT_EQ(settled.conclusion.recommendation.capabilities, Names{});
    EXPECT_EQ(settled.conclusion.recommendation.verified_by_run, 2);
}

TEST(Capabilities, EachThatIsUsedIsLeftOutByItself) {
    const Settled settled =
        settle({.asks = {{"CHOWN", 'n'}, {"KILL", 't'}, {"SETUID", 'n'}}, .loses_events = {}});
    EXPECT_EQ(settled.verdicts(), (std::map<std::string, std::string>{{"CHOWN", "needed"},
                                                                      {"KILL", "tolerated"},
                                                                      {"MKNOD", "unused"},
                                                                      {"NET_RAW", "unused"},
                                                                      {"SETUID", "needed"}}));
    EXPECT_EQ(settled.runs, 4);  // without the unused, and without each of the others
    EXPECT_EQ(settled.conclusion.recommendation.capabilities, (Names{"CHOWN", "SETUID"}));
    EXPECT_THAT(settled["CHOWN"].reason,
                HasSubstr("by app for call_CHOWN; run 3 without it failed: ready: no CHOWN"));
    EXPECT_THAT(settled["KILL"].reason, HasSubstr("refused to app for call_KILL"));
    EXPECT_THAT(settled["KILL"].runs, ElementsAre(4));
    EXPECT_EQ(settled["KILL"].checks.size(), 2U);  // allowed once, and refused once
    // That run had just what is recommended.
    EXPECT_EQ(settled.conclusion.recommendation.verified_by_run, 4);
}

// What is used, and then not even asked for, is no proof that it is not needed.
TEST(Capabilities, WhatIsNotAskedForAnyMoreIsTolerated) {
    for (const char letter : {'s', 'S', 'x'}) {
        const Settled settled = settle({.asks = {{"NET_RAW", letter}}, .loses_events = {}});
        EXPECT_EQ(settled["NET_RAW"].verdict, CapabilityVerdict::tolerated) << letter;
        EXPECT_THAT(settled["NET_RAW"].reason, HasSubstr("not asked for; with it, it was used by app"));
        EXPECT_EQ(settled["MKNOD"].verdict, CapabilityVerdict::unused);
    }
}

// Not a single check tells of it: the program asks itself, or the kernel refuses to execute it.
TEST(Capabilities, WhatIsLeftOutOrRefusedWithoutACheckKeepsOneFromBeingUnused) {
    for (const char letter : {'S', 'x'}) {
        Application app{.asks = {{"NET_RAW", letter}}, .loses_events = {}};
        CapabilityQuestion question;
        question.configured = Application::configured();
        question.tries_capabilities = true;
        const auto unseen = [&](const RunPlan& plan) {
            RunRecord record = app.run(plan);
            std::erase_if(record.checks->all,
                          [](const CapabilityCheck& each) { return !each.capability.empty(); });
            return record;
        };
        std::vector<RunRecord> configured{unseen({})}, tried;
        while (auto plan = next_capability_run(question, configured, tried)) tried.push_back(unseen(*plan));
        const Settled settled{conclude_capabilities(question, configured, tried), 0};
        EXPECT_EQ(settled["NET_RAW"].verdict, CapabilityVerdict::tolerated) << letter;
        // What is left out may be so by chance: it has been made again.
        if (letter == 'S') {
            EXPECT_EQ(tried.at(1).plan.repeats, 2);
            EXPECT_THAT(settled["NET_RAW"].reason, HasSubstr("left out: create /data/NET_RAW"));
        } else {
            EXPECT_THAT(settled["NET_RAW"].reason, HasSubstr("app for execve"));
        }
    }
}

TEST(Capabilities, WhatIsRefusedAnywayIsNoNeed) {
    const Settled settled = settle({.asks = {{"KILL", 'b'}}, .loses_events = {}});
    EXPECT_EQ(settled["KILL"].verdict, CapabilityVerdict::unused);
    EXPECT_EQ(settled.runs, 1);
}

TEST(Capabilities, WithoutEyesNothingIsUnused) {
    Application app{.asks = {{"CHOWN", 'n'}, {"KILL", 't'}}, .loses_events = {}};
    app.sees = false;
    const Settled settled = settle(app);
    EXPECT_EQ(settled.verdicts(),
              (std::map<std::string, std::string>{
                  {"CHOWN", "needed"}, {"KILL", "?"}, {"MKNOD", "?"}, {"NET_RAW", "?"}, {"SETUID", "?"}}));
    EXPECT_EQ(settled.conclusion.recommendation.capabilities, std::nullopt);
    EXPECT_THAT(settled["MKNOD"].reason, HasSubstr("ptrace"));
    EXPECT_LE(settled.runs, 6);  // by halves
}

TEST(Capabilities, LostChecksAndLostEventsDoubt) {
    Application app{.asks = {{"CHOWN", 'n'}}, .loses_events = {}};
    app.lost = 3;
    const Settled settled = settle(app);
    EXPECT_EQ(settled["MKNOD"].verdict, CapabilityVerdict::inconclusive);
    EXPECT_EQ(settled["CHOWN"].verdict, CapabilityVerdict::needed);
    // A run that passes and cannot be relied on shows nothing.
    const Settled late = settle({.asks = {{"CHOWN", 't'}}, .loses_events = {3}});
    EXPECT_EQ(late["CHOWN"].verdict, CapabilityVerdict::inconclusive);
    EXPECT_THAT(late["CHOWN"].reason, HasSubstr("run 3 without it cannot be relied on"));
    EXPECT_EQ(late.conclusion.recommendation.capabilities, Names{"CHOWN"});
}

// The observer has not seen that it is used: what is left of the rest is looked for.
TEST(Capabilities, WhatIsNeededUnseenIsFoundByHalves) {
    Application app{.asks = {{"MKNOD", 'n'}}, .loses_events = {}};
    CapabilityQuestion question;
    question.configured = Application::configured();
    question.tries_capabilities = true;
    const auto unseen = [&](const RunPlan& plan) {
        RunRecord record = app.run(plan);
        record.checks->all.clear();
        return record;
    };
    std::vector<RunRecord> configured{unseen({})}, tried;
    while (auto plan = next_capability_run(question, configured, tried)) tried.push_back(unseen(*plan));
    const Settled settled{conclude_capabilities(question, configured, tried), 0};
    EXPECT_EQ(settled.verdicts(), (std::map<std::string, std::string>{{"CHOWN", "unused"},
                                                                      {"KILL", "unused"},
                                                                      {"MKNOD", "needed"},
                                                                      {"NET_RAW", "unused"},
                                                                      {"SETUID", "unused"}}));
    EXPECT_EQ(settled.conclusion.recommendation.capabilities, Names{"MKNOD"});
}

TEST(Capabilities, NoNewPrivileges) {
    CapabilityQuestion question;
    question.tries_no_new_privileges = true;
    const auto verdict = [&](char letter) {
        Application app{.asks = {}, .loses_events = {}};
        app.privileges = letter;
        return settle(app, question);
    };
    const Settled none = verdict('-'), tolerant = verdict('t'), needy = verdict('n');
    EXPECT_EQ(none[no_new_privileges].verdict, CapabilityVerdict::unused);
    EXPECT_TRUE(none.conclusion.recommendation.no_new_privileges);
    EXPECT_EQ(tolerant[no_new_privileges].verdict, CapabilityVerdict::tolerated);
    EXPECT_THAT(tolerant[no_new_privileges].reason, HasSubstr("su for setuid"));
    EXPECT_EQ(needy[no_new_privileges].verdict, CapabilityVerdict::needed);
    EXPECT_FALSE(needy.conclusion.recommendation.no_new_privileges);
}

TEST(Capabilities, WhatIsRecommendedWasRunWithTheMounts) {
    CapabilityQuestion question;
    question.mounts.read_only = {"/data"};
    question.mounts.verified_by_run = 1;
    Application app{.asks = {{"CHOWN", 'n'}, {"KILL", 't'}}, .loses_events = {}};
    const Settled settled = settle(app, question);
    EXPECT_EQ(settled.conclusion.recommendation.capabilities, Names{"CHOWN"});
    EXPECT_EQ(settled.conclusion.recommendation.read_only, Names{"/data"});
    EXPECT_EQ(settled.conclusion.recommendation.verified_by_run, 5);
    // Together they fail: neither verdict of what was dropped holds.
    app.fails_read_only = {"KILL"};
    const Settled apart = settle(app, question);
    EXPECT_EQ(apart.conclusion.recommendation.capabilities, std::nullopt);
    EXPECT_EQ(apart.conclusion.recommendation.verified_by_run, 1);
    EXPECT_EQ(apart["KILL"].verdict, CapabilityVerdict::inconclusive);
    EXPECT_THAT(apart["MKNOD"].reason,
                HasSubstr("together with all that is recommended run 5 failed: ready: no KILL"));
    EXPECT_EQ(apart["CHOWN"].verdict, CapabilityVerdict::needed);
}

TEST(Capabilities, AnAnswerThatIsStoppedIsOpenWhereNothingWasAsked) {
    for (int at_most = 0; at_most < 4; ++at_most) {
        const Settled settled =
            settle({.asks = {{"CHOWN", 'n'}, {"KILL", 't'}}, .loses_events = {}}, {}, at_most);
        const bool ends = at_most == 3;
        EXPECT_EQ(settled["MKNOD"].verdict,
                  at_most == 0 ? CapabilityVerdict::inconclusive : CapabilityVerdict::unused);
        EXPECT_EQ(settled["KILL"].verdict,
                  ends ? CapabilityVerdict::tolerated : CapabilityVerdict::inconclusive);
        if (at_most == 0) {
            EXPECT_EQ(settled.conclusion.recommendation.capabilities, std::nullopt);
        }
        if (at_most == 1) {
            EXPECT_EQ(settled.conclusion.recommendation.capabilities, (Names{"CHOWN", "KILL"}));
        }
    }
}

// Runs by `made`, of a plan; each passes.
template <class Made>
Settled settle_by(Made made, CapabilityQuestion question = {}) {
    if (question.configured.empty() && !question.tries_no_new_privileges) {
        question.configured = Application::configured();
        question.tries_capabilities = true;
    }
    int id = 0;
    const auto run = [&](const RunPlan& plan) {
        RunRecord record;
        record.plan = plan;
        record.plan.id = ++id;
        record.passed = true;
        record.observer = "ebpf";
        record.attempts.edit();
        record.checks = CapabilityChecks{.all = {}, .audited_only = true, .lost = 0};
        const auto has = [&](const std::string& name) {
            return !plan.capabilities ||
                   std::ranges::find(*plan.capabilities, name) != plan.capabilities->end();
        };
        made(record, has);
        return record;
    };
    std::vector<RunRecord> configured{run({})}, tried;
    for (RunRecord& each : question.verified) each = run(each.plan);
    configured.insert(configured.end(), question.verified.begin(), question.verified.end());
    while (auto plan = next_capability_run(question, configured, tried)) {
        tried.push_back(run(*plan));
        if (tried.size() > 60) break;
    }
    return {conclude_capabilities(question, configured, tried), static_cast<int>(tried.size())};
}

// A server's own process and its workers have one name. The workers may not; the server never had to ask.
TEST(Capabilities, WhatAnotherUserIsRefusedAnywaySaysNothingOfThisOne) {
    const Settled settled = settle_by([](RunRecord& run, auto has) {
        CapabilityCheck worker = check("KILL", "openat", EPERM, "server");
        worker.uid = 33;
        run.checks->all.push_back(worker);
        run.checks->all.push_back(check("CHOWN", "chown", has("CHOWN") ? 0 : EPERM, "server"));
        if (!has("CHOWN"))
            run.checks->all.push_back(check("KILL", "openat", has("KILL") ? 0 : EPERM, "server"));
    });
    EXPECT_EQ(settled["KILL"].verdict, CapabilityVerdict::tolerated);
    EXPECT_EQ(settled["MKNOD"].verdict, CapabilityVerdict::unused);
}

// A file that may not be executed by its mode, and one that would gain what is not to be had.
TEST(Capabilities, ACallThatIsRefusedForAnotherReasonSaysNothing) {
    const Settled settled = settle_by([](RunRecord& run, auto has) {
        run.checks->all.push_back(check("", "execve", EACCES, "sh"));
        if (!has("NET_RAW")) run.checks->all.push_back(check("", "execve", EPERM, "sh"));
    });
    EXPECT_EQ(settled["NET_RAW"].verdict, CapabilityVerdict::tolerated);
    EXPECT_THAT(settled["NET_RAW"].reason,
                HasSubstr("calls were refused that were not before: sh for execve"));
}

// A program with the group's bit opens what only that group may read. The check that refuses it then is of
// what this container never had.
TEST(Capabilities, ARefusalIsNoLessSinceAnotherCapabilityWouldHaveHelped) {
    CapabilityQuestion question;
    question.tries_no_new_privileges = true;
    const Settled settled = settle_by(
        [](RunRecord& run, auto) {
            if (!run.plan.no_new_privileges) return;
            run.checks->all.push_back(check("DAC_READ_SEARCH", "openat", EPERM, "cat"));
            run.checks->all.push_back(check("", "openat", EACCES, "cat"));
        },
        question);
    EXPECT_EQ(settled[no_new_privileges].verdict, CapabilityVerdict::tolerated);
    EXPECT_THAT(settled[no_new_privileges].reason, HasSubstr("cat for openat"));
}

TEST(Capabilities, APageThatSaysSomethingElse) {
    const Settled settled = settle_by([](RunRecord& run, auto has) {
        for (const char* step : {"pages", "pages again"})
            run.observations[step].contents["80/"] = has("NET_RAW") ? 1 : 2;
    });
    EXPECT_EQ(settled["NET_RAW"].verdict, CapabilityVerdict::tolerated);
    EXPECT_THAT(settled["NET_RAW"].reason, HasSubstr("GET / of port 80 shows something else"));
}

// The directory that is the second choice is read-only as well.
TEST(Capabilities, WhatIsOnlySoWithAllOfIt) {
    CapabilityQuestion question;
    question.configured = Application::configured();
    question.tries_capabilities = true;
    question.mounts.read_only = {"/cache", "/log"};
    question.mounts.verified_by_run = 2;
    RunRecord verifying;
    verifying.plan.read_only = question.mounts.read_only;
    question.verified = {verifying};
    const auto attempt = [](RunRecord& run, const std::string& path) {
        Attempt made;
        made.mount = path.substr(0, path.rfind('/'));
        made.path = path;
        made.operation = "create";
        made.control = "ok";
        if (!run.plan.read_only.empty()) made.error = EROFS;
        run.attempts.edit().push_back(made);
    };
    // What is refused on /cache is so without a capability less, too.
    const Settled apart = settle_by([&](RunRecord& run, auto) { attempt(run, "/cache/a"); }, question);
    EXPECT_EQ(apart["KILL"].verdict, CapabilityVerdict::unused);
    const Settled together = settle_by(
        [&](RunRecord& run, auto has) {
            attempt(run, "/cache/a");
            if (!has("KILL")) attempt(run, "/log/a");
        },
        question);
    EXPECT_EQ(together["KILL"].verdict, CapabilityVerdict::tolerated);
    EXPECT_THAT(together["KILL"].reason, HasSubstr("writes are refused that were not before: create /log/a"));
    // A call that is refused for a mount that is read-only, and says so by another error.
    const Settled refused = settle_by(
        [&](RunRecord& run, auto has) {
            if (!has("KILL") && !run.plan.read_only.empty())
                run.checks->all.push_back(check("", "bind", EACCES, "app"));
        },
        question);
    EXPECT_EQ(refused["KILL"].verdict, CapabilityVerdict::tolerated);
    EXPECT_THAT(refused["KILL"].reason, HasSubstr("more is refused: app for bind"));
    // A write elsewhere that is left out; that may be so by chance, and is made again.
    const Settled left_out = settle_by(
        [&](RunRecord& run, auto has) {
            RunRecord writable;
            if (has("KILL") || run.plan.read_only.empty()) attempt(writable, "/data/a");
            for (const Attempt& each : writable.attempts) run.attempts.edit().push_back(each);
        },
        question);
    EXPECT_EQ(left_out["KILL"].verdict, CapabilityVerdict::tolerated);
    EXPECT_THAT(left_out["KILL"].reason, HasSubstr("left out: create /data/a"));
    EXPECT_EQ(left_out.runs, 3);
    // What was not seen there may be anything.
    const Settled unseen = settle_by(
        [&](RunRecord& run, auto has) {
            if (!has("KILL") && !run.plan.read_only.empty()) run.checks->lost = 1;
        },
        question);
    EXPECT_EQ(unseen["KILL"].verdict, CapabilityVerdict::inconclusive);
}

// Whatever an application asks for, and wherever the campaign is stopped: what it puts up with is never
// unused, and what is recommended has been run.
TEST(Capabilities, NoStopMakesUnusedOfWhatIsUsed) {
    std::minstd_rand random(7);
    constexpr std::string_view letters = "---ntsSxb";
    for (int i = 0; i < 60; ++i) {
        Application app{.asks = {}, .loses_events = {}};
        CapabilityQuestion question;
        question.tries_no_new_privileges = random() % 2 == 0;
        app.privileges = "-tn"[random() % 3];
        if (random() % 2 == 0) question.mounts.read_only = {"/data"};
        for (const std::string& name : Application::configured()) {
            const char letter = letters[random() % letters.size()];
            if (letter != '-') app.asks[name] = letter;
            if (random() % 8 == 0) app.fails_read_only.insert(name);
        }
        for (int at_most = 0; at_most < 12; ++at_most) {
            const Settled settled = settle(app, question, at_most);
            for (const auto& [name, verdict] : settled.verdicts()) {
                if (verdict == "?") continue;
                const bool is_of_su = name == no_new_privileges || name == "SETUID";
                const char letter = name == no_new_privileges ? app.privileges
                                    : app.asks.contains(name) ? app.asks.at(name)
                                                              : '-';
                const std::string wanted = letter == 'n'                    ? "needed"
                                           : letter != '-' && letter != 'b' ? "tolerated"
                                           : is_of_su                       ? verdict
                                                                            : "unused";
                EXPECT_EQ(verdict, wanted) << name << ", " << i << ", at most " << at_most;
            }
            const Recommendation& advice = settled.conclusion.recommendation;
            if (!advice.capabilities) continue;
            RunPlan plan;
            plan.capabilities = advice.capabilities;
            plan.no_new_privileges = advice.no_new_privileges;
            plan.read_only = advice.read_only;
            EXPECT_TRUE(app.run(plan).passed) << i << ", at most " << at_most;
        }
    }
}

TEST(Capabilities, NothingIsRecommendedWhereAllAreNeeded) {
    Application app{.asks = {}, .loses_events = {}};
    for (const std::string& name : Application::configured()) app.asks[name] = 'n';
    const Settled settled = settle(app);
    for (const auto& [name, verdict] : settled.verdicts()) EXPECT_EQ(verdict, "needed") << name;
    EXPECT_EQ(settled.runs, 5);  // without each of them, and none with what there is anyway
    EXPECT_EQ(settled.conclusion.recommendation, Recommendation{});
}

TEST(Capabilities, AControlRunThatFailsSaysNothing) {
    RunRecord control;
    control.phases.push_back({.name = "ready", .passed = false, .message = "no answer", .duration_s = 0});
    CapabilityQuestion question;
    question.configured = Application::configured();
    question.tries_capabilities = question.tries_no_new_privileges = true;
    EXPECT_FALSE(next_capability_run(question, {control}, {}));
    const CapabilityConclusion made = conclude_capabilities(question, {control}, {});
    ASSERT_EQ(made.results.size(), 6U);
    for (const CapabilityResult& each : made.results) {
        EXPECT_EQ(each.verdict, CapabilityVerdict::inconclusive);
        EXPECT_THAT(each.reason, HasSubstr("the control run failed: ready: no answer"));
    }
    EXPECT_FALSE(next_capability_run(question, {}, {}));
}

}  // namespace
}  // namespace rogate::verdict
