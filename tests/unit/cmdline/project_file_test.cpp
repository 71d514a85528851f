#include "cmdline/project_file.hpp"

#include <gmock/gmock.h>

#include <set>

namespace rogate::cmdline {
namespace {

TEST(ProjectFile, SetsOptions) {
    const auto settings =
        parse_project_file("# of the shop\njobs: 4\nobserver: ptrace\nout: build/rogate\n", "p/.rogate.yaml");
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(*settings, (Settings{{"jobs", {"4", {"p/.rogate.yaml", 2, 7}}},
                                   {"observer", {"ptrace", {"p/.rogate.yaml", 3, 11}}},
                                   {"out", {"build/rogate", {"p/.rogate.yaml", 4, 6}}}}));
}

TEST(ProjectFile, CannotOpenTheGate) {
    const std::pair<std::string, std::string> rows[] = {
        {"host: tcp://a", "p:1:1: 'host' cannot be set here: it names an engine"},
        {"context: a", "'context' cannot be set here"},
        {"policy: a", "it says what is accepted"},
        {"data: live", "it decides over data"},
        {"test: rm -rf /", "it runs a command"},
        {"only: up*", "it says what is judged"},
        {"out: ../elsewhere", "'out' must be a folder within the project"},
        {"out: /tmp/x", "'out' must be a folder within the project"},
        {"jbos: 4", "unknown option 'jbos'; did you mean 'jobs'?"},
        {"[jobs]", "a project file is a mapping"},
        {"jobs: [1]", "p:1:7"},
    };
    for (const auto& [text, wanted] : rows) {
        const auto settings = parse_project_file(text, "p");
        ASSERT_FALSE(settings) << text;
        EXPECT_EQ(settings.error().kind, ErrorKind::usage);
        EXPECT_THAT(settings.error().message, testing::HasSubstr(wanted));
    }
}

TEST(ProjectFile, IsLookedForUpToTheRepositorysRoot) {
    struct Row {
        std::set<std::string> there;
        std::string wanted;
    };
    const Row rows[] = {
        {{}, ""},
        {{"/a/b/.rogate.yaml"}, "/a/b/.rogate.yaml"},
        {{"/a/.rogate.yaml"}, ""},  // no repository: a folder above is somebody else's
        {{"/a/.git", "/a/.rogate.yaml"}, "/a/.rogate.yaml"},
        {{"/a/.git", "/a/.rogate.yaml", "/a/b/.rogate.yaml"}, "/a/b/.rogate.yaml"},
        {{"/a/b/.git", "/a/.rogate.yaml"}, ""},  // beyond the root
        {{"/.git", "/.rogate.yaml"}, "/.rogate.yaml"},
    };
    for (const Row& row : rows)
        EXPECT_EQ(
            find_project_file("/a/b", [&](const std::string& path) { return row.there.contains(path); }),
            row.wanted);
}

TEST(ProjectFile, NamesVariables) {
    EXPECT_EQ(variable_of("engine-timeout"), "ROGATE_ENGINE_TIMEOUT");
}

}  // namespace
}  // namespace rogate::cmdline
