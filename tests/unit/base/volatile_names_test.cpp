// Patterns, and which parts of a path differ from run to run.
#include "base/volatile_names.hpp"

#include <gtest/gtest.h>

#include "base/name_pattern.hpp"
#include "base/yaml_text.hpp"

namespace rogate {
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

std::string by_form(std::string_view path) {
    return VolatileNames().pattern(path, "/data");
}

TEST(Placeholders, StandForTheirKindOnly) {
    struct {
        std::string pattern, text;
        bool match;
    } const table[] = {
        {"/a/{number}", "/a/1769854830", true},
        {"/a/{number}", "/a/authorized_keys", false},
        {"/a/{number}", "/a/12b", false},
        {"/a/{time}", "/a/2026-01-31T10:20:30Z", true},
        {"/a/{time}", "/a/30-Nov-2026", true},
        {"/a/{time}", "/a/users-2026", false},
        {"/a/{hex}", "/a/b7f54b2df7773722d382f4809d65029c", true},
        {"/a/{hex}", "/a/12345678", true},
        {"/a/{hex}", "/a/decade", false},
        {"/a/{uuid}", "/a/3f2504e0-4f89-11d3-9a0c-0305e82c3301", true},
        {"/a/{uuid}", "/a/3f2504e0-4f89-11d3-9a0c", false},
        {"/a/{random}", "/a/01ARZ3NDEKTSV4RRFFQ69G5FAV", true},
        {"/a/{random}", "/a/config2", false},
        {"/a/{random}", "/a/authorized_keys2", false},
        {"/a/sed{random:6}", "/a/sedSv4gVU", true},
        {"/a/sed{random:6}", "/a/sedkqpwer", true},
        {"/a/sed{random:6}", "/a/sedative", false},
        {"/a/{random:6}", "/a/config", false},
        {"/a/{random:6}", "/a/xK9aQ2", true},
        {"/a/.c.{random:6}", "/a/.c.backup", false},
        {"/a/{word}", "/a/apple", true},
        {"/a/{word}", "/a/authorized_keys", false},
        {"/a/{varies}", "/a/2026-01-31_a3f2c1d4", true},
        {"/a/{varies}", "/a/authorized_keys", false},
        {"/a/{varies}", "/a/authorized_keys2", false},
        {"/a/{varies}", "/a/id_ed25519", false},
        {"/a/{x}", "/a/{x}", true},
        {"/a/{x}", "/a/1", false},
        {"/a/\\{number}", "/a/{number}", true},
    };
    for (const auto& each : table)
        EXPECT_EQ(matches(each.pattern, each.text), each.match) << each.pattern << " on " << each.text;
}

TEST(VolatileNames, VaryByTheirForm) {
    struct {
        std::string path, pattern;
    } const table[] = {
        // dates and times
        {"/data/log-2026-01-31.txt", "/data/log-{time}.txt"},
        {"/data/2026-01-31T10:20:30Z", "/data/{time}"},
        {"/data/31.01.2026", "/data/{time}"},
        {"/data/30-Nov-2026.log", "/data/{time}.log"},
        {"/data/backup_20260131T101500.sql", "/data/backup_{time}.sql"},
        {"/data/1769854830.123", "/data/{time}"},
        {"/data/12-30-05.log", "/data/{time}.log"},
        {"/data/2026/11/30/x", "/data/{number}/{number}/{number}/x"},
        {"/data/2026-11/30/x", "/data/{time}/{number}/x"},
        // numbers that name things: object ids, segments
        {"/data/1769854830", "/data/{number}"},
        {"/data/base/16384/2601_fsm", "/data/base/{number}/{number}_fsm"},
        {"/data/pg_wal/000000010000000000000001", "/data/pg_wal/{number}"},
        {"/data/job12345", "/data/job{number}"},
        // pids
        {"/data/nginx.7.tmp", "/data/nginx.{number}.tmp"},
        {"/data/temp-23.rdb", "/data/temp-{number}.rdb"},
        {"/data/app.pid.17", "/data/app.pid.{number}"},
        // hashes, UUIDs and other identifiers
        {"/data/c/29/b7f54b2df7773722d382f4809d65029c", "/data/c/29/{hex}"},
        {"/data/3f2504e0-4f89-11d3-9a0c-0305e82c3301.json", "/data/{uuid}.json"},
        {"/data/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/data/{random}"},
        {"/data/sess_q1m4j3k9v8x7z6c5b4n3m2l1k0", "/data/sess_{random}"},
        {"/data/V1StGXR8_Z5jdHi6B-myT.bin", "/data/{random}.bin"},
        // mkstemp(3), tempfile, sed -i
        {"/data/tmp.Ab3dEf9hIj", "/data/tmp.{random}"},
        {"/data/tmpk3v9xq1z", "/data/tmp{random:8}"},
        {"/data/tmpk3_9xq1z.txt", "/data/tmp{random:8}.txt"},
        {"/data/sedSv4gVU", "/data/sed{random:6}"},
        {"/data/fooAb3XyZ", "/data/foo{random:6}"},
        {"/data/fooQwErTy", "/data/foo{random:6}"},
        {"/data/.config.xK9aQ2", "/data/.config.{random:6}"},
        {"/data/upload-QwErTy.part.tmp", "/data/upload-{random:6}.part.tmp"},
        // what is special in a pattern is not in a name
        {"/data/*.1234", "/data/\\*.{number}"},
        {"/data/{number}", "/data/\\{number}"},
    };
    for (const auto& each : table) {
        EXPECT_EQ(by_form(each.path), each.pattern) << each.path;
        EXPECT_TRUE(matches(by_form(each.path), each.path)) << each.path;
    }
}

TEST(VolatileNames, EverythingElseStays) {
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
                                   "/data/getElementById",
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
                                   "/data/authorized_keys2",
                                   "/data/app-1.10.3",
                                   "/data/11/30",
                                   "/data/appendonly.aof.1.incr.aof"})
        EXPECT_EQ(by_form(path), path);
}

TEST(VolatileNames, TheMountItselfStays) {
    const VolatileNames names;
    EXPECT_EQ(names.pattern("/srv/2026/file", "/srv/2026"), "/srv/2026/file");
    EXPECT_EQ(names.pattern("/srv/2026", "/srv/2026"), "/srv/2026");
    EXPECT_EQ(names.pattern("/srv/20260101/x", "/"), "/srv/{number}/x");
    EXPECT_EQ(names.pattern("/srv/data20260101/x", "/srv/data"), "/srv/data{number}/x")
        << "not below the mount";
}

TEST(VolatileNames, OfProcesses) {
    EXPECT_EQ(process_pattern("python3.11"), "python{number}.{number}");
    EXPECT_EQ(process_pattern("worker-12"), "worker-{number}");
    EXPECT_EQ(process_pattern("nginx"), "nginx");
    EXPECT_EQ(process_pattern("a*"), "a\\*");
}

Attempts made(std::initializer_list<std::string_view> paths, std::string_view operation = "create") {
    std::vector<Attempt> all;
    for (const std::string_view path : paths) {
        Attempt each;
        each.mount = "/data";
        each.path = path;
        each.operation = operation;
        each.process.exe = "/usr/bin/app";
        all.push_back(std::move(each));
    }
    return all;
}

TEST(VolatileNames, TwoRunsAreBetterThanAnyForm) {
    struct {
        std::string_view one, other, pattern;
        bool same_plan = false;
    } const table[] = {
        // No form tells these by themselves.
        {"/data/worker-12", "/data/worker-7", "/data/worker-{number}"},
        {"/data/12", "/data/9", "/data/{number}"},
        {"/data/fooabcdef", "/data/fooAb3XyZ", "/data/foo{random:6}"},
        {"/data/foogQwrtz", "/data/fooghijkL", "/data/foo{random:6}"},
        {"/data/.c.qwerty", "/data/.c.Ab3XyZ", "/data/.c.{random:6}"},
        {"/data/tmpqwertyui", "/data/tmpa1_c2d3e", "/data/tmp{random:8}"},
        {"/data/12345678", "/data/a3f2c1d4", "/data/{hex}"},
        {"/data/k3jx9", "/data/a9k2mmq", "/data/{random}"},
        {"/data/a1b2c3f", "/data/a1b2c3d4", "/data/{hex}"},
        {"/data/job-3/out", "/data/job-4/out", "/data/job-{number}/out"},
        {"/data/job-3/part7", "/data/job-4/part9", "/data/job-{number}/part{number}"},
        // One plain word in place of another: only where the runs had the same plan.
        {"/data/apple", "/data/plum", "/data/{word}", true},
        {"/data/happy.db", "/data/brave.db", "/data/{word}.db", true},
    };
    for (const auto& each : table) {
        VolatileNames names;
        // Folders are made before what is in them.
        const auto folders = [](std::string_view path) {
            return made({path, path.substr(0, path.rfind('/'))});
        };
        names.learn(folders(each.one), folders(each.other), each.same_plan);
        EXPECT_EQ(names.pattern(each.one, "/data"), each.pattern);
        EXPECT_EQ(names.pattern(each.other, "/data"), each.pattern);
        const VolatileNames again(names.learned());
        EXPECT_EQ(again.pattern(each.one, "/data"), each.pattern) << "kept in a result";
        EXPECT_EQ(again.pattern(each.other, "/data"), each.pattern) << "kept in a result";
    }
}

TEST(VolatileNames, DifferentNamesAreNoVariation) {
    struct {
        std::string_view one, other;
        bool same_plan = false;
    } const table[] = {
        {"/data/a.db", "/data/error.log", true}, {"/data/state.primary", "/data/state.standby"},
        {"/data/apple", "/data/plum"},           {"/data/config", "/data/secret"},
        {"/data/a/x", "/data/b/y", true},
    };
    for (const auto& each : table) {
        VolatileNames names;
        names.learn(made({each.one}), made({each.other}), each.same_plan);
        EXPECT_EQ(names.pattern(each.one, "/data"), each.one);
        EXPECT_EQ(names.pattern(each.other, "/data"), each.other);
    }
}

TEST(VolatileNames, WhatBothRunsHaveIsFixed) {
    VolatileNames names;
    names.learn(made({"/data/log.1", "/data/run-4"}), made({"/data/log.1", "/data/log.2", "/data/run-5"}),
                false);
    EXPECT_EQ(names.pattern("/data/log.1", "/data"), "/data/log.1");
    EXPECT_EQ(names.pattern("/data/run-4", "/data"), "/data/run-{number}");
}

TEST(VolatileNames, OtherOperationsAndProgramsAreOtherPlaces) {
    VolatileNames names;
    names.learn(made({"/data/run-4"}), made({"/data/run-5"}, "unlink"), true);
    EXPECT_TRUE(names.learned().empty());
}

TEST(YamlText, IsQuotedWhereItCouldBeMisread) {
    EXPECT_EQ(yaml_scalar("/data/app.pid"), "/data/app.pid");
    EXPECT_EQ(yaml_scalar("no"), "'no'");
    EXPECT_EQ(yaml_scalar("12"), "'12'");
    EXPECT_EQ(yaml_scalar(""), "''");
    EXPECT_EQ(yaml_scalar("/a: b, {c} # 'd'"), "'/a: b, {c} # ''d'''");
    EXPECT_EQ(yaml_scalar("*x"), "'*x'");
}

}  // namespace
}  // namespace rogate
