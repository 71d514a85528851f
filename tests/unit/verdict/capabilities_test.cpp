#include "verdict/capabilities.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <set>

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
