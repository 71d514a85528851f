// The step runner over a fake engine: what becomes of steps, of retries and of a subject that ends meanwhile.
#include "scenario/step_runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/session.hpp"

namespace rogate::scenario {
namespace {

using test::Act;
using test::Script;
using testing::HasSubstr;

class DriverTest : public testing::Test {
  protected:
    void set_up(Script script) {
        session.fake.add_image("app:1", std::move(script));
        ASSERT_TRUE(session.run(session.client.negotiate()));
        engine::ContainerSpec spec;
        spec.name = "subject";
        spec.image = "app:1";
        auto made = session.run(session.client.container_create(spec));
        ASSERT_TRUE(made);
        container = *made;
        ASSERT_TRUE(session.run(session.client.container_start(container)));
    }
    Result<StepOutcome> perform(const Step& step) {
        StepRunner runner(session.client, container, memory);
        return session.run(runner.perform(step));
    }
    static Step does(std::string word) {
        Step step;
        step.name = word;
        ExecAction action;
        action.command = {"do", std::move(word)};
        step.action = action;
        return step;
    }

    test::Session session;
    Memory memory;
    std::string container;
};

TEST_F(DriverTest, AnExecPassesByItsExitCode) {
    Script script;
    script.on_exec["save"] = {{.kind = Act::Kind::write, .path = "/save"}};
    set_up(script);
    const auto outcome = perform(does("save"));
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome->passed) << outcome->message;
    EXPECT_EQ(outcome->exec_pids.size(), 1U);
}

TEST_F(DriverTest, AnExecInASubjectThatHasEndedIsAnOutcome) {
    Script script;
    script.ends_with = 3;
    set_up(script);
    const auto outcome = perform(does("save"));
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_FALSE(outcome->passed);
    EXPECT_THAT(outcome->message, HasSubstr("exited with code 3"));
}

TEST_F(DriverTest, AnExecThatTakesTooLongIsAnOutcome) {
    Script script;
    script.on_exec["save"] = {{.kind = Act::Kind::read, .path = "/save", .after = std::chrono::minutes(1)}};
    set_up(script);
    Step step = does("save");
    step.timeout_ms = 500;
    const auto outcome = perform(step);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_THAT(outcome->message, HasSubstr("did not end within 500 ms"));
}

TEST_F(DriverTest, AStepIsTriedAgainUntilItHolds) {
    Script script;
    script.at_start = {{.kind = Act::Kind::say, .path = "ready", .after = std::chrono::seconds(5)}};
    set_up(script);
    Step step;
    step.name = "log";
    step.action = LogAction{};
    step.expect.contains = "ready";
    // It has said so by now: all that goes on is over when run() returns.
    const auto outcome = perform(step);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome->passed) << outcome->message;
    step.expect.contains = "never";
    step.retry_until_ms = 2000;
    const auto before = session.time.passed();
    const auto never = perform(step);
    ASSERT_TRUE(never);
    EXPECT_FALSE(never->passed);
    EXPECT_THAT(never->message, HasSubstr("tried again for 2.0 s"));
    EXPECT_GE(session.time.passed() - before, std::chrono::seconds(2));
}

TEST_F(DriverTest, AfterARestartOnlyTheNewOutputCounts) {
    Script script;
    script.at_start = {{.kind = Act::Kind::say, .path = "ready", .after = std::chrono::seconds(2)}};
    set_up(script);
    Step again;
    again.name = "restart";
    again.action = RestartAction{};
    StepRunner runner(session.client, container, memory);
    runner.read_log_from_start();
    Readiness readiness;
    Step check;
    check.name = "log";
    check.action = LogAction{};
    check.expect.contains = "ready";
    readiness.checks = {check};
    const auto both = [&]() -> engine::Task<StepOutcome> {
        auto restarted = co_await runner.perform(again);
        if (!restarted || !restarted->passed) co_return restarted;
        co_return co_await runner.wait_ready(readiness);
    };
    const auto before = session.time.passed();
    const auto outcome = session.run(both());
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome->passed) << outcome->message;
    EXPECT_GE(session.time.passed() - before, std::chrono::seconds(2));
}

TEST_F(DriverTest, TheLastWordsOfASubjectThatHasEndedCount) {
    Script script;
    script.at_start = {{.kind = Act::Kind::say, .path = "ready"}};
    script.ends_with = 0;
    set_up(script);
    Readiness readiness;
    Step check;
    check.name = "log";
    check.action = LogAction{};
    check.expect.contains = "ready";
    readiness.checks = {check};
    StepRunner runner(session.client, container, memory);
    const auto outcome = session.run(runner.wait_ready(readiness));
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome->passed) << outcome->message;
}

TEST_F(DriverTest, AnEngineThatFailsIsNoOutcome) {
    set_up({});
    session.fake.fault = [](int, const test::Call& call) -> std::optional<test::Fault> {
        if (call.path.ends_with("/exec")) return test::Fault::broken_before;
        return std::nullopt;
    };
    const auto outcome = perform(does("save"));
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message, HasSubstr("engine: POST /containers/"));
}

}  // namespace
}  // namespace rogate::scenario
