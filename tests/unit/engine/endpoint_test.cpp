#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "engine/frames.hpp"
#include "unit/engine/fake_engine.hpp"

namespace rogate::engine {
namespace {

TEST(Endpoint, IsReadAsDockerWritesIt) {
    EXPECT_EQ(parse_endpoint("unix:///run/x.sock")->path, "/run/x.sock");
    const auto tcp = parse_endpoint("tcp://host:1234/prefix/");
    EXPECT_EQ(tcp->host, "host");
    EXPECT_EQ(tcp->port, 1234);
    EXPECT_EQ(tcp->path, "/prefix");
    EXPECT_EQ(parse_endpoint("tcp://host")->port, 2375);
    EXPECT_EQ(parse_endpoint("tcp://[::1]:99")->host, "::1");
    EXPECT_EQ(parse_endpoint("tcp://[::1]:99")->to_string(), "tcp://[::1]:99");
    const auto ssh = parse_endpoint("ssh://me@host");
    EXPECT_EQ(ssh->kind, Endpoint::Kind::ssh);
    EXPECT_EQ(ssh->user, "me");
    EXPECT_EQ(ssh->to_string(), "ssh://me@host");
    EXPECT_EQ(ssh->port, 0);
    EXPECT_EQ(parse_endpoint("ssh://me@host:2222/run/d.sock")->to_string(), "ssh://me@host:2222/run/d.sock");
}

TEST(Endpoint, SaysWhatIsWrong) {
    const std::map<std::string, std::string> wrong = {{"/var/run/docker.sock", "the scheme is missing"},
                                                      {"unix://relative", "must be absolute"},
                                                      {"tcp://", "the host is missing"},
                                                      {"tcp://h:99999", "'99999' is no port"},
                                                      {"tcp://h:1x", "'1x' is no port"},
                                                      {"ssh://me:secret@h", "ssh has keys"},
                                                      {"npipe:////./pipe", "'npipe' is no scheme"}};
    for (const auto& [text, why] : wrong) {
        const auto parsed = parse_endpoint(text);
        ASSERT_FALSE(parsed.has_value()) << text;
        EXPECT_EQ(parsed.error().kind, ErrorKind::usage);
        EXPECT_NE(parsed.error().message.find(why), std::string::npos) << parsed.error().message;
    }
}

class FindEndpoint : public ::testing::Test {
  protected:
    FindEndpoint() {
        std::string pattern = (std::filesystem::temp_directory_path() / "rogate-XXXXXX").string();
        folder = mkdtemp(pattern.data());
        environment["DOCKER_CONFIG"] = folder;
    }
    ~FindEndpoint() override { std::filesystem::remove_all(folder); }
    Result<Endpoint> find(std::optional<std::string> host = {}) { return find_endpoint(host, lookup()); }
    EnvironmentLookup lookup() {
        return [this](const std::string& name) -> std::optional<std::string> {
            const auto at = environment.find(name);
            if (at == environment.end()) return std::nullopt;
            return at->second;
        };
    }
    std::string folder;
    std::map<std::string, std::string> environment;
};

TEST_F(FindEndpoint, InTheOrderOfTheDockerClient) {
    EXPECT_EQ(find()->to_string(), "unix:///var/run/docker.sock");
    std::ofstream(folder + "/config.json") << R"({"currentContext":"staging"})";
    const auto missing = find();
    ASSERT_FALSE(missing.has_value());
    EXPECT_NE(missing.error().message.find("docker context 'staging'"), std::string::npos);
    // The folder is named by the SHA-256 of "staging".
    const std::string meta =
        folder + "/contexts/meta/e919a75364398a449f860aeadddc57fa0502145a4e63959ddb33c417a48dc0da";
    std::filesystem::create_directories(meta);
    std::ofstream(meta + "/meta.json")
        << R"({"Name":"staging","Endpoints":{"docker":{"Host":"tcp://staging:2375"}}})";
    EXPECT_EQ(find()->host, "staging");
    EXPECT_EQ(find()->origin, "context 'staging'");
    environment["DOCKER_CONTEXT"] = "default";
    EXPECT_EQ(find()->origin, "default");
    environment["DOCKER_HOST"] = "tcp://from-environment";
    EXPECT_EQ(find()->host, "from-environment");
    EXPECT_EQ(find("tcp://from-option")->host, "from-option");
    environment["DOCKER_TLS_VERIFY"] = "1";
    EXPECT_EQ(find()->kind, Endpoint::Kind::tls);
}

// What `docker context create --docker host=…,ca=…,cert=…,key=…` writes.
TEST_F(FindEndpoint, ContextWithTlsFiles) {
    const std::string id = "e919a75364398a449f860aeadddc57fa0502145a4e63959ddb33c417a48dc0da";
    const std::string meta = folder + "/contexts/meta/" + id,
                      tls = folder + "/contexts/tls/" + id + "/docker";
    std::filesystem::create_directories(meta);
    std::filesystem::create_directories(tls);
    const auto says = [&](const std::string& docker) {
        std::ofstream(meta + "/meta.json") << R"({"Name":"staging","Endpoints":{"docker":)" << docker << "}}";
    };
    says(R"({"Host":"tcp://staging:2376","SkipTLSVerify":false})");
    environment["DOCKER_CONTEXT"] = "staging";
    EXPECT_EQ(find()->kind, Endpoint::Kind::tcp);
    std::ofstream(tls + "/ca.pem") << "x";
    EXPECT_EQ(find()->kind, Endpoint::Kind::tls);
    EXPECT_EQ(find()->cert_path, tls);
    EXPECT_TRUE(find()->tls_verify);
    says(R"({"Host":"tcp://staging:2376","SkipTLSVerify":true})");
    EXPECT_FALSE(find()->tls_verify);
    // A client's certificate without an authority of its own is TLS as well.
    std::filesystem::remove(tls + "/ca.pem");
    std::ofstream(tls + "/cert.pem") << "x";
    EXPECT_EQ(find()->kind, Endpoint::Kind::tls);
    std::filesystem::remove(tls + "/cert.pem");
    EXPECT_EQ(find()->kind, Endpoint::Kind::tls) << "docker speaks TLS where it may skip the verification";
    says(R"({"Host":"ssh://me@staging"})");
    EXPECT_EQ(find()->kind, Endpoint::Kind::ssh);
    EXPECT_EQ(find()->origin, "context 'staging'");
    for (const char* none : {"{}", R"({"Host":""})", R"({"Host":7})"}) {
        says(none);
        const auto found = find();
        ASSERT_FALSE(found.has_value()) << none;
        EXPECT_EQ(found.error().kind, ErrorKind::usage);
        EXPECT_EQ(found.error().message, "docker context 'staging' names no docker host");
    }
    says(R"({"Host":"ftp://staging"})");
    EXPECT_NE(find().error().message.find("docker context 'staging': engine address 'ftp://staging'"),
              std::string::npos);
    std::ofstream(meta + "/meta.json") << "not JSON";
    EXPECT_EQ(find().error().message,
              "docker context 'staging' (from DOCKER_CONTEXT): " + meta + "/meta.json is not JSON");
}

TEST_F(FindEndpoint, ContextByOption) {
    const auto missing = endpoint_of_context("nowhere", lookup());
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().message,
              "docker context 'nowhere' (from --context) does not exist; `docker context ls` lists them");
    environment["DOCKER_HOST"] = "tcp://from-environment";
    EXPECT_EQ(endpoint_of_context("default", lookup())->origin, "default");
}

TEST(Frames, AreReadHoweverTheyAreCut) {
    std::mt19937 random(5);  // NOLINT: the same cuts each time
    for (int round = 0; round < 200; ++round) {
        std::string stream, expected;
        for (int i = 0; i < 10; ++i) {
            const std::string bytes(random() % 300, static_cast<char>('a' + i));
            stream += fake::frame(static_cast<char>(1 + i % 2), bytes);
            expected += bytes;
        }
        FrameDecoder decoder;
        std::string got;
        while (!stream.empty()) {
            const std::size_t size = std::min<std::size_t>(1 + random() % 64, stream.size());
            decoder.feed(stream.substr(0, size));
            stream.erase(0, size);
            for (;;) {
                auto piece = decoder.next();
                ASSERT_TRUE(piece.has_value());
                if (!*piece) break;
                got += (*piece)->bytes;
            }
        }
        EXPECT_EQ(got, expected);
        EXPECT_FALSE(decoder.incomplete());
    }
}

TEST(Frames, NoticeAStreamThatIsNone) {
    FrameDecoder decoder;
    decoder.feed("hello, I am a terminal");
    EXPECT_FALSE(decoder.next().has_value());
}

}  // namespace
}  // namespace rogate::engine
