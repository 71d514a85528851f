// A client of a fake engine's, in virtual time: what a test of one room needs to speak with an engine.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <optional>

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

}  // namespace detail

struct Session {
    explicit Session(std::uint64_t seed = 0)
        : fake(context, seed), client(context.get_executor(), fake.transport(), engine::Endpoint{}) {}

    // Runs everything until nothing is left to do. ErrorKind::internal: the task did not end, or threw.
    template <class T>
    Result<T> run(engine::Task<T> task) {
        std::optional<Result<T>> ended;
        std::string thrown;
        auto done = [&](const std::exception_ptr& exception, Result<T> value) {
            try {
                if (exception) std::rethrow_exception(exception);
                ended = std::move(value);
            } catch (const std::exception& error) {
                thrown = std::string("an exception escaped: ") + error.what();
            }
        };
        boost::asio::co_spawn(context, detail::quietly(std::move(task)),
                              boost::asio::bind_cancellation_slot(stop.slot(), std::move(done)));
        ran_dry = time.run(context);
        if (!thrown.empty()) return fail(ErrorKind::internal, thrown);
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
