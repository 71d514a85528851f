// Credentials for pulls, from config.json files as docker writes them.
#include "engine/credentials.hpp"

#include <gtest/gtest.h>

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

TEST(Credentials, AreFoundInTheFolderOfDocker) {
    std::string pattern = (std::filesystem::temp_directory_path() / "rogate-XXXXXX").string();
    const std::string folder = mkdtemp(pattern.data());
    const EnvironmentLookup environment = [&](const std::string& name) -> std::optional<std::string> {
        if (name == "DOCKER_CONFIG") return folder;
        return std::nullopt;
    };
    EXPECT_FALSE(find_registry_auth("ghcr.io/x", environment).has_value());
    std::ofstream(folder + "/config.json") << R"({"auths":{"ghcr.io":{"auth":"dXNlcjpwYXNz"}}})";
    EXPECT_EQ(opened(find_registry_auth("ghcr.io/x", environment)).at("password"), "pass");
    std::ofstream(folder + "/config.json") << "not JSON";
    EXPECT_FALSE(find_registry_auth("ghcr.io/x", environment).has_value());
    std::filesystem::remove_all(folder);
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

}  // namespace
}  // namespace rogate::engine
