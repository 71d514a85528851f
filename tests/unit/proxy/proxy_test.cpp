// The proxy between clients and an engine of this file's own, over real sockets.
#include "proxy/proxy.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <filesystem>

#include "proxy/local_stream.hpp"

namespace rogate::proxy::test {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using testing::HasSubstr;
constexpr auto as_answer = asio::as_tuple(asio::use_awaitable);

std::string folder_of_test() {
    std::string name = "/tmp/rogate-proxy-test-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    return name;
}

// Answers by what it is asked for, and remembers the heads.
class Engine {
  public:
    Engine(asio::io_context& context, const std::string& path)
        : acceptor_(context, stream_protocol::endpoint(path)) {
        accept();
    }
    void stop() { acceptor_.close(); }

    std::vector<std::string> heads;
    std::size_t big = 40U << 20U;
    bool saw_client_leave = false;

  private:
    void accept() {
        acceptor_.async_accept(
            [this](const boost::system::error_code& error, stream_protocol::socket socket) {
                if (error) return;
                asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)),
                               [](const std::exception_ptr&) {});
                accept();
            });
    }
    static asio::awaitable<void> say(stream_protocol::socket& to, std::string text) {
        co_await asio::async_write(to, asio::buffer(text), as_answer);
    }
    asio::awaitable<void> serve(stream_protocol::socket socket) {
        std::string bytes;
        auto [error, size] =
            co_await asio::async_read_until(socket, asio::dynamic_buffer(bytes), "\r\n\r\n", as_answer);
        if (error) co_return;
        const std::string head = bytes.substr(0, size);
        heads.push_back(head);
        std::string rest = bytes.substr(size);
        const auto asks = [&](const char* path) {
            return head.find(std::string(" ") + path) != std::string::npos;
        };
        if (asks("/_ping")) {
            co_await say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK");
        } else if (asks("/big")) {
            co_await say(socket, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(big) + "\r\n\r\n");
            std::string piece(1U << 20U, 'x');
            for (std::size_t sent = 0; sent < big; sent += piece.size()) {
                auto [failed, written] = co_await asio::async_write(socket, asio::buffer(piece), as_answer);
                if (failed) break;
            }
        } else if (asks("/load")) {
            std::size_t count = rest.size();
            std::string piece(1U << 20U, '\0');
            while (count < big) {
                auto [failed, got] = co_await socket.async_read_some(asio::buffer(piece), as_answer);
                if (failed) break;
                count += got;
            }
            co_await say(socket, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::to_string(count));
        } else if (asks("/attach")) {
            co_await say(socket,
                         "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello ");
            // All until the client has closed its half, then an answer to it.
            [[maybe_unused]] const auto read =
                co_await asio::async_read(socket, asio::dynamic_buffer(rest), as_answer);
            co_await say(socket, "got " + rest);
        } else if (asks("/refused")) {
            co_await say(socket, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
            [[maybe_unused]] const auto read =
                co_await asio::async_read(socket, asio::dynamic_buffer(rest), as_answer);
            saw_client_leave = true;
        } else if (asks("/forever")) {
            co_await say(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
            [[maybe_unused]] const auto read =
                co_await asio::async_read(socket, asio::dynamic_buffer(rest), as_answer);
            saw_client_leave = true;
        } else if (head.find("/containers/create") != std::string::npos) {
            while (rest.size() < 5) {
                auto [failed, got] = co_await asio::async_read(socket, asio::dynamic_buffer(rest),
                                                               asio::transfer_at_least(1), as_answer);
                if (failed) break;
            }
            const std::string body = R"({"Id":"1","got":")" + rest + "\"}";
            co_await say(socket, "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n" +
                                     fmt_size(body.size()) + "\r\n" + body + "\r\n0\r\n\r\n");
        }
        // Anything else: the connection breaks off.
    }
    static std::string fmt_size(std::size_t size) {
        char text[32];
        snprintf(text, sizeof text, "%zx", size);
        return text;
    }
    stream_protocol::acceptor acceptor_;
};

class Looks : public Overseer {
  public:
    bool wants(const Call& call) const override { return call.kind == CallKind::create; }
    engine::Task<> before(Exchange& exchange) override {
        bodies.push_back(exchange.body);
        if (refuses) co_return fail(ErrorKind::refused, "not now");
        exchange.body = "changed";
        exchange.note = 7;
        co_return Result<>{};
    }
    engine::Task<> after(const Exchange& exchange, int status, const std::string& body) override {
        replies.push_back(std::to_string(exchange.note) + " " + std::to_string(status) + " " + body);
        co_return Result<>{};
    }
    std::vector<std::string> bodies, replies;
    bool refuses = false;
};

class AProxy : public testing::Test {
  protected:
    AProxy() : folder(folder_of_test()), engine(context, folder + "/real.sock") {
        std::signal(SIGPIPE, SIG_IGN);
        transport = make_local_transport(context.get_executor(), folder + "/real.sock");
        proxy = std::make_unique<Proxy>(context.get_executor(), *transport, looks);
        const auto listening = proxy->listen(folder);
        EXPECT_TRUE(listening) << listening.error().message;
    }
    ~AProxy() override { std::filesystem::remove_all(folder); }

    // Sends all, closes its half if asked to, and reads until the end.
    asio::awaitable<std::string> ask(std::string text, bool half_close = false) {
        stream_protocol::socket socket(context);
        co_await socket.async_connect(stream_protocol::endpoint(folder + "/engine.sock"), as_answer);
        co_await asio::async_write(socket, asio::buffer(text), as_answer);
        if (half_close) socket.shutdown(stream_protocol::socket::shutdown_send);
        std::string answer;
        co_await asio::async_read(socket, asio::dynamic_buffer(answer), as_answer);
        co_return answer;
    }
    void go(std::function<asio::awaitable<void>()> test) {
        bool done = false;
        asio::co_spawn(context, test(), [&](const std::exception_ptr& thrown) {
            EXPECT_EQ(thrown, nullptr);
            done = true;
        });
        while (!done && context.run_one_for(std::chrono::seconds(30)) > 0) {
        }
        EXPECT_TRUE(done) << "it waits for nothing";
        asio::co_spawn(context, proxy->stop(),
                       [&](const std::exception_ptr&, const Result<>&) { engine.stop(); });
        context.run_for(std::chrono::seconds(30));
        EXPECT_TRUE(context.stopped()) << "something of a connection is left";
    }

    asio::io_context context{1};
    std::string folder;
    Engine engine;
    Looks looks;
    std::unique_ptr<engine::Transport> transport;
    std::unique_ptr<Proxy> proxy;
};

TEST_F(AProxy, PassesARequestOnAndEndsTheConnectionBehindIt) {
    go([&]() -> asio::awaitable<void> {
        const std::string request =
            "GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: keep-alive\r\nX-a: b\r\n\r\n";
        const std::string answer = co_await ask(request);
        EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nOK"));
        EXPECT_EQ(engine.heads.at(0),
                  "GET /_ping HTTP/1.1\r\nHost: d\r\nX-a: b\r\nConnection: close\r\n\r\n");
    });
    struct stat socket {};
    EXPECT_NE(stat((folder + "/engine.sock").c_str(), &socket), 0) << "the socket is left";
}

TEST_F(AProxy, TheSocketIsOnlyTheUsers) {
    struct stat socket {};
    ASSERT_EQ(stat((folder + "/engine.sock").c_str(), &socket), 0);
    EXPECT_EQ(socket.st_mode & 07777U, 0600U);
    EXPECT_EQ(proxy->address(), "unix://" + folder + "/engine.sock");
    go([&]() -> asio::awaitable<void> { co_return; });
}

TEST_F(AProxy, LargeBodiesBothWays) {
    go([&]() -> asio::awaitable<void> {
        const std::string saved = co_await ask("GET /big HTTP/1.1\r\n\r\n");
        EXPECT_EQ(saved.size() - saved.find("\r\n\r\n") - 4, engine.big);
        std::string body =
            "POST /load HTTP/1.1\r\nContent-Length: " + std::to_string(engine.big) + "\r\n\r\n";
        body.append(engine.big, 'y');
        const std::string loaded = co_await ask(std::move(body));
        EXPECT_THAT(loaded, testing::EndsWith("\r\n\r\n" + std::to_string(engine.big)));
    });
}

// As to an engine on another host.
TEST_F(AProxy, LargeBodiesThatAreCopied) {
    engine::Endpoint endpoint;
    endpoint.path = folder + "/real.sock";
    proxy.reset();
    transport = std::move(*engine::make_transport(context.get_executor(), endpoint));
    proxy = std::make_unique<Proxy>(context.get_executor(), *transport, looks);
    ASSERT_TRUE(proxy->listen(folder));
    go([&]() -> asio::awaitable<void> {
        const std::string saved = co_await ask("GET /big HTTP/1.1\r\n\r\n");
        EXPECT_EQ(saved.size() - saved.find("\r\n\r\n") - 4, engine.big);
    });
}

TEST_F(AProxy, AnUpgradeIsRawAndClosesInHalves) {
    go([&]() -> asio::awaitable<void> {
        const std::string request =
            "POST /attach HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nGET /_ping HTTP/1.1\r\n\r\n";
        const std::string answer = co_await ask(request, true);
        // What comes behind the upgrade is the stream's, whatever it looks like.
        EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nhello got GET /_ping HTTP/1.1\r\n\r\n"));
        EXPECT_THAT(engine.heads.at(0), HasSubstr("Connection: Upgrade"));
        EXPECT_EQ(engine.heads.size(), 1U);
    });
}

// Otherwise the next request would go through unseen.
TEST_F(AProxy, ARefusedUpgradeEndsTheConnection) {
    go([&]() -> asio::awaitable<void> {
        const std::string request = "POST /refused HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
        const std::string answer = co_await ask(request);
        EXPECT_THAT(answer, HasSubstr("Connection: close"));
        EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nnone"));
        while (!engine.saw_client_leave) co_await asio::post(context, asio::use_awaitable);
    });
}

TEST_F(AProxy, WhoLeavesIsTold) {
    go([&]() -> asio::awaitable<void> {
        {
            stream_protocol::socket socket(context);
            co_await socket.async_connect(stream_protocol::endpoint(folder + "/engine.sock"), as_answer);
            const std::string request = "GET /forever HTTP/1.1\r\n\r\n";
            co_await asio::async_write(socket, asio::buffer(request), as_answer);
            std::string begun;
            co_await asio::async_read_until(socket, asio::dynamic_buffer(begun), "a\r\n", as_answer);
        }
        while (!engine.saw_client_leave) co_await asio::post(context, asio::use_awaitable);
        // An engine that breaks off.
        const std::string nothing = co_await ask("GET /unknown HTTP/1.1\r\n\r\n");
        EXPECT_EQ(nothing, "");
        const std::string no_http = co_await ask("hello\r\n\r\n");
        EXPECT_THAT(no_http, testing::StartsWith("HTTP/1.1 400"));
    });
}

TEST_F(AProxy, AnEngineThatIsGone) {
    engine.stop();
    std::filesystem::remove(folder + "/real.sock");
    go([&]() -> asio::awaitable<void> {
        for (const char* path : {"/_ping", "/containers/create"}) {
            const std::string answer =
                co_await ask(std::string("POST ") + path + " HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
            EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 502")) << path;
            EXPECT_THAT(answer, HasSubstr("cannot reach the engine")) << path;
        }
        EXPECT_EQ(looks.replies.at(0), "7 502 ");  // whoever waits for a reply hears that there is none
    });
}

TEST_F(AProxy, ACallThatIsLookedAtIsChangedAndItsReplyIsRead) {
    go([&]() -> asio::awaitable<void> {
        const std::string request =
            "POST /v1.41/containers/create HTTP/1.1\r\nTransfer-Encoding: "
            "chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
        const std::string answer = co_await ask(request);
        EXPECT_THAT(answer, HasSubstr(R"({"Id":"1","got":"changed"})"));
        EXPECT_THAT(engine.heads.at(0), HasSubstr("Content-Length: 7"));
        EXPECT_THAT(engine.heads.at(0), testing::Not(HasSubstr("chunked")));
        EXPECT_EQ(looks.bodies.at(0), "body");
        EXPECT_EQ(looks.replies.at(0), R"(7 201 {"Id":"1","got":"changed"})");
        looks.refuses = true;
        const std::string refused =
            co_await ask("POST /containers/create HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
        EXPECT_THAT(refused, testing::StartsWith("HTTP/1.1 500"));
        EXPECT_THAT(refused, HasSubstr("not now"));
        EXPECT_EQ(engine.heads.size(), 1U);
    });
}

TEST_F(AProxy, ManyAtOnce) {
    go([&]() -> asio::awaitable<void> {
        int ended = 0;
        for (int i = 0; i < 200; ++i)
            asio::co_spawn(context, ask("GET /_ping HTTP/1.1\r\n\r\n"),
                           [&](const std::exception_ptr&, const std::string& answer) {
                               EXPECT_THAT(answer, testing::EndsWith("OK"));
                               ++ended;
                           });
        while (ended < 200) co_await asio::post(context, asio::use_awaitable);
    });
}

}  // namespace
}  // namespace rogate::proxy::test
