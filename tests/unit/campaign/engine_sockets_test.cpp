#include "campaign/engine_sockets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace rogate::campaign {
namespace {

std::string doubt(std::string source, engine::Endpoint endpoint = {}, MountType type = MountType::bind) {
    Subject subject;
    subject.mounts.resize(2);
    subject.mounts[0].source = "/srv";
    subject.mounts[0].target = "/data";
    subject.mounts[1].type = type;
    subject.mounts[1].source = std::move(source);
    subject.mounts[1].target = "/there";
    subject.mounts[1].read_only = true;
    return engine_socket_doubt(subject, endpoint);
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

}  // namespace
}  // namespace rogate::campaign
