// A result with everything in it.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <rogate/result.hpp>
#include <string>

#include "unit/golden.hpp"

namespace rogate::report {

using test::expect_golden;

inline Attempt attempt(std::string operation, std::string path, AttemptClass cls = AttemptClass::write,
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

inline MountResult mount(std::string target, Verdict verdict, std::string reason,
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

inline WritablePath kept_writable() {
    return {.path = "/srv/app/run",
            .as = WritableAs::tmpfs,
            .mount = "/srv/app",
            .tmpfs_options = "uid=33,gid=33,mode=0755",
            .reason = "only a pid file is written there",
            .needs_mount_point = true};
}

inline CampaignResult sample() {
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
    Attempt wrote = attempt("create", "/srv/app/run/app.pid", AttemptClass::write);
    wrote.mount = "/srv/app";
    wrote.error = 0;
    wrote.first_s = 0.25;
    wrote.open_flags = 0101;
    split.writes = {wrote};
    split.costs = {{.phase = "ready", .control_s = 0.5, .read_only_s = 2.5}};
    result.mounts.push_back(split);
    result.scenario.subject.origin = {
        .kind = Origin::Kind::compose, .files = {"compose.yaml"}, .name = "shop", .container = {}};
    result.recommendation = {
        .read_only = {"/etc/shop", "/srv/app"}, .writable = {kept_writable()}, .verified_by_run = 2};
    return result;
}

}  // namespace rogate::report
