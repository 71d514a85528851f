#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "report/escape.hpp"
#include "report/json.hpp"
#include "report/terminal.hpp"
#include "unit/report/sample.hpp"

namespace rogate::report {
namespace {

TEST(Terminal, Plain) {
    expect_golden("terminal.txt",
                  render_terminal(sample(), {.colour = false, .unicode = true, .width = 100}));
}
TEST(Terminal, NarrowColouredAscii) {
    expect_golden("terminal_colour.txt",
                  render_terminal(sample(), {.colour = true, .unicode = false, .width = 60}));
}
TEST(Terminal, NothingToTry) {
    CampaignResult result = sample();
    result.mounts.clear();
    result.recommendation = {};
    expect_golden("terminal_empty.txt", render_terminal(result, {}));
}
TEST(Terminal, HostileBytesNeverReachIt) {
    for (const char c : render_terminal(sample(), {.colour = false, .unicode = true, .width = 100}))
        EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
}

TEST(Json, IsAsTheSchemaSays) {
    expect_golden("result.json", render_json(sample(), {"very-secret-value"}));
}

TEST(Json, KeepsSecretsBack) {
    const std::string text = render_json(sample(), {"very-secret-value"});
    EXPECT_EQ(text.find("very-secret-value"), std::string::npos);
    EXPECT_NE(text.find("token *** was refused"), std::string::npos);
    EXPECT_NE(text.find("TOKEN"), std::string::npos);
}

TEST(Json, ComesBackAsItWas) {
    CampaignResult result = sample();
    result.scenario.subject.environment["TOKEN"] = "";
    const auto back = parse_json(render_json(result));
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_EQ(back->runs, result.runs);
    ASSERT_EQ(back->mounts.size(), result.mounts.size());
    EXPECT_EQ(back->mounts[2].mount.target, result.mounts[2].mount.target);
    EXPECT_EQ(back->mounts.back(), result.mounts.back());
    EXPECT_EQ(back->recommendation, result.recommendation);
    EXPECT_EQ(back->scenario.subject.origin, result.scenario.subject.origin);
    EXPECT_EQ(render_json(*back), render_json(result));
    const TerminalStyle style;
    EXPECT_EQ(render_terminal(*back, style), render_terminal(result, style));
}

TEST(Json, SaysWhatIsNoResult) {
    for (const char* text :
         {"", "{", "[]", "{}", R"({"schema":"rogate.result/2"})", R"({"schema":"rogate.result/1"})",
          R"({"schema":"rogate.result/1","scenario":5})"}) {
        const auto parsed = parse_json(text);
        ASSERT_FALSE(parsed.has_value()) << text;
        EXPECT_EQ(parsed.error().kind, ErrorKind::usage);
        EXPECT_NE(parsed.error().message.find("result of rogate's"), std::string::npos);
    }
}

TEST(Escape, IsReversibleForAnyBytes) {
    std::mt19937 random(7);  // NOLINT: the same bytes each time
    for (int round = 0; round < 5000; ++round) {
        std::string raw(random() % 40, '\0');
        for (char& c : raw)
            c = static_cast<char>(round % 2 == 0 ? random() : "\\x0aé\xe2\x80\xae\xff\n"[random() % 12]);
        const std::string escaped = escape_text(raw);
        EXPECT_EQ(unescape_text(escaped), raw);
        // What is escaped is valid UTF-8: JSON takes it.
        EXPECT_NO_THROW((void)nlohmann::json(escaped).dump());
        for (const char c : escaped) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    }
}

TEST(Escape, LeavesOrdinaryTextAlone) {
    EXPECT_EQ(escape_text("/srv/Müller/日本.txt"), "/srv/Müller/日本.txt");
    EXPECT_EQ(escape_text("a\nb\\c\x1b"), "a\\x0ab\\\\c\\x1b");
    EXPECT_EQ(escape_text("\xc0\xaf\xed\xa0\x80"), "\\xc0\\xaf\\xed\\xa0\\x80");
}

}  // namespace
}  // namespace rogate::report
