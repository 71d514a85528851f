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
    const auto good =
        run("sudo docker run -dit --name=web -p 8080:80 -e A='x y' -ePASSED --env=B=2 \\\n"
            "      -v ./conf:/etc/app:ro --mount type=volume,src=data,dst=/data,volume-subpath=a/b,readonly "
            "--mount "
            "'type=tmpfs,dst=/t,tmpfs-mode=700' \\\n"
            "      --tmpfs /run:size=1m -u 33 -w /srv --read-only --cap-drop ALL --ulimit nofile=10:20 "
            "--init --runtime crun --pids-limit 100 -m 64m \\\n"
            "      -v \"$PWD/x\":/x -v $(pwd)/y:/y -e H=${HOME} -e 'D=$HOME' --entrypoint /init --health-cmd "
            "'curl x' --health-interval=5s --add-host a:1.2.3.4 \\\n"
            "      nginx:1.27 serve -p 80");
    ASSERT_TRUE(good.has_value()) << good.error().message;
    const Subject& web = good->subject;
    EXPECT_EQ(web.image, "nginx:1.27");
    EXPECT_THAT(*web.command, ElementsAre("serve", "-p", "80"));
    EXPECT_THAT(*web.entrypoint, ElementsAre("/init"));
    EXPECT_THAT(web.environment, ElementsAre(Pair("A", "x y"), Pair("B", "2"), Pair("D", "$HOME"),
                                             Pair("H", "/home/qa"), Pair("PASSED", "through")));
    ASSERT_EQ(web.mounts.size(), 6U);
    EXPECT_EQ(web.mounts[4].source, "/project/app/x");
    EXPECT_EQ(web.mounts[5].source, "/project/app/y");
    EXPECT_EQ(web.mounts[0].declared.line, 4);
    EXPECT_EQ(web.mounts[0].source, "/project/app/conf");
    EXPECT_TRUE(web.mounts[1].read_only);
    EXPECT_EQ(web.mounts[1].sub_path, "a/b");
    EXPECT_EQ(web.mounts[2].tmpfs_options, "mode=700");
    EXPECT_THAT(web.ulimits, ElementsAre(Pair("nofile", 10)));
    EXPECT_THAT(web.ulimits_hard, ElementsAre(Pair("nofile", 20)));
    EXPECT_EQ(web.runtime, "crun");
    EXPECT_TRUE(web.read_only_rootfs && web.init && web.open_stdin);
    EXPECT_THAT(web.healthcheck->test, ElementsAre("CMD-SHELL", "curl x"));
    EXPECT_EQ(web.origin.kind, Origin::Kind::docker_run);
    EXPECT_THAT(good->notes, ElementsAre(HasSubstr("--detach, --name, --pids-limit, --memory")));
}

TEST(DockerRun, PlacesAreInCharactersAndLinesWhereAVariableStands) {
    const auto characters = parse("subject:\n  docker_run: docker run --name 'é' --device x nginx\n");
    ASSERT_FALSE(characters.has_value());
    EXPECT_THAT(characters.error().message, HasSubstr("scenario.yaml:2:37: --device is not supported"));
    const auto variable = parse(
        "vars: {n: long-name}\nsubject:\n  docker_run: |\n    docker run --name ${{ n }} \\\n      --device "
        "x nginx\n");
    ASSERT_FALSE(variable.has_value());
    EXPECT_THAT(variable.error().message, HasSubstr("scenario.yaml:5:1: --device is not supported"));
}

TEST(DockerRun, RelabellingIsToldAndLeftOut) {
    const auto good = run("docker run -v ./conf:/etc/app:Z nginx");
    ASSERT_TRUE(good.has_value()) << good.error().message;
    EXPECT_THAT(good->notes, ElementsAre(HasSubstr("mount /etc/app: the runs leave out the relabelling")));
}

TEST(DockerRun, StandsAlone) {
    const auto scenario = parse("subject:\n  docker_run: docker run nginx\n  image: a\n");
    ASSERT_FALSE(scenario.has_value());
    EXPECT_THAT(scenario.error().message, HasSubstr("scenario.yaml:3:3: 'image' does not fit 'docker_run'"));
}

}  // namespace
}  // namespace rogate::spec::test
