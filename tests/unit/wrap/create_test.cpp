// Bodies of POST /containers/create as clients send them, and what becomes of them when candidates are
// read-only.
#include "wrap/create.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace rogate::wrap::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;

json changed(const char* body, std::set<std::string> targets, std::vector<Mount> inherited = {}) {
    json whole = json::parse(body);
    Change change;
    change.read_only = std::move(targets);
    change.inherited = std::move(inherited);
    change.new_volume = "rogate-s-run2-web";
    change.labels = {{"io.rogate.session", "s"}};
    const auto done = make_read_only(whole, change);
    EXPECT_TRUE(done) << done.error().message;
    EXPECT_EQ(whole["Labels"]["io.rogate.session"], "s");
    return whole;
}

TEST(WrapCreate, BindsKeepTheirOtherOptions) {
    const char* body =
        R"({"Image": "x", "HostConfig": {"Binds": ["/srv:/data", "/srv/conf:/conf:rw,z", "named:/var/lib/",
                           "/kept:/kept:rshared"]}})";
    const json made = changed(body, {"/data", "/conf", "/var/lib"});
    EXPECT_EQ(
        made["HostConfig"]["Binds"],
        json::parse(
            R"(["/srv:/data:ro", "/srv/conf:/conf:z,ro", "named:/var/lib/:ro", "/kept:/kept:rshared"])"));
    EXPECT_FALSE(made["HostConfig"].contains("Mounts"));
    EXPECT_FALSE(made["HostConfig"].contains("ReadonlyRootfs"));
}

TEST(WrapCreate, MountsOfEachType) {
    // The docker client's --mount, testcontainers and dockerode.
    const char* body = R"({"HostConfig": {"Mounts": [
        {"Type": "bind", "Source": "/srv", "Target": "/data/", "BindOptions": {"Propagation": "rslave"}},
        {"Type": "volume", "Source": "named", "Target": "/lib", "VolumeOptions": {"NoCopy": true}},
        {"Type": "tmpfs", "Target": "/run", "TmpfsOptions": {"SizeBytes": 1}},
        {"Type": "volume", "Target": "/kept"}]}})";
    const json mounts = changed(body, {"/data", "/lib", "/run"})["HostConfig"]["Mounts"];
    EXPECT_EQ(mounts[0]["ReadOnly"], true);
    EXPECT_EQ(mounts[0]["BindOptions"]["Propagation"], "rslave");
    EXPECT_EQ(mounts[1]["ReadOnly"], true);
    EXPECT_EQ(mounts[1]["VolumeOptions"]["NoCopy"], true);
    EXPECT_EQ(mounts[1]["VolumeOptions"]["Labels"]["io.rogate.session"], "s");
    EXPECT_EQ(mounts[2]["ReadOnly"], true);
    EXPECT_EQ(mounts[3].value("ReadOnly", false), false);
    EXPECT_FALSE(mounts[3].contains("Source"));
}

// The engine refuses an anonymous volume that is read-only, however it is asked for.
TEST(WrapCreate, AnonymousVolumesGetANameAndAreFilledFromTheImage) {
    const char* bodies[] = {
        R"({"Volumes": {"/data": {}, "/kept": {}}})",                              // docker run -v /data
        R"({"HostConfig": {"Binds": ["/data", "/kept"]}})",                        // the API's short form
        R"({"HostConfig": {"Mounts": [{"Type": "volume", "Target": "/data"}]}})",  // --mount type=volume
        R"({"Image": "one with VOLUME /data"})",                                   // the image's
        R"({"Image": "x", "Volumes": null, "HostConfig": {"Binds": null, "Mounts": null}})"};  // Go's nothing
    for (const char* body : bodies) {
        const json made = changed(body, {"/data"});
        const json mount = made["HostConfig"]["Mounts"].back();
        EXPECT_EQ(mount["Source"], "rogate-s-run2-web-1") << body;
        EXPECT_EQ(mount["Target"], "/data") << body;
        EXPECT_EQ(mount["ReadOnly"], true) << body;
        EXPECT_EQ(mount["VolumeOptions"]["Labels"]["io.rogate.session"], "s") << body;
        EXPECT_FALSE(mount["VolumeOptions"].contains("NoCopy")) << body;
        EXPECT_FALSE(made.contains("Volumes") && made["Volumes"].is_object() &&
                     made["Volumes"].contains("/data"))
            << body;
    }
    const json made = changed(bodies[0], {"/data"});
    EXPECT_TRUE(made["Volumes"].contains("/kept"));
    EXPECT_EQ(changed(bodies[1], {"/data"})["HostConfig"]["Binds"], json::parse(R"(["/kept"])"));
}

TEST(WrapCreate, TmpfsAndTheRoot) {
    const char* body = R"({"HostConfig": {"Tmpfs": {"/run/": "rw,size=64m,uid=33", "/tmp": ""}}})";
    const json made = changed(body, {"/run", "/tmp", "/"});
    EXPECT_EQ(made["HostConfig"]["Tmpfs"], json::parse(R"({"/run/": "size=64m,uid=33,ro", "/tmp": "ro"})"));
    EXPECT_EQ(made["HostConfig"]["ReadonlyRootfs"], true);
}

Mount inherited(MountType type, const std::string& source, const std::string& target, bool read_only) {
    Mount mount;
    mount.type = type;
    mount.source = source;
    mount.target = target;
    mount.read_only = read_only;
    return mount;
}

TEST(WrapCreate, WhatIsInheritedIsSaidOutright) {
    const char* body = R"({"HostConfig": {"VolumesFrom": ["db"], "Binds": ["/own:/conf"]}})";
    const json host = changed(body, {"/data"},
                              {inherited(MountType::volume, "v1", "/data", false),
                               inherited(MountType::bind, "/srv", "/srv", false),
                               inherited(MountType::volume, "v2", "/conf", false),
                               inherited(MountType::anonymous, "v3", "/ro", true)})
                          .at("HostConfig");
    EXPECT_FALSE(host.contains("VolumesFrom"));
    ASSERT_EQ(host["Mounts"].size(), 3U);  // /conf is the container's own
    EXPECT_EQ(host["Mounts"][0]["Source"], "v1");
    EXPECT_EQ(host["Mounts"][0]["ReadOnly"], true);
    EXPECT_EQ(host["Mounts"][1]["Type"], "bind");
    EXPECT_EQ(host["Mounts"][1]["ReadOnly"], false);
    EXPECT_EQ(host["Mounts"][2]["ReadOnly"], true);
    EXPECT_EQ(host["Binds"], json::parse(R"(["/own:/conf"])"));
}

TEST(WrapCreate, WhatCannotBeReadOnlyIsNamed) {
    json body =
        json::parse(R"({"HostConfig": {"Mounts": [{"Type": "image", "Source": "x", "Target": "/data"}]}})");
    const auto done =
        make_read_only(body, {.read_only = {"/data"}, .inherited = {}, .new_volume = "v", .labels = {}});
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, testing::HasSubstr("'image'"));
    json list = json::array();
    EXPECT_FALSE(make_read_only(list, {}));
}

TEST(WrapCreate, LabelsOfTheCallersStay) {
    json body = json::parse(R"({"Labels": {"a": "1", "io.rogate.session": "theirs"}})");
    add_labels(body, {{"io.rogate.session", "s"}, {"b", "2"}});
    EXPECT_EQ(body["Labels"], json::parse(R"({"a": "1", "b": "2", "io.rogate.session": "theirs"})"));
}

TEST(WrapCreate, VolumesThatTheEngineWouldMakeWithoutALabel) {
    const json body =
        json::parse(R"({"HostConfig": {"VolumeDriver": "nfs", "Binds": ["/srv:/a", "named:/b:ro", "/c"],
                                      "Mounts": [{"Type": "volume", "Source": "labelled", "Target": "/d"}]}})");
    EXPECT_EQ(volumes_by_name(body), (std::map<std::string, std::string>{{"named", "nfs"}}));
}

TEST(WrapCreate, WhatIsAskedFor) {
    const json body =
        json::parse(R"({"Image": "redis:7", "Cmd": ["a", "b"], "Entrypoint": "sh", "Env": ["B=2", "A=1"],
        "Labels": {"x": "y"}, "Volumes": {"/v": {}}, "HostConfig": {"Binds": ["/srv:/b/"], "Tmpfs": {"/t": ""},
        "Mounts": [{"Type": "volume", "Target": "/m/../n"}], "VolumesFrom": ["db:ro"]}})");
    const Asked asked = read_create(body, "web");
    EXPECT_EQ(asked.name, "web");
    EXPECT_EQ(asked.image, "redis:7");
    EXPECT_THAT(asked.command, ElementsAre("a", "b"));
    EXPECT_THAT(asked.entrypoint, ElementsAre("sh"));
    EXPECT_THAT(asked.environment, ElementsAre("A=1", "B=2"));
    EXPECT_EQ(asked.targets, (std::set<std::string>{"/b", "/n", "/t", "/v"}));
    EXPECT_THAT(asked.from_containers, ElementsAre("db:ro"));
    EXPECT_EQ(read_create(json::parse(R"({"Image": 1, "Env": {}, "HostConfig": [], "Labels": 3})"), ""),
              Asked{});
    EXPECT_EQ(read_create(json(), ""), Asked{});
}

TEST(WrapCreate, MountsAsTheEngineTellsThem) {
    const json inspected = json::parse(R"({"Mounts": [
        {"Type": "bind", "Source": "/srv", "Destination": "/data/", "RW": true, "Propagation": "rprivate"},
        {"Type": "volume", "Name": "named", "Destination": "/lib", "RW": false},
        {"Type": "volume", "Name": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "Destination": "/v", "RW": true}],
        "HostConfig": {"ReadonlyRootfs": true, "Tmpfs": {"/run": "size=1m,ro"},
                       "Mounts": [{"Type": "tmpfs", "Target": "/tmp"}, {"Type": "bind", "Source": "/srv", "Target": "/data"}]}})");
    std::vector<std::string> seen;
    for (const Mount& mount : mounts_of(inspected))
        seen.push_back(mount.target + (mount.read_only ? " ro " : " rw ") +
                       std::to_string(static_cast<int>(mount.type)) + " " + mount.source.substr(0, 5));
    EXPECT_THAT(seen, ElementsAre("/ ro 4 ", "/data rw 0 /srv", "/lib ro 1 named", "/run ro 3 ", "/tmp rw 3 ",
                                  "/v rw 2 01234"));
    EXPECT_EQ(mounts_of(json()).size(), 1U);
}

TEST(WrapCreate, TargetsAreNormal) {
    EXPECT_EQ(normal_target("/data/"), "/data");
    EXPECT_EQ(normal_target("//data"), "/data");
    EXPECT_EQ(normal_target("/x/../data/."), "/data");
    EXPECT_EQ(normal_target("/"), "/");
    EXPECT_EQ(normal_target(""), "/");
}

Mount made(MountType type, const std::string& target, bool read_only = false) {
    Mount mount;
    mount.type = type;
    mount.target = target;
    mount.read_only = read_only;
    return mount;
}

// However a body is written, the engine says what came of it.
TEST(WrapCreate, MountsThatAreOthersThanInTheControlRunAreNoticed) {
    const std::vector<Mount> control = {made(MountType::rootfs, "/"), made(MountType::bind, "/data"),
                                        made(MountType::anonymous, "/cache"),
                                        made(MountType::bind, "/conf", true)};
    std::vector<Mount> here = control;
    here[1].read_only = here[2].read_only = true;
    here[2].type = MountType::volume;
    here[1].source = "/another/folder";
    EXPECT_EQ(mounts_differ(control, here, {"/data", "/cache"}), "");
    EXPECT_EQ(mounts_differ(control, here, {"/cache"}), "its mount at /data is read-only");
    EXPECT_EQ(mounts_differ(control, here, {"/", "/data", "/cache"}), "its mount at / is writable");
    here[1].type = MountType::volume;
    EXPECT_EQ(mounts_differ(control, here, {"/data", "/cache"}), "it has another mount at /data");
    here.erase(here.begin() + 1);
    EXPECT_EQ(mounts_differ(control, here, {"/data", "/cache"}), "it lacks the mount at /data");
    EXPECT_EQ(mounts_differ(here, control, {}), "its mount at /cache is writable");
    EXPECT_EQ(mounts_differ({control[0]}, {control[0], control[1]}, {}), "it has one more mount, at /data");
}

// A container that takes over the mounts of another one has the same part of a volume.
TEST(WrapCreate, PartsOfVolumesAreInheritedAsParts) {
    const json inspected = json::parse(
        R"({"HostConfig": {"Mounts": [{"Type": "volume", "Source": "v", "Target": "/data/",
            "VolumeOptions": {"Subpath": "sub"}}]},
            "Mounts": [{"Type": "volume", "Name": "v", "Destination": "/data", "RW": true}]})");
    const std::vector<Mount> mounts = mounts_of(inspected);
    ASSERT_EQ(mounts.size(), 2U);
    EXPECT_EQ(mounts[1].sub_path, "sub");
    const json body = changed(R"({"HostConfig": {"VolumesFrom": ["a"]}})", {"/data"}, {mounts[1]});
    EXPECT_EQ(body["HostConfig"]["Mounts"][0]["VolumeOptions"]["Subpath"], "sub");
    EXPECT_EQ(body["HostConfig"]["Mounts"][0]["ReadOnly"], true);
    std::vector<Mount> whole = mounts;
    whole[1].sub_path.clear();
    EXPECT_EQ(mounts_differ(mounts, whole, {}), "it has another mount at /data");
}

// docker cp: no process of the container's writes.
TEST(WrapCreate, WhatTheEngineCopiesIsAWriteToTheMount) {
    const std::vector<Mount> mounts = {made(MountType::rootfs, "/"), made(MountType::bind, "/data", true),
                                       made(MountType::volume, "/data/sub"),
                                       made(MountType::bind, "/database")};
    const auto told = [&](const std::string& path) {
        std::vector<std::string> all;
        for (const Attempt& each : copies_to(mounts, path))
            all.push_back(each.mount.str() + " " + each.path.str() + (each.error == 0 ? "" : " refused"));
        return all;
    };
    EXPECT_THAT(told("/data/x"), ElementsAre("/data /data/x refused"));
    EXPECT_THAT(told("/data"), ElementsAre("/data/sub /data/sub", "/data /data refused"));
    EXPECT_THAT(told("/data/sub/x"), ElementsAre("/data/sub /data/sub/x"));
    EXPECT_THAT(told("/srv"), ElementsAre("/ /srv"));
}

}  // namespace
}  // namespace rogate::wrap::test
