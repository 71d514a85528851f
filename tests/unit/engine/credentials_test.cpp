// Credentials for pulls, from config.json files as docker writes them.
#include "engine/credentials.hpp"

#include <gtest/gtest.h>
#include <signal.h>  // NOLINT: kill() is POSIX

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/base64.hpp"
#include "unit/engine/fake_engine.hpp"

namespace rogate::engine {
namespace {

using nlohmann::json;

// What a value of X-Registry-Auth says.
json opened(std::optional<std::string> header) {
    if (!header) return nullptr;
    for (char& c : *header) c = c == '-' ? '+' : c == '_' ? '/' : c;
    return json::parse(base64_decode(*header).value_or(""), nullptr, false);
}

TEST(Base64, IsThereAndBack) {
    for (const std::string& bytes : {std::string(), std::string("a"), std::string("ab"), std::string("abc"),
                                     std::string("\0\xff\xfe", 3)})
        EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(base64_encode("user:pass"), "dXNlcjpwYXNz");
    EXPECT_EQ(base64_encode("\xff\xfe\xfd", Base64::url), "__79");
    for (const char* wrong : {"abc", "a===", "@@@@"}) EXPECT_FALSE(base64_decode(wrong).has_value()) << wrong;
}

TEST(Credentials, RegistryOfAReference) {
    const std::map<std::string, std::string> table = {{"redis", "index.docker.io"},
                                                      {"redis:7", "index.docker.io"},
                                                      {"library/redis:7", "index.docker.io"},
                                                      {"docker.io/library/redis", "index.docker.io"},
                                                      {"ghcr.io/a/b@sha256:00", "ghcr.io"},
                                                      {"registry:5000/x", "registry:5000"},
                                                      {"localhost/x", "localhost"}};
    for (const auto& [reference, registry] : table) EXPECT_EQ(registry_of(reference), registry) << reference;
}

TEST(Credentials, AreThoseOfTheRegistry) {
    const json config = {
        {"auths",
         {{"https://index.docker.io/v1/", {{"auth", base64_encode("hub:secret:with:colons")}}},
          {"ghcr.io", {{"auth", base64_encode("me:token")}}},
          {"https://old.example.com/v2/", {{"username", "u"}, {"password", "p"}}},
          {"cloud.example.com", {{"identitytoken", "t"}}},
          {"helper.example.com", json::object()}}}};
    const json hub = opened(registry_auth("redis:7", config));
    EXPECT_EQ(hub.at("username"), "hub");
    EXPECT_EQ(hub.at("password"), "secret:with:colons");
    EXPECT_EQ(hub.at("serveraddress"), "https://index.docker.io/v1/");
    EXPECT_EQ(opened(registry_auth("ghcr.io/a/b", config)).at("username"), "me");
    EXPECT_EQ(opened(registry_auth("old.example.com/a", config)).at("password"), "p");
    EXPECT_EQ(opened(registry_auth("cloud.example.com/a", config)).at("identitytoken"), "t");
    EXPECT_FALSE(registry_auth("helper.example.com/a", config).has_value());
    EXPECT_FALSE(registry_auth("unknown.example.com/a", config).has_value());
}

TEST(Credentials, OddFilesHoldNone) {
    for (const char* text :
         {"null", "[]", "{}", R"({"auths":[]})", R"({"auths":{"ghcr.io":7}})",
          R"({"auths":{"ghcr.io":{"auth":"!"}}})", R"({"auths":{"ghcr.io":{"auth":"bm9jb2xvbg=="}}})"})
        EXPECT_FALSE(registry_auth("ghcr.io/x", json::parse(text)).has_value()) << text;
}

class DockerFolder : public ::testing::Test {
  protected:
    DockerFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "rogate-XXXXXX").string();
        folder = mkdtemp(pattern.data());
        const char* path = std::getenv("PATH");
        before = path == nullptr ? "" : path;
        setenv("PATH", (folder + ":" + before).c_str(), 1);
    }
    ~DockerFolder() override {
        setenv("PATH", before.c_str(), 1);
        std::filesystem::remove_all(folder);
    }
    void config(const std::string& text) { std::ofstream(folder + "/config.json") << text; }
    // What it is asked for goes to the file `asked`.
    void helper(const std::string& name, const std::string& shell) {
        const std::string path = folder + "/docker-credential-" + name;
        std::ofstream(path) << "#!/bin/sh\ncat >" << folder << "/asked\necho \" $1\" >>" << folder
                            << "/asked\n"
                            << shell << "\n";
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    }
    std::string asked() const {
        std::string line;
        std::ifstream file(folder + "/asked");
        std::getline(file, line);
        return line;
    }
    RegistryCredentials find(const std::string& reference,
                             std::chrono::milliseconds patience = helper_patience) {
        const EnvironmentLookup environment = [&](const std::string& name) -> std::optional<std::string> {
            if (name == "DOCKER_CONFIG") return folder;
            return std::nullopt;
        };
        asio::io_context context;
        auto found = fake::run(context, find_registry_auth(reference, environment, patience));
        EXPECT_TRUE(found.has_value());
        return found ? *found : RegistryCredentials{};
    }
    std::string folder, before;
};

TEST_F(DockerFolder, HoldsThem) {
    EXPECT_FALSE(find("ghcr.io/x").header.has_value());
    EXPECT_EQ(find("ghcr.io/x").trouble, "");
    config(R"({"auths":{"ghcr.io":{"auth":"dXNlcjpwYXNz"}}})");
    EXPECT_EQ(opened(find("ghcr.io/x").header).at("password"), "pass");
    config("not JSON");
    EXPECT_FALSE(find("ghcr.io/x").header.has_value());
    EXPECT_EQ(find("ghcr.io/x").trouble, folder + "/config.json is not JSON");
}

TEST_F(DockerFolder, NamesAHelperThatIsAsked) {
    helper("mine", R"(echo '{"ServerURL":"ghcr.io","Username":"me","Secret":"from the helper"}')");
    config(
        R"({"credHelpers":{"ghcr.io":"mine"},"credsStore":"missing","auths":{"ghcr.io":{"auth":"dXNlcjpwYXNz"}}})");
    const json auth = opened(find("ghcr.io/x").header);
    EXPECT_EQ(auth.at("username"), "me");
    EXPECT_EQ(auth.at("password"), "from the helper");
    EXPECT_EQ(auth.at("serveraddress"), "ghcr.io");
    EXPECT_EQ(asked(), "ghcr.io get");
}

TEST_F(DockerFolder, NamesAStoreForAllRegistries) {
    helper("mine", R"(echo '{"Username":"<token>","Secret":"identity"}')");
    config(R"({"credHelpers":{"ghcr.io":"other"},"credsStore":"mine"})");
    const json auth = opened(find("redis").header);
    EXPECT_EQ(auth.at("identitytoken"), "identity");
    EXPECT_FALSE(auth.contains("password"));
    EXPECT_EQ(asked(), "https://index.docker.io/v1/ get");
}

TEST_F(DockerFolder, NamesAHubHelperByAnyOfItsNames) {
    for (const char* key : {"https://index.docker.io/v1/", "index.docker.io", "docker.io"}) {
        const json config = {{"credHelpers", {{key, "mine"}}}};
        EXPECT_EQ(credential_helper("redis:7", config).program, "docker-credential-mine") << key;
        EXPECT_EQ(credential_helper("ghcr.io/x", config).program, "") << key;
    }
    EXPECT_EQ(credential_helper("redis", {{"credHelpers", 7}, {"credsStore", 7}}).program, "");
}

TEST_F(DockerFolder, HelperThatKnowsOfNothingIsNoTrouble) {
    helper("mine", "echo credentials not found in native keychain; exit 1");
    config(R"({"credsStore":"mine"})");
    EXPECT_FALSE(find("ghcr.io/x").header.has_value());
    EXPECT_EQ(find("ghcr.io/x").trouble, "");
}

TEST_F(DockerFolder, TroubleOfAHelperNamesIt) {
    config(R"({"credsStore":"mine"})");
    const std::string what =
        "'docker-credential-mine get' for ghcr.io (credsStore in " + folder + "/config.json): ";
    EXPECT_EQ(find("ghcr.io/x").trouble,
              what + "'docker-credential-mine' cannot be run: No such file or directory");
    helper("mine", "echo the keychain is locked; exit 1");
    EXPECT_EQ(find("ghcr.io/x").trouble, what + "it ended with exit code 1: the keychain is locked");
    helper("mine", "echo only here >&2; exit 3");
    EXPECT_EQ(find("ghcr.io/x").trouble, what + "it ended with exit code 3: only here");
    helper("mine", "kill -9 $$");
    EXPECT_EQ(find("ghcr.io/x").trouble, what + "it ended with exit code 137");
    for (const char* odd : {"echo s3cret", "echo '[]'", "echo '{\"Username\":\"s3cret\"}'", ":"}) {
        helper("mine", odd);
        EXPECT_EQ(find("ghcr.io/x").trouble,
                  what + "what it answered is no JSON object with Username and Secret");
        EXPECT_FALSE(find("ghcr.io/x").header.has_value());
    }
    helper("mine", "yes");
    EXPECT_EQ(find("ghcr.io/x").trouble, what + "its answer has no end");
}

// It is ended then, whether it has let go of its output or not.
TEST_F(DockerFolder, HelperThatHangsIsWaitedForSoLongAndEnded) {
    config(R"({"credsStore":"mine"})");
    const std::string what =
        "'docker-credential-mine get' for ghcr.io (credsStore in " + folder + "/config.json): ";
    const std::string noted = "echo $$ >" + folder + "/pid; ";
    for (const char* hangs :
         {"exec sleep 60", "trap '' TERM; while :; do sleep 0.1; done", "exec >&- 2>&-; exec sleep 60"}) {
        helper("mine", noted + hangs);
        const auto start = std::chrono::steady_clock::now();
        const RegistryCredentials found = find("ghcr.io/x", std::chrono::milliseconds(300));
        EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10)) << hangs;
        EXPECT_EQ(found.trouble, what + "no answer within 300 ms") << hangs;
        EXPECT_FALSE(found.header.has_value());
        pid_t pid = 0;
        std::ifstream(folder + "/pid") >> pid;
        ASSERT_GT(pid, 0);
        EXPECT_NE(kill(pid, 0), 0) << hangs << " goes on";
    }
    EXPECT_EQ(helper_patience, std::chrono::seconds(30));
}

TEST(Credentials, GoWithThePullAndNothingElse) {
    asio::io_context context;
    fake::Engine engine;
    for (int i = 0; i < 3; ++i) engine.exchanges.push_back({fake::reply(200, "{}"), false, {}});
    Client client(context.get_executor(), std::make_unique<fake::FakeTransport>(engine), Endpoint{});
    std::string asked;
    client.set_registry_auth([&](const std::string& reference) {
        asked = reference;
        return std::optional<std::string>("c2VjcmV0");
    });
    ASSERT_TRUE(fake::run(context, client.image_pull("ghcr.io/x")).has_value());
    EXPECT_EQ(asked, "ghcr.io/x:latest");
    EXPECT_NE(engine.exchanges[0].sent.find("X-Registry-Auth: c2VjcmV0\r\n"), std::string::npos);
    ASSERT_TRUE(fake::run(context, client.image_remove("ghcr.io/x", false)).has_value());
    EXPECT_EQ(engine.exchanges[1].sent.find("X-Registry-Auth"), std::string::npos);
    client.set_registry_auth([](const std::string&) { return std::optional<std::string>(); });
    ASSERT_TRUE(fake::run(context, client.image_pull("ghcr.io/x")).has_value());
    EXPECT_EQ(engine.exchanges[2].sent.find("X-Registry-Auth"), std::string::npos);
}

// The client's own look-up, which is that of the process's environment.
TEST_F(DockerFolder, TroubleWithThemIsToldWhenThePullFails) {
    config(R"({"credsStore":"missing"})");
    setenv("DOCKER_CONFIG", folder.c_str(), 1);
    asio::io_context context;
    fake::Engine engine;
    engine.exchanges.push_back({fake::reply(200, "{}"), false, {}});
    engine.exchanges.push_back({fake::reply(404, R"({"message":"pull access denied"})"), false, {}});
    Client client(context.get_executor(), std::make_unique<fake::FakeTransport>(engine), Endpoint{});
    EXPECT_TRUE(fake::run(context, client.image_pull("ghcr.io/x")).has_value());
    const auto pulled = fake::run(context, client.image_pull("ghcr.io/x"));
    unsetenv("DOCKER_CONFIG");
    ASSERT_FALSE(pulled.has_value());
    EXPECT_EQ(pulled.error().message,
              "engine: POST /images/create: 404 pull access denied; it was asked without credentials: "
              "'docker-credential-missing get' for ghcr.io (credsStore in " +
                  folder +
                  "/config.json): 'docker-credential-missing' cannot be run: No such file or directory");
}

}  // namespace
}  // namespace rogate::engine
