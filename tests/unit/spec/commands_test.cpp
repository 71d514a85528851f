// Commands on rogate's machine: `command` steps, and what --test adds.
#include "spec/commands.hpp"

#include <filesystem>
#include <fstream>

#include "spec/kubernetes.hpp"
#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Scenario> parsed_steps(const std::string& steps, const std::string& before = {}) {
    Surroundings made = surroundings();
    made.folder = ROGATE_SOURCE_DIR "/scenarios/nginx";
    return parse_scenario("subject: {image: a}\n" + before + "steps:\n" + steps, "app/scenario.yaml", made);
}

CommandAction host_command(const std::string& step) {
    const auto scenario = parsed_steps(step);
    if (scenario) return std::get<CommandAction>(scenario->steps.front().action);
    ADD_FAILURE() << scenario.error().message;
    return {};
}

TEST(HostCommands, WordsOrAStringForTheShell) {
    const CommandAction words = host_command("  - command: [npm, run, e2e]\n");
    EXPECT_THAT(words.command, ElementsAre("npm", "run", "e2e"));
    EXPECT_EQ(words.directory, ROGATE_SOURCE_DIR "/scenarios/nginx");
    EXPECT_THAT(host_command("  - command: npm run e2e\n").command, ElementsAre("sh", "-c", "npm run e2e"));
    const auto scenario = parsed_steps("  - command: npm run e2e\n");
    EXPECT_EQ(scenario->steps.front().name, "command npm run e2e");
    EXPECT_EQ(scenario->steps.front().timeout_ms, 600'000);
    EXPECT_EQ(parsed_steps("  - {command: a, timeout: 5s}\n")->steps.front().timeout_ms, 5000);
}

TEST(HostCommands, AllThatOneCanSay) {
    const CommandAction all = host_command(
        "  - command: {run: [a], directory: html, environment: {URL: \"${{ ROGATE_URL }}\"}, junit: r/*.xml, "
        "known_failures: [shop.pays, uploads]}\n");
    EXPECT_EQ(all.directory, ROGATE_SOURCE_DIR "/scenarios/nginx/html");
    EXPECT_EQ(all.environment.at("URL"), "${{ ROGATE_URL }}");
    EXPECT_THAT(all.junit, ElementsAre("r/*.xml"));
    EXPECT_THAT(all.known_failures, ElementsAre("shop.pays", "uploads"));
}

TEST(HostCommands, WrongOnes) {
    const auto wrong = [](const std::string& steps, const std::string& before = {}) {
        const auto scenario = parsed_steps(steps, before);
        return scenario ? std::string() : scenario.error().message;
    };
    EXPECT_THAT(wrong("  - command: {directory: html}\n"),
                HasSubstr("scenario.yaml:3:14: 'command' of step 1 has no 'run'"));
    EXPECT_THAT(wrong("  - command: {run: a, directory: nowhere}\n"),
                HasSubstr("is no folder on this machine"));
    EXPECT_THAT(wrong("  - command: {run: a, known_failures: x}\n"),
                HasSubstr("no 'junit' that names tests"));
    EXPECT_THAT(wrong("  - command: {run: a, cwd: x}\n"), HasSubstr("'cwd'"));
    EXPECT_THAT(wrong("  - {command: a, retry: {until: 1s}}\n"), HasSubstr("'retry' does not fit"));
    // Only a command is told where the containers are.
    EXPECT_THAT(wrong("  - exec: {command: [a, \"${{ ROGATE_URL }}\"]}\n"),
                HasSubstr("unknown variable 'ROGATE_URL'"));
    EXPECT_THAT(wrong("  - {command: a, name: \"${{ ROGATE_URL }}\"}\n"),
                HasSubstr("unknown variable 'ROGATE_URL'"));
    EXPECT_THAT(wrong("  - exec: a\n", "vars: {ROGATE_URL: x}\n"), HasSubstr("begins with ROGATE_"));
}

TEST(HostCommands, TestsOfTheCommandLineComeBeforeAPodsLastHook) {
    Scenario scenario;
    for (const char* name : {"own", pre_stop_name}) {
        Step step;
        step.name = name;
        scenario.steps.push_back(step);
    }
    GivenTests given;
    given.commands = {"npm test", "npm test"};
    given.directory = "/srv";
    given.junit = {"*.xml"};
    add_tests(given, scenario);
    std::vector<std::string> names;
    for (const Step& step : scenario.steps) names.push_back(step.name);
    EXPECT_THAT(names, ElementsAre("own", "command npm test", "command npm test (2)", pre_stop_name));
    EXPECT_EQ(std::get<CommandAction>(scenario.steps[1].action).directory, "/srv");
    // The command line has consented; a file cannot.
    EXPECT_EQ(first_command(scenario.steps), nullptr);
}

TEST(HostCommands, TheFirstOfAFileIsFoundAlsoWithinAGroup) {
    const auto scenario = parsed_steps("  - exec: a\n  - parallel: [{exec: b}, {command: c, name: mine}]\n");
    const Step* found = first_command(scenario->steps);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->name, "mine");
    EXPECT_EQ(found->declared.line, 4);
}

TEST(HostCommands, KnownFailuresAreNamesOrAFileOfThem) {
    const auto folder = std::filesystem::temp_directory_path() / "rogate-unit-known-failures";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "known.txt") << "# since May\nshop.pays\n\nshop.uploads [chromium] \r\n";
    std::ofstream(folder / "empty.txt") << "# nothing\n";
    EXPECT_THAT(*known_failures("known.txt", folder.string(), read_input_file),
                ElementsAre("shop.pays", "shop.uploads [chromium]"));
    EXPECT_THAT(*known_failures("shop.pays", folder.string(), read_input_file), ElementsAre("shop.pays"));
    const auto empty = known_failures("empty.txt", folder.string(), read_input_file);
    ASSERT_FALSE(empty);
    EXPECT_THAT(empty.error().message, HasSubstr("no test is named in this file"));
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace rogate::spec::test
