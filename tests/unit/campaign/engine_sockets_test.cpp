#include "campaign/engine_sockets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace rogate::campaign
