#include "advise/knowledge.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "advise/keys.hpp"

namespace rogate::advise {
namespace {

TEST(Patterns, MatchTheWholeText) {
    EXPECT_TRUE(matches("/a/*.pyc", "/a/x.pyc"));
    EXPECT_FALSE(matches("/a/*.pyc", "/a/b/x.pyc"));
    EXPECT_TRUE(matches("**/*.pyc", "/a/b/x.pyc"));
    EXPECT_TRUE(matches("**/__pycache__/**", "/srv/app/__pycache__/x.pyc"));
    EXPECT_TRUE(matches("/srv/**/x", "/srv/x"));
    EXPECT_TRUE(matches("/srv/**/x", "/srv/a/b/x"));
    EXPECT_FALSE(matches("/srv/**/x", "/srv/ax"));
    EXPECT_TRUE(matches("python*", "python3.11"));
    EXPECT_FALSE(matches("python", "python3"));
}

TEST(Settings, ThatAreShippedCanBeRead) {
    std::ifstream file(ROGATE_SOURCE_DIR "/harness/advise/settings.yaml");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto read = parse_settings(text, "settings.yaml");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, shipped_settings());
    EXPECT_GE(read->size(), 80U);
    for (const Setting& each : *read) {
        EXPECT_FALSE(each.sources.empty()) << each.id;
        EXPECT_FALSE(each.shown_by.empty()) << each.id;
    }
}

// What is passed around and does not work, or does harm.
TEST(Settings, WithTrapsSaySo) {
    for (const char* id :
         {"nginx-quiet-logs", "nginx-envsubst-output", "httpd-pid-file", "distillery-mutable-dir",
          "jenkins-temporary-directory", "dotnet-diagnostics-but-profiler"}) {
        const auto found = std::ranges::find(shipped_settings(), id, &Setting::id);
        ASSERT_NE(found, shipped_settings().end()) << id;
        EXPECT_FALSE(found->trap.empty()) << id;
    }
}

TEST(Settings, ThatAreWrongAreToldWithTheirPlace) {
    const auto wrong = [](const std::string& text) {
        const auto read = parse_settings(text, "mine.yaml");
        return read ? std::string() : read.error().message;
    };
    EXPECT_NE(wrong("settings:\n  - {id: x, what: y, setting: z, shown_by: [{path: /a}], costs: 1}\n")
                  .find("mine.yaml:2"),
              std::string::npos);
    EXPECT_NE(wrong("settings:\n  - {id: x, what: y, setting: z, shown_by: [{process: a}]}\n")
                  .find("has no 'path'"),
              std::string::npos);
    EXPECT_NE(wrong("settings:\n  - {id: x}\n").find("has no 'what'"), std::string::npos);
    const std::string one = "  - {id: x, what: y, setting: z, shown_by: [{path: /a}]}\n";
    EXPECT_EQ(wrong("settings:\n" + one), "");
    EXPECT_NE(wrong("settings:\n" + one + one).find("a second setting 'x'"), std::string::npos);
}

TEST(Settings, HaveTheKeysOfTheSchema) {
    std::ifstream file(ROGATE_SOURCE_DIR "/scenarios/settings.schema.json");
    const auto root = nlohmann::json::parse(file);
    for (const spec::KeySet& set : keys::all) {
        const auto& object = root.at(nlohmann::json::json_pointer(std::string(set.schema)));
        std::set<std::string> published;
        for (const auto& [name, unused] : object.at("properties").items()) published.insert(name);
        EXPECT_EQ(published, std::set<std::string>(set.names().begin(), set.names().end())) << set.schema;
    }
}

}  // namespace
}  // namespace rogate::advise
