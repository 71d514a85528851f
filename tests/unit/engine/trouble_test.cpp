// Engines that misbehave, and calls that are ended at awkward moments.
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <nlohmann/json.hpp>

#include "engine/requests.hpp"
#include "unit/engine/fake_engine.hpp"

namespace rogate::engine {
namespace {

using fake::chunked;
using fake::frame;
using fake::reply;
using nlohmann::json;

constexpr const char* upgraded = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

class Trouble : public ::testing::Test {
  protected:
    Trouble() : client(context.get_executor(), std::make_unique<fake::FakeTransport>(engine), Endpoint{}) {}
    void answer(std::string bytes, bool hang = false) {
        engine.exchanges.push_back({std::move(bytes), hang, {}, {}});
    }
    template <class T>
    Result<T> run(Task<T> task) {
        return fake::run(context, std::move(task));
    }
    // Cancels the call once everything that can happen before has happened.
    template <class T>
    Result<T> run_cancelled(Task<T> task) {
        asio::cancellation_signal signal;
        Result<T> result = fail(ErrorKind::internal, "did not end");
        asio::co_spawn(context, quiet(std::move(task)),
                       asio::bind_cancellation_slot(signal.slot(),
                                                    [&](const std::exception_ptr& thrown, Result<T> value) {
                                                        EXPECT_FALSE(thrown);
                                                        result = std::move(value);
                                                    }));
        context.restart();
        context.poll();
        signal.emit(asio::cancellation_type::terminal);
        context.run();
        return result;
    }

    asio::io_context context;
    fake::Engine engine;
    Client client;

  private:
    template <class T>
    static Task<T> quiet(Task<T> task) {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_return co_await std::move(task);
    }
};

// ---- replies

TEST_F(Trouble, AnAbsurdContentLengthReservesNothing) {
    answer("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\n{");
    const auto done = run(client.info());
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::engine) << done.error().message;
}

TEST_F(Trouble, ARepliesSizeIsBounded) {
    answer(reply(200, std::string((64U << 20U) + 1, ' ')));
    const auto done = run(client.info());
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::protocol);
    EXPECT_NE(done.error().message.find("engine: GET /info: the reply is larger than"), std::string::npos)
        << done.error().message;
}

TEST_F(Trouble, AnErrorsTextIsWholeHoweverItIsCut) {
    engine.piece = 1;
    const std::string refusal = reply(404, R"({"message":"no such container: c"})");
    const ByteSink sink = [](std::string_view) -> Result<bool> { return true; };
    for (int i = 0; i < 4; ++i) answer(refusal);
    EXPECT_EQ(run(client.archive_get("c", "/x", sink)).error(),
              (Error{ErrorKind::not_found, "engine: GET /containers/c/archive: 404 no such container: c"}));
    EXPECT_EQ(run(client.container_logs("c")).error(),
              (Error{ErrorKind::not_found, "engine: GET /containers/c/logs: 404 no such container: c"}));
    EXPECT_EQ(run(client.container_attach("c", false)).error(),
              (Error{ErrorKind::not_found, "engine: POST /containers/c/attach: 404 no such container: c"}));
    EXPECT_EQ(run(client.events(json::object(), [](const json&) { return true; })).error(),
              (Error{ErrorKind::not_found, "engine: GET /events: 404 no such container: c"}));
}

// Podman names a target for what is no link as well.
TEST_F(Trouble, OnlyALinkHasATarget) {
    // {"name": "x", "size": 5, "mode": MODE, "linkTarget": "/x"}, MODE 0755 and that of Go for a link
    const std::pair<const char*, const char*> cases[] = {
        {"eyJuYW1lIjogIngiLCAic2l6ZSI6IDUsICJtb2RlIjogNDkzLCAibGlua1RhcmdldCI6ICIveCJ9", ""},
        {"eyJuYW1lIjogIngiLCAic2l6ZSI6IDUsICJtb2RlIjogMTM0MjE4MjM5LCAibGlua1RhcmdldCI6ICIveCJ9", "/x"}};
    for (const auto& [stat, target] : cases) {
        answer(std::string("HTTP/1.1 200 OK\r\nX-Docker-Container-Path-Stat: ") + stat + "\r\n\r\n");
        EXPECT_EQ(run(client.archive_stat("c", "/x"))->link_target, target);
    }
}

TEST_F(Trouble, AnErrorWithoutABodyStillSaysWhat) {
    answer("HTTP/1.1 404 Not Found\r\nContent-Length: 70\r\n\r\n");  // a reply to HEAD has the length of what
                                                                     // GET would give
    EXPECT_EQ(run(client.archive_stat("c", "/x")).error(),
              (Error{ErrorKind::not_found, "engine: HEAD /containers/c/archive: 404 not found"}));
}

TEST_F(Trouble, AStatOfAPathIsRead) {
    // {"name":"x","size":5,"mode":2147484141,"linkTarget":""}
    const std::string stat = "eyJuYW1lIjoieCIsInNpemUiOjUsIm1vZGUiOjIxNDc0ODQxNDEsImxpbmtUYXJnZXQiOiIifQ==";
    answer("HTTP/1.1 200 OK\r\nX-Docker-Container-Path-Stat: " + stat + "\r\n\r\n");
    const auto found = run(client.archive_stat("c", "/x"));
    ASSERT_TRUE(found.has_value()) << found.error().message;
    EXPECT_EQ(found->size, 5U);
    EXPECT_TRUE(found->is_directory());
    for (const char* header :
         {"", "X-Docker-Container-Path-Stat: @\r\n", "X-Docker-Container-Path-Stat: AAAA\r\n"}) {
        answer(std::string("HTTP/1.1 200 OK\r\n") + header + "\r\n");
        EXPECT_EQ(run(client.archive_stat("c", "/x")).error().kind, ErrorKind::protocol) << header;
    }
}

// ---- streams

TEST_F(Trouble, ALogThatEndsInsideAFrameIsAnError) {
    answer(chunked({frame(1, "whole"), frame(2, "half").substr(0, 10)}));
    EXPECT_EQ(run(client.container_logs("c")).error().kind, ErrorKind::protocol);
    answer(chunked({std::string(3, '\0')}));
    EXPECT_EQ(run(client.container_logs("c")).error().kind, ErrorKind::protocol);
}

TEST_F(Trouble, ALogOfATerminalHasNoFrames) {
    answer(chunked({"a terminal's raw output"}));
    EXPECT_EQ(run(client.container_logs("c"))->text, "a terminal's raw output");
}

TEST_F(Trouble, OfALogTheLastBytesAreKept) {
    std::string frames;
    for (int i = 0; i < 5000; ++i) frames += frame(static_cast<char>(1 + i % 2), fmt::format("{:04}\n", i));
    answer(chunked({frames}));
    const auto log = run(client.container_logs("c", 10));
    EXPECT_EQ(log->text, "4998\n4999\n");
    EXPECT_TRUE(log->cut);
}

TEST_F(Trouble, AnAttachmentNeedsNoUpgradeButAStream) {
    answer("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n" + frame(2, "early"));
    auto attached = run(client.container_attach("c", false));
    ASSERT_TRUE(attached.has_value()) << attached.error().message;
    const auto chunk = run((*attached)->read());
    ASSERT_TRUE(chunk.has_value() && chunk->has_value());
    EXPECT_EQ((*chunk)->bytes, "early");
    EXPECT_EQ((*chunk)->channel, Channel::err);
    EXPECT_FALSE(run((*attached)->read())->has_value());
    answer("HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ(run(client.container_attach("c", false)).error().kind, ErrorKind::protocol);
}

TEST_F(Trouble, EventsThatTheEngineEndsAreNoSuccess) {
    answer(chunked({"{\"Action\":\"start\"}\n", "\r\n", "{\"Action\":", "\"die\"}\n"}));
    std::vector<std::string> actions;
    const auto done = run(client.events(json::object(), [&](const json& event) {
        actions.push_back(event.at("Action"));
        return true;
    }));
    EXPECT_EQ(actions, (std::vector<std::string>{"start", "die"}));
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().message, "engine: GET /events: the engine ended the stream");
    answer(chunked({"{\"Action\":\"start\"}\n", "<html>\n"}));
    EXPECT_EQ(run(client.events(json::object(), [](const json&) { return true; })).error().kind,
              ErrorKind::protocol);
    answer(chunked({"{\"Action\":\"start\"}\n"}), true);
    EXPECT_TRUE(run(client.events(json::object(), [](const json&) { return false; })).has_value());
}

TEST_F(Trouble, EventsThatAreOverEnd) {
    answer(chunked({"{\"Action\":\"start\"}\n{\"Action\":\"die\"}\n"}));
    int events = 0;
    const auto count = [&](const json&) {
        ++events;
        return true;
    };
    EXPECT_TRUE(run(client.past_events(json::object(), 17, count)).has_value());
    EXPECT_EQ(events, 2);
    answer(chunked({"{\"Action\":\"start\"}\n", "{\"Action\":"}));
    EXPECT_FALSE(run(client.past_events(json::object(), 17, count)).has_value());
}

// What podman 4.3.1 (Debian 12) answered, but for the host's kernel.
TEST_F(Trouble, PodmanIsUnderstood) {
    answer(reply(
        200, R"~({"Platform":{"Name":"linux/amd64/debian-12"},"Components":[{"Name":"Podman Engine",)~"
             R"~("Version":"4.3.1","Details":{"APIVersion":"4.3.1","Arch":"amd64",)~"
             R"~("BuildTime":"1970-01-01T00:00:00Z","Experimental":"false","GitCommit":"",)~"
             R"~("GoVersion":"go1.19.8","KernelVersion":"6.1.0-28-amd64","MinAPIVersion":"4.0.0",)~"
             R"~("Os":"linux"}},{"Name":"Conmon","Version":"conmon version 2.1.6, commit: unknown",)~"
             R"~("Details":{"Package":"conmon_2.1.6+ds1-1_amd64"}},{"Name":"OCI Runtime (crun)",)~"
             R"~("Version":"crun version 1.8.1\ncommit: f8a096be060b22ccd3d5f3ebe44108517fbf6c30\nrundir: /)~"
             R"~(run/crun\nspec: 1.0.0\n+SYSTEMD +SELINUX +APPARMOR +CAP +SECCOMP +EBPF +YAJL",)~"
             R"~("Details":{"Package":"crun_1.8.1-1+deb12u1_amd64"}}],"Version":"4.3.1",)~"
             R"~("ApiVersion":"1.41","MinAPIVersion":"1.24","GitCommit":"","GoVersion":"go1.19.8",)~"
             R"~("Os":"linux","Arch":"amd64","KernelVersion":"6.1.0-28-amd64",)~"
             R"~("BuildTime":"1970-01-01T00:00:00Z"})~"));
    ASSERT_TRUE(run(client.negotiate()).has_value());
    const Version& server = client.server();
    EXPECT_EQ(server.platform + " " + server.version, "Podman Engine 4.3.1");
    EXPECT_EQ(client.api_version(), "1.41");
    EXPECT_EQ(server.min_api_version, "1.24");
    EXPECT_EQ(server.kernel, "6.1.0-28-amd64");
    answer(reply(
        200, R"~({"ID":"1e795b5c-69a5-402f-8923-41c247852b91","Driver":"overlay","CgroupDriver":"cgroupfs",)~"
             R"~("KernelVersion":"6.1.0-28-amd64","OperatingSystem":"debian","OSVersion":"12",)~"
             R"~("Architecture":"amd64","Labels":null,"DockerRootDir":"/var/lib/containers/storage",)~"
             R"~("ServerVersion":"4.3.1","DefaultRuntime":"crun","SecurityOptions":["name=seccomp,)~"
             R"~(profile=default"],"Warnings":[],"CgroupVersion":"1","Rootless":false})~"));
    const auto info = run(client.info());
    ASSERT_TRUE(info.has_value()) << info.error().message;
    EXPECT_EQ(info->cgroup_version + " " + info->cgroup_driver, "1 cgroupfs");
    EXPECT_EQ(info->storage_driver + " " + info->docker_root_dir, "overlay /var/lib/containers/storage");
    EXPECT_EQ(info->operating_system + " " + info->kernel, "debian 6.1.0-28-amd64");
    EXPECT_EQ(info->security_options, std::vector<std::string>{"name=seccomp,profile=default"});
}

TEST_F(Trouble, PodmanForgetsThePidOfAnExecThatEnded) {
    answer(reply(
        200,
        R"({"Platform":{"Name":"linux/amd64/debian"},"Components":[{"Name":"Podman Engine"}],"ApiVersion":"1.41"})"));
    ASSERT_TRUE(run(client.negotiate()).has_value());
    EXPECT_EQ(client.server().platform, "Podman Engine");
    answer(reply(201, R"({"Id":"e"})"));
    answer(upgraded + frame(1, "x"));
    answer(reply(200, R"({"Running":true,"ExitCode":0,"Pid":77})"));
    answer(reply(200, R"({"Running":false,"ExitCode":5,"Pid":0})"));
    const auto done = run(client.exec("c", ExecSpec{}, Milliseconds(1000)));
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(done->pid, 77);
    EXPECT_EQ(done->exit_code, 5);
}

constexpr const char* podman =
    R"({"Platform":{"Name":"linux/amd64"},"Components":[{"Name":"Podman Engine"}],"ApiVersion":"1.41"})";

std::string inspected(const std::string& health, const std::string& log, const std::string& interval) {
    return reply(200, R"({"Id":"c","State":{"Status":"running","Running":true,"Health":{"Status":")" +
                          health + R"(","Log":)" + log + R"(}},"Config":{"Healthcheck":{"Interval":)" +
                          interval + "}}}");
}

TEST_F(Trouble, PodmanWithoutSystemdIsToldToCheckTheHealth) {
    answer(reply(200, podman));
    ASSERT_TRUE(run(client.negotiate()).has_value());
    answer(inspected("starting", "null", "1"));  // systemd may still do it
    EXPECT_EQ(run(client.container_health("c"))->health, "starting");
    for (const char* health : {"starting", "healthy"}) {
        answer(inspected("starting", health[0] == 's' ? "null" : R"([{"ExitCode":1}])", "1"));
        answer(reply(200, R"({"Status":"?"})"));
        answer(inspected(health, R"([{"ExitCode":0}])", "1"));
        EXPECT_EQ(run(client.container_health("c"))->health, health);
        EXPECT_EQ(engine.request_line(engine.next - 2), "GET /v4.0.0/libpod/containers/c/healthcheck");
    }
}

TEST_F(Trouble, PodmansHealthIsCheckedWhenItIsDueAndNobodyElseDoes) {
    answer(reply(200, podman));
    ASSERT_TRUE(run(client.negotiate()).has_value());
    for (const auto& [log, interval] :
         {std::pair("null", "3600000000000"), std::pair("null", "0"), std::pair(R"([{"ExitCode":0}])", "1")})
        for (int i = 0; i < 2; ++i) {
            answer(inspected("starting", log, interval));  // and no more calls
            EXPECT_EQ(run(client.container_health("c"))->health, "starting") << log << interval;
        }
}

TEST_F(Trouble, PodmanThatCannotCheckTheHealthOfWhatRunsIsAnError) {
    answer(reply(200, podman));
    ASSERT_TRUE(run(client.negotiate()).has_value());
    answer(inspected("starting", "null", "1"));
    EXPECT_TRUE(run(client.container_health("c")).has_value());
    answer(inspected("starting", "null", "1"));
    answer(reply(409, R"({"message":"no"})"));
    answer(inspected("starting", "null", "1"));
    EXPECT_EQ(run(client.container_health("c")).error().kind, ErrorKind::refused);
    answer(inspected("starting", "null", "1"));
    answer(reply(409, R"({"message":"container is stopped"})"));
    answer(reply(200, R"({"Id":"c","State":{"Status":"exited","Running":false,"ExitCode":3}})"));
    EXPECT_EQ(run(client.container_health("c"))->exit_code, 3);
}

TEST_F(Trouble, PodmanGetsAHealthChecksWordsThroughAShell) {
    using Words = std::vector<std::string>;
    EXPECT_EQ(health_test_for_podman({"CMD", "a", "b"}), (Words{"CMD", "a", "b"}));
    EXPECT_EQ(health_test_for_podman({"CMD-SHELL", "a 'b' >c"}), (Words{"CMD-SHELL", "a 'b' >c"}));
    EXPECT_EQ(health_test_for_podman({"NONE"}), (Words{"NONE"}));
    EXPECT_EQ(health_test_for_podman({"CMD", "sh", "-c", "echo 'h' >/x"}),
              (Words{"CMD-SHELL", "exec 'sh' '-c' 'echo '\\''h'\\'' >/x'"}));
    EXPECT_EQ(health_test_for_podman({"CMD", "a", ""}), (Words{"CMD-SHELL", "exec 'a' ''"}));
    for (const char* engine_name : {"Podman Engine", "Engine"}) {
        answer(reply(200, std::string(R"({"Components":[{"Name":")") + engine_name +
                              R"("}],"Platform":{"Name":"x"},"ApiVersion":"1.41"})"));
        ASSERT_TRUE(run(client.negotiate()).has_value());
        ContainerSpec spec;
        spec.health.emplace();
        spec.health->test = {"CMD", "a b"};
        answer(reply(201, R"({"Id":"c"})"));
        ASSERT_TRUE(run(client.container_create(spec)).has_value());
        const bool shell = client.server().is_podman();
        EXPECT_EQ(shell, engine_name[0] == 'P');
        EXPECT_EQ(json::parse(engine.body(engine.next - 1))["Healthcheck"]["Test"][0],
                  shell ? "CMD-SHELL" : "CMD");
    }
}

// Docker's engines make them themselves.
TEST_F(Trouble, DockersHealthIsOnlyLookedAt) {
    for (int i = 0; i < 3; ++i) {
        answer(inspected("starting", "null", "1"));
        EXPECT_EQ(run(client.container_health("c"))->health, "starting");
    }
}

TEST_F(Trouble, PodmanCannotKillWhatHasJustEnded) {
    answer(reply(500,
                 R"({"message":"cannot remove container c as it could not be stopped: sending SIGKILL to )"
                 R"(container c: container state improper: stopped"})"));
    answer(reply(204, ""));
    EXPECT_TRUE(run(client.container_remove("c")).has_value());
    answer(reply(500, R"({"message":"no space left"})"));
    EXPECT_FALSE(run(client.container_remove("c")).has_value());
}

// Companions and a pod's containers are removed side by side.
TEST_F(Trouble, PodmanRemovesAContainerWhoseNetworkOthersHaveOnlyAfterThem) {
    answer(reply(500, R"({"message":"container c has dependent containers which must be removed before it: )"
                      R"(d: container already exists"})"));
    answer(reply(204, ""));
    EXPECT_TRUE(run(client.container_remove("c")).has_value());
}

TEST_F(Trouble, PodmanTellsWhetherAVolumeAwaitsItsFirstContainer) {
    EXPECT_FALSE(run(client.volume_awaits_first_use("v")).value());  // docker's: nothing is asked
    answer(reply(200, podman));
    ASSERT_TRUE(run(client.negotiate()).has_value());
    answer(reply(200, R"({"Name":"v","NeedsCopyUp":true,"NeedsChown":true})"));
    EXPECT_TRUE(run(client.volume_awaits_first_use("v")).value());
    answer(reply(200, R"({"Name":"v","NeedsCopyUp":true})"));
    EXPECT_FALSE(run(client.volume_awaits_first_use("v")).value());
    answer(reply(500, R"({"message":"no"})"));
    EXPECT_EQ(run(client.volume_awaits_first_use("v")).error().kind, ErrorKind::refused);
}

TEST_F(Trouble, PodmanListsImagesAgainWhenOneWentAwayMeanwhile) {
    answer(reply(500, R"({"message":"locating image with ID \"d\": image not known"})"));
    answer(reply(200, R"([{"Id": "sha256:1", "RepoTags": ["a:b"], "Labels": {}}])"));
    EXPECT_EQ(run(client.image_list("x=y"))->size(), 1U);
    answer(reply(500, R"({"message":"disk failure"})"));
    EXPECT_FALSE(run(client.image_list("x=y")).has_value());
}

TEST_F(Trouble, PodmanSaysWithin500ThatAContainerHasGone) {
    answer(reply(500, R"({"message":"no container with name or ID \"c\" found: no such container"})"));
    EXPECT_EQ(run(client.container_kill("c", "KILL")).error().kind, ErrorKind::not_found);
    answer(reply(500, R"({"message":"no such container runtime"})"));
    EXPECT_EQ(run(client.container_kill("c", "KILL")).error().kind, ErrorKind::refused);
}

// ---- endings

// As Asio's sockets have it.
TEST_F(Trouble, WritingOnceMoreWhereNobodyReadsEndsAtOnce) {
    engine.exchanges.push_back({upgraded, true, {}, 1});
    auto attached = run(client.container_attach("c", true));
    ASSERT_TRUE(attached.has_value()) << attached.error().message;
    for (int i = 0; i < 2; ++i) {
        const auto written = run(attached->get()->write("x"));
        ASSERT_FALSE(written.has_value());
        EXPECT_EQ(written.error().kind, ErrorKind::engine) << i << written.error().message;
    }
}

TEST_F(Trouble, AContainersOutputIsWaitedForNoLongerThanACall) {
    client.set_timeout(Milliseconds(50));
    answer(upgraded + frame(1, "half"), true);  // the engine says that it started it, and did not
    answer(reply(204, ""));
    const auto done = run(client.container_output("c"));
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::timeout);
    EXPECT_NE(done.error().message.find("engine: POST /containers/c/attach: "), std::string::npos)
        << done.error().message;
    answer(upgraded + frame(1, "ab") + frame(2, "not this") + frame(1, "c"));
    answer(reply(204, ""));
    EXPECT_EQ(run(client.container_output("c")).value(), "abc");
    answer(upgraded + frame(1, "abc").substr(0, 9));
    answer(reply(204, ""));
    EXPECT_NE(
        run(client.container_output("c")).error().message.find("/attach: the engine's stream broke off"),
        std::string::npos);
}

TEST_F(Trouble, AnExecThatGoesOnEndsByItsDeadline) {
    answer(reply(201, R"({"Id":"e"})"));
    answer(upgraded + frame(1, "x"), true);
    answer(reply(200, R"({"Running":true,"ExitCode":null,"Pid":77})"));
    const auto done = run(client.exec("c", ExecSpec{}, Milliseconds(30)));
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::timeout) << done.error().message;
}

TEST_F(Trouble, AnExecWhoseOutputWasLostIsNoSlowProcess) {
    answer(reply(201, R"({"Id":"e"})"));
    answer(upgraded + frame(1, "x"), true);
    answer(reply(200, R"({"Running":false,"ExitCode":0,"Pid":77})"));
    const auto done = run(client.exec("c", ExecSpec{}, Milliseconds(30)));
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::engine) << done.error().message;
}

TEST_F(Trouble, AnEngineThatDoesNotTellOfAnExecIsNoSlowProcess) {
    client.set_timeout(Milliseconds(30));
    answer(reply(201, R"({"Id":"e"})"));
    answer(upgraded + frame(1, "x"));
    answer("", true);
    const auto done = run(client.exec("c", ExecSpec{}, Milliseconds(60'000)));
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::engine) << done.error().message;
}

TEST_F(Trouble, ALogThatIsNoneNamesTheCall) {
    answer(reply(200, frame(1, "x") + "no frame follows"));
    const auto log = run(client.container_logs("c", 4096));
    ASSERT_FALSE(log.has_value());
    EXPECT_EQ(log.error().message.find("engine: GET /containers/logs: "), 0U) << log.error().message;
}

TEST_F(Trouble, TheTimeoutHoldsForEveryCall) {
    client.set_timeout(Milliseconds(30));
    answer("", true);
    const auto inspected = run(client.container_inspect("c"));
    ASSERT_FALSE(inspected.has_value());
    EXPECT_EQ(inspected.error().kind, ErrorKind::timeout);
    EXPECT_EQ(inspected.error().message,
              "engine: GET /containers/c/json: no answer from the engine within 30 ms");
    answer("", true);
    EXPECT_EQ(run(client.image_import("r", "t", "tar", {})).error().kind, ErrorKind::timeout);
    answer("", true);
    EXPECT_EQ(run(client.container_attach("c", true)).error().kind, ErrorKind::timeout);
    answer(reply(201, R"({"Id":"e"})"));
    answer("", true);
    EXPECT_EQ(run(client.exec("c", ExecSpec{}, Milliseconds(60'000))).error().kind, ErrorKind::engine);
}

TEST_F(Trouble, JsonOfAnotherShapeIsNoAnswer) {
    const std::string other = reply(200, R"({"unexpected":[1,2]})");
    const auto kind = [&](auto task) {
        const auto done = run(std::move(task));
        return done.has_value() ? ErrorKind::internal : done.error().kind;
    };
    answer(other);
    EXPECT_EQ(kind(client.container_inspect("c")), ErrorKind::protocol);
    answer(other);
    EXPECT_EQ(kind(client.container_list("l")), ErrorKind::protocol);
    answer(other);
    EXPECT_EQ(kind(client.container_wait("c", Milliseconds(1000))), ErrorKind::protocol);
    answer(other);
    EXPECT_EQ(kind(client.image_list("l")), ErrorKind::protocol);
    answer(other);
    EXPECT_EQ(kind(client.image_inspect("i")), ErrorKind::protocol);
    answer(other);
    EXPECT_EQ(kind(client.volume_inspect("v")), ErrorKind::protocol);
    answer(other);
    EXPECT_EQ(kind(client.volume_list("l")), ErrorKind::protocol);
    answer(other);
    EXPECT_EQ(kind(client.network_list("l")), ErrorKind::protocol);
    answer(other);
    EXPECT_EQ(kind(client.network_create("n", {})), ErrorKind::protocol);
}

TEST_F(Trouble, CallsInCallsAreCancelled) {
    answer(reply(201, R"({"Id":"e"})"));
    answer(upgraded, true);
    EXPECT_EQ(run_cancelled(client.exec("c", ExecSpec{}, Milliseconds(60'000))).error().kind,
              ErrorKind::cancelled);
}

TEST_F(Trouble, EventsAreCancelled) {
    answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true);
    const auto done = run_cancelled(client.events(json::object(), [](const json&) { return true; }));
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::cancelled) << done.error().message;
}

TEST_F(Trouble, ACancellationBetweenTwoCallsIsNotLost) {
    answer(reply(200, "{}"));
    answer("", true);  // would hang for its 60 seconds
    asio::cancellation_signal signal;
    Result<Info> result = Info{};
    auto two_calls = [&]() -> Task<Info> {
        co_await asio::this_coro::throw_if_cancelled(false);
        auto first = co_await client.info();
        EXPECT_TRUE(first.has_value());
        signal.emit(asio::cancellation_type::terminal);  // nothing is pending at this moment
        auto second = co_await client.info();
        co_return second;
    };
    asio::co_spawn(context, two_calls(),
                   asio::bind_cancellation_slot(signal.slot(),
                                                [&](const std::exception_ptr& thrown, Result<Info> value) {
                                                    EXPECT_FALSE(thrown);
                                                    result = std::move(value);
                                                }));
    context.restart();
    context.run();
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::cancelled);
}

}  // namespace
}  // namespace rogate::engine
