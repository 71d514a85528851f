#include "spec/scenario_list.hpp"

#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

using testing::HasSubstr;

std::vector<Scenario> list(const std::string& text) {
    auto found = parse_scenario_list(text, "app/all.yaml", surroundings());
    if (found && *found) return std::move(**found);
    ADD_FAILURE() << text << "\n" << (found ? found->error().message : "no list");
    return std::vector<Scenario>(9);
}

TEST(ScenarioList, SharesTheSubject) {
    const auto found = list(
        "name: ignored\nsubject: {image: a, ports: [80]}\nready: {tcp: 80}\nscenarios:\n"
        "  - {name: one, steps: [exec: a]}\n  - {name: two, ready: {log: up}, steps: [exec: b], states: "
        "[used]}\n");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].name, "one");
    EXPECT_EQ(found[0].subject.image, "a");
    EXPECT_TRUE(std::holds_alternative<TcpAction>(found[0].readiness.checks[0].action));
    EXPECT_TRUE(std::holds_alternative<LogAction>(found[1].readiness.checks[0].action));
    EXPECT_EQ(found[1].states, std::vector<DataState>{DataState::used});
    EXPECT_EQ(found[1].steps[0].declared.line, 6);
}

TEST(ScenarioList, IsAlsoSeveralDocuments) {
    const auto found = list(
        "name: one\nsubject: {image: a}\nsteps: [exec: a]\n---\nname: two\nsteps: [exec: b, exec: c]\n---\n"
        "name: three\nsubject: {image: b}\n");
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[1].subject.image, "a");
    EXPECT_EQ(found[1].steps.size(), 2U);
    EXPECT_EQ(found[2].subject.image, "b");
    EXPECT_TRUE(found[2].steps.empty()) << "steps are not shared";
}

TEST(ScenarioList, OfOneScenarioIsNone) {
    EXPECT_FALSE(parse_scenario_list("subject: {image: a}\n", "s.yaml", surroundings()).has_value());
}

TEST(ScenarioList, WhatIsWrongHasItsPlace) {
    const std::pair<const char*, const char*> cases[] = {
        {"scenarios: []\n", "app/all.yaml:2:12: 'scenarios' is not a list of scenarios"},
        {"scenarios: [a]\n", "app/all.yaml:2:13: an entry of 'scenarios' is a single value"},
        {"scenarios: [{steps: []}]\n",
         "app/all.yaml:2:13: this scenario is one of several in the file and has no 'name'"},
        {"scenarios: [{name: a}, {name: a}]\n",
         "app/all.yaml:2:31: two scenarios are named 'a': at line 2 and here"},
        {"scenarios: [{name: a, step: x}]\n", "app/all.yaml:2:23: unknown key 'step' in the scenario"},
        {"scenarios: [{name: a, scenarios: []}]\n", "holds 'scenarios' itself"},
        {"---\n- a\n", "a document is a list"},
    };
    for (const auto& [text, fragment] : cases) {
        const auto found =
            parse_scenario_list(std::string("subject: {image: a}\n") + text, "app/all.yaml", surroundings());
        ASSERT_TRUE(found.has_value()) << text;
        ASSERT_FALSE(found->has_value()) << text;
        EXPECT_THAT(found->error().message, HasSubstr(fragment)) << text;
    }
}

}  // namespace
}  // namespace rogate::spec::test
