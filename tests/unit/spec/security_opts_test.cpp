// What the docker client resolves before it asks the engine, and what no result may show.
#include "unit/spec/support.hpp"

namespace rogate::spec {
namespace {

using test::surroundings;
using testing::ElementsAre;
using testing::HasSubstr;

Surroundings with_files() {
    Surroundings made = surroundings();
    made.read_file = [](const std::string& path) -> Result<std::string> {
        if (path == "/project/app/profiles/deny.json" || path == "/abs.json")
            return std::string("{\n  \"a b\": [ 1.50, \"\\\" x\" ]\n}\n");
        if (path == "/project/app/broken.json") return std::string("{");
        if (path == "/project/app/compose.yaml")
            return std::string(
                "services:\n  web:\n    image: a\n    build: {args: {NPM_TOKEN: Build4711, FROM_HERE: null, "
                "PASSED: null}}\n"
                "    security_opt: ['seccomp:profiles/deny.json', 'systempaths=unconfined', "
                "'no-new-privileges:true']\n"
                "    secrets: [db, passed]\n    configs: [site]\n"
                "secrets: {db: {file: ./db.txt}, passed: {environment: "
                "PASSED}}\n"
                "configs: {site: {content: port=80}}\n");
        return fail(ErrorKind::not_found, "there is no such file");
    };
    made.read_data = [](const std::string& path) -> Result<std::string> {
        if (path == "/project/app/db.txt") return std::string("File4711\n");
        return fail(ErrorKind::not_found, "there is no such file");
    };
    return made;
}

Result<Scenario> with_options(const std::string& options) {
    return parse_scenario("subject:\n  image: a\n  security_opt: [" + options + "]\n", "s.yaml",
                          with_files());
}

TEST(SecurityOpts, AreResolvedAsTheClientDoesIt) {
    const std::string profile = R"(seccomp={"a b":[1.50,"\" x"]})";
    struct Case {
        const char* options;
        std::vector<std::string> read;
        bool unconfined = false;
    };
    for (const Case& each :
         std::vector<Case>{{"seccomp=profiles/deny.json", {profile}},
                           {"'seccomp:profiles/deny.json'", {profile}},
                           {"seccomp=/abs.json", {profile}},
                           {"seccomp=unconfined", {"seccomp=unconfined"}},
                           {"seccomp=builtin", {"seccomp=builtin"}},
                           {"no-new-privileges", {"no-new-privileges"}},
                           {"'label:disable', apparmor=x", {"label:disable", "apparmor=x"}},
                           {"systempaths=unconfined, a=b", {"a=b"}, true}}) {
        const auto scenario = with_options(each.options);
        ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
        EXPECT_EQ(scenario->subject.security_opt, each.read) << each.options;
        EXPECT_EQ(scenario->subject.unconfined_system_paths, each.unconfined) << each.options;
    }
}

TEST(SecurityOpts, ThatCannotBeResolvedAreProblems) {
    for (const auto& [options, why] : std::vector<std::pair<std::string, std::string>>{
             {"seccomp=missing.json",
              "the seccomp profile 'missing.json' cannot be had: there is no such file"},
             {"seccomp=broken.json", "the seccomp profile 'broken.json' is not JSON"},
             {"seccomp", "'seccomp' is no security option"},
             {"'apparmor='", "'apparmor=' is no security option"}}) {
        const auto scenario = with_options(options);
        ASSERT_FALSE(scenario.has_value()) << options;
        EXPECT_THAT(scenario.error().message, HasSubstr(why));
    }
}

TEST(SecurityOpts, OfADockerRunLine) {
    const auto scenario = parse_scenario(
        "subject:\n  docker_run: docker run --security-opt seccomp=profiles/deny.json --security-opt "
        "systempaths=unconfined a\n",
        "s.yaml", with_files());
    ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
    EXPECT_THAT(scenario->subject.security_opt, ElementsAre(HasSubstr("seccomp={")));
    EXPECT_TRUE(scenario->subject.unconfined_system_paths);
}

TEST(Compose, TellsWhatNoResultMayShow) {
    const auto scenario =
        parse_scenario("subject:\n  compose: {file: compose.yaml}\n", "s.yaml", with_files());
    ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
    const Subject& web = scenario->subject;
    EXPECT_THAT(web.secrets, testing::UnorderedElementsAre("File4711\n", "through"));
    EXPECT_EQ(web.build_args.at("NPM_TOKEN"), "Build4711");
    EXPECT_EQ(web.build_args.at("PASSED"), "through");
    EXPECT_THAT(web.security_opt, ElementsAre(HasSubstr("seccomp={"), "no-new-privileges:true"));
    EXPECT_TRUE(web.unconfined_system_paths);
}

}  // namespace
}  // namespace rogate::spec
