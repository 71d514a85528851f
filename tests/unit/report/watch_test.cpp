// What a watch looks like, in every format, as a person has looked at it.
#include "report/watch.hpp"

#include <gmock/gmock.h>

#include <cerrno>

#include "report/secrets.hpp"
#include "unit/golden.hpp"

namespace rogate::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

WatchedMount mount(const std::string& target, MountType type, bool read_only = false) {
    WatchedMount made;
    made.mount.target = target;
    made.mount.type = type;
    made.mount.read_only = read_only;
    return made;
}

Attempt attempt(const std::string& path, const std::string& operation, const std::string& phase,
                int error = 0) {
    Attempt made;
    made.path = path;
    made.operation = operation;
    made.syscall = "openat";
    made.phase = phase;
    made.error = error;
    made.process = {.pid = 7, .comm = "shop", .exe = "/usr/bin/shop", .uid = 33, .parent = 1};
    made.first_s = 1.25;
    return made;
}

WatchResult whole() {
    WatchResult watch;
    watch.container = "shop";
    watch.image = "shop:2";
    watch.engine.name = "Docker Engine";
    watch.engine.version = "20.10";
    watch.engine.kernel = "6.1";
    watch.observer = {"ebpf", "sys_exit"};
    watch.started_at = "2026-11-24T12:00:00Z";
    watch.duration_s = 600;
    watch.ended = "until the time was over";
    watch.restarts = 1;
    watch.mounts = {mount("/", MountType::rootfs), mount("/conf", MountType::bind),
                    mount("/data", MountType::volume), mount("/fixed", MountType::bind, true),
                    mount("/unused", MountType::volume)};
    watch.mounts[0].uses = 40;
    watch.mounts[1].uses = 1;
    watch.mounts[2].uses = 9;
    watch.mounts[2].writes = {attempt("/data/log", "open-write", "open already"),
                              attempt("/data/odd\n\x1b[2J|`<b>\xff", "create", "watch"),
                              attempt("/data/x", "unlink", "docker exec")};
    watch.mounts[2].writes[1].count = 1200;
    watch.mounts[3].uses = 2;
    watch.mounts[3].refused = {attempt("/fixed/pid", "create", "watch", EROFS)};
    return watch;
}

TEST(Watch, LooksLikeThis) {
    test::expect_golden("watch.txt", render_watch_table(whole()));
    test::expect_golden("watch.md", render_watch_markdown(whole()));
    test::expect_golden("watch.json", render_watch_json(whole()));
}

TEST(Watch, NothingIsWorthTryingWhereWritesMayHaveBeenMissed) {
    WatchResult watch = whole();
    EXPECT_THAT(render_watch_table(watch), HasSubstr("Worth trying read-only: /, /conf."));
    watch.lost_events = 1;
    for (const std::string& text : {render_watch_table(watch), render_watch_markdown(watch)}) {
        EXPECT_THAT(text, HasSubstr("Not all was seen: 1 event was lost"));
        EXPECT_THAT(text, HasSubstr("some may have been missed"));
        EXPECT_THAT(text, Not(HasSubstr("Worth trying")));
    }
    EXPECT_THAT(render_watch_json(watch), Not(HasSubstr("\"worth_trying\": true")));
    watch.lost_events = 0;
    watch.problem = "the observer failed";
    EXPECT_THAT(render_watch_table(watch), HasSubstr("Not all was seen: the observer failed."));
    EXPECT_THAT(render_watch_json(watch), Not(HasSubstr("\"worth_trying\": true")));
}

// It is made to be written to.
TEST(Watch, ATmpfsIsNotWorthTrying) {
    WatchResult watch = whole();
    watch.mounts = {mount("/run", MountType::tmpfs)};
    watch.mounts[0].uses = 3;
    for (const std::string& text : {render_watch_table(watch), render_watch_markdown(watch)}) {
        EXPECT_THAT(text, HasSubstr("no write was seen; opened 3 times"));
        EXPECT_THAT(text, Not(HasSubstr(": worth trying")));
    }
}

TEST(Watch, ListsEndSomewhere) {
    WatchResult watch = whole();
    watch.mounts[2].writes.assign(1000, attempt("/data/x", "create", "watch"));
    EXPECT_THAT(render_watch_table(watch), HasSubstr("… and 988 more"));
    EXPECT_THAT(render_watch_markdown(watch), HasSubstr("800 more are in the JSON form"));
}

TEST(Watch, SecretsAreMasked) {
    WatchResult watch = whole();
    watch.mounts[2].writes[0].path = "/data/hunter22/x";
    watch.mounts[2].writes[0].process.comm = "hunter22";
    watch.mounts[3].refused[0].process.exe = "/hunter22";
    hide_secrets(watch, {{"hunter22", SecretKind::secret}});
    EXPECT_THAT(render_watch_json(watch), Not(HasSubstr("hunter22")));
    EXPECT_EQ(watch.mounts[2].writes[0].path, "/data/***/x");
}

}  // namespace
}  // namespace rogate::report
