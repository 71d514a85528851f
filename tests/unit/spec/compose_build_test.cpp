// What `build` of a Compose service is read as.
#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

Result<Scenario> build_project(const std::string& text,
                               const std::map<std::string, std::string>& files = {}) {
    Surroundings around = surroundings();
    around.read_file = [files](const std::string& path) -> Result<std::string> {
        const auto found = files.find(path);
        if (found == files.end()) return fail(ErrorKind::not_found, path + ": No such file or directory");
        return found->second;
    };
    return parse_scenario(text, "compose.yaml", around, {{"web"}, {}});
}

Subject web(const std::string& build) {
    auto scenario = build_project("name: shop\nservices:\n  web:\n    build:" + build);
    if (scenario && scenario->subject.built) return std::move(scenario->subject);
    ADD_FAILURE() << build << "\n" << (scenario ? "nothing is built" : scenario.error().message);
    return {};
}

TEST(ComposeBuild, HasAllThatSaysWhatTheImageIs) {
    const Subject subject = web(
        " {context: ./web/, dockerfile: ../d/File, target: app, network: host, shm_size: 2m, pull: true,\n"
        "      no_cache: 'yes', args: [A=1, PASSED, UNSET], labels: {l: v}, extra_hosts: {h: 1.2.3.4},\n"
        "      cache_from: [c:1, 'type=registry,ref=d'], platforms: [linux/arm64], tags: [t], sbom: true}\n");
    const ImageBuild& build = subject.built->build;
    EXPECT_EQ(build.context, "/project/app/web");
    EXPECT_EQ(build.shown, "./web/");
    EXPECT_EQ(build.dockerfile, "../d/File");
    EXPECT_EQ(build.target + build.network + build.platform, "apphostlinux/arm64");
    EXPECT_EQ(build.shm_size, 2 << 20);
    EXPECT_TRUE(build.pull && build.no_cache && !build.is_remote && !build.always);
    // One that is set nowhere is left to the Dockerfile's default.
    EXPECT_THAT(subject.build_args, ElementsAre(Pair("A", "1"), Pair("PASSED", "through")));
    EXPECT_THAT(build.labels, ElementsAre(Pair("l", "v")));
    EXPECT_THAT(build.extra_hosts, ElementsAre("h:1.2.3.4"));
    EXPECT_THAT(build.cache_from, ElementsAre("c:1"));
    EXPECT_THAT(build.beyond_the_api, IsEmpty());
    EXPECT_EQ(build.project, "shop");
    EXPECT_EQ(build.project_folder, "/project/app");
    EXPECT_THAT(build.files, ElementsAre("/project/app/compose.yaml"));
}

TEST(ComposeBuild, ComesInShortFormsToo) {
    EXPECT_EQ(web(" ./web\n").built->build.context, "/project/app/web");
    const ImageBuild inlined = web(" {dockerfile_inline: FROM a}\n").built->build;
    EXPECT_EQ(inlined.context, "/project/app");
    EXPECT_EQ(inlined.shown, ".");
    EXPECT_EQ(inlined.inline_dockerfile, "FROM a");
    for (const char* remote : {"https://x/y.git#b:sub", "git@x:y.git", "github.com/x/y"}) {
        const ImageBuild build = web(std::string(" '") + remote + "'\n").built->build;
        EXPECT_TRUE(build.is_remote);
        EXPECT_EQ(build.context, remote);
    }
    EXPECT_TRUE(web(" .\n    pull_policy: build\n").built->build.always);
    EXPECT_EQ(web(" {context: ., platforms: [a, b]}\n    platform: b\n").built->build.platform, "b");
    EXPECT_EQ(web(" {context: ., platforms: [a, b]}\n").built->build.platform, "");
}

TEST(ComposeBuild, KnowsWhatOnlyComposeCanDo) {
    const auto beyond = web("\n      context: .\n      ssh: [default]\n      secrets: [s]\n"
                            "      additional_contexts: {a: ../a}\n      privileged: false\n")
                            .built->build.beyond_the_api;
    EXPECT_THAT(beyond, ElementsAre(Pair("ssh", SourcePlace{"compose.yaml", 6, 7}),
                                    Pair("secrets", SourcePlace{"compose.yaml", 7, 7}),
                                    Pair("additional_contexts", SourcePlace{"compose.yaml", 8, 7})));
}

TEST(ComposeBuild, IsMergedAndStartsWhereItsFileIs) {
    const auto scenario = build_project(
        "services:\n  web:\n    extends: {file: base/b.yaml, service: base}\n    build: {args: {B: 2}}\n",
        {{"/project/app/base/b.yaml", "services:\n  base: {build: ./ctx}\n"}});
    ASSERT_TRUE(scenario) << scenario.error().message;
    EXPECT_EQ(scenario->subject.built->build.context, "/project/app/base/ctx");
    EXPECT_THAT(scenario->subject.build_args, ElementsAre(Pair("B", "2")));
}

TEST(ComposeBuild, SaysWhatIsWrongAndWhere) {
    const std::pair<const char*, const char*> cases[] = {
        {" [a]\n", "compose.yaml:4:12: 'build' of service 'web' is a list; write the path"},
        {" {contxt: a}\n",
         "compose.yaml:4:13: unknown key 'contxt' in 'build' of service 'web'; did you mean"},
        {" {context: [a]}\n", "compose.yaml:4:22: 'context' of 'build' of service 'web'"},
        {" {dockerfile: a, dockerfile_inline: b}\n", "has both 'dockerfile' and 'dockerfile_inline'"},
        {" {context: ., shm_size: much}\n", "compose.yaml:4:35: "}};
    for (const auto& [build, wrong] : cases) {
        const auto scenario = build_project(std::string("name: shop\nservices:\n  web:\n    build:") + build);
        ASSERT_FALSE(scenario) << build;
        EXPECT_THAT(scenario.error().message, HasSubstr(wrong));
    }
}

}  // namespace
}  // namespace rogate::spec::test
