// Images that runs need, against the fake engine: what is taken, what is built and from what, what is left.
#include "campaign/images.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "campaign/base_images.hpp"
#include "campaign/build_context.hpp"
#include "campaign/build_log.hpp"
#include "campaign/campaign.hpp"
#include "campaign/compose_build.hpp"
#include "support/session.hpp"

namespace rogate::campaign {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::UnorderedElementsAre;

TEST(BuiltName, IsAReference) {
    EXPECT_EQ(built_name("shop", "web", "5eed"), "rogate/shop-web:5eed");
    EXPECT_EQ(built_name("my_shop", "Web..Admin_", "1"), "rogate/my-shop-web-admin:1");
}

TEST(TimeAgo, HasOneUnit) {
    EXPECT_EQ(time_ago(100, 130), "less than a minute ago");
    EXPECT_EQ(time_ago(100, 50), "less than a minute ago");
    EXPECT_EQ(time_ago(0, 60), "1 minute ago");
    EXPECT_EQ(time_ago(0, 86400 * 3 + 5), "3 days ago");
    EXPECT_EQ(time_ago(0, 86400 * 800), "2 years ago");
}

TEST(BaseImages, AreThoseOfOthers) {
    EXPECT_THAT(base_images("# FROM no\nFROM --platform=linux/amd64 reg.io/a:1 AS Build\nRUN x\nfrom b\n"
                            "FROM build\nFROM ${X}\nFROM scratch\nFROM b as c\n"),
                ElementsAre("reg.io/a:1", "b"));
}

TEST(BuildLog, HasItsEndWithoutColours) {
    BuildLog log;
    EXPECT_EQ(log.end(), "");
    for (int i = 0; i < 30; ++i) log.add("line " + std::to_string(i));
    log.add("\x1b[31mred\x1b[0m\x07 ");
    EXPECT_TRUE(log.end().starts_with("\n  line 11\n")) << log.end();
    EXPECT_TRUE(log.end().ends_with("\n  line 29\n  red")) << log.end();
    EXPECT_TRUE(BuildLog::is_step("Step 1/2 : FROM a") && BuildLog::is_step("#7 [2/3] RUN x"));
    EXPECT_FALSE(BuildLog::is_step("#7 0.2 it says") || BuildLog::is_step("it says"));
}

BuiltImage shop_web() {
    BuiltImage built{"web", "shop_web", {"compose.yaml", 4, 12}};
    built.build.project = "shop";
    built.build.project_folder = "/srv/shop";
    built.build.files = {"/srv/shop/a.yaml", "/srv/shop/b.yaml"};
    built.build.env_files = {"/srv/shop/e"};
    return built;
}

TEST(ComposeBuild, IsOfTheSameProjectOnTheSameEngine) {
    engine::Endpoint endpoint;
    endpoint.path = "/run/e.sock";
    EXPECT_THAT(
        compose_command(endpoint, shop_web(), true),
        ElementsAre("docker", "-H", "unix:///run/e.sock", "compose", "--project-name", "shop",
                    "--project-directory", "/srv/shop", "--env-file", "/srv/shop/e", "-f", "/srv/shop/a.yaml",
                    "-f", "/srv/shop/b.yaml", "-f", "-", "build", "--pull", "web"));
    endpoint.path.clear();
    endpoint.kind = engine::Endpoint::Kind::tls;
    endpoint.host = "h";
    endpoint.port = 2376;
    endpoint.cert_path = "/c";
    const auto words = compose_command(endpoint, shop_web(), false);
    EXPECT_EQ(std::vector<std::string>(words.begin() + 1, words.begin() + 10),
              (std::vector<std::string>{"-H", "tcp://h:2376", "--tlsverify", "--tlscacert", "/c/ca.pem",
                                        "--tlscert", "/c/cert.pem", "--tlskey", "/c/key.pem"}));
    EXPECT_THAT(words, Not(testing::Contains("--pull")));
    EXPECT_EQ(compose_override(shop_web(), "rogate/x:1", {{"a", "b\"c"}}),
              "services:\n  \"web\":\n    image: \"rogate/x:1\"\n    build:\n      labels:\n        \"a\": "
              "\"b\\\"c\"\n      tags: !reset []\n      cache_to: !reset []\n      platforms: !reset []\n");
}

class Folder : public testing::Test {
  protected:
    Folder() {
        std::string name = (fs::temp_directory_path() / "rogate-build-XXXXXX").string();
        folder = mkdtemp(name.data());
    }
    ~Folder() override { fs::remove_all(folder); }
    void put(const std::string& path, const std::string& text) const {
        const fs::path whole = fs::path(folder) / path;
        fs::create_directories(whole.parent_path());
        std::ofstream(whole) << text;
    }
    std::string folder;
};

using BuildContextTest = Folder;

std::map<std::string, test::Node> sent(BuildContext& context) {
    std::string tar;
    for (;;) {
        auto piece = context.next();
        EXPECT_TRUE(piece.has_value()) << piece.error().message;
        if (!piece || piece->empty()) break;
        tar += *piece;
    }
    std::map<std::string, test::Node> found;
    const auto entries = test::from_tar(tar);
    EXPECT_TRUE(entries.has_value());
    for (const auto& [name, node] : *entries) found.emplace(name, node);
    return found;
}

TEST_F(BuildContextTest, IsWhatTheFolderHasButWhatIsIgnored) {
    put("c/Dockerfile", "FROM a\n");
    put("c/.dockerignore", "Dockerfile\n.dockerignore\nsecret\nsub\n!sub/keep\n");
    put("c/secret", "s");
    put("c/sub/keep", "k");
    put("c/sub/not", "n");
    put("c/big", std::string(700'000, 'x') + "end");
    fs::create_symlink("/nowhere", folder + "/c/link");
    fs::permissions(folder + "/c/big", fs::perms(0750));
    auto context = BuildContext::of(folder + "/c", "", "");
    ASSERT_TRUE(context.has_value()) << context.error().message;
    EXPECT_EQ(context->dockerfile(), "Dockerfile");
    const auto files = sent(*context);
    EXPECT_THAT(files, UnorderedElementsAre(Key("/.dockerignore"), Key("/Dockerfile"), Key("/big"),
                                            Key("/link"), Key("/sub/keep")));
    EXPECT_EQ(files.at("/big").content, std::string(700'000, 'x') + "end");
    EXPECT_EQ(files.at("/big").mode, 0750U);
    EXPECT_EQ(files.at("/big").uid, 0U);
    EXPECT_EQ(files.at("/link").content, "/nowhere");
}

TEST_F(BuildContextTest, TakesADockerfileFromElsewhereAndItsOwnIgnoreFile) {
    put("c/a", "a");
    put("c/b", "b");
    put("c/.dockerignore", "a\n");
    put("d/My.Dockerfile", "FROM a\n");
    put("d/My.Dockerfile.dockerignore", "b\n");
    auto context = BuildContext::of(folder + "/c", "../d/My.Dockerfile", "");
    ASSERT_TRUE(context.has_value()) << context.error().message;
    const auto files = sent(*context);
    EXPECT_THAT(files,
                UnorderedElementsAre(Key("/.dockerignore"), Key("/" + context->dockerfile()), Key("/a")));
    EXPECT_EQ(files.at("/" + context->dockerfile()).content, "FROM a\n");
    // The engine takes away again what the folder does not have.
    EXPECT_THAT(files.at("/.dockerignore").content, HasSubstr(context->dockerfile()));
    auto inlined = BuildContext::of(folder + "/c", "", "FROM b\n");
    ASSERT_TRUE(inlined.has_value());
    EXPECT_EQ(sent(*inlined).at("/" + inlined->dockerfile()).content, "FROM b\n");
}

TEST_F(BuildContextTest, SaysWhatIsNotThere) {
    put("c/a", "a");
    EXPECT_THAT(BuildContext::of(folder + "/x", "", "").error().message, HasSubstr("x is no folder"));
    EXPECT_THAT(BuildContext::of(folder + "/c", "", "").error().message,
                HasSubstr("c/Dockerfile cannot be read"));
    put("c/Dockerfile", "FROM a\n");
    put("c/.dockerignore", "[\n");
    EXPECT_THAT(BuildContext::of(folder + "/c", "", "").error().message, HasSubstr("'[' is no pattern"));
    put("c/.dockerignore", "");
    auto context = BuildContext::of(folder + "/c", "", "");
    fs::remove(folder + "/c/a");
    EXPECT_THAT(context->next().error().message, HasSubstr("c/a cannot be read"));
}

class Told : public Status {
  public:
    void preparing(const std::string& what) override { steps.push_back(what); }
    void run_started(const RunPlan&) override {}
    void phase_started(const std::string&) override {}
    void run_finished(const RunRecord&) override {}
    void warn(const std::string&) override {}
    void note(const std::string& text) override { notes.push_back(text); }
    std::vector<std::string> steps, notes;
};

class ImagesTest : public Folder {
  protected:
    ImagesTest() {
        put("web/Dockerfile", "FROM base\n");
        scenario.subject = service("web");
        EXPECT_TRUE(session.run(session.client.negotiate()));
    }
    Subject service(const std::string& name) const {
        Subject made;
        made.image = "shop-" + name;
        made.built = BuiltImage{name, "shop_" + name, {"compose.yaml", 4, 12}};
        made.built->build.project = "shop";
        made.built->build.context = folder + "/web";
        made.built->build.shown = "./web";
        return made;
    }
    Result<std::map<std::string, std::string>> settle(ImageOptions options = {}) {
        images = std::make_unique<Images>(options, "5eed");
        return session.run(images->settle(session.client, scenario, status));
    }
    test::Session session;
    Scenario scenario;
    Told status;
    std::unique_ptr<Images> images;
};

TEST_F(ImagesTest, AreBuiltOnceAsTheFileSaysAndSwept) {
    scenario.subject.build_args = {{"V", "1 2"}};
    ImageBuild& build = scenario.subject.built->build;
    build.target = "final";
    build.network = "host";
    build.platform = "linux/amd64";
    build.labels = {{"a", "b"}};
    build.extra_hosts = {"h:1.2.3.4"};
    build.cache_from = {"c:1"};
    build.shm_size = 1024;
    Companion other;
    other.name = "worker";
    other.subject = scenario.subject;
    other.subject.image = "shop-worker";
    other.subject.built->service = "worker";
    Companion different = other;
    different.subject.build_args = {{"V", "3"}};
    different.subject.built->service = "third";
    different.subject.image = "shop-third";
    scenario.companions = {other, different};
    ASSERT_TRUE(settle());
    ASSERT_EQ(session.fake.builds.size(), 2U);
    auto query = session.fake.builds[0].query;
    EXPECT_THAT(session.fake.builds[0].files, ElementsAre(Key("/Dockerfile")));
    EXPECT_EQ(query["t"], "rogate/shop-web:5eed");
    EXPECT_EQ(query["buildargs"], R"({"V":"1 2"})");
    EXPECT_EQ(query["labels"], R"({"a":"b","io.rogate.role":"image","io.rogate.session":"5eed"})");
    EXPECT_EQ(query["target"] + query["networkmode"] + query["platform"] + query["extrahosts"],
              "finalhostlinux/amd64h:1.2.3.4");
    EXPECT_EQ(query["cachefrom"] + query["shmsize"] + query["dockerfile"], R"(["c:1"]1024Dockerfile)");
    EXPECT_FALSE(query.contains("pull") || query.contains("nocache"));
    EXPECT_EQ(scenario.subject.image, "rogate/shop-web:5eed");
    EXPECT_EQ(scenario.companions[0].subject.image, "rogate/shop-web:5eed");
    EXPECT_EQ(scenario.companions[1].subject.image, "rogate/shop-third:5eed-2");
    EXPECT_THAT(
        status.steps,
        ElementsAre("building the image of web from ./web", "building web: Step 1/2 : FROM base",
                    "building the image of third from ./web", "building third: Step 1/2 : FROM base"));
    // What a result says is the same each time.
    images->name_as_in_files(scenario);
    EXPECT_EQ(scenario.subject.image, "shop-web");
    EXPECT_EQ(scenario.companions[0].subject.image, "shop-worker");
    EXPECT_TRUE(session.run(sweep_until_settled(session.client, "5eed", 1)));
    EXPECT_TRUE(session.fake.images.empty());
}

TEST_F(ImagesTest, AreTakenWhereTheyAreAndTheirAgeIsTold) {
    session.fake.add_image("shop_web", {}).created = "2001-02-03T04:05:06.7Z";
    ASSERT_TRUE(settle());
    EXPECT_EQ(scenario.subject.image, "shop_web");
    EXPECT_THAT(session.fake.builds, IsEmpty());
    ASSERT_EQ(status.notes.size(), 1U);
    EXPECT_THAT(status.notes[0], testing::MatchesRegex("image shop_web was built .* years ago; --build .*"));
    scenario.subject = service("web");
    ASSERT_TRUE(settle({.build = true, .pull = true, .keep = true}));
    ASSERT_EQ(session.fake.builds.size(), 1U);
    EXPECT_EQ(session.fake.builds[0].query.at("pull"), "1");
    EXPECT_EQ(session.fake.builds[0].query.at("labels"), R"({"io.rogate.role":"image"})");
    EXPECT_THAT(images->built(), ElementsAre("rogate/shop-web:5eed"));
    scenario.subject = service("web");
    scenario.subject.built->build.always = true;
    ASSERT_TRUE(settle());
    EXPECT_EQ(session.fake.builds.size(), 2U);
    scenario.subject = service("web");
    scenario.subject.built->build.always = true;
    ASSERT_TRUE(settle({.no_build = true}));
    EXPECT_EQ(session.fake.builds.size(), 2U);
    EXPECT_EQ(scenario.subject.image, "shop_web");
}

TEST_F(ImagesTest, AreNotBuiltWhereThatIsNotWanted) {
    const auto refused = settle({.no_build = true});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::usage);
    EXPECT_EQ(
        refused.error().message,
        "compose.yaml:4:12: the image of service 'web' is built, and the engine has neither 'shop-web' nor "
        "'shop_web'; leave out --no-build, or build it first: docker compose build web");
    scenario.subject.built->build.beyond_the_api = {{"secrets", {"compose.yaml", 6, 7}}};
    const auto beyond = settle();
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().kind, ErrorKind::usage);
    EXPECT_THAT(beyond.error().message,
                HasSubstr("compose.yaml:6:7: 'secrets' of 'build' of service 'web' takes"));
    EXPECT_THAT(session.fake.builds, IsEmpty());
}

TEST_F(ImagesTest, ThatAreNotBuiltSayWhyAndAreNotTriedAgain) {
    session.fake.build_error = "The command '/bin/sh -c false' returned a non-zero code: 1";
    scenario.companions.emplace_back().subject = service("worker");
    const auto failed = settle();
    ASSERT_FALSE(failed);
    EXPECT_EQ(exit_code(failed.error().kind), 3);
    EXPECT_EQ(
        failed.error().message,
        "compose.yaml:4:12: the image of service 'web' was not built: engine: POST /build: The command "
        "'/bin/sh -c false' returned a non-zero code: 1; its log ends:\n  Step 1/2 : FROM base\n   ---> "
        "Running in 1\n  it goes on");
    EXPECT_FALSE(session.run(images->settle(session.client, scenario, status)));
    EXPECT_EQ(session.fake.builds.size(), 1U);
    session.fake.build_error = "the --mount option requires BuildKit. Refer to";
    scenario.subject = service("web");
    EXPECT_THAT(settle().error().message, HasSubstr("install docker's compose plugin"));
}

TEST_F(ImagesTest, ThatAreNotBuiltCostTheirServicesOfASystemAlone) {
    session.fake.build_error = "The command '/bin/sh -c false' returned a non-zero code: 1";
    scenario.subject = {};
    for (const char* name : {"web", "worker", "db"}) scenario.members.emplace_back().name = name;
    scenario.members[0].subject = service("web");
    scenario.members[1].subject = service("worker");
    scenario.members[2].subject.image = "db:1";
    const auto settled = settle();
    ASSERT_TRUE(settled) << settled.error().message;
    EXPECT_THAT(*settled, UnorderedElementsAre(Key("web"), Key("worker")));
    EXPECT_THAT(settled->at("web"), HasSubstr("the image of service 'web' was not built"));
    EXPECT_THAT(settled->at("web"), HasSubstr("its log ends:\n  Step 1/2 : FROM base"));
    // What the user has to say first is no matter of one service.
    EXPECT_EQ(settle({.no_build = true}).error().kind, ErrorKind::usage);
}

TEST_F(ImagesTest, WithANameAreBuiltWhenNoRegistryHasThem) {
    scenario.subject.image = "mine:1";
    scenario.subject.built->other_name.clear();
    ASSERT_TRUE(settle());
    EXPECT_EQ(session.fake.calls_with("POST /images/create"), 1);
    EXPECT_EQ(scenario.subject.image, "rogate/shop-web:5eed");
    images->name_as_in_files(scenario);
    EXPECT_EQ(scenario.subject.image, "mine:1");
}

TEST_F(ImagesTest, ArePulledAnewOnce) {
    scenario.subject.built.reset();
    scenario.subject.image = "app:1";
    session.fake.add_image("app:1", {});
    const auto failed = settle({.pull = true});
    ASSERT_FALSE(failed);  // the fake engine has no registry
    EXPECT_THAT(failed.error().message, HasSubstr("--pull: the image 'app:1' could not be pulled"));
    EXPECT_FALSE(session.run(images->settle(session.client, scenario, status)));
    EXPECT_EQ(session.fake.calls_with("POST /images/create"), 1);
    ASSERT_TRUE(settle());
}

TEST_F(ImagesTest, OfAnEngineThatFetchesTheContextAreNotSentOne) {
    scenario.subject.built->build.is_remote = true;
    scenario.subject.built->build.context = "https://example.com/x.git#main";
    ASSERT_TRUE(settle());
    EXPECT_EQ(session.fake.builds.at(0).query.at("remote"), "https://example.com/x.git#main");
    EXPECT_THAT(session.fake.builds[0].files, IsEmpty());
}

}  // namespace
}  // namespace rogate::campaign
