#include "campaign/harden.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rogate::campaign {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Quiet : public Status {
  public:
    void preparing(const std::string&) override {}
    void run_started(const RunPlan&) override {}
    void phase_started(const std::string&) override {}
    void run_finished(const RunRecord&) override {}
    void warn(const std::string&) override {}
    void note(const std::string&) override {}
};

Scenario asked() {
    Scenario scenario;
    scenario.tries_capabilities = scenario.tries_no_new_privileges = true;
    return scenario;
}

TEST(CapabilityQuestion, HasWhatTheSubjectHas) {
    Scenario scenario = asked();
    scenario.subject.cap_add = {"CAP_SYS_TIME"};
    scenario.subject.cap_drop = {"net_raw"};
    const auto question = capability_question(scenario, false);
    ASSERT_TRUE(question) << question.error().message;
    EXPECT_EQ(question->configured.size(), 14U);
    EXPECT_THAT(question->configured, Contains("SYS_TIME"));
    EXPECT_THAT(question->configured, Not(Contains("NET_RAW")));
    EXPECT_TRUE(question->tries_capabilities && question->tries_no_new_privileges);
    EXPECT_EQ(capability_question(scenario, true)->configured.size(), 12U);  // podman gives less
    scenario.tries_capabilities = false;
    EXPECT_FALSE(capability_question(scenario, false)->tries_capabilities);
    EXPECT_TRUE(is_hardened(scenario));
    EXPECT_FALSE(is_hardened(Scenario{}));
}

TEST(CapabilityQuestion, DoesNotAskForWhatIsForbiddenAlready) {
    for (const char* option : {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"}) {
        Scenario scenario = asked();
        scenario.subject.security_opt = {"label=disable", option};
        EXPECT_FALSE(capability_question(scenario, false)->tries_no_new_privileges) << option;
    }
    Scenario scenario = asked();
    scenario.subject.security_opt = {"no-new-privileges:false"};
    EXPECT_TRUE(capability_question(scenario, false)->tries_no_new_privileges);
}

TEST(CapabilityQuestion, IsRefusedWhereNoRunCanTell) {
    Scenario scenario = asked();
    scenario.subject.privileged = true;
    const auto privileged = capability_question(scenario, false);
    ASSERT_FALSE(privileged);
    EXPECT_EQ(privileged.error().kind, ErrorKind::usage);
    EXPECT_THAT(privileged.error().message, HasSubstr("privileged"));
    scenario.tries_capabilities = scenario.tries_no_new_privileges = false;
    EXPECT_TRUE(capability_question(scenario, false));
    Scenario several = asked();
    several.members.emplace_back();
    EXPECT_THAT(capability_question(several, false).error().message, HasSubstr("--one-by-one"));
    Scenario wrong = asked();
    wrong.subject.cap_add = {"SYS_TIEM"};
    EXPECT_THAT(capability_question(wrong, false).error().message, HasSubstr("'SYS_TIEM' is no capability"));
}

// A node gives nobody the ports below 1024, as an engine's own networks do.
TEST(CapabilityQuestion, IsAskedOfAPodAsANodeRunsIt) {
    Quiet status;
    Scenario scenario = asked();
    ask_for_ports_as_on_nodes(scenario, status);
    EXPECT_EQ(scenario, asked());
    scenario.subject.origin.kind = Origin::Kind::kubernetes;
    scenario.subject.sysctls["net.ipv4.ping_group_range"] = "0 100";
    Scenario mounts_alone = scenario;
    mounts_alone.tries_capabilities = mounts_alone.tries_no_new_privileges = false;
    ask_for_ports_as_on_nodes(mounts_alone, status);
    EXPECT_EQ(mounts_alone.subject.sysctls.size(), 1U);
    ask_for_ports_as_on_nodes(scenario, status);
    EXPECT_EQ(scenario.subject.sysctls.at("net.ipv4.ip_unprivileged_port_start"), "1024");
    EXPECT_EQ(scenario.subject.sysctls.at("net.ipv4.ping_group_range"), "0 100");
}

}  // namespace
}  // namespace rogate::campaign
