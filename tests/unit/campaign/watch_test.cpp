// What was recorded of a container that runs, by mount.
#include "campaign/watch.hpp"

#include <gmock/gmock.h>

#include <cerrno>

namespace rogate::campaign::test {
namespace {

Attempt attempt(const std::string& mount, const std::string& path, int error = 0,
                AttemptClass cls = AttemptClass::write, const std::string& phase = "watch") {
    Attempt made;
    made.mount = mount;
    made.path = path;
    made.error = error;
    made.cls = cls;
    made.phase = phase;
    return made;
}

WatchSubject subject() {
    WatchSubject made;
    for (const char* target : {"/", "/data"}) made.mounts.emplace_back().target = target;
    return made;
}

std::vector<std::string> paths(const std::vector<Attempt>& list) {
    std::vector<std::string> found;
    for (const Attempt& each : list) found.push_back(each.path.str());
    return found;
}

TEST(Watched, WritesAndRefusalsOfEachMount) {
    observe::Recording recording;
    recording.uses = {{"/data", 3}};
    recording.attempts = {attempt("/data", "/data/a"),
                          attempt("/data", "/data/refused", EROFS),
                          attempt("/data", "/data/missing", ENOENT),
                          attempt("/data", "/data/same", 0, AttemptClass::no_op),
                          attempt("/data", "/data/asked", EROFS, AttemptClass::access_check),
                          attempt("/", "/b"),
                          attempt("", "/proc/x")};
    const auto mounts = by_mount(subject(), recording);
    ASSERT_EQ(mounts.size(), 2U);
    EXPECT_EQ(mounts[0].uses, 0U);
    EXPECT_EQ(mounts[1].uses, 3U);
    EXPECT_THAT(paths(mounts[0].writes), testing::ElementsAre("/b"));
    EXPECT_THAT(paths(mounts[1].writes), testing::ElementsAre("/data/a"));
    EXPECT_THAT(paths(mounts[1].refused), testing::ElementsAre("/data/refused"));
}

TEST(Watched, WhoPutAProcessThereIsNotKnown) {
    observe::Recording recording;
    recording.attempts = {attempt("/data", "/data/a", 0, AttemptClass::write, "healthcheck")};
    EXPECT_EQ(by_mount(subject(), recording).at(1).writes.at(0).phase, "docker exec");
    WatchSubject checked = subject();
    checked.has_healthcheck = true;
    EXPECT_EQ(by_mount(checked, recording).at(1).writes.at(0).phase, "health check or docker exec");
}

}  // namespace
}  // namespace rogate::campaign::test
