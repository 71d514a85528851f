#include "cmdline/complete.hpp"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>

#include "cmdline/manual_page.hpp"

namespace rogate::cmdline {
namespace {

using Words = std::vector<std::string>;

// A small parser in the shape of rogate's.
struct Parser {
    CLI::App app{"Does things.", "rogate"};
    std::string host, colour, container, format, service, output, watched, topic;
    std::vector<std::string> scenarios;
    bool quiet = false;

    Parser() {
        app.add_option("-H,--host", host, "Engine to use");
        app.add_option("--color", colour, "Colours")->check(CLI::IsMember({"auto", "always", "never"}));
        CLI::App* run = app.add_subcommand("run", "Settle every candidate");
        run->add_option("SCENARIO", scenarios, "Scenario files");
        run->add_option("--container", container, "Clone this container");
        run->add_option("--service", service, "The service under test");
        run->add_option("-o,--out", output, "Folder for results");
        run->add_flag("-q,--quiet", quiet, "No progress");
        CLI::App* watch = app.add_subcommand("watch", "Observe a container.");
        watch->add_option("CONTAINER", watched, "Name or id")->required();
        watch->add_option("-f,--format", format, "Format")->check(CLI::IsMember({"table", "json"}));
        CLI::App* patch = app.add_subcommand("patch", "Change a file");
        patch->add_option("--container", container, "The pod's container");
        app.add_subcommand("help", "Explain")->add_option("TOPIC", topic, "What to explain");
        app.add_subcommand("hidden", "Not shown")->group("");
    }
};

Sources sources() {
    return {
        .containers =
            [] {
                return Words{"web", "db"};
            },
        .services =
            [](const Words& files) { return files.empty() ? Words{"here"} : Words{"of " + files.front()}; },
        .topics = [] { return Words{"verdicts"}; }};
}

TEST(Complete, OffersWhatMayStandThere) {
    const Parser parser;
    const std::pair<Words, Completion> rows[] = {
        {{""}, {{"help", "patch", "run", "watch"}, false}},
        {{"wa"}, {{"watch"}, false}},
        {{"--co"}, {{"--color"}, false}},
        {{"--color", ""}, {{"always", "auto", "never"}, false}},
        {{"--color", "never", "r"}, {{"run"}, false}},
        {{"--color=never", "r"}, {{"run"}, false}},
        {{"--host", "run", "w"}, {{"watch"}, false}},  // "run" is the host's name
        {{"run", ""}, {{}, true}},
        {{"run", "a.yaml", ""}, {{}, true}},
        {{"run", "--"}, {{"--container", "--help", "--out", "--quiet", "--service"}, false}},
        {{"run", "--container", "d"}, {{"db"}, false}},
        {{"run", "--service", ""}, {{"here"}, false}},
        {{"run", "compose.yaml", "--service", ""}, {{"of compose.yaml"}, false}},
        {{"run", "-q", "--out", ""}, {{}, true}},
        {{"watch", ""}, {{"db", "web"}, false}},
        {{"watch", "db", ""}, {{}, false}},  // it takes one
        {{"watch", "-f", "j"}, {{"json"}, false}},
        {{"patch", "--container", ""}, {{}, true}},  // a container of a pod is none of the engine's
        {{"help", ""}, {{"verdicts"}, false}},
        {{}, {}},
    };
    for (const auto& [words, wanted] : rows)
        EXPECT_EQ(complete(parser.app, words, sources()), wanted) << testing::PrintToString(words);
}

TEST(Complete, OffersNothingWhereNobodyCanBeAsked) {
    const Parser parser;
    EXPECT_EQ(complete(parser.app, {"watch", ""}, {}), Completion{});
}

TEST(ManualPage, HasEveryOptionOfACommand) {
    const Parser parser;
    const std::string page =
        manual_page(parser.app, parser.app.get_subcommand("watch"), {"1.2.3", "2026-11-30"});
    EXPECT_THAT(page, testing::StartsWith(".TH ROGATE-WATCH 1 \"2026-11-30\" \"rogate 1.2.3\"\n"));
    // The name's section has no final dot, as man pages have it.
    EXPECT_THAT(page, testing::HasSubstr("rogate\\-watch \\- Observe a container\n"));
    EXPECT_THAT(page, testing::HasSubstr("\\fBrogate watch\\fR [\\fIOPTIONS\\fR] \\fICONTAINER\\fR\n"));
    EXPECT_THAT(page,
                testing::HasSubstr(".TP\n\\fB\\-f\\fR, \\fB\\-\\-format\\fR \\fItable|json\\fR\nFormat\n"));
    EXPECT_THAT(page, testing::HasSubstr("\\fB\\-\\-color\\fR"));
}

TEST(ManualPage, OfAllHasEveryCommandAndTopic) {
    const Parser parser;
    const std::string page = manual_page(parser.app, nullptr, {"1.2.3", ""});
    EXPECT_THAT(page, testing::HasSubstr("\\fBrogate run\\fR\nSettle every candidate\n"));
    EXPECT_THAT(page, testing::Not(testing::HasSubstr("hidden")));
    EXPECT_THAT(page, testing::HasSubstr(".SH EXIT CODES\n.TP\n\\fB0\\fR\n"));
    EXPECT_THAT(page, testing::HasSubstr(".TP\n\\fBtolerated\\fR\n"));
}

TEST(Topics, FitATerminal) {
    for (const Topic& topic : topics()) {
        EXPECT_EQ(find_topic(topic.name), &topic);
        std::istringstream lines(topic_text(topic, 72));
        for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 72U) << line;
    }
    EXPECT_EQ(find_topic("nothing"), nullptr);
}

}  // namespace
}  // namespace rogate::cmdline
