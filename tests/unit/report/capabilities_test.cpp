#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "report/advice.hpp"
#include "report/html.hpp"
#include "report/json.hpp"
#include "report/junit.hpp"
#include "report/markdown.hpp"
#include "report/requirements.hpp"
#include "report/sarif.hpp"
#include "report/secrets.hpp"
#include "report/terminal.hpp"
#include "unit/report/sample.hpp"

namespace rogate::report {
namespace {

using testing::HasSubstr;
using testing::Not;

CampaignResult hardened() {
    CampaignResult result = sample();
    CapabilityCheck check;
    check.capability = "CHOWN";
    check.call = "chown";
    check.comm = "app";
    check.phase = "entrypoint";
    check.uid = 33;
    check.count = 2;
    CapabilityCheck call = check;
    call.capability = {};
    call.error = EPERM;
    result.capabilities = {{.name = "CHOWN",
                            .verdict = CapabilityVerdict::needed,
                            .reason = "by app for chown; run 3 failed",
                            .checks = {check, call},
                            .runs = {3}},
                           {.name = "KILL",
                            .verdict = CapabilityVerdict::unused,
                            .reason = "nothing was refused",
                            .checks = {},
                            .runs = {2}},
                           {.name = "no-new-privileges",
                            .verdict = CapabilityVerdict::inconclusive,
                            .reason = "no run",
                            .checks = {},
                            .runs = {}}};
    result.recommendation.capabilities = {"CHOWN"};
    result.recommendation.no_new_privileges = true;
    result.runs.back().plan.capabilities = {"CHOWN"};
    result.runs.back().plan.no_new_privileges = true;
    return result;
}

TEST(CapabilityReport, IsReadAsItIsWritten) {
    const CampaignResult result = hardened();
    const auto read = parse_json(render_json(result));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->capabilities, result.capabilities);
    EXPECT_EQ(read->recommendation, result.recommendation);
    EXPECT_EQ(read->runs.back().plan.capabilities, result.runs.back().plan.capabilities);
    EXPECT_TRUE(read->runs.back().plan.no_new_privileges);
    EXPECT_FALSE(read->runs.front().plan.capabilities);
    // Nothing of it where nobody asked.
    EXPECT_THAT(render_json(sample()), Not(HasSubstr("capabilities")));
}

TEST(CapabilityReport, IsInEachFormat) {
    const CampaignResult result = hardened();
    EXPECT_EQ(capabilities_headline(result), "1 of 2 capabilities can be dropped");
    EXPECT_THAT(headline(result), HasSubstr("; 1 of 2 capabilities can be dropped"));
    const std::string page = render_terminal(result, {});
    EXPECT_THAT(page, HasSubstr("needed        CHOWN              by app for chown; run 3 failed"));
    EXPECT_THAT(page, HasSubstr("Capabilities: drop all and add CHOWN"));
    EXPECT_THAT(page, HasSubstr("no-new-privileges"));
    const std::string text = render_markdown(result);
    EXPECT_THAT(text, HasSubstr("| needed | `CHOWN` | by app for chown; run 3 failed |"));
    EXPECT_THAT(text, HasSubstr("- capabilities: drop all and add CHOWN"));
    EXPECT_THAT(
        text, HasSubstr("--cap-drop ALL \\\n  --cap-add CHOWN \\\n  --security-opt no-new-privileges:true"));
    const std::vector<CampaignResult> all{result};
    EXPECT_THAT(render_html(all), HasSubstr("chown in entrypoint by app: EPERM, 2 times"));
    EXPECT_THAT(render_terminal(sample(), {}), Not(HasSubstr("CAPABILITY")));
}

TEST(CapabilityReport, IsATestCaseInJUnit) {
    const std::vector<CampaignResult> all{hardened()}, none{sample()};
    const std::string xml = render_junit(all);
    EXPECT_THAT(xml, HasSubstr(": capabilities\" tests=\"3\" failures=\"0\" errors=\"1\" skipped=\"0\""));
    EXPECT_THAT(xml, HasSubstr("<property name=\"capabilities\" value=\"drop all and add CHOWN\"/>"));
    EXPECT_THAT(
        xml, HasSubstr("needed: by app for chown; run 3 failed\nCHOWN for chown allowed x2 in entrypoint by "
                       "app\nno check for chown EPERM x2 in entrypoint by app\n"));
    EXPECT_THAT(xml, HasSubstr("<error message=\"inconclusive: no run\"/>"));
    EXPECT_THAT(render_junit(none), Not(HasSubstr("capabilities")));
}

TEST(CapabilityReport, IsAResultInSarif) {
    const std::vector<CampaignResult> all{hardened()}, none{sample()};
    const auto log = nlohmann::json::parse(render_sarif(all, {}));
    const auto& run = log["runs"][0];
    std::map<std::string, std::string> levels;
    std::set<std::string> prints;
    for (const auto& each : run["results"]) {
        const std::string rule = each["ruleId"];
        EXPECT_EQ(run["tool"]["driver"]["rules"][each["ruleIndex"].get<std::size_t>()]["id"], rule);
        if (!rule.starts_with("rogate/capability-")) continue;
        levels[each["message"]["text"]] = rule.substr(18) + " " + each["level"].get<std::string>();
        prints.insert(each["partialFingerprints"]["rogateCapability/v1"]);
    }
    EXPECT_EQ(levels, (std::map<std::string, std::string>{
                          {"CHOWN is needed: by app for chown; run 3 failed", "needed none"},
                          {"KILL is unused: nothing was refused", "unused note"},
                          {"no-new-privileges is inconclusive: no run", "inconclusive warning"}}));
    EXPECT_EQ(prints.size(), 3U);
    EXPECT_THAT(render_sarif(none, {}), Not(HasSubstr("capability")));
}

// What two campaigns that found the same say alike: no numbers of runs, and no counts.
TEST(CapabilityReport, IsAmongTheRequirements) {
    CampaignResult result = hardened();
    const std::string text = render_requirements(result);
    EXPECT_THAT(text,
                HasSubstr("\n## Capabilities\n\n| Capability | Verdict | Used by |\n| --- | --- | --- |\n"
                          "| `CHOWN` | needed | `app for chown` |\n"
                          "| `no-new-privileges` | inconclusive |  |\n\nunused: `KILL`\n"));
    for (CapabilityResult& each : result.capabilities) {
        each.runs = {7};
        for (CapabilityCheck& check : each.checks) check.count = 99;
    }
    EXPECT_EQ(render_requirements(result), text);
    EXPECT_TRUE(read_history(text));
    EXPECT_THAT(render_requirements(sample()), Not(HasSubstr("Capabilities")));
}

TEST(CapabilityReport, HoldsNoSecret) {
    CampaignResult result = hardened();
    result.capabilities[0].reason = "run 3 failed: no hunter2-secret";
    result.capabilities[0].checks[0].phase = "step hunter2-secret";
    hide_secrets(result, {{"hunter2-secret", SecretKind::secret}});
    EXPECT_THAT(render_json(result), Not(HasSubstr("hunter2-secret")));
}

}  // namespace
}  // namespace rogate::report
