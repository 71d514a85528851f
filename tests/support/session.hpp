// A client of a fake engine's, in virtual time: what a test of one room needs to speak with an engine.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "engine/client.hpp"
#include "support/fake_engine.hpp"
#include "support/virtual_time.hpp"

namespace rogate::test {

namespace detail {

// As the commands run their work: cancellation is an answer, no exception.
template <class T>
engine::Task<T> quietly(engine::Task<T> task) {
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    co_return co_await std::move(task);
}

inline std::string what(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "something";
    }
}

}  // namespace detail

struct Session {
    explicit Session(std::uint64_t seed = 0)
        : fake(context, seed), client(context.get_executor(), fake.transport(), engine::Endpoint{}) {}

    // Starts it; `then` gets what comes of it, once its coroutine is gone. `stop` cancels it if
    // `can_be_stopped`.
    template <class T, class Then>
    void spawn(engine::Task<T> task, bool can_be_stopped, Then then) {
        auto done = [this, then = std::move(then)](const std::exception_ptr& thrown, Result<T> value) {
            if (thrown) value = fail(ErrorKind::internal, "an exception escaped: " + detail::what(thrown));
            auto kept = std::make_shared<Result<T>>(std::move(value));
            boost::asio::post(context, [then, kept] { then(std::move(*kept)); });
        };
        boost::asio::co_spawn(
            context, detail::quietly(std::move(task)),
            boost::asio::bind_cancellation_slot(
                can_be_stopped ? stop.slot() : boost::asio::cancellation_slot(), std::move(done)));
    }
    // Until nothing is left to do.
    void run_dry() { ran_dry = time.run(context); }
    // ErrorKind::internal: the task did not end, or threw.
    template <class T>
    Result<T> run(engine::Task<T> task) {
        std::optional<Result<T>> ended;
        spawn(std::move(task), false, [&](Result<T> value) { ended = std::move(value); });
        run_dry();
        if (!ended)
            return fail(ErrorKind::internal, ran_dry ? "a task waits for nothing" : "a task has no end");
        return std::move(*ended);
    }

    VirtualTime time;
    boost::asio::io_context context;
    FakeEngine fake;
    engine::Client client;
    boost::asio::cancellation_signal stop;
    bool ran_dry = false;
};

}  // namespace rogate::test
