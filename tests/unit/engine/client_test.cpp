#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <nlohmann/json.hpp>

#include "unit/engine/fake_engine.hpp"

namespace rogate::engine {
namespace {

using fake::chunked;
using fake::frame;
using fake::reply;

class ClientTest : public ::testing::Test {
  protected:
    ClientTest()
        : client(context.get_executor(), std::make_unique<fake::FakeTransport>(engine), Endpoint{}) {}
    void answer(std::string bytes, bool hang = false) {
        engine.exchanges.push_back({std::move(bytes), hang, {}});
    }
    template <class T>
    Result<T> run(Task<T> task) {
        return fake::run(context, std::move(task));
    }
    void negotiate(const std::string& api = "1.41") {
        answer(reply(200, R"({"Version":"x","ApiVersion":")" + api + R"(","MinAPIVersion":"1.12"})"));
        const auto done = run(client.negotiate());
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }

    asio::io_context context;
    fake::Engine engine;
    Client client;
};

TEST_F(ClientTest, SpeaksTheSmallerOfTheTwoVersions) {
    negotiate("1.99");
    EXPECT_EQ(client.api_version(), "1.55");
    answer(reply(200, R"({"Id":"c"})"));
    EXPECT_EQ(*run(client.container_create({})), "c");
    EXPECT_EQ(engine.request_line(1), "POST /v1.55/containers/create");
}

// Each connection is a login.
TEST(ClientOverSsh, SeveralCallsShareAConnection) {
    asio::io_context context;
    fake::Engine engine;
    engine.piece = 1;
    Endpoint endpoint;
    endpoint.kind = Endpoint::Kind::ssh;
    Client client(context.get_executor(), std::make_unique<fake::FakeTransport>(engine), endpoint);
    const std::string version = reply(200, R"({"Version":"x","ApiVersion":"1.41","MinAPIVersion":"1.12"})");
    // It breaks off after two replies: what only asks is asked again on another one.
    engine.exchanges.push_back({version + reply(201, R"({"Id":"c"})"), false, {}});
    engine.exchanges.push_back({reply(200, R"({"Name":"v"})", "Connection: close\r\n"), false, {}});
    engine.exchanges.push_back({reply(201, R"({"Id":"d"})"), false, {}});
    ASSERT_TRUE(fake::run(context, client.negotiate()));
    EXPECT_EQ(*fake::run(context, client.container_create({})), "c");
    EXPECT_EQ(engine.next, 1U);
    EXPECT_NE(engine.exchanges[0].sent.find("POST /v1.41/containers/create"), std::string::npos);
    EXPECT_EQ(engine.exchanges[0].sent.find("Connection: close"), std::string::npos);
    EXPECT_TRUE(fake::run(context, client.volume_inspect("v")));
    EXPECT_EQ(engine.request_line(1), "GET /v1.41/volumes/v");
    EXPECT_EQ(*fake::run(context, client.container_create({})), "d");
    EXPECT_EQ(engine.next, 3U);
    // Whether it was done is not known, so that it is not done twice.
    engine.exchanges.push_back({reply(201, R"({"Id":"e"})"), false, {}});
    EXPECT_EQ(fake::run(context, client.container_create({})).error().kind, ErrorKind::engine);
    EXPECT_EQ(engine.next, 3U);
}

TEST_F(ClientTest, RefusesEnginesThatAreTooOld) {
    answer(reply(200, R"({"Version":"19.03","ApiVersion":"1.40"})"));
    const auto done = run(client.negotiate());
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::engine);
    EXPECT_NE(done.error().message.find("speaks API 1.40; rogate needs 1.41"), std::string::npos);
}

TEST_F(ClientTest, TellsAnEngineFromAnyOtherServer) {
    answer(reply(200, "{}"));
    EXPECT_EQ(run(client.negotiate()).error().kind, ErrorKind::protocol);
    answer(reply(200, "<html>"));
    EXPECT_EQ(run(client.negotiate()).error().kind, ErrorKind::protocol);
    answer("SSH-2.0-OpenSSH_9.2\r\n");
    EXPECT_EQ(run(client.negotiate()).error().kind, ErrorKind::protocol);
}

TEST_F(ClientTest, CarriesTheEnginesOwnMessage) {
    negotiate();
    answer(reply(404, R"({"message":"No such image: x"})"));
    const auto done = run(client.image_inspect("x"));
    EXPECT_EQ(done.error().kind, ErrorKind::not_found);
    EXPECT_EQ(done.error().message, "engine: GET /images/x/json: 404 No such image: x");
    answer(reply(500, "not even JSON\n"));
    EXPECT_EQ(run(client.container_create({})).error().message,
              "engine: POST /containers/create: 500 not even JSON");
}

TEST_F(ClientTest, ReadsRepliesHoweverTheyAreCut) {
    for (const std::size_t piece : {1UL, 2UL, 5UL, 100000UL}) {
        engine = {};
        engine.piece = piece;
        negotiate();
        answer(chunked({"{\"I", "d\":\"", "abc", "\"}"}));
        EXPECT_EQ(*run(client.container_create({})), "abc") << piece;
        answer(
            "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\nTransfer-Encoding: "
            "chunked\r\n\r\n" +
            chunked({frame(1, "out\n") + frame(2, "err\n")}).substr(chunked({}).find("\r\n\r\n") + 4));
        EXPECT_EQ(run(client.container_logs("c"))->text, "out\nerr\n") << piece;
        answer(chunked({}));
        EXPECT_EQ(run(client.container_logs("c"))->text, "") << piece;
    }
}

TEST_F(ClientTest, SaysThatAReplyBrokeOff) {
    negotiate();
    for (const std::string& broken :
         {std::string(), std::string("HTTP/1.1 200 OK\r\nContent-Le"),
          std::string("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"Id\":"),
          std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"I")}) {
        answer(broken);
        const auto done = run(client.container_create({}));
        ASSERT_FALSE(done.has_value()) << broken;
        EXPECT_EQ(done.error().kind, ErrorKind::engine) << done.error().message;
        EXPECT_NE(done.error().message.find("POST /containers/create"), std::string::npos)
            << done.error().message;
    }
    answer(reply(200, R"({"Id":)"));
    EXPECT_EQ(run(client.container_create({})).error().kind, ErrorKind::protocol);
    answer(reply(200, "{}"));
    EXPECT_EQ(run(client.container_create({})).error().kind, ErrorKind::protocol);
}

TEST_F(ClientTest, ErrorsInAProgressStreamAreErrors) {
    negotiate();
    answer(chunked({"{\"status\":\"Pulling\"}\n", "{\"error\":\"no such tag\"}\n"}));
    const auto done = run(client.image_pull("x"));
    ASSERT_FALSE(done.has_value());
    EXPECT_NE(done.error().message.find("no such tag"), std::string::npos);
    EXPECT_NE(engine.request_line(1).find("fromImage=x%3Alatest"), std::string::npos);
}

// As from API 1.48 on an engine may do.
TEST_F(ClientTest, ErrorsInAProgressStreamMayHaveDetailsAlone) {
    negotiate();
    answer(chunked({"{\"errorDetail\":{\"message\":\"no such tag\"}}\n"}));
    const auto done = run(client.image_pull("x"));
    ASSERT_FALSE(done.has_value());
    EXPECT_NE(done.error().message.find("no such tag"), std::string::npos);
}

TEST_F(ClientTest, EveryCallHasADeadline) {
    negotiate();
    answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{", true);
    const auto done = run(client.container_wait("c", Milliseconds(30)));
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::timeout);
    EXPECT_NE(done.error().message.find("POST /containers/c/wait"), std::string::npos);
}

TEST_F(ClientTest, ACallCanBeCancelled) {
    negotiate();
    answer("", true);
    asio::cancellation_signal signal;
    Result<int> result = 0;
    auto quiet = [&]() -> Task<int> {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_return co_await client.container_wait("c", Milliseconds(60'000));
    };
    asio::co_spawn(
        context, quiet(),
        asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& thrown, Result<int> value) {
            EXPECT_FALSE(thrown);
            result = std::move(value);
        }));
    context.restart();
    context.poll();
    signal.emit(asio::cancellation_type::terminal);
    context.run();
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::cancelled);
}

TEST_F(ClientTest, ExecGivesOutputsAndExitCode) {
    negotiate();
    answer(reply(201, R"({"Id":"e"})"));
    answer("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" + frame(1, "one") +
           frame(2, "two") + frame(1, "three"));
    answer(reply(200, R"({"Running":false,"ExitCode":3,"Pid":77})"));
    ExecSpec spec;
    spec.command = {"cat"};
    spec.stdin_text = "text";
    const auto done = run(client.exec("c", spec, Milliseconds(1000), 6));
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(done->exit_code, 3);
    EXPECT_EQ(done->pid, 77);
    EXPECT_EQ(done->output_stdout, "onethr");
    EXPECT_TRUE(done->truncated);
    EXPECT_EQ(done->output_stderr, "two");
    EXPECT_TRUE(engine.exchanges[2].sent.ends_with("text"));
}

TEST_F(ClientTest, AStreamThatEndsInAFrameIsAnError) {
    negotiate();
    answer(reply(201, R"({"Id":"e"})"));
    answer("HTTP/1.1 101 UPGRADED\r\n\r\n" + frame(1, "whole").substr(0, 10));
    const auto done = run(client.exec("c", ExecSpec{}, Milliseconds(1000)));
    ASSERT_FALSE(done.has_value());
    EXPECT_NE(done.error().message.find("broke off"), std::string::npos);
}

TEST_F(ClientTest, RemovingWhatIsGoneIsDone) {
    negotiate();
    answer(reply(404, "{}"));
    EXPECT_TRUE(run(client.container_remove("c")).has_value());
    answer(reply(404, "{}"));
    EXPECT_TRUE(run(client.volume_remove("v")).has_value());
    answer(reply(409, R"({"message":"volume is in use"})"));
    EXPECT_FALSE(run(client.volume_remove("v")).has_value());
}

TEST_F(ClientTest, StartingWhatRunsIsDone) {
    negotiate();
    answer("HTTP/1.1 304 Not Modified\r\n\r\n");
    EXPECT_TRUE(run(client.container_start("c")).has_value());
}

}  // namespace
}  // namespace rogate::engine
