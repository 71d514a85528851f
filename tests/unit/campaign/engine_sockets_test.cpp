#include "campaign/engine_sockets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "campaign/guests.hpp"

namespace rogate::campaign {
namespace {

std::string doubt(std::string source, engine::Endpoint endpoint = {}, MountType type = MountType::bind,
                  const BoundVolumes& bound = {}) {
    Subject subject;
    subject.mounts.resize(2);
    subject.mounts[0].source = "/srv";
    subject.mounts[0].target = "/data";
    subject.mounts[1].type = type;
    subject.mounts[1].source = std::move(source);
    subject.mounts[1].target = "/there";
    subject.mounts[1].read_only = true;
    return engine_socket_doubt(subject, endpoint, bound);
}

TEST(EngineSockets, AreFoundWhereTheyAreMountedThemselvesOrWithTheirFolder) {
    for (const char* source :
         {"/var/run/docker.sock", "/run/docker.sock", "/var/run", "/run", "/", "/run/podman"})
        EXPECT_THAT(doubt(source), testing::StartsWith("/there gives the application the engine's socket"))
            << source;
    for (const char* source : {"/srv/docker.sock", "/run/docker", "/run/app", "/var"})
        EXPECT_EQ(doubt(source), "") << source;
    EXPECT_EQ(doubt("/run", {}, MountType::volume), "");
}

TEST(EngineSockets, IncludeThatOfTheEndpoint) {
    engine::Endpoint own;
    own.path = "/srv/engine/engine.sock";
    EXPECT_NE(doubt("/srv/engine", own), "");
    own.kind = engine::Endpoint::Kind::ssh;
    EXPECT_EQ(doubt("/srv/engine", own), "");
}

TEST(EngineSockets, AreFoundThroughASymbolicLink) {
    std::string folder = testing::TempDir() + "socketsXXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    engine::Endpoint own;
    own.path = folder + "/engine.sock";
    std::ofstream(own.path).close();
    std::filesystem::create_symlink(own.path, folder + "/link");
    std::filesystem::create_directory_symlink(folder, folder + "-link");
    for (const char* source : {"/link", "-link", "-link/link", "-link/engine.sock"})
        EXPECT_NE(doubt(folder + source, own), "") << source;
    std::ofstream(folder + "/other").close();
    EXPECT_EQ(doubt(folder + "/other", own), "");
    EXPECT_NE(doubt("/run/containerd/containerd.sock"), "");
    std::filesystem::remove_all(folder);
    std::filesystem::remove(folder + "-link");
}

// A folder with a socket, as an engine has it.
class WithSocket : public testing::Test {
  protected:
    WithSocket() {
        EXPECT_NE(mkdtemp(folder.data()), nullptr);
        own.path = folder + "/engine.sock";
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        own.path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);  // NOLINT
    }
    ~WithSocket() override {
        close(fd);
        std::filesystem::remove_all(folder);
    }
    std::vector<std::string> put(const std::string& source, bool is_volume = false) {
        engine::MountSpec mount;
        mount.type = is_volume ? engine::MountSpec::Type::volume : engine::MountSpec::Type::bind;
        mount.source = source;
        mount.target = "/there";
        mount.read_only = true;
        std::vector<engine::MountSpec> mounts{mount};
        put_in({.endpoint = own, .source = "/guests.sock", .bound = bound}, mounts);
        std::vector<std::string> told;
        for (const engine::MountSpec& each : mounts) told.push_back(each.source + ":" + each.target);
        return told;
    }

    std::string folder = testing::TempDir() + "socketXXXXXX";
    engine::Endpoint own;
    BoundVolumes bound;
    int fd = -1;
};

TEST_F(WithSocket, AnotherOneStandsInForIt) {
    using testing::ElementsAre;
    std::filesystem::create_symlink(own.path, folder + "/link");
    EXPECT_TRUE(is_engine_socket(own.path, own));
    EXPECT_TRUE(is_engine_socket(folder + "/link", own));
    std::filesystem::create_hard_link(own.path, folder + "/again");
    EXPECT_TRUE(is_engine_socket(folder + "/again", own));
    EXPECT_THAT(doubt(folder + "/again", own), testing::HasSubstr("the engine's socket"));
    EXPECT_FALSE(is_engine_socket(folder, own));
    EXPECT_FALSE(is_engine_socket("/run/containerd/containerd.sock", own));
    EXPECT_THAT(put(own.path), ElementsAre("/guests.sock:/there"));
    EXPECT_THAT(put(folder + "/link"), ElementsAre("/guests.sock:/there"));
    // A folder keeps what else is in it.
    EXPECT_THAT(put(folder), ElementsAre(folder + ":/there", "/guests.sock:/there/engine.sock",
                                         "/guests.sock:/there/again"));
    EXPECT_THAT(put("/srv"), ElementsAre("/srv:/there"));
    EXPECT_THAT(put(own.path, true), ElementsAre(own.path + ":/there"));
}

// A folder can hold it by another name alone.
TEST_F(WithSocket, AFolderMayHoldItByAHardLink) {
    using testing::ElementsAre;
    const std::string held = folder + "/held";
    std::filesystem::create_directories(held + "/deep");
    EXPECT_THAT(engine_sockets_below(held, own), ElementsAre());
    EXPECT_EQ(doubt(held, own), "");
    std::filesystem::create_hard_link(own.path, held + "/deep/again");
    EXPECT_THAT(engine_sockets_below(held, own), ElementsAre("/deep/again"));
    EXPECT_THAT(doubt(held, own), testing::HasSubstr("the engine's socket"));
    EXPECT_THAT(put(held), ElementsAre(held + ":/there", "/guests.sock:/there/deep/again"));
}

TEST_F(WithSocket, AVolumeMayBeAFolderThatHoldsIt) {
    using testing::ElementsAre;
    engine::VolumeInfo volume{
        .name = "engines", .driver = "local", .mountpoint = {}, .options = {}, .labels = {}};
    EXPECT_EQ(bound_folder(volume), "");
    volume.options = {{"type", "none"}, {"o", "nosuid,bind"}, {"device", folder}};
    EXPECT_EQ(bound_folder(volume), folder);
    volume.options["o"] = "addr=binder";
    EXPECT_EQ(bound_folder(volume), "");
    EXPECT_EQ(doubt("engines", own, MountType::volume), "");
    EXPECT_THAT(doubt("engines", own, MountType::volume, {{"engines", folder}}),
                testing::HasSubstr("the engine's socket"));
    bound = {{"engines", folder}};
    EXPECT_THAT(put("engines", true), ElementsAre("engines:/there", "/guests.sock:/there/engine.sock"));
    Scenario scenario;
    scenario.pod.volumes.emplace_back();
    scenario.pod.volumes[0].kind = PodVolume::Kind::data;
    scenario.pod.volumes[0].data = {.type = MountType::volume,
                                    .source = "engines",
                                    .target = {},
                                    .tmpfs_options = {},
                                    .propagation = {},
                                    .declared = {}};
    EXPECT_FALSE(has_engine_socket(scenario, own, {}));
    EXPECT_TRUE(has_engine_socket(scenario, own, bound));
}

TEST_F(WithSocket, OnAnotherHostTheUsualPathsAreTaken) {
    engine::Endpoint there = own;
    there.kind = engine::Endpoint::Kind::ssh;
    EXPECT_FALSE(is_engine_socket(own.path, there));
    EXPECT_TRUE(is_engine_socket("/var/run/docker.sock", there));
    EXPECT_TRUE(is_engine_socket("/run/podman/podman.sock", there));
    EXPECT_EQ(engine_sockets_below("/", there).size(), 0U);
}

}  // namespace
}  // namespace rogate::campaign
