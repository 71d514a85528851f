// inspect JSON of a live container -> a Subject like it.
#include "spec/live_container.hpp"

#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string volume_id(64, 'a');

const std::string whole = R"({
  "Id": "0123456789abcdef", "Image": "sha256:feed",
  "Config": {"Hostname": "0123456789ab", "User": "33", "Env": ["A=b=c", "PATH=/bin"], "Entrypoint": null,
    "Cmd": ["run", "it"], "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGQUIT",
    "Healthcheck": {"Test": ["CMD", "true"], "Interval": 500000000}},
  "HostConfig": {"NetworkMode": "staging", "Tmpfs": {"/run/": "size=1m,ro"}, "CapDrop": ["ALL"], "Init": true, "Runtime": "crun",
    "ReadonlyRootfs": true, "GroupAdd": ["44"], "ShmSize": 67108864,
    "Ulimits": [{"Name": "nofile", "Soft": 10, "Hard": 20}],
    "Mounts": [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 4096, "Mode": 511}}]},
  "Mounts": [
    {"Type": "bind", "Source": "/srv/conf", "Destination": "/conf", "RW": false, "Propagation": "rprivate", "Mode": "ro,Z"},
    {"Type": "volume", "Name": "data", "Destination": "/data", "RW": true, "Mode": "nocopy"},
    {"Type": "volume", "Name": ")" +
                          volume_id + R"(", "Destination": "/anonymous", "RW": true},
    {"Type": "tmpfs", "Destination": "/t", "RW": true}],
  "NetworkSettings": {"Networks": {"staging": {}, "db": {}}}})";

TEST(LiveContainer, IsReadAsItIs) {
    const auto subject = subject_of_container(whole, "shop", CloneNetwork::unsaid);
    ASSERT_TRUE(subject) << subject.error().message;
    EXPECT_EQ(subject->image, "sha256:feed");
    EXPECT_EQ(subject->entrypoint, std::vector<std::string>{});
    EXPECT_EQ(subject->command, (std::vector<std::string>{"run", "it"}));
    EXPECT_EQ(subject->hostname, std::nullopt);  // the engine's own choice
    EXPECT_EQ(subject->environment.at("A"), "b=c");
    EXPECT_EQ(subject->user, "33");
    EXPECT_EQ(subject->stop_signal, "SIGQUIT");
    EXPECT_EQ(subject->ulimits.at("nofile"), 10);
    EXPECT_EQ(subject->ulimits_hard.at("nofile"), 20);
    EXPECT_TRUE(subject->init && subject->read_only_rootfs);
    EXPECT_EQ(subject->runtime, "crun");
    EXPECT_THAT(subject->group_add, ElementsAre("44"));
    EXPECT_EQ(subject->healthcheck->interval_ms, 500);
    EXPECT_TRUE(subject->networks.empty());
}

TEST(LiveContainer, EveryKindOfMount) {
    const auto mounts = subject_of_container(whole, "shop", CloneNetwork::unsaid)->mounts;
    ASSERT_EQ(mounts.size(), 5U);
    EXPECT_EQ(mounts[0].target, "/anonymous");
    EXPECT_EQ(mounts[0].type, MountType::anonymous);
    EXPECT_EQ(mounts[0].source, volume_id);
    EXPECT_EQ(mounts[1].source, "/srv/conf");
    EXPECT_TRUE(mounts[1].read_only);
    EXPECT_EQ(mounts[2].type, MountType::volume);
    EXPECT_EQ(mounts[3].target, "/run");
    EXPECT_TRUE(mounts[3].read_only);
    EXPECT_EQ(mounts[3].tmpfs_options, "size=1m");
    EXPECT_EQ(mounts[4].tmpfs_options, "size=4096,mode=777");
}

TEST(LiveContainer, JoinsNetworksOnlyWhenAsked) {
    EXPECT_THAT(subject_of_container(whole, "shop", CloneNetwork::join)->networks,
                ElementsAre("db", "staging"));
}

TEST(LiveContainer, WhatCannotBeHadTwiceIsRefused) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"NetworkMode": "host"})",
         "container 'shop' uses the network of the host, where its clone would be in its way; say 'network: "
         "own'"},
        {R"({"NetworkMode": "container:x"})", "uses the network of another container"},
        {R"({"Devices": [{"PathOnHost": "/dev/fuse"}]})", "container 'shop' has devices of the host"},
        {R"({"PidMode": "host"})", "shares the process namespace"},
        {R"({"IpcMode": "host"})", "shares the IPC namespace"},
        {R"({"UTSMode": "host"})", "shares the host's name"},
        {R"({"Links": ["/a:/b"]})", "has links to other containers"}};
    for (const auto& [host, fragment] : cases) {
        const auto subject = subject_of_container(std::string(R"({"HostConfig": )") + host + "}", "shop",
                                                  CloneNetwork::unsaid);
        ASSERT_FALSE(subject) << host;
        EXPECT_EQ(subject.error().kind, ErrorKind::usage);
        EXPECT_THAT(subject.error().message, HasSubstr(fragment));
    }
}

TEST(LiveContainer, PodmansWordForAProcessNamespaceOfItsOwnIsUnderstood) {
    EXPECT_TRUE(subject_of_container(R"({"Id": "1", "Image": "sha256:feed", "Config": {"Cmd": ["x"]},
                                         "HostConfig": {"PidMode": "private"}})",
                                     "shop", CloneNetwork::unsaid));
}

TEST(LiveContainer, LimitsThatAreNotTakenOverAreNamed) {
    EXPECT_THAT(with_container(scenario_of_container("shop"), whole)->notes,
                Not(Contains(HasSubstr("not taken over"))));
    const std::string limited = R"({"Id": "1", "Image": "sha256:feed", "Config": {"Cmd": ["x"]},
      "HostConfig": {"Memory": 67108864, "PidsLimit": 100, "NanoCpus": 0, "CpusetCpus": "0-1"}})";
    EXPECT_THAT(
        with_container(scenario_of_container("shop"), limited)->notes,
        ElementsAre("container 'shop': not taken over by the runs: --memory, --pids-limit, --cpuset-cpus"));
}

TEST(LiveContainer, InAScenario) {
    Scenario scenario = good("subject: {container: {name: shop, network: join}, ports: [9]}\n");
    EXPECT_EQ(scenario.subject.origin.name, "shop");
    const auto clone = with_container(std::move(scenario), whole);
    ASSERT_TRUE(clone) << clone.error().message;
    EXPECT_EQ(clone->subject.origin.kind, Origin::Kind::container);
    EXPECT_EQ(clone->subject.ports.size(), 2U);
    EXPECT_EQ(clone->subject.networks.size(), 2U);
    EXPECT_EQ(clone->readiness.checks.size(), 1U);  // its health check
    EXPECT_THAT(clone->notes,
                ElementsAre(HasSubstr("mount /conf: the runs leave out the relabelling for SELinux (:Z)")));
}

TEST(LiveContainer, StandsForTheWholeSubject) {
    EXPECT_EQ(
        parse("subject: {container: shop, image: a}\n").error().message,
        "app/scenario.yaml:1:28: 'image' does not fit 'container', which is the whole application; leave one "
        "of the two out");
    EXPECT_EQ(parse("subject: {container: {name: shop, network: x}}\n").error().message,
              "app/scenario.yaml:1:44: 'network' is 'x'; write own (a network of the run's own, the default) "
              "or join "
              "(the original's networks as well)");
}

TEST(LiveContainer, TakesThePlaceOfTheSubjectOnTheCommandLine) {
    Surroundings with = surroundings();
    with.container = "live";
    const auto scenario = parse_scenario("ready: {tcp: {port: 80}}\n", "s.yaml", with);
    ASSERT_TRUE(scenario) << scenario.error().message;
    EXPECT_EQ(scenario->subject.origin.name, "live");
}

TEST(LiveContainer, APartOfAVolume) {
    const auto subject = subject_of_container(
        R"({"Id": "0123456789abcdef", "Image": "sha256:feed", "Config": {"Cmd": ["run"]},
            "NetworkSettings": {"Networks": {"staging": {}}},
            "HostConfig": {"NetworkMode": "staging", "Mounts": [{"Type": "volume", "Source": "data", "Target": "/data/db",
                           "VolumeOptions": {"Subpath": "db"}}]},
            "Mounts": [{"Type": "volume", "Name": "data", "Destination": "/data/db", "RW": true}]})",
        "shop", CloneNetwork::unsaid);
    ASSERT_TRUE(subject) << subject.error().message;
    ASSERT_EQ(subject->mounts.size(), 1U);
    EXPECT_EQ(subject->mounts[0].source, "data");
    EXPECT_EQ(subject->mounts[0].sub_path, "db");
}

}  // namespace
}  // namespace rogate::spec::test
