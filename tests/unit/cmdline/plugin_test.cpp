#include "cmdline/plugin.hpp"

#include <gmock/gmock.h>

namespace rogate::cmdline {
namespace {

using Words = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

struct Row {
    Words words;
    Words arguments;
    Variables environment;
};

TEST(Plugin, TakesDockersGlobalOptions) {
    const Row rows[] = {
        {{"rogate", "run", "x.yaml", "--context", "own"}, {"run", "x.yaml", "--context", "own"}, {}},
        {{"--host", "tcp://a:1", "rogate", "doctor"}, {"--host", "tcp://a:1", "doctor"}, {}},
        {{"-H=tcp://a:1", "rogate", "doctor"}, {"--host", "tcp://a:1", "doctor"}, {}},
        {{"-Htcp://a:1", "rogate"}, {"--host", "tcp://a:1"}, {}},
        {{"-c", "staging", "rogate", "doctor"}, {"--context", "staging", "doctor"}, {}},
        {{"--config", "/c", "-D", "-l", "debug", "--log-level=info", "rogate", "doctor"},
         {"doctor"},
         {{"DOCKER_CONFIG", "/c"}}},
        {{"--tlsverify", "--tlscacert=/t/ca.pem", "--tlscert", "/t/cert.pem", "--tlskey", "/t/key.pem",
          "rogate", "doctor"},
         {"doctor"},
         {{"DOCKER_TLS_VERIFY", "1"}, {"DOCKER_CERT_PATH", "/t"}}},
        // A word of the user's own is not the plugin's name again.
        {{"rogate", "run", "rogate"}, {"run", "rogate"}, {}},
    };
    for (const Row& row : rows) {
        const auto call = read_plugin_call(row.words);
        ASSERT_TRUE(call) << call.error().message;
        EXPECT_EQ(call->arguments, row.arguments);
        EXPECT_EQ(call->environment, row.environment);
    }
}

TEST(Plugin, SaysWhatItCannotTake) {
    const std::pair<Words, std::string> rows[] = {
        {{"--tls", "rogate", "doctor"}, "--tlsverify"},
        {{"--tlskey", "/a/mine.pem", "rogate"}, "key.pem"},
        {{"--tlscacert", "/a/ca.pem", "--tlskey", "/b/key.pem", "rogate"}, "from one folder"},
        {{"--host"}, "lacks its value"},
        {{"--unknown", "rogate"}, "'--unknown'"},
    };
    for (const auto& [words, wanted] : rows) {
        const auto call = read_plugin_call(words);
        ASSERT_FALSE(call) << testing::PrintToString(words);
        EXPECT_EQ(call.error().kind, ErrorKind::usage);
        EXPECT_THAT(call.error().message, testing::HasSubstr(wanted));
    }
}

TEST(Plugin, IsKnownByTheNameOfTheProgram) {
    EXPECT_TRUE(is_plugin_name("docker-rogate"));
    EXPECT_TRUE(is_plugin_name("/usr/libexec/docker/cli-plugins/docker-rogate"));
    EXPECT_FALSE(is_plugin_name("/usr/bin/rogate"));
    EXPECT_FALSE(is_plugin_name("/opt/docker-rogate/rogate"));
}

TEST(Plugin, SaysWhatItIs) {
    EXPECT_THAT(plugin_metadata("0.1.0"), testing::HasSubstr(R"("SchemaVersion":"0.1.0")"));
    EXPECT_THAT(plugin_metadata("1.2.3"), testing::HasSubstr(R"("Version":"1.2.3")"));
}

}  // namespace
}  // namespace rogate::cmdline
