#include "secrets/collect.hpp"

#include <gmock/gmock.h>

#include "base/masker.hpp"

namespace rogate::secrets {
namespace {

using In = Masker::In;

Scenario shop() {
    Scenario scenario;
    scenario.subject.image = "shop:staging";
    scenario.subject.mounts.resize(1);
    scenario.subject.mounts[0].target = "/var/lib/data";
    return scenario;
}

TEST(Collect, KnowsSecretsByNameFormAndSource) {
    Scenario scenario = shop();
    scenario.subject.environment = {{"PGDATA", "/srv/pg"},
                                    {"ON_MOUNT", "/var/lib/data/pg"},
                                    {"KIND", "staging"},
                                    {"LANG", "C.UTF-8"},
                                    {"PASSWORD", "hunter2hunter2"},
                                    {"DATABASE_URL", "postgres://app:UrlSecret@db/x"},
                                    {"KEY_FILE", "/data/key"},
                                    {"SHORT", "abc"}};
    scenario.subject.secrets = {"FromAFile4711\n"};
    scenario.subject.build_args = {{"NPM_TOKEN", "BuildArg4711"}};
    scenario.pod.secrets = {"OfACluster4711"};
    scenario.subject.command = {"app", "--token=Command4711"};
    scenario.subject.healthcheck.emplace();
    scenario.subject.healthcheck->test = {"CMD-SHELL", "redis-cli -a Health4711 ping"};
    scenario.companions.resize(1);
    scenario.companions[0].subject.environment = {{"MYSQL_PASSWORD", "Beside4711"}};
    const Masker masker(of_scenario(scenario));
    const auto both = [&](const std::string& text) {
        return std::pair(masker.masked(text), masker.masked(text, In::path));
    };
    using Pair = std::pair<std::string, std::string>;
    for (const char* secret : {"hunter2hunter2", "UrlSecret", "FromAFile4711", "BuildArg4711",
                               "OfACluster4711", "Command4711", "Health4711", "Beside4711"})
        EXPECT_EQ(both(secret), Pair("***", "***")) << secret;
    for (const char* value : {"/srv/pg", "C.UTF-8", "/data/key"})
        EXPECT_EQ(both(value), Pair("***", value)) << value;
    for (const char* shown : {"staging", "/var/lib/data/pg", "abc", "ping", "app"})
        EXPECT_EQ(both(shown), Pair(shown, shown)) << shown;
}

TEST(Collect, LeavesDirectoriesThatArePasswords) {
    Scenario scenario = shop();
    scenario.subject.environment = {{"MYSQL_ROOT_PASSWORD", "root"}};
    const Masker masker(of_scenario(scenario));
    EXPECT_EQ(masker.masked("/root/.cache", In::path), "/root/.cache");
    EXPECT_EQ(masker.masked("root"), "***");
}

TEST(Collect, TakesWhatAStepSendsWithItsVariablesPutIn) {
    Step exec, http;
    exec.action = ExecAction{.command = {"login", "--password", "Exec4711"},
                             .user = {},
                             .working_dir = {},
                             .environment = {{"T", "exec-value"}},
                             .stdin_text = "password=Stdin4711\n"};
    HttpAction request;
    request.headers = {{"Authorization", "Bearer zzz.4711"}, {"Accept", "text/html"}};
    request.path = "/login?token=Query4711";
    request.body = R"({"password": "Body4711"})";
    request.form = {{.name = "passwd", .content = "Form4711", .file_name = {}, .type = {}}};
    http.action = request;
    Secrets found = of_step(exec, shop());
    add_secrets(found, of_step(http, shop()));
    add_secrets(found, of_variables({{"session_token", "Captured4711"}, {"id", "name4711"}}, shop()));
    for (const char* secret :
         {"Exec4711", "Stdin4711", "zzz.4711", "Query4711", "Body4711", "Form4711", "Captured4711"})
        EXPECT_TRUE(found.contains(secret)) << secret;
    EXPECT_EQ(found.at("exec-value"), SecretKind::environment);
    EXPECT_FALSE(found.contains("text/html"));
    EXPECT_FALSE(found.contains("name4711"));
}

TEST(Collect, TakesOfAnImageOnlyWhatIsASecret) {
    const Secrets found = of_image({"GOSU_VERSION=1.17", "API_KEY=Image4711"}, shop());
    EXPECT_TRUE(found.contains("Image4711"));
    EXPECT_FALSE(found.contains("1.17"));
}

}  // namespace
}  // namespace rogate::secrets
