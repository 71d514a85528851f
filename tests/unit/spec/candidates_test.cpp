// Mounts that are asked for by name, of one container or of all that have them.
#include "spec/candidates.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* shop = R"(
services:
  web: {image: web, volumes: ["conf:/etc/nginx", "logs:/var/log"]}
  app: {image: app, volumes: ["up:/srv/up", "logs:/var/log"], depends_on: [db]}
  db: {image: db, volumes: ["data:/data"]}
volumes: {conf: , logs: , up: , data: }
)";

constexpr const char* pods = R"(
apiVersion: v1
kind: Pod
metadata: {name: blog}
spec:
  containers:
    - {name: web, image: web, volumeMounts: [{name: work, mountPath: /work}]}
    - {name: log, image: log, volumeMounts: [{name: work, mountPath: /work}]}
  volumes: [{name: work, emptyDir: {}}]
---
apiVersion: v1
kind: Pod
metadata: {name: wiki}
spec: {containers: [{name: web, image: web}]}
)";

std::vector<Result<Input>> read(const std::string& name,
                                const std::vector<std::pair<std::string, std::string>>& files) {
    const fs::path folder =
        fs::path(testing::TempDir()) / ("rogate-candidates-" + std::to_string(::getpid()));
    fs::create_directories(folder);
    for (const auto& [file, text] : files) std::ofstream(folder / file) << text;
    auto inputs = load_inputs({folder / name});
    fs::remove_all(folder);
    return inputs;
}

std::vector<Result<Input>> project() {
    return read("compose.yaml", {{"compose.yaml", shop}});
}

std::vector<Result<Input>> scenario(const std::string& text) {
    return read("shop.yaml", {{"compose.yaml", shop}, {"pods.yaml", pods}, {"shop.yaml", text}});
}

Result<> narrow(std::vector<Result<Input>>& inputs, const std::vector<std::string>& asked) {
    std::vector<AskedCandidate> all;
    for (const std::string& each : asked) all.push_back(*parse_candidate(each));
    return try_only(inputs, all);
}

std::vector<std::string> tried(const Input& input) {
    std::vector<std::string> names;
    for (const Member& each : input.together->members)
        if (each.tried) names.push_back(each.name);
    return names;
}

TEST(AskedCandidates, AreTargetsWithOrWithoutAContainer) {
    EXPECT_EQ(parse_candidate("/data/")->target, "/data");
    EXPECT_EQ(parse_candidate("web:/etc//nginx")->container, "web");
    EXPECT_EQ(parse_candidate("web:/etc//nginx")->target, "/etc/nginx");
    EXPECT_EQ(parse_candidate("shop/web:/")->container, "shop/web");
    for (const char* wrong : {"data", "web:data", ":/data", "web:/../x", ""})
        EXPECT_FALSE(parse_candidate(wrong)) << wrong;
}

TEST(AskedCandidates, OfOneContainerLeaveTheOthersUntriedInTheSameCampaign) {
    auto inputs = project();
    ASSERT_TRUE(narrow(inputs, {"web:/etc/nginx"}));
    const Input& input = *inputs.front();
    ASSERT_TRUE(input.together.has_value());
    EXPECT_EQ(input.together->members.size(), 3U);
    EXPECT_THAT(tried(input), ElementsAre("web"));
    EXPECT_THAT(*input.together->candidates, ElementsAre("web:/etc/nginx"));
    ASSERT_EQ(input.scenarios.size(), 1U);
    EXPECT_THAT(*input.scenarios.front().candidates, ElementsAre("/etc/nginx"));
    EXPECT_THAT(input.system.notes, IsEmpty());
}

TEST(AskedCandidates, WithoutAContainerAreOfEach) {
    auto inputs = project();
    ASSERT_TRUE(narrow(inputs, {"/var/log", "web:/"}));
    const Input& input = *inputs.front();
    EXPECT_THAT(tried(input), ElementsAre("web", "db", "app"));
    EXPECT_THAT(*input.together->candidates, UnorderedElementsAre("/var/log", "web:/"));
    EXPECT_TRUE(input.scenarios.front().named_candidates.at("/var/log").if_there);
    EXPECT_FALSE(input.scenarios.front().named_candidates.at("/").if_there);
}

TEST(AskedCandidates, ThatNoFileDeclaresAreNoted) {
    auto inputs = project();
    ASSERT_TRUE(narrow(inputs, {"db:/srv/up"}));
    EXPECT_THAT(inputs.front()->system.notes,
                ElementsAre(HasSubstr("--candidate db:/srv/up: no file declares")));
}

TEST(AskedCandidates, OfNoContainerAreRefused) {
    auto inputs = project();
    const auto wrong = narrow(inputs, {"wep:/etc/nginx"});
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().kind, ErrorKind::usage);
    EXPECT_EQ(wrong.error().message,
              "--candidate wep:/etc/nginx: there is no container 'wep'; did you mean 'web'?");
}

TEST(AskedCandidates, NameContainersOfPods) {
    auto inputs = read("pods.yaml", {{"pods.yaml", pods}});
    ASSERT_TRUE(narrow(inputs, {"log:/work", "wiki/web:/"}));
    EXPECT_THAT(*inputs.front()->together->candidates, ElementsAre("blog/log:/work", "wiki/web:/"));
    auto again = read("pods.yaml", {{"pods.yaml", pods}});
    const auto wrong = narrow(again, {"web:/"});
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().message,
                HasSubstr("several containers are called 'web'; name one of them: blog/web, wiki/web"));
}

TEST(AskedCandidates, OfAScenarioAreOfItsSubject) {
    const auto good =
        scenario("subject: {compose: {file: compose.yaml, service: app}}\ncandidates: ['app:/srv/up', /]\n");
    ASSERT_TRUE(good.front()) << good.front().error().message;
    EXPECT_THAT(*good.front()->scenarios.front().candidates, ElementsAre("/srv/up", "/"));
    EXPECT_EQ(good.front()->scenarios.front().named_candidates.at("/srv/up").at.line, 2);
    const auto beside =
        scenario("subject: {compose: {file: compose.yaml, service: app}}\ncandidates: ['db:/data']\n");
    ASSERT_FALSE(beside.front());
    EXPECT_THAT(
        beside.front().error().message,
        HasSubstr("shop.yaml:2:14: container 'db' stands beside the subject, which alone has mounts that "
                  "are tried; the subject is 'app'"));
    const auto nobody =
        scenario("subject: {compose: {file: compose.yaml, service: app}}\ncandidates: ['apq:/data']\n");
    ASSERT_FALSE(nobody.front());
    EXPECT_THAT(nobody.front().error().message,
                HasSubstr("shop.yaml:2:14: there is no container 'apq'; did you mean 'app'?"));
    const auto nameless = scenario("subject: {image: web}\ncandidates: ['web:/data']\n");
    ASSERT_FALSE(nameless.front());
    EXPECT_THAT(nameless.front().error().message, HasSubstr("2:14: a candidate names container 'web'"));
}

TEST(AskedCandidates, OfAScenarioWithoutAServiceAreOfTheSystem) {
    const auto inputs = scenario(
        "name: mine\nsubject: {compose: compose.yaml}\ncandidates: ['web:/etc/nginx', 'db:/data']\n");
    ASSERT_TRUE(inputs.front()) << inputs.front().error().message;
    const Input& input = *inputs.front();
    EXPECT_EQ(input.together->name, "mine");
    EXPECT_THAT(tried(input), ElementsAre("web", "db"));
    EXPECT_THAT(*input.together->candidates, ElementsAre("web:/etc/nginx", "db:/data"));
    const auto wrong = scenario("subject: {compose: compose.yaml}\ncandidates: ['wep:/etc/nginx']\n");
    ASSERT_FALSE(wrong.front());
    EXPECT_THAT(wrong.front().error().message,
                HasSubstr("shop.yaml:2:14: candidate 'wep:/etc/nginx': there is no container 'wep'; did you "
                          "mean 'web'?"));
    const auto steps = scenario("subject: {compose: compose.yaml}\ncandidates: [/]\nsteps: []\n");
    ASSERT_FALSE(steps.front());
    EXPECT_THAT(steps.front().error().message,
                HasSubstr("shop.yaml:3:1: 'steps' is about one container, and the subject has 3"));
}

TEST(AskedCandidates, OfAScenarioOfManifestsAreOfTheSystem) {
    const auto inputs = scenario("subject: {kubernetes: {file: pods.yaml}}\ncandidates: ['log:/work', /]\n");
    ASSERT_TRUE(inputs.front()) << inputs.front().error().message;
    EXPECT_THAT(*inputs.front()->together->candidates, UnorderedElementsAre("blog/log:/work", "/"));
}

// What could be read before is read as before.
TEST(AskedCandidates, OfAPodWithOneContainerThatGoesOnAreOfThat) {
    const auto inputs =
        read("shop.yaml",
             {{"one.yaml",
               "apiVersion: v1\nkind: Pod\nmetadata: {name: one}\nspec: {initContainers: [{name: init, "
               "image: i}], containers: [{name: web, image: w}]}\n"},
              {"shop.yaml", "subject: {kubernetes: {file: one.yaml}}\ncandidates: [/]\n"}});
    ASSERT_TRUE(inputs.front()) << inputs.front().error().message;
    EXPECT_FALSE(inputs.front()->own_exercise);
    EXPECT_FALSE(inputs.front()->together);
    EXPECT_THAT(*inputs.front()->scenarios.front().candidates, ElementsAre("/"));
}

}  // namespace
}  // namespace rogate::spec::test
