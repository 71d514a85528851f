#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "report/escape.hpp"
#include "report/json.hpp"
#include "report/terminal.hpp"

namespace rogate::report {
namespace {

Attempt attempt(std::string operation, std::string path, AttemptClass cls = AttemptClass::write,
                std::uint64_t count = 1) {
    Attempt made;
    made.mount = "/data";
    made.path = std::move(path);
    made.operation = std::move(operation);
    made.syscall = "openat";
    made.error = EROFS;
    made.cls = cls;
    made.phase = "step upload";
    made.process = {.pid = 42, .comm = "app", .exe = "/usr/sbin/app", .uid = 33, .parent = 7};
    made.count = count;
    made.control = "ok";
    return made;
}

MountResult mount(std::string target, Verdict verdict, std::string reason,
                  std::vector<Attempt> attempts = {}) {
    MountResult made;
    made.mount.target = std::move(target);
    made.mount.source = "/srv";
    made.mount.declared = {"shop.yaml", 7, 5};
    made.candidate = true;
    made.verdict = verdict;
    made.reason = std::move(reason);
    made.attempts = std::move(attempts);
    made.runs = {1, 2};
    return made;
}

WritablePath kept_writable() {
    return {.path = "/srv/app/run",
            .as = WritableAs::tmpfs,
            .mount = "/srv/app",
            .tmpfs_options = "uid=33,gid=33,mode=0755",
            .reason = "only a pid file is written there",
            .needs_mount_point = true};
}

CampaignResult sample() {
    CampaignResult result;
    result.scenario.name = "shop";
    result.scenario.file = "shop.yaml";
    result.scenario.subject.image = "shop:staging";
    result.scenario.subject.environment = {{"TOKEN", "very-secret-value"}};
    result.engine = {.name = "Docker Engine",
                     .version = "20.10.24",
                     .api_version = "1.41",
                     .kernel = "6.1",
                     .os = "Debian",
                     .cgroup_version = "2",
                     .host = "unix:///x"};
    result.observer = {.kind = "ebpf", .hooks = "sys_exit"};
    result.image_id = "sha256:abc";
    result.started_at = "2026-01-01T00:00:00Z";
    result.duration_s = 4.5;
    result.data_mode = "overlay";
    RunRecord control, probe;
    control.passed = true;
    control.phases = {{.name = "ready", .passed = true, .message = {}, .duration_s = 0.5}};
    control.uses["/data"] = 3;
    control.exit_code = 0;
    probe.plan = {.id = 2,
                  .kind = RunKind::probe,
                  .read_only = {"/data"},
                  .writable = {kept_writable()},
                  .expected_exit_code = {},
                  .expected_early_exit = false};
    probe.phases = {{.name = "step upload",
                     .passed = false,
                     .message = "token very-secret-value was refused",
                     .duration_s = 0.5}};
    probe.canary["/data"] = Canary::seen;
    probe.log_tail = "first\nsecond\n";
    result.runs = {control, probe};
    result.mounts = {
        mount("/data", Verdict::required,
              "read-only fails step upload: expected status 200, got 500 (body: \"no space to store the "
              "picture\")",
              {attempt("create", "/data/a.png", AttemptClass::write, 3),
               attempt("access", "/data", AttemptClass::access_check)}),
        mount("/etc/shop", Verdict::safe, "read 12 times, never written to"),
        mount("/srv/\x1b[31mred\n\xff", Verdict::tolerated,
              "passes read-only, though 7 kinds of write failed",
              std::vector<Attempt>(
                  7, attempt("mkdir", std::string("/srv/\x1b[2J\xe2\x80\xae") + std::string(300, 'x')))),
        mount("/unused", Verdict::untested, "nothing opened or listed anything on it"),
        mount("/doubt", Verdict::inconclusive,
              "run 2 cannot be relied on: 7 events were lost; what they were is not known"),
    };
    MountResult split =
        mount("/srv/app", Verdict::split, "read-only fails ready; passes with /srv/app/run (tmpfs) writable");
    split.writable = {kept_writable()};
    split.writes = {attempt("create", "/srv/app/run/app.pid", AttemptClass::write)};
    split.writes.front().mount = "/srv/app";
    split.writes.front().error = 0;
    split.writes.front().first_s = 0.25;
    split.writes.front().open_flags = 0101;
    split.costs = {{.phase = "ready", .control_s = 0.5, .read_only_s = 2.5}};
    result.mounts.push_back(split);
    result.scenario.subject.origin = {
        .kind = Origin::Kind::compose, .files = {"compose.yaml"}, .name = "shop", .container = {}};
    result.recommendation = {
        .read_only = {"/etc/shop", "/srv/app"}, .writable = {kept_writable()}, .verified_by_run = 2};
    return result;
}

// Golden files are what a person has looked at; ROGATE_UPDATE_GOLDEN=1 writes them anew.
void expect_golden(const std::string& name, const std::string& text) {
    const std::string path = std::string(ROGATE_SOURCE_DIR "/tests/golden/") + name;
    if (std::getenv("ROGATE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
    std::ifstream file(path);
    std::ostringstream wanted;
    wanted << file.rdbuf();
    EXPECT_EQ(text, wanted.str()) << name;
}

TEST(Terminal, Plain) {
    expect_golden("terminal.txt",
                  render_terminal(sample(), {.colour = false, .unicode = true, .width = 100}));
}
TEST(Terminal, NarrowColouredAscii) {
    expect_golden("terminal_colour.txt",
                  render_terminal(sample(), {.colour = true, .unicode = false, .width = 60}));
}
TEST(Terminal, NothingToTry) {
    CampaignResult result = sample();
    result.mounts.clear();
    result.recommendation = {};
    expect_golden("terminal_empty.txt", render_terminal(result, {}));
}
TEST(Terminal, HostileBytesNeverReachIt) {
    for (const char c : render_terminal(sample(), {.colour = false, .unicode = true, .width = 100}))
        EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
}

TEST(Json, IsAsTheSchemaSays) {
    expect_golden("result.json", render_json(sample(), {"very-secret-value"}));
}

TEST(Json, KeepsSecretsBack) {
    const std::string text = render_json(sample(), {"very-secret-value"});
    EXPECT_EQ(text.find("very-secret-value"), std::string::npos);
    EXPECT_NE(text.find("token *** was refused"), std::string::npos);
    EXPECT_NE(text.find("TOKEN"), std::string::npos);
}

TEST(Json, ComesBackAsItWas) {
    CampaignResult result = sample();
    result.scenario.subject.environment["TOKEN"] = "";
    const auto back = parse_json(render_json(result));
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_EQ(back->runs, result.runs);
    ASSERT_EQ(back->mounts.size(), result.mounts.size());
    EXPECT_EQ(back->mounts[2].mount.target, result.mounts[2].mount.target);
    EXPECT_EQ(back->mounts.back(), result.mounts.back());
    EXPECT_EQ(back->recommendation, result.recommendation);
    EXPECT_EQ(back->scenario.subject.origin, result.scenario.subject.origin);
    EXPECT_EQ(render_json(*back), render_json(result));
    const TerminalStyle style;
    EXPECT_EQ(render_terminal(*back, style), render_terminal(result, style));
}

TEST(Json, SaysWhatIsNoResult) {
    for (const char* text :
         {"", "{", "[]", "{}", R"({"schema":"rogate.result/2"})", R"({"schema":"rogate.result/1"})",
          R"({"schema":"rogate.result/1","scenario":5})"}) {
        const auto parsed = parse_json(text);
        ASSERT_FALSE(parsed.has_value()) << text;
        EXPECT_EQ(parsed.error().kind, ErrorKind::usage);
        EXPECT_NE(parsed.error().message.find("result of rogate's"), std::string::npos);
    }
}

TEST(Escape, IsReversibleForAnyBytes) {
    std::mt19937 random(7);  // NOLINT: the same bytes each time
    for (int round = 0; round < 5000; ++round) {
        std::string raw(random() % 40, '\0');
        for (char& c : raw)
            c = static_cast<char>(round % 2 == 0 ? random() : "\\x0aé\xe2\x80\xae\xff\n"[random() % 12]);
        const std::string escaped = escape_text(raw);
        EXPECT_EQ(unescape_text(escaped), raw);
        // What is escaped is valid UTF-8: JSON takes it.
        EXPECT_NO_THROW((void)nlohmann::json(escaped).dump());
        for (const char c : escaped) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    }
}

TEST(Escape, LeavesOrdinaryTextAlone) {
    EXPECT_EQ(escape_text("/srv/Müller/日本.txt"), "/srv/Müller/日本.txt");
    EXPECT_EQ(escape_text("a\nb\\c\x1b"), "a\\x0ab\\\\c\\x1b");
    EXPECT_EQ(escape_text("\xc0\xaf\xed\xa0\x80"), "\\xc0\\xaf\\xed\\xa0\\x80");
}

}  // namespace
}  // namespace rogate::report
