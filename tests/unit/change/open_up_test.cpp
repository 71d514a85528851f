// A setup that is read-only and fails: what is told of it, and what is tried instead.
#include "change/open_up.hpp"

#include <gmock/gmock.h>

#include <cerrno>

namespace rogate::change {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

MountResult mount(const std::string& target, MountType type, bool read_only, int line = 0) {
    MountResult made;
    made.mount.target = target;
    made.mount.type = type;
    made.mount.read_only = read_only;
    if (line > 0) made.mount.declared = {"compose.yaml", line, 7};
    made.reason = "the control run failed";
    return made;
}

Attempt attempt(const std::string& on, const std::string& path, int error) {
    Attempt made;
    made.mount = on;
    made.path = path;
    made.operation = "chown";
    made.error = error;
    return made;
}

CampaignResult broken() {
    CampaignResult result;
    result.scenario.subject.read_only_rootfs = true;
    result.scenario.subject.origin.files = {"compose.yaml"};
    result.mounts = {mount("/", MountType::rootfs, true), mount("/conf", MountType::bind, true, 7),
                     mount("/data", MountType::volume, false, 8), mount("/in", MountType::bind, true, 9)};
    for (const MountResult& each : result.mounts)
        if (each.mount.target != "/") result.scenario.subject.mounts.push_back(each.mount);
    RunRecord control;
    control.attempts = {attempt("/", "/run/pg", EROFS), attempt("/conf", "/conf/x", EROFS),
                        attempt("/in", "/in/y", EACCES), attempt("/data", "/data/z", 0)};
    result.runs = {control};
    return result;
}

TEST(OpenUp, NamesWhatWasRefusedOnWhatTheUserMadeReadOnly) {
    CampaignResult result = broken();
    const auto refused = refused_as_configured(result);
    EXPECT_THAT(refused, ElementsAre("/", "/conf"));
    tell_refused(result, refused);
    EXPECT_EQ(
        result.mounts[0].reason,
        "the control run failed; it is read-only in compose.yaml, and there was refused: chown /run/pg; "
        "--open-up makes it writable in the control run and settles what has to be writable");
    EXPECT_THAT(result.mounts[1].reason, HasSubstr("it is read-only at compose.yaml:7, and"));
    EXPECT_EQ(result.mounts[1].attempts.size(), 1);
    EXPECT_EQ(result.mounts[3].reason, "the control run failed");
}

TEST(OpenUp, IsForControlRunsThatFail) {
    CampaignResult result = broken();
    result.runs[0].passed = true;
    EXPECT_THAT(refused_as_configured(result), ElementsAre());
    result = broken();
    result.runs[0].plan.kind = RunKind::probe;
    EXPECT_THAT(refused_as_configured(result), ElementsAre());
}

// A control run would write to the host.
TEST(OpenUp, LeavesWhatIsTheKernels) {
    for (const char* source : {"/sys", "/proc/sys/kernel", "/dev/shm"}) {
        CampaignResult result = broken();
        result.mounts[1].mount.source = source;
        EXPECT_THAT(refused_as_configured(result), ElementsAre("/")) << source;
    }
    CampaignResult result = broken();
    result.mounts[1].mount.source = "/system";
    EXPECT_THAT(refused_as_configured(result), ElementsAre("/", "/conf"));
}

TEST(OpenUp, LeavesWhatAClusterMountsReadOnly) {
    CampaignResult result = broken();
    PodMount place;
    place.volume = "conf";
    place.target = "/conf";
    place.read_only = true;
    PodVolume volume;
    volume.name = "conf";
    volume.kind = PodVolume::Kind::files;
    result.scenario.pod.mounts = {place};
    result.scenario.pod.volumes = {volume};
    EXPECT_THAT(refused_as_configured(result), ElementsAre("/"));
}

TEST(OpenUp, TriesThemBesideTheOthers) {
    const CampaignResult result = broken();
    const Scenario opened = opened_up(result.scenario, result.mounts, {"/", "/conf"});
    EXPECT_FALSE(opened.subject.read_only_rootfs);
    EXPECT_FALSE(opened.subject.mounts[0].read_only);
    EXPECT_TRUE(opened.subject.mounts[2].read_only);
    EXPECT_THAT(*opened.candidates, ElementsAre("/", "/conf", "/data"));
    Scenario narrow = result.scenario;
    narrow.candidates = {"/"};
    EXPECT_THAT(*opened_up(narrow, result.mounts, {"/conf"}).candidates, ElementsAre("/", "/conf"));
}

TEST(OpenUp, SaysWhereTheUserHasItReadOnly) {
    CampaignResult result = broken();
    result.mounts[0].verdict = Verdict::split;
    result.mounts[1].verdict = Verdict::required;
    tell_opened(result, {"/", "/conf"});
    EXPECT_THAT(result.mounts[0].reason,
                HasSubstr("; it is read-only in compose.yaml, and was made writable"));
    EXPECT_THAT(result.mounts[1].reason,
                HasSubstr("; it is read-only at compose.yaml:7: make it writable there"));
    EXPECT_EQ(result.mounts[2].reason, "the control run failed");
}

}  // namespace
}  // namespace rogate::change
