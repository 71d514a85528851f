// The lock file, and what has changed since it was written.
#include "gate/lock.hpp"

#include <rogate/names.hpp>

#include "unit/gate/support.hpp"

namespace rogate::gate::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Attempt made(std::string path, std::string operation = "create") {
    return write(std::move(path), std::move(operation), 0);
}

Lock lock_of(const CampaignResult& result) {
    return updated({}, {result});
}

std::vector<std::string> compared(const MountResult& before, const MountResult& now) {
    const Lock lock = lock_of(result({before}));
    // Every verdict is accepted, so that only the comparison speaks.
    return rules(decide({result({now})},
                        "accept: [safe, tolerated, split, required, untested, ineffective, already-ro]",
                        &lock));
}

MountResult split_with(std::string path) {
    MountResult made = mount(Verdict::split);
    made.writable.push_back({.path = std::move(path), .mount = "/data", .tmpfs_options = "", .reason = ""});
    return made;
}

TEST(Lock, SurvivesBeingWrittenAndRead) {
    MountResult odd =
        mount(Verdict::split, {}, {made("/data/it's\n\xff: *"), made("/data/b"), made("/data/a")});
    odd.mount.target = "/da\nta";
    odd.writable.push_back({.path = "/data/run", .mount = "/data", .tmpfs_options = "", .reason = ""});
    Lock lock = lock_of(result({odd, mount(Verdict::safe)}));
    lock.scenarios["null"];
    const std::string text = render_lock(lock);
    auto back = parse_lock(text, "");
    ASSERT_TRUE(back) << back.error().message << text;
    EXPECT_EQ(*back, lock) << text;
    EXPECT_EQ(render_lock(*back), text);
}

TEST(Lock, IsSortedWithALineForEachWrite) {
    const auto shop =
        result({mount(Verdict::required, {}, {made("/data/b"), made("/data/tmp.Xy12Zz"), made("/data/a")})});
    EXPECT_THAT(render_lock(lock_of(shop)), HasSubstr(R"(schema: rogate.lock/2
scenarios:
  - name: shop
    mounts:
      - target: /data
        verdict: required
        writes:
          - {path: /data/a, operation: create, process: app}
          - {path: /data/b, operation: create, process: app}
          - {path: '/data/tmp.{random:6}', operation: create, process: app}
)"));
}

TEST(Lock, HoldsWhatFailedOnAMountThatWasReadOnly) {
    const auto lock = lock_of(result({mount(Verdict::already_ro, {write("/data/x")})}));
    EXPECT_EQ(lock.scenarios.at("shop").at("/data").writes.size(), 1U);
}

TEST(Lock, SameResultIsNoChange) {
    const MountResult same =
        mount(Verdict::required, {write("/data/x")}, {made("/data/x"), made("/data/y.1234.tmp")});
    EXPECT_THAT(compared(same, same), IsEmpty());
    EXPECT_THAT(compared(mount(Verdict::required, {}, {made("/data/y.17.tmp")}),
                         mount(Verdict::required, {}, {made("/data/y.423.tmp")})),
                IsEmpty());
}

TEST(Lock, NewWritesFail) {
    const MountResult before = mount(Verdict::required, {}, {made("/data/x")});
    const MountResult now =
        mount(Verdict::required, {}, {made("/data/x"), made("/data/x", "unlink"), made("/data/z")});
    const Lock lock = lock_of(result({before}));
    const auto decision = decide({result({now})}, "", &lock);
    ASSERT_THAT(rules(decision), ElementsAre("fail:new-write"));
    EXPECT_EQ(decision.exit_code(), 1);
    EXPECT_THAT(decision.findings[0].evidence,
                ElementsAre("new: unlink /data/x  succeeded  in step upload  by /usr/sbin/app  (run 1)",
                            HasSubstr("new: create /data/z")));
    EXPECT_EQ(decision.findings[0].declared, (SourcePlace{"shop.yaml", 7, 5}));
}

TEST(Lock, VerdictsByNeed) {
    const auto with = [](Verdict verdict) { return mount(verdict); };
    using V = Verdict;
    struct {
        V before, now;
        std::vector<std::string> found;
    } const table[] = {
        {V::safe, V::already_ro, {}},
        {V::already_ro, V::safe, {}},
        {V::safe, V::tolerated, {"fail:new-verdict"}},
        {V::safe, V::required, {"fail:new-verdict"}},
        {V::required, V::safe, {"note:could-be-read-only"}},
        {V::required, V::tolerated, {"note:could-be-read-only"}},
        {V::safe, V::untested, {"fail:new-verdict"}},
        {V::safe, V::ineffective, {"fail:new-verdict"}},
    };
    for (const auto& each : table)
        EXPECT_EQ(compared(with(each.before), with(each.now)), each.found)
            << to_string(each.before) << " " << to_string(each.now);
}

TEST(Lock, OtherWritableSubPathsFail) {
    const auto lock = lock_of(result({split_with("/data/run")}));
    CampaignResult now = result({split_with("/data/log")});
    now.recommendation.verified_by_run = 2;
    EXPECT_THAT(rules(decide({now}, "", &lock)), ElementsAre("fail:new-verdict"));
}

TEST(Lock, GoneWritesArePointedOut) {
    EXPECT_THAT(compared(mount(Verdict::required, {}, {made("/data/x"), made("/data/y")}),
                         mount(Verdict::required, {}, {made("/data/x")})),
                ElementsAre("note:gone-write"));
}

TEST(Lock, InconclusiveIsNoChange) {
    const Lock lock = lock_of(result({mount(Verdict::required, {}, {made("/data/x")})}));
    const auto decision = decide({result({mount(Verdict::inconclusive, {}, {made("/data/z")})})}, "", &lock);
    EXPECT_THAT(rules(decision), ElementsAre("open:inconclusive"));
    EXPECT_EQ(updated(lock, {result({mount(Verdict::inconclusive)})}), lock);
}

TEST(Lock, UnknownMountsAndScenarios) {
    const Lock lock = lock_of(result({}));
    const Lock with_shop{.file = "", .scenarios = {{"shop", {}}}};
    const std::vector<CampaignResult> safe = {result({mount(Verdict::safe)})};
    EXPECT_THAT(rules(decide(safe, "", &lock)), ElementsAre("fail:new-scenario"));
    EXPECT_THAT(rules(decide(safe, "", &with_shop)), ElementsAre("note:new-mount"));
    EXPECT_THAT(rules(decide({result({mount(Verdict::required, {}, {made("/data/x")})})}, "", &with_shop)),
                ElementsAre("fail:new-mount"));
    const Lock more = lock_of(result({mount(Verdict::safe)}));
    EXPECT_THAT(rules(decide({result({})}, "", &more)), ElementsAre("note:gone-mount"));
}

TEST(Lock, UpdateKeepsWhatSomebodyWidened) {
    Lock lock = lock_of(result({mount(Verdict::required)}));
    const LockedWrite wide{"/data/**", "create", "*"}, stale{"/data/old", "mkdir", "app"};
    lock.scenarios["shop"]["/data"].writes = {wide, stale};
    lock.scenarios["other"]["/x"] = {.verdict = Verdict::safe, .writable = {}, .writes = {}};
    const auto now = result({mount(Verdict::required, {}, {made("/data/a/b"), made("/data/c", "mkdir")})});
    const Lock after = updated(lock, {now});
    EXPECT_EQ(after.scenarios.at("shop").at("/data").writes,
              (std::set<LockedWrite>{wide, {"/data/c", "mkdir", "app"}}));
    EXPECT_TRUE(after.scenarios.contains("other"));
}

CampaignResult stamped(std::string_view name, std::vector<Attempt> more = {}) {
    std::vector<Attempt> writes = {made("/data/" + std::string(name))};
    writes.insert(writes.end(), more.begin(), more.end());
    return result({mount(Verdict::required, {}, std::move(writes))});
}

constexpr std::string_view all_accepted =
    "accept: [safe, tolerated, split, required, untested, ineffective, already-ro]";

TEST(Lock, ANewFixedNameIsNewBesideOneThatVaries) {
    struct {
        std::string_view before, now;
    } const table[] = {
        {"1769854830", "1769854831"},
        {"2026-01-31", "2026-02-01"},
        {"b7f54b2df7773722d382f4809d65029c", "12345678901234567890123456789012"},
        {"3f2504e0-4f89-11d3-9a0c-0305e82c3301", "00000000-4f89-11d3-9a0c-0305e82c3301"},
        {"tmp.Ab3dEf9hIj", "tmp.Zz9dEf9hI0"},
        {"V1StGXR8_Z5jdHi6B-myT", "a9StGXR8_Z5jd-i6BimyT"},
    };
    for (const auto& each : table) {
        const Lock lock = lock_of(stamped(each.before));
        EXPECT_THAT(rules(decide({stamped(each.now)}, std::string(all_accepted), &lock)), IsEmpty())
            << each.before;
        for (const std::string fixed :
             {"authorized_keys", "config", "authorized_keys2", "tmp.config", "Makefile"})
            EXPECT_THAT(rules(decide({stamped(each.now, {made("/data/" + fixed)})}, std::string(all_accepted),
                                     &lock)),
                        ElementsAre("fail:new-write"))
                << each.before << " " << fixed;
    }
}

TEST(Lock, KnowsWhatTheRunsShowedToVary) {
    const std::vector<VaryingName> varying = {{"/data/run-{number}", {}},
                                              {"/data/.c.{random:6}", {".c.qwerty"}}};
    CampaignResult before = stamped("run-7", {made("/data/.c.Ab3XyZ")}),
                   now = stamped("run-12", {made("/data/.c.qwerty")});
    before.varying_names = now.varying_names = varying;
    now.varying_names[1].names = {".c.qwerty"};
    const Lock lock = lock_of(before);
    EXPECT_EQ(render_lock(lock), render_lock(lock_of(now)));
    EXPECT_THAT(rules(decide({now}, std::string(all_accepted), &lock)), IsEmpty());
}

TEST(Lock, ReadsTheStarsOfOlderOnesAsWhatTheyStoodFor) {
    const auto old = parse_lock(R"(schema: rogate.lock/1
scenarios:
  - name: shop
    mounts:
      - target: /data
        verdict: required
        writes:
          - {path: '/data/*', operation: create, process: app}
          - {path: '/data/cache/**', operation: create, process: '*'}
          - {path: '/data/{x}', operation: create, process: app}
)",
                                "old.yaml");
    ASSERT_TRUE(old) << old.error().message;
    const auto found = [&](const std::string& path) {
        return rules(
            decide({result({mount(Verdict::required, {}, {made(path)})})}, std::string(all_accepted), &*old));
    };
    EXPECT_THAT(found("/data/1769854830"), ElementsAre("note:gone-write"));
    EXPECT_THAT(found("/data/{x}"), ElementsAre("note:gone-write"));
    EXPECT_THAT(found("/data/authorized_keys"), ElementsAre("fail:new-write", "note:gone-write"));
    // Kinds take the place of the stars that the result still has.
    const Lock now = updated(*old, {stamped("1769854830")});
    EXPECT_EQ(now.scenarios.at("shop").at("/data").writes,
              (std::set<LockedWrite>{{"/data/{number}", "create", "app"}}));
    const auto again = parse_lock(render_lock(*old), "");
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->scenarios, old->scenarios);
}

TEST(Lock, ProblemsNameTheirPlace) {
    struct {
        std::string text, message;
    } const table[] = {
        {"scenarios: []", "l.yaml:1:1: the lock file has no 'schema'"},
        {"schema: rogate.lock/9", "l.yaml:1:9: 'rogate.lock/9' is not known here"},
        {"schema: rogate.lock/1\nscenarios:\n  - name: a\n  - name: a\n",
         "l.yaml:4:5: scenario 'a' is there twice"},
        {"schema: rogate.lock/1\nscenarios: [{name: a, mounts: [{target: /x, verdict: saef}]}]",
         "did you mean 'safe'?"},
        {"<<<<<<< HEAD\nschema: rogate.lock/1\n", "l.yaml:"},
    };
    for (const auto& each : table) {
        const auto parsed = parse_lock(each.text, "l.yaml");
        ASSERT_FALSE(parsed) << each.text;
        EXPECT_THAT(parsed.error().message, HasSubstr(each.message));
    }
}

}  // namespace
}  // namespace rogate::gate::test
