#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <utility>

#include "base/escape.hpp"
#include "report/json.hpp"
#include "report/secrets.hpp"
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

TEST(Terminal, SaysWhatIsNotAsInACluster) {
    CampaignResult result = sample();
    result.scenario.unlike_cluster = {"Service 'front' leads its port '80' elsewhere"};
    EXPECT_THAT(render_terminal(result, {}),
                testing::HasSubstr("Not as in a cluster: Service 'front' leads its port '80' elsewhere"));
    const auto read = parse_json(render_json(result));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->scenario.unlike_cluster, result.scenario.unlike_cluster);
}

CampaignResult without_secret() {
    CampaignResult result = sample();
    hide_secrets(result, {{"very-secret-value", SecretKind::secret}});
    return result;
}

TEST(Json, IsAsTheSchemaSays) {
    expect_golden("result.json", render_json(without_secret()));
}

TEST(Json, KeepsSecretsBack) {
    const std::string text = render_json(without_secret());
    EXPECT_EQ(text.find("very-secret-value"), std::string::npos);
    EXPECT_NE(text.find("token *** was refused"), std::string::npos);
    EXPECT_NE(text.find("TOKEN"), std::string::npos);
}

TEST(Json, ComesBackAsItWas) {
    CampaignResult result = sample();
    result.scenario.subject.environment["TOKEN"] = "";
    result.runs.front().plan.crashes = true;
    result.runs.front().plan.environment = {{"QUIET", "1"}};
    result.recommendation.environment = {{"NO_CACHE", "1"}, {"A", ""}};
    result.recommendation.writable.front().as = WritableAs::volume;
    result.recommendation.writable.front().from_image = true;
    result.settings = {{.id = "cache",
                        .what = "its cache",
                        .environment = {{"NO_CACHE", "1"}},
                        .how = "NO_CACHE=1",
                        .cost = "time",
                        .since = "1.0",
                        .source = "https://example.org",
                        .outcome = SettingResult::Outcome::no_help,
                        .mounts = {"/"},
                        .paths = {"/cache/x"},
                        .runs = {1, 2},
                        .reason = "it is written all the same"}};
    const auto back = parse_json(render_json(result));
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_EQ(back->runs, result.runs);
    ASSERT_EQ(back->mounts.size(), result.mounts.size());
    EXPECT_EQ(back->mounts[2].mount.target, result.mounts[2].mount.target);
    EXPECT_EQ(back->mounts.back(), result.mounts.back());
    EXPECT_EQ(back->recommendation, result.recommendation);
    EXPECT_EQ(back->settings, result.settings);
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

std::string error_of(std::string_view text) {
    const auto parsed = parse_json(text);
    return parsed ? "" : parsed.error().message;
}

TEST(Json, SaysWhereItIsBroken) {
    const std::string text = render_json(sample());
    const std::size_t middle = text.find("\"operation\"");
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(middle), '\n') + 1;
    const std::size_t column = middle - text.rfind('\n', middle);
    std::string broken = text;
    broken[middle] = '!';
    EXPECT_NE(error_of(broken).find(fmt::format("line {}, column {}: ", line, column)), std::string::npos)
        << error_of(broken);
    EXPECT_NE(
        error_of(text + "!").find(fmt::format("line {}, column 1: ", 1 + std::ranges::count(text, '\n'))),
        std::string::npos)
        << error_of(text + "!");
}

Result<CampaignResult> read_in_pieces(std::string_view text, std::size_t size) {
    std::string piece;
    return read_json([&]() -> Result<std::string_view> {
        piece = text.substr(0, size);
        text.remove_prefix(piece.size());
        return piece;
    });
}

TEST(Json, IsReadInPiecesOfAnySize) {
    const CampaignResult result = sample();
    const std::string text = render_json(result);
    for (const std::size_t size : {1U, 2U, 3U, 7U, 64U, 1000U}) {
        const auto back = read_in_pieces(text, size);
        ASSERT_TRUE(back.has_value()) << size << ": " << back.error().message;
        EXPECT_EQ(render_json(*back), render_json(result)) << size;
    }
}

// A parser that takes a short way to a number misses the last bit of some.
TEST(Json, NumbersAreReadToTheLastBit) {
    CampaignResult result = sample();
    for (const double seconds : {0.20542407000000001, 2.3537658409999999, 0.1 + 0.2, 1e-7}) {
        result.duration_s = seconds;
        const auto back = read_in_pieces(render_json(result), 1000);
        ASSERT_TRUE(back.has_value()) << back.error().message;
        EXPECT_EQ(back->duration_s, seconds);
    }
}

TEST(Json, SaysWhereItIsBrokenInWhateverPiece) {
    std::string text = render_json(sample());
    text[text.find("\"operation\"")] = '!';
    for (const std::size_t size : {1U, 2U, 3U, 7U, 64U, 1000U}) {
        const auto back = read_in_pieces(text, size);
        ASSERT_FALSE(back.has_value());
        EXPECT_EQ(back.error().message, error_of(text)) << size;
    }
}

TEST(Json, EndsAtAByteThatIsNoUtf8) {
    const std::string text = render_json(sample());
    const std::size_t at = text.find("\"/data/") + 7;
    const std::size_t line = std::ranges::count(text.substr(0, at), '\n') + 1,
                      column = at - text.rfind('\n', at);
    for (const char* bad :
         {"\xff", "\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe6\x97", "\xc3("}) {
        const std::string broken = std::string(text).insert(at, bad);
        EXPECT_NE(
            error_of(broken).find(fmt::format("line {}, column {}: a byte that is no UTF-8", line, column)),
            std::string::npos)
            << error_of(broken);
        EXPECT_NE(error_of(text + bad), "");
        EXPECT_NE(error_of(text.substr(0, text.size() - 1) + bad), "");
        for (const std::size_t size : {1U, 2U, 3U, 7U, 64U}) {
            const auto back = read_in_pieces(broken, size);
            ASSERT_FALSE(back.has_value()) << bad << " in pieces of " << size;
            EXPECT_NE(back.error().message.find("a byte that is no UTF-8"), std::string::npos)
                << back.error().message;
        }
    }
    // What is wrong before that is told first.
    EXPECT_EQ(error_of("{,\xff"),
              "this is no whole result of rogate's: line 1, column 2: Missing a name for object member");
    const std::string other = std::string(text).insert(at, "Müller/日本/\xf0\x9f\x98\x80");
    for (const std::size_t size : {1U, 2U, 3U, 7U, 64U, 1000U}) {
        const auto back = read_in_pieces(other, size);
        ASSERT_TRUE(back.has_value()) << size << ": " << back.error().message;
        EXPECT_EQ(render_json(*back), other) << size;
    }
}

TEST(Json, CanBeginWithAByteOrderMark) {
    const std::string text = render_json(sample());
    EXPECT_EQ(error_of("\xef\xbb\xbf" + text), "");
    EXPECT_NE(error_of("\xef\xbb" + text), "");
    EXPECT_NE(error_of("\xef\xbb\xbf"), "");
}

TEST(Json, SourceThatFailsIsNoEnd) {
    const std::string text = render_json(sample());
    bool first = true;
    const auto back = read_json([&]() -> Result<std::string_view> {
        if (!std::exchange(first, false)) return fail(ErrorKind::io, "the disk is gone");
        return text;  // whole, but nothing said that it ends here
    });
    ASSERT_FALSE(back.has_value());
    EXPECT_EQ(back.error(), (Error{ErrorKind::io, "the disk is gone"}));
}

CampaignResult with_attempts(std::size_t count) {
    CampaignResult result = sample();
    result.mounts[0].attempts = {};
    for (std::size_t i = 0; i < count; ++i)
        result.mounts[0].attempts.edit().push_back(attempt("create", fmt::format("/data/{}", i)));
    return result;
}

TEST(Json, IsHandedOnInPieces) {
    const CampaignResult result = with_attempts(5000);
    std::string whole;
    std::size_t longest = 0;
    const auto done = write_json(result, [&](std::string_view piece) -> Result<> {
        whole += piece;
        longest = std::max(longest, piece.size());
        return {};
    });
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(whole, render_json(result));
    const auto back = parse_json(whole);
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_EQ(back->mounts[0].attempts.size(), 5000U);
    EXPECT_GT(whole.size(), 1'000'000U);
    EXPECT_LT(longest, 300'000U);
}

TEST(Json, SinkThatFailsIsTold) {
    int calls = 0;
    const auto done = write_json(with_attempts(5000), [&](std::string_view) -> Result<> {
        ++calls;
        return fail(ErrorKind::io, "the disk is full");
    });
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().message, "the disk is full");
    EXPECT_EQ(calls, 1);
}

// The text of the sample with something else in place of one thing in its first attempt.
std::string with(std::string_view what, std::string_view instead) {
    std::string text = render_json(sample());
    const std::size_t at = text.find(what, text.find("\"attempts\""));
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), instead);
}

TEST(Json, EachAttemptIsWrittenWithItsOwnTexts) {
    const auto changes = std::to_array<void (*)(Attempt&)>({
        [](Attempt& each) { each.operation = "mkdir"; },
        [](Attempt& each) { each.syscall = "mkdirat"; },
        [](Attempt& each) { each.error = EXDEV; },
        [](Attempt& each) { each.cls = AttemptClass::no_op; },
        [](Attempt& each) { each.phase = "another"; },
        [](Attempt& each) { each.process.comm = "another"; },
        [](Attempt& each) { each.process.exe = "/another"; },
        [](Attempt& each) { each.control = "another"; },
        [](Attempt& each) { each.state = "another"; },
    });
    for (const auto change : changes) {
        CampaignResult result = with_attempts(3);
        change(result.mounts[0].attempts.edit()[1]);
        const auto back = parse_json(render_json(result));
        ASSERT_TRUE(back.has_value()) << back.error().message;
        EXPECT_EQ(back->mounts[0].attempts, result.mounts[0].attempts);
    }
}

TEST(Json, KeysOfAnAttemptCanBeInAnyOrderAndMore) {
    const std::string text =
        with("{\"path\":", R"({"more":{"path":[1,{"comm":"x"}]},"comm":"y","pid":"z","path":)");
    const auto back = parse_json(text);
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_EQ(render_json(*back), render_json(sample()));
    const std::string turned =
        with(R"("comm":"app","exe":"/usr/sbin/app")", R"("exe":"/usr/sbin/app","comm":"app")");
    const auto also = parse_json(turned);
    ASSERT_TRUE(also.has_value()) << also.error().message;
    EXPECT_EQ(render_json(*also), render_json(sample()));
    const std::string behind =
        with("},\"count\":", R"(,"more":{"exe":"x"},"comm":["x"]},"comm":"y","count":)");
    const auto last = parse_json(behind);
    ASSERT_TRUE(last.has_value()) << last.error().message;
    EXPECT_EQ(render_json(*last), render_json(sample()));
}

TEST(Json, WhatAnAttemptDoesNotSayIsNotThatOfTheOneBefore) {
    CampaignResult result = with_attempts(2);
    for (Attempt& each : result.mounts[0].attempts.edit()) {
        each.process.pid = 7, each.process.uid = 8, each.process.parent = 9;
        each.open_flags = 1, each.first_s = 2, each.state = "used";
    }
    std::string text = render_json(result);
    const std::size_t second = text.find("{\"path\":\"/data/1\"");
    for (const std::string left_out : {",\"pid\":7", ",\"uid\":8", ",\"parent\":9", ",\"open_flags\":1",
                                       ",\"first_s\":2.0", ",\"state\":\"used\""}) {
        const std::size_t at = text.find(left_out, second);
        ASSERT_NE(at, std::string::npos) << left_out;
        text.erase(at, left_out.size());
    }
    const auto back = parse_json(text);
    ASSERT_TRUE(back.has_value()) << back.error().message;
    Attempt& bare = result.mounts[0].attempts.edit()[1];
    bare.process.pid = bare.process.uid = bare.process.parent = bare.open_flags = 0;
    bare.first_s = 0, bare.state = {};
    EXPECT_EQ(render_json(*back), render_json(result));
}

TEST(Json, SaysWhatIsWrongWithAnAttempt) {
    const auto because = [](const std::string& text) {
        return testing::HasSubstr("this is no whole result of rogate's: " + text);
    };
    EXPECT_THAT(error_of(with(R"("errno":"EROFS")", R"("errno":"")")), because("'' is no errno"));
    EXPECT_THAT(error_of(with(R"("errno":"EROFS")", R"("errno":30)")),
                because("'errno' of an attempt is not a text"));
    EXPECT_THAT(error_of(with(R"("count":1)", R"("count":1.5)")),
                because("'count' of an attempt is not a whole number"));
    EXPECT_THAT(error_of(with(R"("count":1)", R"("count":-1)")),
                because("'count' of an attempt is not a number that can be"));
    for (const char* more : {"-1", "true", "null", R"([true,{"count":null}])"})
        EXPECT_EQ(error_of(with(R"("count":1)", fmt::format(R"("count":1,"more":{})", more))), "") << more;
    EXPECT_THAT(error_of(with(R"("count":1)", R"("count":"1")")),
                because("'count' of an attempt is not a number"));
    EXPECT_THAT(error_of(with(R"("comm":"app",)", "")), because("an attempt has no 'process.comm'"));
    EXPECT_THAT(error_of(with(R"("control":"ok",)", "")), because("an attempt has no 'control'"));
    EXPECT_THAT(error_of(with(R"("class":"write")", R"("class":null)")),
                because("'class' of an attempt is not a text or a number"));
    std::string zero = render_json(sample());
    zero[zero.size() - 1] = '\0';
    EXPECT_THAT(error_of(zero + "x"), because("line "));
    EXPECT_THAT(error_of(std::string(1'000'000, '[')), because("it is nested too deeply"));
}

TEST(Secrets, AreHiddenInEveryWordOfAnAttempt) {
    CampaignResult result = sample();
    Attempt& made = result.mounts[0].attempts.edit().front();
    made.process.comm = made.process.exe = made.phase = "x-hunter22-y";
    made.path = "/data/hunter22";
    hide_secrets(result, {{"hunter22", SecretKind::secret}});
    EXPECT_EQ(made.process.comm, "x-***-y");
    EXPECT_EQ(made.process.exe, "x-***-y");
    EXPECT_EQ(made.phase, "x-***-y");
    EXPECT_EQ(made.path, "/data/***");
    EXPECT_EQ(made.operation, "create");
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

TEST(Escape, HowMuchIsWellFormed) {
    std::mt19937 random(7);  // NOLINT: the same bytes each time
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (std::size_t parts = random() % 12; parts-- > 0;)
            text += std::to_array<const char*>(
                {"abcdefgh", "x", "é", "日", "\xf0\x9f\x98\x80", "\xff", "\xe6\x97"})[random() % 7];
        std::size_t wanted = 0;
        for (; wanted < text.size(); wanted += sequence_length(text.substr(wanted)))
            if (sequence_length(text.substr(wanted)) == 0) break;
        ASSERT_EQ(well_formed(text), wanted) << testing::PrintToString(text);
    }
}

TEST(Escape, LeavesOrdinaryTextAlone) {
    EXPECT_EQ(escape_text("/srv/Müller/日本.txt"), "/srv/Müller/日本.txt");
    EXPECT_EQ(escape_text("a\nb\\c\x1b"), "a\\x0ab\\\\c\\x1b");
    EXPECT_EQ(escape_text("\xc0\xaf\xed\xa0\x80"), "\\xc0\\xaf\\xed\\xa0\\x80");
}

}  // namespace
}  // namespace rogate::report
