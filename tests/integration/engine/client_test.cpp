// The client against a real engine (DOCKER_HOST, context or /var/run/docker.sock) and an image that has sh
// and coreutils: ROGATE_TEST_IMAGE, else rogate/base:bookworm. Whatever a test makes is labelled
// io.rogate.session=<random> and removed at its end.
#include "engine/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>

namespace rogate::engine {
namespace {

namespace asio = boost::asio;
using nlohmann::json;

constexpr Milliseconds patience(30'000);
const std::string label_name = "io.rogate.session";

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

// A tar of one file (POSIX ustar: 512 bytes of header, the content padded to 512, two empty blocks).
std::string tar_of(const std::string& name, const std::string& content) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
    std::array<char, 16> size{};
    std::snprintf(size.data(), size.size(), "%011zo", content.size());
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, size.data());
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, std::string("ustar\0", 6) + "00");
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    std::array<char, 16> check{};
    std::snprintf(check.data(), check.size(), "%06o", sum);
    put(148, std::string(check.data()) + std::string("\0 ", 2));
    return header + content + std::string((512 - content.size() % 512) % 512, '\0') + std::string(1024, '\0');
}

class EngineTest : public ::testing::Test {
  protected:
    void SetUp() override {
        auto endpoint = find_endpoint(std::nullopt, environment);
        ASSERT_TRUE(endpoint.has_value()) << endpoint.error().message;
        auto transport = make_transport(context.get_executor(), *endpoint);
        ASSERT_TRUE(transport.has_value()) << transport.error().message;
        client = std::make_unique<Client>(context.get_executor(), std::move(*transport), *endpoint);
        const auto ready = run(client->negotiate());
        if (!ready) FAIL() << ready.error().message;
        const auto found = run(client->image_inspect(image));
        if (!found)
            FAIL() << "needs an image with sh and coreutils, see ROGATE_TEST_IMAGE: "
                   << found.error().message;
    }
    void TearDown() override {
        if (!client || client->api_version().empty()) return;
        const std::string mine = label_name + "=" + session;
        for (const auto& each : run(client->container_list(mine)).value_or(std::vector<ContainerSummary>{}))
            EXPECT_TRUE(run(client->container_remove(each.id)).has_value()) << each.name;
        for (const auto& each : run(client->volume_list(mine)).value_or(std::vector<VolumeInfo>{}))
            EXPECT_TRUE(run(client->volume_remove(each.name)).has_value()) << each.name;
        for (const auto& each : run(client->network_list(mine)).value_or(std::vector<NetworkInfo>{}))
            EXPECT_TRUE(run(client->network_remove(each.id)).has_value()) << each.name;
        for (const auto& each : run(client->image_list(mine)).value_or(std::vector<ImageSummary>{}))
            EXPECT_TRUE(run(client->image_remove(each.id, true)).has_value()) << each.id;
    }

    template <class T>
    Result<T> run(Task<T> task) {
        Result<T> result = fail(ErrorKind::internal, "did not end");
        asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& thrown, Result<T> value) {
            if (thrown) std::rethrow_exception(thrown);
            result = std::move(value);
        });
        context.restart();
        context.run();
        return result;
    }
    // What must succeed for the test to go on.
    template <class T>
    T must(Task<T> task) {
        auto result = run(std::move(task));
        if (!result) throw std::runtime_error(result.error().message);
        return std::move(*result);
    }
    void must(Task<> task) {
        auto result = run(std::move(task));
        if (!result) throw std::runtime_error(result.error().message);
    }
    ContainerSpec sh(const std::string& script) const {
        ContainerSpec spec;
        spec.name = "rogate-test-" + session + "-" + std::to_string(::getpid());
        spec.image = image;
        spec.entrypoint = std::vector<std::string>{"sh", "-c", script};
        spec.labels = {{label_name, session}};
        spec.network_mode = "none";
        return spec;
    }
    static ExecSpec command(std::vector<std::string> words) {
        ExecSpec spec;
        spec.command = std::move(words);
        return spec;
    }

    asio::io_context context;
    std::unique_ptr<Client> client;
    const std::string image = environment("ROGATE_TEST_IMAGE").value_or("rogate/base:bookworm");
    const std::string session = [] {
        std::random_device device;
        return std::to_string(device()) + std::to_string(device());
    }();
};

TEST_F(EngineTest, SaysWhatItIs) {
    EXPECT_FALSE(client->server().version.empty());
    EXPECT_EQ(client->api_version().substr(0, 2), "1.");
    const Info info = must(client->info());
    EXPECT_FALSE(info.docker_root_dir.empty());
    EXPECT_EQ(run(client->image_inspect("rogate-no-such-image:" + session)).error().kind,
              ErrorKind::not_found);
}

TEST_F(EngineTest, AContainersLife) {
    const std::string id = must(client->container_create(sh("echo out; echo err >&2; exec sleep 100")));
    EXPECT_EQ(must(client->container_inspect(id)).status, "created");
    must(client->container_start(id));
    must(client->container_start(id));  // 304: it runs already
    const ContainerState state = must(client->container_inspect(id));
    EXPECT_TRUE(state.running);
    EXPECT_GT(state.pid, 0);
    EXPECT_EQ(state.id, id);
    ASSERT_EQ(must(client->container_list(label_name + "=" + session)).size(), 1U);
    must(client->container_stop(id, 0));
    must(client->container_start(id));
    EXPECT_NE(must(client->container_inspect(id)).pid, state.pid);
    must(client->container_kill(id, "SIGKILL"));
    EXPECT_EQ(must(client->container_wait(id, patience)), 137);
    must(client->container_stop(id, 1));  // 304: it has ended
    const std::string log = must(client->container_logs(id)).text;
    EXPECT_NE(log.find("out\n"), std::string::npos) << log;
    EXPECT_NE(log.find("err\n"), std::string::npos) << log;
    EXPECT_EQ(must(client->container_logs(id, 3)).text.size(), 3U);
    must(client->container_remove(id));
    must(client->container_remove(id));
    EXPECT_EQ(run(client->container_inspect(id)).error().kind, ErrorKind::not_found);
}

TEST_F(EngineTest, ErrorsAreTheEngines) {
    ContainerSpec spec = sh("true");
    spec.image = "rogate-no-such-image:" + session;
    const auto created = run(client->container_create(spec));
    ASSERT_FALSE(created.has_value());
    EXPECT_EQ(created.error().kind, ErrorKind::not_found);
    EXPECT_TRUE(created.error().message.starts_with("engine: POST /containers/create: 404 "))
        << created.error().message;
    spec = sh("true");
    spec.entrypoint = std::vector<std::string>{"/no/such/program"};
    const std::string id = must(client->container_create(spec));
    const auto started = run(client->container_start(id));
    ASSERT_FALSE(started.has_value());
    EXPECT_NE(started.error().message.find("/no/such/program"), std::string::npos) << started.error().message;
}

TEST_F(EngineTest, ExecGivesOutputsExitCodeAndPid) {
    const std::string id = must(client->container_create(sh("exec sleep 100")));
    must(client->container_start(id));
    ExecSpec spec = command({"sh", "-c", "cat; echo $GREETING >&2; exit 3"});
    spec.env = {"GREETING=hello"};
    spec.stdin_text = std::string(300'000, 'x');  // more than a pipe holds
    const ExecResult done = must(client->exec(id, spec, patience));
    EXPECT_EQ(done.exit_code, 3);
    EXPECT_GT(done.pid, 0);
    EXPECT_EQ(done.output_stdout.size(), spec.stdin_text.size());
    EXPECT_EQ(done.output_stderr, "hello\n");
    EXPECT_FALSE(done.truncated);
    const ExecResult cut = must(client->exec(id, command({"sh", "-c", "echo 0123456789"}), patience, 4));
    EXPECT_EQ(cut.output_stdout, "0123");
    EXPECT_TRUE(cut.truncated);
    // Input that nobody reads: podman ends the connection then, and with it what the process goes on to say.
    spec.command = {"true"};
    const auto unread = run(client->exec(id, spec, patience));
    if (unread) {
        EXPECT_EQ(unread->exit_code, 0);
    } else {
        EXPECT_TRUE(client->server().is_podman()) << unread.error().message;
        EXPECT_EQ(unread.error().kind, ErrorKind::engine);
    }
    // 126 of Docker 20.10, 127 of newer ones.
    EXPECT_THAT(must(client->exec(id, command({"/no/such/program"}), patience)).exit_code,
                ::testing::AnyOf(126, 127));
    const auto slow = run(client->exec(id, command({"sleep", "100"}), Milliseconds(300)));
    ASSERT_FALSE(slow.has_value());
    EXPECT_EQ(slow.error().kind, ErrorKind::timeout);
}

TEST_F(EngineTest, AnAttachedClientSpeaksAndListens) {
    ContainerSpec spec = sh("read line; echo \"got $line\"; echo bad >&2; cat >/dev/null; echo end");
    spec.open_stdin = true;
    const std::string id = must(client->container_create(spec));
    const auto attached = must(client->container_attach(id, true));
    must(client->container_start(id));
    const std::string line = "words\n";
    must(attached->write(line));
    std::map<Channel, std::string> heard;
    while (heard[Channel::out].size() < 10 || heard[Channel::err].size() < 4) {
        const auto chunk = must(attached->read());
        ASSERT_TRUE(chunk.has_value());
        heard[chunk->channel] += chunk->bytes;
    }
    EXPECT_EQ(heard[Channel::out], "got words\n");
    EXPECT_EQ(heard[Channel::err], "bad\n");
    // StdinOnce: the container's stdin ends when its client goes away.
    attached->close();
    EXPECT_EQ(must(client->container_wait(id, patience)), 0);
}

TEST_F(EngineTest, FilesGoInAndOut) {
    const std::string id = must(client->container_create(sh("exec sleep 100")));
    const std::string content = std::string(200'000, 'y') + "end";
    must(client->archive_put(id, "/tmp", tar_of("it is&a=file", content)));
    const auto stat = must(client->archive_stat(id, "/tmp/it is&a=file"));
    EXPECT_EQ(stat.size, content.size());
    EXPECT_FALSE(stat.is_directory());
    EXPECT_TRUE(must(client->archive_stat(id, "/tmp")).is_directory());
    std::string tar;
    const ByteSink all = [&](std::string_view bytes) -> Result<bool> {
        tar += bytes;
        return true;
    };
    must(client->archive_get(id, "/tmp/it is&a=file", all));
    EXPECT_NE(tar.find(content), std::string::npos);
    int calls = 0;
    const ByteSink enough = [&](std::string_view) -> Result<bool> { return ++calls < 2; };
    must(client->archive_get(id, "/usr", enough));
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(run(client->archive_stat(id, "/no/such/path")).error().kind, ErrorKind::not_found);
    EXPECT_EQ(run(client->archive_get(id, "/no/such/path", all)).error().kind, ErrorKind::not_found);
}

TEST_F(EngineTest, VolumesAndNetworks) {
    const std::string name = "rogate-test-" + session, mine = label_name + "=" + session;
    VolumeSpec spec;
    spec.name = name;
    spec.labels = {{label_name, session}};
    EXPECT_EQ(must(client->volume_create(spec)).name, name);
    EXPECT_FALSE(must(client->volume_inspect(name)).mountpoint.empty());
    ASSERT_EQ(must(client->volume_list(mine)).size(), 1U);
    const std::string network = must(client->network_create(name, {{label_name, session}}));
    ASSERT_EQ(must(client->network_list(mine)).size(), 1U);

    ContainerSpec writer = sh("echo kept > /data/file && ! touch /data-ro/x 2>/dev/null && test -d /scratch");
    writer.mounts = {{.type = MountSpec::Type::volume,
                      .source = name,
                      .target = "/data",
                      .read_only = false,
                      .no_copy = true,
                      .propagation = {}},
                     {.type = MountSpec::Type::volume,
                      .source = name,
                      .target = "/data-ro",
                      .read_only = true,
                      .no_copy = false,
                      .propagation = {}}};
    writer.tmpfs = {{"/scratch", "size=1m"}};
    writer.network_mode = name;
    writer.network_aliases = {"writer"};
    writer.publish = {{.container_port = 80, .protocol = "tcp", .host_ip = "127.0.0.1", .host_port = 0}};
    writer.health = HealthSpec{
        .test = {"CMD", "true"}, .interval_ms = 1000, .timeout_ms = 1000, .start_period_ms = 0, .retries = 1};
    const std::string id = must(client->container_create(writer));
    must(client->container_start(id));
    EXPECT_EQ(must(client->container_wait(id, patience)), 0) << must(client->container_logs(id)).text;
    EXPECT_EQ(run(client->volume_remove(name)).error().kind, ErrorKind::refused);  // 409: in use
    must(client->container_remove(id));
    must(client->volume_remove(name));
    must(client->volume_remove(name));
    must(client->network_remove(network));
    must(client->network_remove(network));
    EXPECT_TRUE(must(client->volume_list(mine)).empty());
}

TEST_F(EngineTest, AnImportedImageHasItsChanges) {
    const std::string changes = "LABEL " + label_name + "=" + session;
    const std::string id = must(client->image_import("localhost/rogate-test", session, tar_of("file", "x"),
                                                     {changes, "VOLUME /data", "ENV A=\"b c\""}));
    const ImageInfo info = must(client->image_inspect("localhost/rogate-test:" + session));
    EXPECT_EQ(info.id, id);
    EXPECT_EQ(info.volumes, std::vector<std::string>{"/data"});
    EXPECT_THAT(info.env, ::testing::Contains("A=b c"));
    ASSERT_EQ(must(client->image_list(label_name + "=" + session)).size(), 1U);
    must(client->image_remove("localhost/rogate-test:" + session, true));
    must(client->image_remove("localhost/rogate-test:" + session, true));
    const auto wrong =
        run(client->image_import("localhost/rogate-test", session, tar_of("file", "x"), {"NONSENSE x"}));
    EXPECT_FALSE(wrong.has_value());
}

TEST_F(EngineTest, AContainerThatRemovesItselfIsGone) {
    ContainerSpec spec = sh("exec sleep 100");
    spec.auto_remove = true;
    const std::string id = must(client->container_create(spec));
    must(client->container_start(id));
    // Podman answers when it has ended, and may have gone.
    const auto killed = run(client->container_kill(id, "KILL"));
    EXPECT_TRUE(killed || killed.error().kind == ErrorKind::not_found) << killed.error().message;
    must(client->container_remove(id));  // perhaps 409: its removal is under way
    EXPECT_EQ(run(client->container_inspect(id)).error().kind, ErrorKind::not_found);
}

TEST_F(EngineTest, EventsComeUntilEnoughAndUntilCancelled) {
    const json filters = {{"type", {"container"}}, {"label", {label_name + "=" + session}}};
    std::vector<std::string> actions;
    Result<> listened = fail(ErrorKind::internal, "did not end");
    auto listening = client->events(filters, [&](const json& event) {
        if (event.at("Action") != "init") actions.push_back(event.at("Action"));  // podman's own
        return actions.empty() || actions.back() != "die";
    });
    asio::co_spawn(context, std::move(listening), [&](const std::exception_ptr& thrown, Result<> value) {
        EXPECT_FALSE(thrown);
        listened = std::move(value);
    });
    auto live = [&]() -> Task<> {
        // The engine gives the events since it was asked: let the question arrive first.
        asio::steady_timer timer(context, std::chrono::milliseconds(300));
        co_await timer.async_wait(asio::use_awaitable);
        auto id = co_await client->container_create(sh("true"));
        if (!id) co_return fail(std::move(id.error()));
        co_return co_await client->container_start(*id);
    };
    must(live());
    EXPECT_TRUE(listened.has_value()) << listened.error().message;
    EXPECT_EQ(actions, (std::vector<std::string>{"create", "start", "die"}));

    asio::cancellation_signal signal;
    auto quiet = [&]() -> Task<> {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_return co_await client->events(filters, [](const json&) { return true; });
    };
    asio::co_spawn(
        context, quiet(),
        asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& thrown, Result<> value) {
            EXPECT_FALSE(thrown);
            listened = std::move(value);
        }));
    asio::steady_timer timer(context, std::chrono::milliseconds(200));
    timer.async_wait(
        [&](const boost::system::error_code&) { signal.emit(asio::cancellation_type::terminal); });
    context.restart();
    context.run();
    ASSERT_FALSE(listened.has_value());
    EXPECT_EQ(listened.error().kind, ErrorKind::cancelled);
}

TEST(EngineUnreachable, IsToldWithAWayOut) {
    asio::io_context context;
    const Endpoint nowhere = *parse_endpoint("unix:///tmp/rogate-no-such.sock");
    auto transport = make_transport(context.get_executor(), nowhere);
    Client client(context.get_executor(), std::move(*transport), nowhere);
    Result<> done;
    asio::co_spawn(context, client.negotiate(),
                   [&](const std::exception_ptr&, Result<> value) { done = std::move(value); });
    context.run();
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::engine);
    for (const char* part :
         {"cannot reach the engine at unix:///tmp/rogate-no-such.sock", "No such file", "DOCKER_HOST"})
        EXPECT_NE(done.error().message.find(part), std::string::npos) << done.error().message;
}

}  // namespace
}  // namespace rogate::engine
