#include "cli/session.hpp"

#include <fmt/format.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace rogate::cli {

namespace asio = boost::asio;
using engine::Task;

namespace {

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

// Cancellation must not throw inside the rooms: an interrupted operation answers ErrorKind::cancelled
// instead.
Task<> quietly(std::function<Task<>(engine::Client&)> work, engine::Client& client) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_return co_await work(client);
}

class Session {
  public:
    Session(EngineWork work)
        : work_(std::move(work)), signals_(context_, SIGINT, SIGTERM), ticker_(context_) {}
    EngineOutcome go(const Global& global);

  private:
    void watch_signals();
    void keep_ticking();
    Result<> run(std::function<Task<>(engine::Client&)> task, engine::Client& client);

    EngineWork work_;
    asio::io_context context_{1};
    asio::signal_set signals_;
    asio::steady_timer ticker_;
    asio::cancellation_signal cancel_;
    bool cancellable_ = true;
    int signal_ = 0;
};

void Session::watch_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
        if (error) return;
        if (signal_ != 0) {
            // Asked twice: the user wants out now, and has to be told what that leaves.
            std::fputs(
                "\nstopped at once; a watchdog removes what is left on the engine, or `rogate clean`\n",
                stderr);
            std::_Exit(128 + signal);
        }
        signal_ = signal;
        std::fputs("\ninterrupted: cleaning up (once more to stop at once)\n", stderr);
        if (cancellable_) cancel_.emit(asio::cancellation_type::terminal);
        watch_signals();
    });
}

void Session::keep_ticking() {
    if (!work_.tick) return;
    ticker_.expires_after(std::chrono::milliseconds(200));
    ticker_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        work_.tick();
        keep_ticking();
    });
}

Result<> Session::run(std::function<Task<>(engine::Client&)> task, engine::Client& client) {
    Result<> result = fail(ErrorKind::internal, "the work did not end");
    bool done = false;
    asio::co_spawn(
        context_, quietly(std::move(task), client),
        asio::bind_cancellation_slot(cancel_.slot(), [&](const std::exception_ptr& thrown, Result<> value) {
            done = true;
            if (!thrown) {
                result = std::move(value);
                return;
            }
            try {
                std::rethrow_exception(thrown);
            } catch (const std::exception& error) {
                result = fail(ErrorKind::internal, error.what());
            }
        }));
    context_.restart();
    while (!done && context_.run_one() > 0) {
    }
    return result;
}

EngineOutcome Session::go(const Global& global) {
    EngineOutcome outcome;
    auto endpoint = engine::find_endpoint(global.host, environment);
    if (!endpoint) return {.result = fail(std::move(endpoint.error())), .signal = 0};
    auto transport = engine::make_transport(context_.get_executor(), *endpoint);
    if (!transport) return {.result = fail(std::move(transport.error())), .signal = 0};
    engine::Client client(context_.get_executor(), std::move(*transport), *endpoint);
    client.set_timeout(std::chrono::milliseconds(static_cast<std::int64_t>(global.engine_timeout_s * 1000)));
    watch_signals();
    keep_ticking();
    outcome.result = run([](engine::Client& c) { return c.negotiate(); }, client);
    if (outcome.result) {
        if (signal_ == 0) outcome.result = run(work_.work, client);
        cancellable_ = false;
        if (work_.clean_up) {
            const Result<> cleaned = run(work_.clean_up, client);
            // The first error is the one to tell; the other one is told beside it.
            if (!cleaned && outcome.result)
                outcome.result = fail(cleaned.error().kind,
                                      fmt::format("clean-up: {}; a watchdog goes on trying for 10 minutes, "
                                                  "then `rogate clean` removes what is left",
                                                  cleaned.error().message));
            else if (!cleaned)
                std::fputs(
                    fmt::format(
                        "rogate: clean-up: {}; a watchdog goes on trying for 10 minutes, then `rogate clean` "
                        "removes what is left\n",
                        cleaned.error().message)
                        .c_str(),
                    stderr);
        }
    }
    outcome.signal = signal_;
    return outcome;
}

}  // namespace

EngineOutcome with_engine(const Global& global, EngineWork work) {
    Session session(std::move(work));
    return session.go(global);
}

int report_error(const Error& error) {
    std::fputs(fmt::format("rogate: {}\n", error.message).c_str(), stderr);
    return exit_code(error.kind);
}

int report_outcome(const EngineOutcome& outcome) {
    if (outcome.signal != 0) return 128 + outcome.signal;
    if (!outcome.result) return report_error(outcome.result.error());
    return 0;
}

}  // namespace rogate::cli
