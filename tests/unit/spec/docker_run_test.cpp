// Command lines as people paste them.
#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Result<Scenario> run(const std::string& command) {
    return parse("subject:\n  docker_run: |\n    " + command + "\n");
}

TEST(DockerRun, ReadsWhatPeoplePaste) {
    const auto scenario = run(
        "docker run -d --rm -it --name=web -p 8080:80 -e A='x y' -e PASSED --env=B=2 -v \"$PWD/x\":/no \\\n"
        "      nginx");
    ASSERT_FALSE(scenario.has_value());  // nobody expands $PWD
    const auto good =
        run("sudo docker run -dit --name=web -p 8080:80 -e A='x y' -ePASSED --env=B=2 \\\n"
            "      -v ./conf:/etc/app:ro --mount type=volume,src=data,dst=/data,readonly --mount "
            "'type=tmpfs,dst=/t,tmpfs-mode=700' \\\n"
            "      --tmpfs /run:size=1m -u 33 -w /srv --read-only --cap-drop ALL --ulimit nofile=10:20 "
            "--init \\\n"
            "      --entrypoint /init --health-cmd 'curl x' --health-interval=5s --add-host a:1.2.3.4 \\\n"
            "      nginx:1.27 serve -p 80");
    ASSERT_TRUE(good.has_value()) << good.error().message;
    const Subject& web = good->subject;
    EXPECT_EQ(web.image, "nginx:1.27");
    EXPECT_THAT(*web.command, ElementsAre("serve", "-p", "80"));
    EXPECT_THAT(*web.entrypoint, ElementsAre("/init"));
    EXPECT_THAT(web.environment, ElementsAre(Pair("A", "x y"), Pair("B", "2"), Pair("PASSED", "through")));
    ASSERT_EQ(web.mounts.size(), 4U);
    EXPECT_EQ(web.mounts[0].source, "/project/app/conf");
    EXPECT_TRUE(web.mounts[1].read_only);
    EXPECT_EQ(web.mounts[2].tmpfs_options, "mode=700");
    EXPECT_THAT(web.ulimits, ElementsAre(Pair("nofile", 10)));
    EXPECT_THAT(web.ulimits_hard, ElementsAre(Pair("nofile", 20)));
    EXPECT_TRUE(web.read_only_rootfs && web.init && web.open_stdin);
    EXPECT_THAT(web.healthcheck->test, ElementsAre("CMD-SHELL", "curl x"));
    EXPECT_EQ(web.origin.kind, Origin::Kind::docker_run);
    EXPECT_THAT(good->notes, ElementsAre(HasSubstr("--detach, --tty, --name")));
}

TEST(DockerRun, NamesWhatItCannotDo) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"docker ps", "this is not a 'docker run' command"},
        {"docker run -d", "the command names no image"},
        {"docker run --volum a:b nginx", "unknown option --volum; did you mean --volume?"},
        {"docker run -Z nginx", "unknown option -Z"},
        {"docker run --network host nginx", "--network 'host' is not supported"},
        {"docker run --device /dev/fuse nginx", "--device is not supported"},
        {"docker run --pid=host nginx", "--pid is not supported"},
        {"docker run -v a:b:c:d nginx", "has more than three parts"},
        {"docker run --ulimit nofile nginx", "--ulimit nofile: write NAME=SOFT"},
        {"docker run --env-file no.env nginx", "--env-file 'no.env'"},
        {"docker run -e A=$B -v $PWD:/x nginx", "a variable of the shell ($NAME) is not expanded"},
        {"docker run nginx | cat", "unquoted '|'"},
        {"docker run --mount type=bind,dst=/x nginx", "a bind mount has no 'source'"},
        {"docker run -p", "-p has no value"}};
    for (const auto& [command, message] : cases) {
        const auto scenario = run(command);
        ASSERT_FALSE(scenario.has_value()) << command;
        EXPECT_THAT(scenario.error().message, HasSubstr("app/scenario.yaml:2:15: ")) << command;
        EXPECT_THAT(scenario.error().message, HasSubstr(message)) << command;
    }
}

TEST(DockerRun, StandsAlone) {
    const auto scenario = parse("subject:\n  docker_run: docker run nginx\n  image: a\n");
    ASSERT_FALSE(scenario.has_value());
    EXPECT_THAT(scenario.error().message, HasSubstr("scenario.yaml:3:3: 'image' does not fit 'docker_run'"));
}

}  // namespace
}  // namespace rogate::spec::test
