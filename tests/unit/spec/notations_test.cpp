#include "spec/notations.hpp"

#include <gmock/gmock.h>

#include "spec/nearest_name.hpp"
#include "spec/subject_reader.hpp"

namespace rogate::spec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Duration, IsReadInGoNotationOrSeconds) {
    const std::pair<std::string_view, std::int64_t> cases[] = {
        {"500ms", 500},    {"2s", 2000},         {"1m30s", 90'000},
        {"1h", 3'600'000}, {"1.5s", 1500},       {".5s", 500},
        {"5", 5000},       {"0.25", 250},        {"0", 0},
        {"0s", 0},         {"24h", 86'400'000},  {"1us", 1},
        {"1500µs", 2},     {"1ns", 1},           {"1h1m1s1ms", 3'661'001},
        {"0s5s", 5000},    {"86400", 86'400'000}};
    for (const auto& [text, expected] : cases) EXPECT_EQ(parse_duration(text).value_or(-1), expected) << text;
}

TEST(Duration, RefusesTheRest) {
    for (const std::string_view text : {"", "s", "ms", "1x", "1s2", "1s 2s", "+1s", "1e3", "1..2s", ".",
                                        "soon", " 1s", "1s ", "NaN", "inf", "0x10s", "5 s", "1S"}) {
        ASSERT_FALSE(parse_duration(text).has_value()) << text;
        EXPECT_THAT(parse_duration(text).error(), HasSubstr("is not a duration; write")) << text;
    }
    EXPECT_THAT(parse_duration("-1s").error(), HasSubstr("negative"));
    for (const std::string_view text : {"24h1ms", "86401", "99999999999999999999999999h", "1000000000000s"})
        EXPECT_THAT(parse_duration(text).error(), HasSubstr("more than 24 hours; 24h is the longest"))
            << text;
}

TEST(Size, IsReadInPowersOf1024) {
    const std::pair<std::string_view, std::int64_t> cases[] = {
        {"64m", 67'108'864}, {"1g", 1'073'741'824}, {"1", 1},       {"4096", 4096}, {"4096b", 4096},
        {"1k", 1024},        {"1kb", 1024},         {"1KiB", 1024}, {"1.5k", 1536}, {"2T", 2'199'023'255'552},
        {"64 m", 67'108'864}};
    for (const auto& [text, expected] : cases) EXPECT_EQ(parse_size(text).value_or(-1), expected) << text;
}

TEST(Size, RefusesTheRest) {
    for (const std::string_view text :
         {"", "m", "-1m", "1x", "1mm", "1kib2", "64mbit", "0", "0.1", "1e9", "9999999t"})
        EXPECT_FALSE(parse_size(text).has_value()) << text;
}

TEST(Signal, IsANameOrANumber) {
    const std::pair<std::string_view, std::string> cases[] = {{"HUP", "HUP"},
                                                              {"SIGHUP", "SIGHUP"},
                                                              {"hup", "HUP"},
                                                              {"sigterm", "SIGTERM"},
                                                              {"1", "1"},
                                                              {"64", "64"},
                                                              {"RTMIN+3", "RTMIN+3"},
                                                              {"SIGRTMAX-30", "SIGRTMAX-30"},
                                                              {"WINCH", "WINCH"},
                                                              {"RTMIN", "RTMIN"},
                                                              {"09", "9"}};
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(parse_signal(text).value_or("none"), expected) << text;
    for (const std::string_view text : {"", "0", "65", "-1", "SIG", "HUPP", "RTMIN+31", "RTMIN+", "RTMIN-1",
                                        "SIG9", "99999999999999999999"})
        EXPECT_FALSE(parse_signal(text).has_value()) << text;
    EXPECT_THAT(parse_signal("SIGTEM").error(), HasSubstr("did you mean 'TERM'?"));
}

TEST(ShellWords, AreSplitAsAShellDoes) {
    EXPECT_THAT(*split_shell_words("redis-server --save '' --port 6379"),
                ElementsAre("redis-server", "--save", "", "--port", "6379"));
    EXPECT_THAT(*split_shell_words("nginx -g 'daemon off;'"), ElementsAre("nginx", "-g", "daemon off;"));
    EXPECT_THAT(*split_shell_words("a\"b c\"'d e'f"), ElementsAre("ab cd ef"));
    EXPECT_THAT(*split_shell_words(R"(a\ b "c\"d" "e\f" 'g\h' \\)"),
                ElementsAre("a b", "c\"d", "e\\f", "g\\h", "\\"));
    EXPECT_THAT(*split_shell_words("  a \t\n b  "), ElementsAre("a", "b"));
    EXPECT_THAT(*split_shell_words("a\\\nb"), ElementsAre("ab"));
    EXPECT_THAT(*split_shell_words("a \\\n  b"), ElementsAre("a", "b"));
    EXPECT_THAT(*split_shell_words("echo $HOME \"$HOME\" *"), ElementsAre("echo", "$HOME", "$HOME", "*"));
    EXPECT_THAT(*split_shell_words(""), IsEmpty());
    EXPECT_THAT(*split_shell_words("''"), ElementsAre(""));
}

TEST(ShellWords, RefusesWhatOnlyAShellCouldRun) {
    for (const std::string_view text : {"a | b", "a && b", "a; b", "a > b", "a < b"})
        EXPECT_THAT(split_shell_words(text).error(), HasSubstr("that no shell runs; quote it")) << text;
    EXPECT_THAT(split_shell_words("'a").error(), HasSubstr("a ' is never closed"));
    EXPECT_THAT(split_shell_words("\"a").error(), HasSubstr("a \" is never closed"));
    EXPECT_THAT(split_shell_words("a\\").error(), HasSubstr("a backslash ends the command"));
}

TEST(ContainerPath, IsNormalised) {
    const std::pair<std::string_view, std::string> cases[] = {{"/", "/"},
                                                              {"//", "/"},
                                                              {"/data", "/data"},
                                                              {"/data/", "/data"},
                                                              {"/a//b/./c/", "/a/b/c"},
                                                              {"/.", "/"},
                                                              {"/..a/b..", "/..a/b.."},
                                                              {"/with space", "/with space"}};
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(parse_container_path(text).value_or("none"), expected) << text;
    for (const std::string_view text : {"", "data", "./data", "~/x", "/a/../b", "/..", "/a/.."})
        EXPECT_FALSE(parse_container_path(text).has_value()) << text;
}

TEST(Mode, IsOctal) {
    const std::pair<std::string_view, std::string> cases[] = {
        {"1777", "1777"}, {"01777", "1777"}, {"0o755", "755"}, {"700", "700"}, {"0", "0"}};
    for (const auto& [text, expected] : cases) EXPECT_EQ(parse_mode(text).value_or("none"), expected) << text;
    for (const std::string_view text : {"", "8", "17777", "rwx", "0x1ff", "-1"})
        EXPECT_FALSE(parse_mode(text).has_value()) << text;
}

TEST(PortNotation, KeepsTheContainersPort) {
    const std::tuple<std::string_view, int, std::string> cases[] = {
        {"80", 80, "tcp"},          {"8080/tcp", 8080, "tcp"},        {"53/udp", 53, "udp"},
        {"8080:80", 80, "tcp"},     {"127.0.0.1:8080:80", 80, "tcp"}, {"[::1]:8080:80/sctp", 80, "sctp"},
        {"8000-8010:80", 80, "tcp"}};
    for (const auto& [text, number, protocol] : cases) {
        const auto port = parse_port(text);
        ASSERT_TRUE(port.has_value()) << text;
        EXPECT_EQ(port->container, number) << text;
        EXPECT_EQ(port->protocol, protocol) << text;
    }
    for (const std::string_view text :
         {"", "0", "65536", "http", "80/", "80/quic", "80-90", ":", "80:", "-80", "a:80"})
        EXPECT_FALSE(parse_port(text).has_value()) << text;
}

TEST(NearestName, FindsSlipsOnly) {
    constexpr std::string_view known[] = {"command", "user", "working_dir", "tcp", "http"};
    EXPECT_EQ(nearest_name("comand", known), "command");
    EXPECT_EQ(nearest_name("commadn", known), "command");
    EXPECT_EQ(nearest_name("Command", known), "command");
    EXPECT_EQ(nearest_name("working-dir", known), "working_dir");
    EXPECT_EQ(nearest_name("workdir", known), "");
    EXPECT_EQ(nearest_name("tpc", known), "tcp");
    EXPECT_EQ(nearest_name("xyz", known), "");
    EXPECT_EQ(nearest_name("", known), "");
    EXPECT_EQ(nearest_name(std::string(100'000, 'c'), known), "");
    EXPECT_EQ(suggestion("xyz", known), "known here: command, user, working_dir, tcp, http");
}

}  // namespace
}  // namespace rogate::spec
