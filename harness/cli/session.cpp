#include "cli/session.hpp"

#include <fmt/format.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

namespace rogate::cli {

namespace asio = boost::asio;
using engine::Task;

namespace {

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

using Work = std::function<Task<>(engine::Client&)>;

// Cancellation must not throw inside the rooms: an interrupted operation answers ErrorKind::cancelled
// instead.
Task<> quietly(Work work, engine::Client& client) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_return co_await work(client);
}

Result<> as_error(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        return fail(ErrorKind::internal, error.what());
    }
}

constexpr const char* goes_on =
    "a watchdog goes on trying for 10 minutes, then `rogate clean` removes what is left";

// One engine, and what is done on it at the moment.
struct Lane {
    std::size_t number = 0;
    std::unique_ptr<engine::Client> client;
    asio::cancellation_signal cancel;
    bool cancellable = false;
    EngineWork work;
    EngineOutcome outcome;
};

class Session {
  public:
    explicit Session(EngineQueue queue)
        : queue_(std::move(queue)), signals_(context_, SIGINT, SIGTERM), ticker_(context_) {}
    EngineOutcome go(const Global& global);

  private:
    using Then = std::function<void(Result<>)>;

    Result<> open_lane(const Global& global, const EngineQueue::Host& host);
    void watch_signals();
    bool ends_by_itself();
    void keep_ticking();
    void spawn(Lane& lane, Work work, Then then);
    void reach(Lane& lane, Then then);
    void reach_all();
    void take(Lane& lane);
    void clean_up(Lane& lane);
    void finish(Lane& lane, const Result<>& cleaned);
    void look_again(Lane& lane);
    void run();

    EngineQueue queue_;
    asio::io_context context_{1};
    asio::signal_set signals_;
    asio::steady_timer ticker_;
    std::vector<std::unique_ptr<Lane>> lanes_;
    std::size_t at_work_ = 0;  // lanes with something under way
    Result<> result_;
    int signal_ = 0;
};

bool Session::ends_by_itself() {
    bool all = false;
    for (const auto& lane : lanes_) {
        if (!lane->cancellable) continue;
        if (!lane->work.on_signal || !lane->work.on_signal()) return false;
        all = true;
    }
    return all;
}

void Session::watch_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
        if (error) return;
        if (signal_ == 0 && ends_by_itself()) return watch_signals();
        if (signal_ != 0) {
            // Asked twice: the user wants out now, and has to be told what that leaves.
            std::fputs(
                "\nstopped at once; a watchdog removes what is left on the engine, or `rogate clean`\n",
                stderr);
            std::_Exit(128 + signal);
        }
        signal_ = signal;
        std::fputs("\ninterrupted: cleaning up (once more to stop at once)\n", stderr);
        for (const auto& lane : lanes_)
            if (lane->cancellable) lane->cancel.emit(asio::cancellation_type::terminal);
        watch_signals();
    });
}

void Session::keep_ticking() {
    if (!queue_.tick) return;
    ticker_.expires_after(std::chrono::milliseconds(200));
    ticker_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        queue_.tick();
        keep_ticking();
    });
}

// `then` is called when the coroutine and its hold on the lane's cancellation are gone.
void Session::spawn(Lane& lane, Work work, Then then) {
    ++at_work_;
    asio::co_spawn(
        context_, quietly(std::move(work), *lane.client),
        asio::bind_cancellation_slot(
            lane.cancel.slot(),
            [this, then = std::move(then)](const std::exception_ptr& thrown, Result<> value) mutable {
                if (thrown) value = as_error(thrown);
                asio::post(context_, [this, then = std::move(then), value = std::move(value)]() mutable {
                    --at_work_;
                    then(std::move(value));
                });
            }));
}

void Session::run() {
    context_.restart();
    while (at_work_ > 0 && context_.run_one() > 0) {
    }
}

void Session::reach(Lane& lane, Then then) {
    lane.cancellable = true;
    spawn(
        lane, [](engine::Client& client) { return client.negotiate(); },
        [&lane, then = std::move(then)](Result<> reached) {
            lane.cancellable = false;
            then(std::move(reached));
        });
}

void Session::reach_all() {
    for (const auto& lane : lanes_)
        reach(*lane, [this](Result<> reached) {
            if (!reached && result_) result_ = std::move(reached);
        });
    run();
}

void Session::take(Lane& lane) {
    if (signal_ != 0) return;
    auto work = queue_.next(lane.number);
    if (!work) return;
    lane.work = std::move(*work);
    lane.cancellable = true;
    spawn(lane, lane.work.work, [this, &lane](Result<> done) {
        lane.cancellable = false;
        lane.outcome = {.result = std::move(done), .signal = 0};
        clean_up(lane);
    });
}

void Session::clean_up(Lane& lane) {
    if (!lane.work.clean_up) return finish(lane, {});
    spawn(lane, lane.work.clean_up, [this, &lane](const Result<>& cleaned) { finish(lane, cleaned); });
}

void Session::finish(Lane& lane, const Result<>& cleaned) {
    // The first error is the one to tell; the other one is told beside it.
    if (!cleaned && lane.outcome.result)
        lane.outcome.result =
            fail(cleaned.error().kind, fmt::format("clean-up: {}; {}", cleaned.error().message, goes_on));
    else if (!cleaned)
        std::fputs(fmt::format("rogate: clean-up: {}; {}\n", cleaned.error().message, goes_on).c_str(),
                   stderr);
    lane.outcome.signal = signal_;
    const bool failed = !lane.outcome.result;
    // What it holds goes before the next piece of work comes.
    if (EngineWork ended = std::exchange(lane.work, {}); ended.ended) ended.ended(std::move(lane.outcome));
    if (failed && at_work_ > 0) return look_again(lane);
    take(lane);
}

// An engine that is gone would fail everything that is left in no time; the other lanes can do it.
void Session::look_again(Lane& lane) {
    reach(lane, [this, &lane](Result<> reached) {
        if (reached || at_work_ == 0) return take(lane);
        if (signal_ != 0) return;
        result_ = fail(std::move(reached.error())
                           .with_context(fmt::format("{} was lost, what was left was given to the others",
                                                     lane.client->endpoint().to_string())));
    });
}

Result<> Session::open_lane(const Global& global, const EngineQueue::Host& host) {
    auto endpoint = global.context ? engine::endpoint_of_context(*global.context, environment)
                                   : engine::find_endpoint(host, environment);
    if (!endpoint) return fail(std::move(endpoint.error()));
    auto transport = engine::make_transport(context_.get_executor(), *endpoint);
    if (!transport) return fail(std::move(transport.error()));
    auto lane = std::make_unique<Lane>();
    lane->number = lanes_.size();
    lane->client =
        std::make_unique<engine::Client>(context_.get_executor(), std::move(*transport), *endpoint);
    lane->client->set_timeout(
        std::chrono::milliseconds(static_cast<std::int64_t>(global.engine_timeout_s * 1000)));
    lanes_.push_back(std::move(lane));
    return {};
}

EngineOutcome Session::go(const Global& global) {
    for (const EngineQueue::Host& host : queue_.lanes)
        if (auto opened = open_lane(global, host); !opened)
            return {.result = fail(std::move(opened.error())), .signal = 0};
    watch_signals();
    keep_ticking();
    reach_all();
    if (result_) {
        for (const auto& lane : lanes_) take(*lane);
        run();
    }
    return {.result = std::move(result_), .signal = signal_};
}

}  // namespace

EngineOutcome with_engines(const Global& global, EngineQueue queue) {
    Session session(std::move(queue));
    return session.go(global);
}

EngineOutcome with_engine(const Global& global, EngineWork work) {
    EngineOutcome outcome;
    work.ended = [&](EngineOutcome ended) { outcome = std::move(ended); };
    EngineQueue queue;
    queue.lanes.push_back(global.host);
    queue.next = [&, taken = false](std::size_t) mutable -> std::optional<EngineWork> {
        if (std::exchange(taken, true)) return std::nullopt;
        return std::move(work);
    };
    EngineOutcome whole = with_engines(global, std::move(queue));
    if (!whole.result) outcome.result = std::move(whole.result);
    outcome.signal = whole.signal;
    return outcome;
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
