// What a policy accepts and what it does not.
#include <fstream>
#include <nlohmann/json.hpp>
#include <rogate/names.hpp>

#include "gate/keys.hpp"
#include "unit/gate/support.hpp"

namespace rogate::gate::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

CampaignResult verified(CampaignResult made) {
    made.recommendation.verified_by_run = 3;
    return made;
}

TEST(DefaultPolicy, DecidesByVerdict) {
    struct {
        Verdict verdict;
        int code;
    } const table[] = {{Verdict::safe, 0},     {Verdict::already_ro, 0},  {Verdict::split, 0},
                       {Verdict::required, 0}, {Verdict::ineffective, 0}, {Verdict::tolerated, 1},
                       {Verdict::untested, 1}, {Verdict::inconclusive, 4}};
    for (const auto& each : table)
        EXPECT_EQ(decide({verified(result({mount(each.verdict)}))}).exit_code(), each.code)
            << to_string(each.verdict);
}

TEST(DefaultPolicy, WantsASplitThatWasRun) {
    EXPECT_THAT(rules(decide({result({mount(Verdict::split)})})), ElementsAre("fail:unverified-split"));
}

TEST(DefaultPolicy, FailureIsMoreThanDoubt) {
    const auto decision = decide({result({mount(Verdict::inconclusive), mount(Verdict::untested)})});
    EXPECT_THAT(rules(decision), ElementsAre("fail:verdict", "open:inconclusive"));
    EXPECT_EQ(decision.exit_code(), 1);
}

TEST(DefaultPolicy, AResultWithoutEvidenceIsInconclusive) {
    CampaignResult empty = result({});
    EXPECT_EQ(decide({empty}).exit_code(), 0);
    empty.runs.front().passed = false;
    EXPECT_EQ(decide({empty}).exit_code(), 4);
    empty.runs.clear();
    EXPECT_EQ(decide({empty}).exit_code(), 4);
}

TEST(FailedWrites, NeedAnAcceptanceOnMountsThatAreReadOnlyAlready) {
    const auto made = result({mount(Verdict::already_ro, {write("/data/x")})});
    EXPECT_THAT(rules(decide({made})), ElementsAre("fail:failed-write"));
    EXPECT_EQ(decide({made}, "mounts: [{target: /data, accept: [already-ro, tolerated]}]").exit_code(), 0);
    EXPECT_EQ(decide({made}, "mounts: [{target: /data, accept: [already-ro]}]").exit_code(), 1);
    Attempt no_op = write("/data/x");
    no_op.cls = AttemptClass::no_op;
    EXPECT_EQ(decide({result({mount(Verdict::already_ro, {no_op})})}).exit_code(), 0);
}

// In the arrangement that is recommended it still fails: on a mount without a split that is `tolerated`.
TEST(FailedWrites, InASplitNeedAnAcceptanceToo) {
    MountResult split = mount(Verdict::split, {write("/data/db/x"), write("/data/audit.log")});
    split.writable.push_back({.path = "/data/db", .mount = "/data", .tmpfs_options = "", .reason = ""});
    const auto judged = [&](const std::string& policy = "") {
        CampaignResult now = result({split});
        now.recommendation.verified_by_run = 1;
        return decide({now}, policy);
    };
    // Results of before tell only what failed without the writable paths.
    EXPECT_THAT(rules(judged()), ElementsAre("fail:failed-write"));
    EXPECT_THAT(judged().findings[0].evidence, ElementsAre(HasSubstr("/data/audit.log")));
    split.still_failing = Attempts{write("/data/late.log"), write("/data/early.log")};
    EXPECT_THAT(judged().findings[0].evidence, ElementsAre(HasSubstr("late.log"), HasSubstr("early.log")));
    EXPECT_EQ(judged().exit_code(), 1);
    EXPECT_THAT(rules(judged("writes:\n  - {path: '/data/*.log', reason: r}\n")), IsEmpty());
    EXPECT_THAT(rules(judged("accept: [split, tolerated]")), IsEmpty());
    split.still_failing = Attempts{};
    EXPECT_THAT(rules(judged()), IsEmpty());
    Attempt harmless = write("/data/x", "chmod");
    harmless.cls = AttemptClass::no_op;
    split.still_failing = Attempts{harmless};
    EXPECT_THAT(rules(judged()), IsEmpty());
}

TEST(FailedWrites, EachHasToBeAccepted) {
    const auto made =
        result({mount(Verdict::tolerated, {write("/data/a.log"), write("/data/b/c", "mkdir")})});
    struct {
        std::string entries;
        int code;
    } const table[] = {
        {"{path: /data/**, reason: r}", 0},
        {"{path: /data/a.log, reason: r}, {path: /data/*/c, operation: mkdir, reason: r}", 0},
        {"{path: /data/*, reason: r}", 1},
        {"{path: /data/**, operation: create, reason: r}", 1},
        {"{path: /data/**, operation: [create, mkdir], reason: r}", 0},
        {"{path: /data/**, process: app, reason: r}", 0},
        {"{path: /data/**, process: /usr/sbin/app, reason: r}", 0},
        {"{path: /data/**, process: other, reason: r}", 1},
        {"{path: /data/**, scenario: shop, reason: r}", 0},
        {"{path: /data/**, scenario: other, reason: r}", 1},
        {"{path: /data/**, reason: r, until: 2026-06-15}", 0},
        {"{path: /data/**, reason: r, until: 2026-06-14}", 1},
        {"{path: /data/**, reason: r, until: 2026-06-14}, {path: /data/**, reason: r}", 0},
    };
    for (const auto& each : table)
        EXPECT_EQ(decide({made}, "writes: [" + each.entries + "]").exit_code(), each.code) << each.entries;
}

TEST(FailedWrites, LeftOutOnesCannotBeAcceptedByPath) {
    const auto made = result({mount(Verdict::tolerated)});
    EXPECT_EQ(decide({made}, "writes: [{path: /data/**, reason: r}]").exit_code(), 1);
    EXPECT_EQ(decide({made}, "mounts: [{target: /data, accept: [tolerated]}]").exit_code(), 0);
}

TEST(FailedWrites, ThoseLeftOutAreListedAndAcceptedLikeThem) {
    MountResult made = mount(Verdict::tolerated);
    Attempt order = write("/orders/new");
    order.error = 0;
    made.difference.left_out = {order};
    const auto decision = decide({result({made})}, "");
    ASSERT_THAT(rules(decision), ElementsAre("fail:failed-write"));
    EXPECT_THAT(decision.findings[0].evidence.at(0), HasSubstr("left out: create /orders/new"));
    EXPECT_EQ(decide({result({made})}, "writes: [{path: /orders/*, reason: r}]").exit_code(), 0);
    made.difference.unused = {"/cache"};
    EXPECT_EQ(decide({result({made})}, "writes: [{path: /orders/*, reason: r}]").exit_code(), 1);
}

TEST(FailedWrites, ThoseThatASplitDoesWithoutNeedConsent) {
    MountResult made = mount(Verdict::split, {write("/data/db")});
    CampaignResult split = result({made});
    split.recommendation.verified_by_run = 3;
    split.mounts[0].still_failing = Attempts{};
    EXPECT_EQ(decide({split}, "").exit_code(), 0);
    split.mounts[0].still_failing = Attempts{write("/data/audit.log")};
    EXPECT_EQ(decide({split}, "").exit_code(), 1);
    EXPECT_EQ(decide({split}, "writes: [{path: /data/audit.log, reason: r}]").exit_code(), 0);
}

TEST(Requirements, AreAskedOfEveryResult) {
    MountResult made = mount(Verdict::safe);
    made.watched = {.steps = 2, .seconds = 12.5};
    const auto code = [&](const std::string& require) {
        return decide({result({made})}, "require: " + require).exit_code();
    };
    EXPECT_EQ(code("real-data"), 0);
    EXPECT_EQ(code("{watched: 12s, steps: 2}"), 0);
    EXPECT_EQ(code("{watched: 13s}"), 1);
    EXPECT_EQ(code("{steps: 3}"), 1);
    made.made_up = "a fixture";
    EXPECT_EQ(code("real-data"), 1);
    EXPECT_EQ(code("{real-data: false, steps: 1}"), 0);
    made.made_up.clear();
    EXPECT_EQ(code("scenario"), 0);
    made.self_made = true;
    EXPECT_EQ(code("scenario"), 1);
    EXPECT_EQ(code("{scenario: true}"), 1);
    EXPECT_EQ(code("{scenario: false, steps: 1}"), 0);
    made.verdict = Verdict::required;
    EXPECT_EQ(code("{watched: 13s}"), 0) << "nothing is concluded from how long that was watched";
}

TEST(FailedWrites, TheSnippetAcceptsThem) {
    const auto made =
        result({mount(Verdict::tolerated, {write("/data/it's: *.1234"), write("/data/b", "mkdir")})});
    std::string snippet = decide({made}).findings.at(0).snippet;
    for (std::size_t at = 0; (at = snippet.find("reason: \n", at)) != std::string::npos; at += 9)
        snippet.replace(at, 9, "reason: yes\n");
    EXPECT_EQ(decide({made}, snippet).exit_code(), 0) << snippet;
}

TEST(Expired, SaysSinceWhenAndByWhom) {
    const auto made = result({mount(Verdict::tolerated, {write("/data/x")})});
    const auto decision =
        decide({made}, "writes:\n  - {path: /data/x, reason: waits for 2.0, by: Ada, until: 2026-06-03}");
    ASSERT_THAT(rules(decision), ElementsAre("fail:expired-acceptance"));
    EXPECT_THAT(
        decision.findings[0].evidence,
        ElementsAre(
            "accepted by Ada until 2026-06-03 (policy.yaml:2:5), which is 12 days ago; the reason was: "
            "waits for 2.0",
            HasSubstr("create /data/x  EROFS  in step upload  by /usr/sbin/app  (run 3)")));
    EXPECT_EQ(decision.findings[0].snippet, "");
}

TEST(Expired, VerdictsToo) {
    const std::string text = "mounts: [{target: /data, accept: [untested], by: Ada, until: 2026-06-14}]";
    EXPECT_THAT(rules(decide({result({mount(Verdict::untested)})}, text)),
                ElementsAre("fail:expired-acceptance"));
    EXPECT_EQ(decide({result({mount(Verdict::untested)})}, text, nullptr, "2026-06-14").exit_code(), 0);
    // What has expired is of no matter when it is not needed.
    EXPECT_EQ(decide({result({mount(Verdict::safe)})}, text).exit_code(), 0);
}

TEST(Expiry, IsAnnounced) {
    const auto made = result({mount(Verdict::tolerated, {write("/data/x")})});
    EXPECT_THAT(rules(decide({made}, "writes: [{path: /data/x, reason: r, until: 2026-06-29}]")),
                ElementsAre("note:expires-soon"));
    EXPECT_THAT(rules(decide({made}, "writes: [{path: /data/x, reason: r, until: 2026-06-30}]")), IsEmpty());
}

TEST(MountRules, TheFirstThatFitsDecides) {
    const std::string text =
        "accept: [safe]\nmounts:\n  - {target: /other, accept: [safe]}\n  - {target: /da*, accept: "
        "[required]}\n"
        "  - {target: '**', accept: [tolerated]}\n";
    EXPECT_EQ(decide({result({mount(Verdict::required)})}, text).exit_code(), 0);
    EXPECT_EQ(decide({result({mount(Verdict::tolerated)})}, text).exit_code(), 1);
    EXPECT_EQ(decide({result({mount(Verdict::safe)})}, text).exit_code(), 1)
        << "an entry replaces the default";
}

TEST(MustBeReadOnly, HoldsForEveryVerdictButAlreadyRo) {
    const std::string text = "mounts: [{target: /data, must_be_read_only: true}]";
    EXPECT_EQ(decide({result({mount(Verdict::already_ro)})}, text).exit_code(), 0);
    for (const Verdict verdict : {Verdict::safe, Verdict::required, Verdict::ineffective})
        EXPECT_THAT(rules(decide({result({mount(verdict)})}, text)), ElementsAre("fail:must-be-read-only"));
}

TEST(MustBeReadOnly, AMountThatIsNotThereFails) {
    EXPECT_EQ(decide({result({mount(Verdict::safe)})}, "mounts: [{target: /dta, must_be_read_only: true}]")
                  .exit_code(),
              1);
    const std::string elsewhere = "mounts: [{target: /dta, scenario: other, must_be_read_only: true}]";
    EXPECT_EQ(decide({result({mount(Verdict::safe)})}, elsewhere).exit_code(), 0);
}

TEST(Policy, UnusedEntriesArePointedOut) {
    EXPECT_THAT(rules(decide({result({mount(Verdict::safe)})},
                             "mounts: [{target: /x, accept: [safe]}]\nwrites: [{path: /x, reason: r}]")),
                ElementsAre("note:unused-entry", "note:unused-entry"));
}

TEST(Policy, ProblemsNameTheirPlace) {
    struct {
        std::string text, message;
    } const table[] = {
        {"acept: [safe]", "policy.yaml:1:1: unknown key 'acept' in the policy; did you mean 'accept'?"},
        {"accept: [save]", "policy.yaml:1:10: unknown verdict 'save'; did you mean 'safe'?"},
        {"mounts: [{accept: [safe]}]", "1:10: an entry of 'mounts' has no 'target'"},
        {"mounts: [{target: /a}]", "says nothing about the mount"},
        {"mounts: [{target: /a, must_be_read_only: yes}]", "write true or false"},
        {"mounts: [{target: /a, must_be_read_only: true, until: 2026-01-01}]",
         "only what is accepted can expire"},
        {"writes: [{path: /a}]", "has no 'reason'"},
        {"writes: [{path: /a, reason: ''}]", "'reason' is empty"},
        {"writes: [{path: /a, reason: }]", "'reason' of an entry of 'writes' has no value"},
        {"writes: [{path: a, reason: r}]", "write '/a' or '**/a'"},
        {"writes: [{path: /a, reason: r, operation: creat}]", "did you mean 'create'?"},
        {"writes: [{path: /a, reason: r, until: 2026-02-30}]",
         "1:39: 'until' is '2026-02-30', which is not a day"},
        {"writes: {path: /a}", "'writes' is a mapping; write a list"},
        {"[safe]", "the policy is a list"},
    };
    for (const auto& each : table) {
        const auto parsed = parse_policy(each.text, "policy.yaml");
        ASSERT_FALSE(parsed) << each.text;
        EXPECT_EQ(parsed.error().kind, ErrorKind::usage);
        EXPECT_THAT(parsed.error().message, HasSubstr(each.message));
    }
}

void hold_against(const std::string& schema_file, std::span<const spec::KeySet> sets) {
    std::ifstream file(ROGATE_SOURCE_DIR "/scenarios/" + schema_file);
    const auto root = nlohmann::json::parse(file);
    for (const spec::KeySet& set : sets) {
        const auto& object = root.at(nlohmann::json::json_pointer(std::string(set.schema)));
        std::set<std::string> published;
        for (const auto& [name, unused] : object.at("properties").items()) published.insert(name);
        EXPECT_EQ(published, std::set<std::string>(set.names().begin(), set.names().end())) << set.schema;
        EXPECT_EQ(object.at("additionalProperties"), false) << set.schema;
    }
}

TEST(Schemas, NameTheKeysOfTheReaders) {
    hold_against("policy.schema.json", keys::policy_sets);
    hold_against("lock.schema.json", keys::lock_sets);
}

}  // namespace
}  // namespace rogate::gate::test
