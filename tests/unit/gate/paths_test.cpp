// Patterns, and which parts of a path a lock file leaves open.
#include <gtest/gtest.h>

#include "gate/date.hpp"
#include "gate/glob.hpp"
#include "gate/volatile_parts.hpp"
#include "gate/yaml_text.hpp"

namespace rogate::gate {
namespace {

using namespace std::string_literals;

TEST(Glob, Matches) {
    struct {
        std::string pattern, text;
        bool match;
    } const table[] = {
        {"/a/b", "/a/b", true},
        {"/a/b", "/a/bc", false},
        {"/a/*", "/a/b", true},
        {"/a/*", "/a/b/c", false},
        {"/a/*", "/a", false},
        {"/a/*.log", "/a/x.log", true},
        {"/a/**", "/a/b/c", true},
        {"/a/**", "/a", false},
        {"/a/**/d", "/a/d", true},
        {"/a/**/d", "/a/b/c/d", true},
        {"/a/**/d", "/a/xd", false},
        {"**/d", "/a/b/d", true},
        {"/a/?", "/a/b", true},
        {"/a/?", "/a//", false},
        {"/a/?", "/a/", false},
        {"/a/\\*", "/a/*", true},
        {"/a/\\*", "/a/b", false},
        {"/a/\\x0a", "/a/\n", true},
        {"/a/\\xff", "/a/\xff", true},
        {"/a/\\\\", "/a/\\", true},
        {"**", "", true},
        {"", "", true},
        {"", "a", false},
        {"/a/**b", "/a/c/b", true},
        {"/a*/c", "/abc/c", true},
        {"*a*a*a*b", "aaaaaaaaaaa", false},
    };
    for (const auto& each : table)
        EXPECT_EQ(matches(each.pattern, each.text), each.match) << each.pattern << " on " << each.text;
}

TEST(Glob, LiteralPatternMatchesThePathItIsMadeOf) {
    for (const std::string& path :
         {"/a/*"s, "/a/?x"s, "/a/\\x0a"s, "/a/\n\x1b[m"s, "/a/\xff\xfe"s, "/ä/[b]"s}) {
        EXPECT_TRUE(matches(literal_pattern(path), path)) << path;
        EXPECT_FALSE(matches(literal_pattern(path), path + "x")) << path;
    }
    EXPECT_FALSE(matches(literal_pattern("/a/*"), "/a/b"));
}

TEST(Glob, NoPatternIsSlow) {
    EXPECT_FALSE(matches("**a**a**a**a**a**a**a**b", std::string(4096, 'a')));
}

TEST(VolatileParts, AreLeftOpen) {
    struct {
        std::string path, pattern;
    } const table[] = {
        // dates and times
        {"/data/log-2026-01-31.txt", "/data/log-*.txt"},
        {"/data/2026-01-31T10:20:30Z", "/data/*"},
        {"/data/31.01.2026", "/data/*"},
        {"/data/backup_20260131T101500.sql", "/data/backup_*.sql"},
        {"/data/1769854830.123", "/data/*"},
        // numbers that name things: object ids, segments
        {"/data/base/16384/2601_fsm", "/data/base/*/*_fsm"},
        {"/data/pg_wal/000000010000000000000001", "/data/pg_wal/*"},
        {"/data/job12345", "/data/job*"},
        // pids
        {"/data/nginx.7.tmp", "/data/nginx.*.tmp"},
        {"/data/temp-23.rdb", "/data/temp-*.rdb"},
        {"/data/app.pid.17", "/data/app.pid.*"},
        // hashes and UUIDs
        {"/data/c/29/b7f54b2df7773722d382f4809d65029c", "/data/c/29/*"},
        {"/data/3f2504e0-4f89-11d3-9a0c-0305e82c3301.json", "/data/*.json"},
        // mkstemp(3), tempfile, sed -i
        {"/data/tmp.Ab3dEf9hIj", "/data/tmp.*"},
        {"/data/tmpk3v9xq1z", "/data/tmp*"},
        {"/data/sedAb3xYz", "/data/sed*"},
        {"/data/.config.xK9aQ2", "/data/.config.*"},
        {"/data/upload-QwErTy.part.tmp", "/data/upload-*.part.tmp"},
        // a star of the path's own is none of the pattern's
        {"/data/*.1234", "/data/\\*.*"},
    };
    for (const auto& each : table) {
        EXPECT_EQ(generalised(each.path, "/data"), each.pattern) << each.path;
        EXPECT_TRUE(matches(generalised(each.path, "/data"), each.path)) << each.path;
    }
}

TEST(VolatileParts, EverythingElseStays) {
    for (const std::string path : {"/data/log.1",
                                   "/data/lib/python3.11/site-packages",
                                   "/data/x86_64-linux-gnu",
                                   "/data/app.conf",
                                   "/data/app.pid",
                                   "/data/app.lock",
                                   "/data/README.Debian",
                                   "/data/sessions",
                                   "/data/template.html",
                                   "/data/config.production",
                                   "/data/server.camelCaseName",
                                   "/data/app.service",
                                   "/data/tmp",
                                   "/data/temperature",
                                   "/data/sedative",
                                   "/data/decade",
                                   "/data/feedback",
                                   "/data/utf8",
                                   "/data/a.sqlite-wal",
                                   "/data/tmp/cache.db",
                                   "/data/.bash_history",
                                   "/data/appendonly.aof.1.incr.aof"})
        EXPECT_EQ(generalised(path, "/data"), path);
}

TEST(VolatileParts, TheMountItselfStays) {
    EXPECT_EQ(generalised("/srv/2026/file", "/srv/2026"), "/srv/2026/file");
    EXPECT_EQ(generalised("/srv/2026", "/srv/2026"), "/srv/2026");
    EXPECT_EQ(generalised("/srv/20260101/x", "/"), "/srv/*/x");
    EXPECT_EQ(generalised("/srv/data20260101/x", "/srv/data"), "/srv/data*/x") << "not below the mount";
}

TEST(VolatileParts, OfProcesses) {
    EXPECT_EQ(generalised_process("python3.11"), "python*.*");
    EXPECT_EQ(generalised_process("worker-12"), "worker-*");
    EXPECT_EQ(generalised_process("nginx"), "nginx");
    EXPECT_EQ(generalised_process("a*"), "a\\*");
}

TEST(YamlText, IsQuotedWhereItCouldBeMisread) {
    EXPECT_EQ(yaml_scalar("/data/app.pid"), "/data/app.pid");
    EXPECT_EQ(yaml_scalar("no"), "'no'");
    EXPECT_EQ(yaml_scalar("12"), "'12'");
    EXPECT_EQ(yaml_scalar(""), "''");
    EXPECT_EQ(yaml_scalar("/a: b, {c} # 'd'"), "'/a: b, {c} # ''d'''");
    EXPECT_EQ(yaml_scalar("*x"), "'*x'");
}

TEST(Day, IsOneOfTheCalendar) {
    EXPECT_EQ(to_text(*parse_day("2028-02-29")), "2028-02-29");
    for (const auto* text :
         {"2026-02-29", "2026-2-1", "26-02-01", "2026-13-01", "2026/01/01", "tomorrow!!", "", "2026-01-0x"})
        EXPECT_FALSE(parse_day(text)) << text;
}

}  // namespace
}  // namespace rogate::gate
