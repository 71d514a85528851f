#include "campaign/ending.hpp"

#include <gtest/gtest.h>

#include "campaign/missing.hpp"
#include "campaign/readiness.hpp"

namespace rogate::campaign {
namespace {

TEST(Ending, IsHeldAgainstTheControlRun) {
    constexpr bool told = true, by_itself = false, killed = true, in_time = false;
    const auto end = [](int code, bool told_to, bool was_killed) {
        return Ending{.exit_code = code, .oom_killed = false, .told_to = told_to, .killed = was_killed};
    };
    const ExpectedEnding control{.is_control = true};
    const auto later = [](int code, bool early, bool was_killed) {
        return ExpectedEnding{.control = code, .early = early, .killed = was_killed, .grace_ms = 10'000};
    };
    const ExpectedEnding asked{.is_control = true, .said = 0};
    struct Row {
        Ending ending;
        ExpectedEnding expected;
        std::string wrong;  // how the answer begins; empty: nothing is
    };
    const Row rows[] = {
        {end(0, told, in_time), control, ""},
        {end(143, told, in_time), control, ""},
        {end(137, told, killed), control, ""},
        {end(0, by_itself, in_time), control, ""},
        {end(1, by_itself, in_time), control, "the subject had exited by itself with code 1"},
        {end(137, told, killed), asked, "exit code 137 (expected 0)"},
        {end(137, told, killed), later(137, false, true), ""},
        {end(0, told, in_time), later(137, false, true), "exit code 0 (control run: 137)"},
        {end(137, told, killed), later(0, false, false),
         "the subject did not stop within 10.0 s and was killed"},
        {end(137, told, killed), later(137, false, false), "the subject did not stop within 10.0 s"},
        {end(0, told, in_time), later(143, false, false), "exit code 0 (control run: 143)"},
        {end(0, by_itself, in_time), later(0, false, false), "the subject had exited by itself with code 0"},
        {end(0, by_itself, in_time), later(0, true, false), ""},
        {end(1, by_itself, in_time), later(0, true, false), "exit code 1 (control run: 0)"},
        {end(0, told, in_time), later(0, true, false), "the subject ended by itself in the control run"},
    };
    for (const Row& row : rows) {
        const std::string wrong = judge_ending(row.ending, row.expected);
        EXPECT_EQ(wrong.substr(0, row.wrong.size()), row.wrong);
        EXPECT_EQ(wrong.empty(), row.wrong.empty()) << wrong;
    }
    EXPECT_EQ(judge_ending({.exit_code = 137, .oom_killed = true}, control), "the subject ran out of memory");
}

TEST(Readiness, IsWaitedForAsTheControlRunTakes) {
    using std::chrono::seconds;
    const auto control = [](double start_s, double ready_s) {
        RunRecord run;
        run.phases = {{.name = "entrypoint", .passed = true, .message = {}, .duration_s = start_s},
                      {.name = "ready", .passed = true, .message = {}, .duration_s = ready_s},
                      {.name = "step soak", .passed = true, .message = {}, .duration_s = 500},
                      {.name = "shutdown", .passed = true, .message = {}, .duration_s = 500}};
        return run;
    };
    EXPECT_EQ(allowed_wait(control(0.5, 0.1), seconds(60)), seconds(15));
    EXPECT_EQ(allowed_wait(control(0.5, 0.1), seconds(5)), seconds(5));
    EXPECT_EQ(allowed_wait(control(2, 6), seconds(60)), seconds(40));
    EXPECT_EQ(allowed_wait(control(2, 60), seconds(60)), seconds(60));
    EXPECT_EQ(allowed_wait(control(2, 60), seconds(300)), seconds(300));
    RunRecord without_steps = control(2, 6);
    without_steps.phases.erase(without_steps.phases.begin() + 2);
    EXPECT_EQ(allowed_wait(without_steps, seconds(60)), seconds(40));
}

TEST(Ending, SignalsThatAreDropped) {
    EXPECT_EQ(signal_number("TERM"), 15);
    EXPECT_EQ(signal_number("SIGQUIT"), 3);
    EXPECT_EQ(signal_number("28"), 28);
    EXPECT_EQ(signal_number("SIGRTMIN+3"), 37);
    EXPECT_EQ(signal_number("RTMAX-1"), 63);
    EXPECT_EQ(signal_number("NONE"), 0);
    const std::uint64_t term = 1U << 14U;
    EXPECT_TRUE(is_deaf_to(15, {}));
    EXPECT_FALSE(is_deaf_to(15, {.caught = term}));
    EXPECT_FALSE(is_deaf_to(15, {.caught = 0, .blocked = term}));  // tini and dumb-init wait for it
    EXPECT_TRUE(is_deaf_to(3, {.caught = term}));
    EXPECT_FALSE(is_deaf_to(9, {}));
    EXPECT_FALSE(is_deaf_to(0, {}));
}

TEST(Missing, IsReadFromTheEnginesRefusal) {
    EXPECT_EQ(
        missing_bind_source("engine: POST /containers/create: 400 Bad Request: invalid mount config for type "
                            "\"bind\": bind source path does not exist: /srv/a b:c"),
        "/srv/a b:c");
    EXPECT_EQ(missing_bind_source("engine: …: 500: statfs /srv/x: no such file or directory"), "/srv/x");
    EXPECT_EQ(missing_bind_source("engine: 404: No such image: a"), std::nullopt);
}

TEST(HealthCheck, IsAskedForWhereNobodyAwaitsIt) {
    using testing::ElementsAre;
    using testing::IsEmpty;
    engine::ImageInfo image;
    Scenario scenario;
    EXPECT_THAT(health_check_that_nobody_awaits(scenario, image), IsEmpty());
    image.health_test = {"CMD", "curl", "x"};
    EXPECT_THAT(health_check_that_nobody_awaits(scenario, image), ElementsAre("curl", "x"));
    scenario.subject.healthcheck.emplace().test = {"CMD-SHELL", "look || exit 1"};
    image.shell = {"/bin/bash", "-c"};
    EXPECT_THAT(health_check_that_nobody_awaits(scenario, image),
                ElementsAre("/bin/bash", "-c", "look || exit 1"));
    Step asks;
    asks.action = HealthAction{};
    Scenario by_step = scenario, by_readiness = scenario, of_pod = scenario, none = scenario;
    Step both;
    both.action = ParallelAction{{asks}};
    by_step.steps = {both};
    by_readiness.readiness.checks = {asks};
    of_pod.subject.origin.kind = Origin::Kind::kubernetes;
    none.subject.healthcheck->test = {"NONE"};
    for (const Scenario& each : {by_step, by_readiness, of_pod, none})
        EXPECT_THAT(health_check_that_nobody_awaits(each, image), IsEmpty());
}

TEST(Readiness, IsCompletedByTheImage) {
    engine::ImageInfo image;
    image.exposed_ports = {"53/udp", "8080/tcp", "9000"};
    Scenario scenario;
    derive_readiness(scenario, image);
    EXPECT_TRUE(scenario.readiness.checks.empty()) << "somebody has said that nothing is waited for";
    scenario.readiness.derived = true;
    Scenario declared = scenario, healthy = scenario, alone = scenario;
    derive_readiness(scenario, image);
    ASSERT_EQ(scenario.readiness.checks.size(), 2U);
    EXPECT_EQ(std::get<TcpAction>(scenario.readiness.checks[0].action).port, 8080);
    EXPECT_EQ(scenario.subject.ports, (std::vector<Port>{{8080, "tcp"}, {9000, "tcp"}}));
    EXPECT_EQ(without_ports(scenario.readiness, {8080}).checks.size(), 1U);
    declared.readiness.checks = {scenario.readiness.checks[1]};
    derive_readiness(declared, image);
    EXPECT_EQ(declared.readiness.checks.size(), 1U);
    alone.subject.network_mode = "none";
    derive_readiness(alone, image);
    EXPECT_TRUE(alone.readiness.checks.empty());
    image.has_healthcheck = true;
    derive_readiness(healthy, image);
    EXPECT_TRUE(std::holds_alternative<HealthAction>(healthy.readiness.checks.at(0).action));
    healthy.subject.healthcheck.emplace().test = {"NONE"};
    healthy.readiness.checks.clear();
    derive_readiness(healthy, image);
    EXPECT_EQ(healthy.readiness.checks.size(), 2U);
}

}  // namespace
}  // namespace rogate::campaign
