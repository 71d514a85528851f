// The channel to an agent, and what both observers ask theirs, with an agent of the test's in a fake engine.
#include "observe/agent_channel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "observe/observer.hpp"
#include "support/session.hpp"
#include "unit/observe/frames.hpp"

namespace rogate::observe {
namespace {

using test::Session;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string reply(int number, int status = 0, int value = 0, const std::string& why = {}) {
    return test::frame(
        1, frame(FRAME_REPLY,
                 bytes_of(frame_reply{static_cast<std::uint32_t>(number), status, value, 0}) + text(why)));
}

// An agent that notes what it is asked.
struct Agent {
    explicit Agent(Session& session) {
        session.fake.agent = {
            .greeting = test::frame(1, magic() + frame(FRAME_HELLO, text("sys_exit") + text("6.1.0"))),
            .answer = [this](const std::string& line) -> std::optional<std::string> {
                const int number = std::stoi(line);
                asked.push_back(line.substr(line.find(' ') + 1));
                return answer ? answer(number, asked.back()) : reply(number);
            }};
    }
    std::vector<std::string> asked;
    std::function<std::optional<std::string>(int number, const std::string& command)> answer;
};

SidecarOptions options() {
    SidecarOptions made;
    made.session = "s1";
    made.reply_timeout = std::chrono::milliseconds(30'000);
    return made;
}

using Start = engine::Task<std::unique_ptr<Observer>> (*)(engine::Client&, SidecarOptions);
using Body = std::function<engine::Task<>(Observer&)>;

// In one task, since an agent is read as long as its observer lives.
engine::Task<> observe(Session& session, Start start, Body body) {
    auto negotiated = co_await session.client.negotiate();
    if (!negotiated) co_return negotiated;
    auto observer = co_await start(session.client, options());
    if (!observer) co_return fail(std::move(observer.error()));
    auto done = co_await body(**observer);
    auto stopped = co_await (*observer)->stop();
    co_return done ? stopped : done;
}

Result<> run(Session& session, Start start, Body body) {
    auto ended = session.run(observe(session, start, std::move(body)));
    EXPECT_THAT(session.fake.left_of("s1"), IsEmpty());
    return ended;
}

std::string text_of(const Result<>& result) {
    return result ? "" : result.error().message;
}

TEST(AgentChannelTest, TheEbpfAgentIsToldOfEachMountAndOfWhoLooksForNames) {
    Session session;
    Agent agent(session);
    const auto body = [](Observer& observer) -> engine::Task<> {
        EXPECT_EQ(observer.facts().kind, "ebpf");
        EXPECT_EQ(observer.facts().hooks, "sys_exit");
        std::vector<ObservedMount> mounts = {
            {.target = "/data dir", .is_read_only = true, .lacks_data = true},
            {.target = "/"},
            {.target = "/data dir/below", .below_source = true}};
        auto armed = co_await observer.arm("c1", std::move(mounts), "entrypoint", {});
        if (!armed) co_return armed;
        auto ready = co_await observer.phase("ready");
        if (!ready) co_return ready;
        EXPECT_TRUE(co_await observer.before_end());
        EXPECT_TRUE(co_await observer.before_start_again({}));
        auto recording = co_await observer.collect();
        if (!recording) co_return fail(std::move(recording.error()));
        EXPECT_EQ(recording->problem, "");
        co_return Result<>{};
    };
    EXPECT_EQ(text_of(run(session, start_ebpf_observer, body)), "");
    EXPECT_THAT(agent.asked, ElementsAre("arm 0 c1", "looks 0", "target 0 /data%20dir", "phase 0 1",
                                         "release 0", "flush 0"));
}

TEST(AgentChannelTest, ThePtraceAgentProvesReadOnlyMountsAtTheStart) {
    Session session;
    Agent agent(session);
    const auto body = [](Observer& observer) -> engine::Task<> {
        EXPECT_EQ(observer.facts().kind, "ptrace");
        EXPECT_EQ(observer.at_once(), 1U);
        std::vector<ObservedMount> mounts = {{.target = "/data", .is_read_only = true}, {.target = "/log"}};
        auto armed = co_await observer.arm("c1", std::move(mounts), "entrypoint", {});
        if (!armed) co_return armed;
        EXPECT_TRUE(co_await observer.before_start_again({}));
        EXPECT_TRUE(co_await observer.before_end());
        co_return Result<>{};
    };
    EXPECT_EQ(text_of(run(session, start_ptrace_observer, body)), "");
    EXPECT_THAT(agent.asked, ElementsAre("arm 0 c1", "prove 0 /data", "release 0"));
}

// Arms one container, then asks for what is left to do.
Body armed_with(std::vector<ObservedMount> mounts, Body rest) {
    return [mounts, rest](Observer& observer) -> engine::Task<> {
        auto armed = co_await observer.arm("c1", mounts, "entrypoint", {});
        if (!armed) co_return armed;
        co_return co_await rest(observer);
    };
}

engine::Task<> nothing_more(Observer&) {
    co_return Result<>{};
}

TEST(AgentChannelTest, ARefusedCommandNamesItselfAndTheReason) {
    Session session;
    Agent agent(session);
    agent.answer = [](int number, const std::string&) { return reply(number, 2, 0, "no such container"); };
    const auto ended = run(session, start_ebpf_observer, armed_with({}, nothing_more));
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, ErrorKind::engine);
    EXPECT_EQ(ended.error().message, "observer: arm: no such container");
}

TEST(AgentChannelTest, AnAgentThatEndsSaysWhyAndTheRecordingIsNotWhole) {
    Session session;
    Agent agent(session);
    std::string problem;
    const auto rest = [&](Observer& observer) -> engine::Task<> {
        agent.answer = [](int, const std::string&) { return std::nullopt; };
        EXPECT_TRUE(co_await observer.phase("ready"));  // the run goes on
        auto recording = co_await observer.collect();
        if (!recording) co_return fail(std::move(recording.error()));
        problem = recording->problem;
        co_return Result<>{};
    };
    EXPECT_EQ(text_of(run(session, start_ebpf_observer, armed_with({{.target = "/data"}}, rest))), "");
    EXPECT_THAT(problem, HasSubstr("the observer failed during the run (observer: flush: "));
    EXPECT_THAT(problem, HasSubstr("the observer's container ended"));
}

TEST(AgentChannelTest, AnAgentThatDoesNotAnswerIsNotWaitedForWithoutEnd) {
    Session session;
    Agent agent(session);
    agent.answer = [](int, const std::string&) { return std::string(); };
    const auto before = session.time.passed();
    const auto ended = run(session, start_ebpf_observer, armed_with({}, nothing_more));
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, ErrorKind::timeout);
    EXPECT_THAT(ended.error().message, HasSubstr("the observer did not answer within 30000 ms"));
    EXPECT_GE(session.time.passed() - before, std::chrono::seconds(30));
}

TEST(AgentChannelTest, WhatIsNoStreamOfAnAgentsEndsTheStart) {
    Session session;
    Agent agent(session);
    session.fake.agent->greeting = test::frame(1, "usage: rogate-observer RING_BYTES\n");
    const auto ended = run(session, start_ebpf_observer, nothing_more);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, ErrorKind::protocol);
    EXPECT_THAT(ended.error().message, HasSubstr("starting the agent"));
}

TEST(AgentChannelTest, ACanaryThatCouldNotBeMadeIsTheRecordingsProblem) {
    Session session;
    Agent agent(session);
    agent.answer = [](int number, const std::string& command) {
        return command.starts_with("canary") ? reply(number, 0, CANARY_FAILED, "No such file or directory")
                                             : reply(number);
    };
    std::string problem;
    const auto rest = [&](Observer& observer) -> engine::Task<> {
        auto canary = co_await observer.canary("/data");
        if (!canary) co_return fail(std::move(canary.error()));
        EXPECT_EQ(*canary, Canary::failed);
        auto recording = co_await observer.collect();
        if (!recording) co_return fail(std::move(recording.error()));
        problem = recording->problem;
        co_return Result<>{};
    };
    EXPECT_EQ(text_of(run(session, start_ebpf_observer,
                          armed_with({{.target = "/data", .is_read_only = true}}, rest))),
              "");
    EXPECT_EQ(problem, "the canary write on /data could not be made: No such file or directory");
}

}  // namespace
}  // namespace rogate::observe
