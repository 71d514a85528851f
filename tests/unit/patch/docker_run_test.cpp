#include <gmock/gmock.h>

#include "unit/patch/support.hpp"

namespace rogate::patch {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Line {
    std::string before, after;
};

class CommandLine : public testing::TestWithParam<Line> {};

// What is recommended in all of them: /data and /etc/app read-only, /data/run a tmpfs.
CampaignResult advice() {
    return test::result_with(
        {test::mount(MountType::bind, "/data", "/srv/data"), test::mount(MountType::bind, "/etc/app")},
        {"/data", "/etc/app"},
        {{.path = "/data/run",
          .as = WritableAs::tmpfs,
          .mount = "/data",
          .tmpfs_options = "uid=33,mode=0755",
          .reason = {}}});
}

std::string changed(const std::string& command, const CampaignResult& result = advice()) {
    const auto patch = make_patch(
        result, {.format = Format::docker_run, .files = {}, .name = {}, .container = {}, .command = command});
    return patch ? patch->command : "error: " + patch.error().message;
}

TEST_P(CommandLine, Changes) {
    EXPECT_EQ(changed(GetParam().before), GetParam().after);
    EXPECT_EQ(changed(GetParam().after), GetParam().after);
}

const std::string tmpfs = "--tmpfs /data/run:uid=33,mode=0755 ";

INSTANTIATE_TEST_SUITE_P(
    Lines, CommandLine,
    testing::Values(
        Line{"docker run -v data:/data -v ./app:/etc/app:rw app",
             "docker run -v data:/data:ro -v ./app:/etc/app:ro " + tmpfs + "app"},
        Line{"docker run --volume=data:/data -itvapp:/etc/app:Z --rm app -v x:/data",
             "docker run --volume=data:/data:ro -itvapp:/etc/app:ro,Z --rm " + tmpfs + "app -v x:/data"},
        Line{"sudo docker --host x container run --mount type=bind,src=/d,dst=/data "
             "--mount=type=bind,source=/a,target=/etc/app,ro=false app",
             "sudo docker --host x container run --mount type=bind,src=/d,dst=/data,readonly "
             "--mount=type=bind,source=/a,target=/etc/app,readonly " +
                 tmpfs + "app"},
        Line{"docker run -v \"$PWD/my data\":/data -v \"$(pwd):/etc/app\" app",
             "docker run -v \"$PWD/my data\":/data:ro -v \"$(pwd):/etc/app:ro\" " + tmpfs + "app"},
        Line{"docker run -v '/x y:/data' -v ${A:-b:c}:/etc/app:z app",
             "docker run -v '/x y:/data:ro' -v ${A:-b:c}:/etc/app:ro,z " + tmpfs + "app"},
        Line{"docker run \\\r\n  -v data:/data \\\r\n  -v a:/etc/app \\\r\n  app",
             "docker run \\\r\n  -v data:/data:ro \\\r\n  -v a:/etc/app:ro \\\r\n  --tmpfs "
             "/data/run:uid=33,mode=0755 \\\r\n  app"},
        Line{"docker run --env -v --entrypoint run -v data:/data -v a:/etc/app -- app",
             "docker run --env -v --entrypoint run -v data:/data:ro -v a:/etc/app:ro " + tmpfs + "-- app"}));

TEST(DockerRun, SetsTheRootOnce) {
    const auto result = test::result_with(
        {}, {"/"},
        {{.path = "/tmp", .as = WritableAs::tmpfs, .mount = "/", .tmpfs_options = {}, .reason = {}}});
    EXPECT_EQ(changed("docker run app", result), "docker run --read-only --tmpfs /tmp app");
    EXPECT_EQ(changed("docker run --read-only=false app", result), "docker run --read-only --tmpfs /tmp app");
    EXPECT_EQ(changed("docker run --read-only --tmpfs /tmp app", result),
              "docker run --read-only --tmpfs /tmp app");
}

TEST(DockerRun, DropsCapabilities) {
    CampaignResult result = test::result_with({}, {});
    result.recommendation.capabilities = {"CHOWN", "NET_ADMIN"};
    result.recommendation.no_new_privileges = true;
    EXPECT_EQ(changed("docker run --cap-add=cap_net_admin app", result),
              "docker run --cap-add=cap_net_admin --cap-drop ALL --cap-add CHOWN --security-opt "
              "no-new-privileges:true app");
    const std::string done =
        "docker run --cap-drop all --cap-add CHOWN --cap-add NET_ADMIN --security-opt=no-new-privileges app";
    EXPECT_EQ(changed(done, result), done);
    // What is not needed is taken out, with what is between it and the next word.
    EXPECT_EQ(changed("docker run --cap-add SYS_TIME --cap-drop ALL '--cap-add=SYS_NICE' --cap-add CHOWN "
                      "--cap-add NET_ADMIN --security-opt no-new-privileges app x",
                      result),
              "docker run --cap-drop ALL --cap-add CHOWN --cap-add NET_ADMIN --security-opt "
              "no-new-privileges app x");
    EXPECT_EQ(changed("docker run --cap-drop ALL --cap-add CHOWN --cap-add NET_ADMIN \\\n  --security-opt "
                      "no-new-privileges \\\n  --cap-add \"SYS_TIME\" \\\n  app",
                      result),
              "docker run --cap-drop ALL --cap-add CHOWN --cap-add NET_ADMIN \\\n  --security-opt "
              "no-new-privileges \\\n  app");
}

TEST(DockerRun, NamesAVolumeThatHadNoName) {
    const auto result = test::result_with(
        {test::mount(MountType::anonymous, "/data"), test::mount(MountType::anonymous, "/lib")},
        {"/data", "/lib"});
    EXPECT_EQ(changed("docker run -v /data app", result), "docker run -v data:/data:ro -v lib:/lib:ro app");
}

TEST(DockerRun, DoesNotTakeAVolumesNameTwice) {
    const auto anonymous = test::result_with({test::mount(MountType::anonymous, "/data")}, {"/data"});
    const std::string patched = changed("docker run -v data:/srv -v /data app", anonymous);
    EXPECT_THAT(patched, StartsWith("docker run -v data:/srv -v data"));
    EXPECT_THAT(patched, Not(HasSubstr(" data:/data")));
    EXPECT_THAT(changed("docker run -v data:/srv app", anonymous), Not(HasSubstr("data:/data")));
    const auto two = test::result_with(
        {}, {"/"},
        {{.path = "/a/b", .as = WritableAs::volume, .mount = "/", .tmpfs_options = {}, .reason = {}},
         {.path = "/a_b", .as = WritableAs::volume, .mount = "/", .tmpfs_options = {}, .reason = {}}});
    const std::string both = changed("docker run app", two);
    EXPECT_THAT(both, HasSubstr("-v a_b:/a/b"));
    EXPECT_THAT(both, Not(HasSubstr("-v a_b:/a_b")));
}

// They are where the run saw them, whatever the shell makes of the command line.
TEST(DockerRun, LeavesTheDataOfABindWhereTheyAre) {
    const auto result = test::result_with({test::mount(MountType::bind, "/data", "/srv/data")}, {"/data"},
                                          {{.path = "/data/state",
                                            .as = WritableAs::volume,
                                            .mount = "/data",
                                            .tmpfs_options = {},
                                            .reason = {}}});
    EXPECT_EQ(changed("docker run -v \"$PWD/data\":/data app", result),
              "docker run -v \"$PWD/data\":/data:ro -v /srv/data/state:/data/state app");
    EXPECT_EQ(changed("docker run --mount type=bind,source=\"$(pwd)\"/data,target=/data app", result),
              "docker run --mount type=bind,source=\"$(pwd)\"/data,target=/data,readonly -v "
              "/srv/data/state:/data/state app");
    EXPECT_EQ(changed("docker run -v ./data:/data app", result),
              "docker run -v ./data:/data:ro -v ./data/state:/data/state app");
}

TEST(DockerRun, KnowsThatAHostNameIsAValue) {
    const auto result = test::result_with({test::mount(MountType::volume, "/data", "data")}, {"/data", "/"});
    EXPECT_EQ(changed("docker run -h web -v data:/data app", result),
              "docker run -h web -v data:/data:ro --read-only app");
}

TEST(DockerRun, RefusesWhatItCannotTell) {
    EXPECT_THAT(changed("docker ps"), HasSubstr("no `docker run`"));
    EXPECT_THAT(changed("docker run -v 'a:/data app"), HasSubstr("never closed"));
    EXPECT_THAT(changed("docker run -v a:/data"), HasSubstr("no image"));
    EXPECT_THAT(changed("docker run -v a:/data app"), HasSubstr("no mount on /etc/app"));
    EXPECT_THAT(changed("docker run -v a:/data -v b:/data app"), HasSubstr("two mounts on /data"));
    EXPECT_THAT(changed("docker run -v a:$T -v b:/etc/app app"), HasSubstr("depends on a variable"));
    EXPECT_THAT(changed("docker run -v a:/data:$MODE -v b:/etc/app app"), HasSubstr("come from a variable"));
}

// An empty volume over a directory that had data would be another application's.
TEST(DockerRun, LeavesTheDataOfAVolumeWhereTheyAre) {
    for (const WritableAs as : {WritableAs::volume, WritableAs::subpath}) {
        auto result = test::result_with(
            {test::mount(MountType::volume, "/data", "shop")}, {"/data"},
            {{.path = "/data/db/1", .as = as, .mount = "/data", .tmpfs_options = {}, .reason = {}}});
        result.scenario.subject.image = "app";
        for (const char* old : {"", "1.41", "1.44"}) {
            result.engine.api_version = old;
            const std::string refused = changed("docker run -v shop:/data app", result);
            EXPECT_THAT(refused, HasSubstr("/data/db/1 has data")) << old;
            EXPECT_THAT(refused,
                        HasSubstr("-v 'shop:/from:ro' -v 'shop-db-1:/to' 'app' -a '/from/db/1/.' /to/"));
        }
        result.engine.api_version = "1.45";
        EXPECT_EQ(changed("docker run -v shop:/data app", result),
                  "docker run -v shop:/data:ro --mount "
                  "type=volume,source=shop,target=/data/db/1,volume-subpath=db/1 app");
        EXPECT_EQ(changed("docker run --mount type=volume,src=shop,dst=/data,volume-subpath=a app", result),
                  "docker run --mount type=volume,src=shop,dst=/data,volume-subpath=a,readonly --mount "
                  "type=volume,source=shop,target=/data/db/1,volume-subpath=a/db/1 app");
        result.recommendation.writable[0].needs_mount_point = true;
        if (as == WritableAs::volume) {
            EXPECT_THAT(changed("docker run -v shop:/data app", result), HasSubstr("-v data_db_1:/data/db/1"))
                << "there is nothing yet that could be lost";
        }
    }
}

TEST(Patch, RefusesWhatWasNotRun) {
    CampaignResult result = advice();
    result.recommendation.verified_by_run.reset();
    EXPECT_THAT(changed("docker run -v a:/data -v b:/etc/app app", result), HasSubstr("run rogate again"));
}

}  // namespace
}  // namespace rogate::patch
