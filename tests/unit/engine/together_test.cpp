// Several calls at a time: that they overlap, what they answer, and that none is left behind.
#include "engine/together.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "unit/engine/fake_engine.hpp"

namespace rogate::engine {
namespace {

// What began and ended, in order, as "+a" and "-a".
using Log = std::vector<std::string>;

Task<> quick(Log& log, std::string name) {
    log.push_back("+" + name);
    asio::steady_timer turn(co_await asio::this_coro::executor, std::chrono::milliseconds(0));
    co_await turn.async_wait(asio::as_tuple(asio::use_awaitable));
    log.push_back("-" + name);
    co_return Result<>{};
}
Task<> broken(Log& log, std::string name) {
    log.push_back("!" + name);
    co_return fail(ErrorKind::engine, name);
}
Task<> endless(Log& log, std::string name) {
    log.push_back("+" + name);
    asio::steady_timer forever(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await forever.async_wait(asio::as_tuple(asio::use_awaitable));
    log.push_back("-" + name);
    co_return fail(ErrorKind::cancelled, "interrupted");
}

template <class... Tasks>
std::vector<Task<>> list(Tasks... tasks) {
    std::vector<Task<>> all;
    (all.push_back(std::move(tasks)), ...);
    return all;
}

TEST(Together, OneBeginsBeforeTheOtherHasEnded) {
    asio::io_context context;
    Log log;
    EXPECT_TRUE(
        fake::run(context, together(list(quick(log, "a"), quick(log, "b"), quick(log, "c")))).has_value());
    EXPECT_EQ(log, (Log{"+a", "+b", "+c", "-a", "-b", "-c"}));
}

TEST(Together, NoMoreThanAllowedAreUnderWay) {
    asio::io_context context;
    Log log;
    auto three = together(list(quick(log, "a"), quick(log, "b"), quick(log, "c")), 1);
    EXPECT_TRUE(fake::run(context, std::move(three)).has_value());
    EXPECT_EQ(log, (Log{"+a", "-a", "+b", "-b", "+c", "-c"}));
}

TEST(Together, NothingIsDoneAtOnce) {
    asio::io_context context;
    EXPECT_TRUE(fake::run(context, together({})).has_value());
}

TEST(Together, TheFirstErrorInTheListIsTheAnswerAndTheOthersAreDoneAllTheSame) {
    asio::io_context context;
    Log log;
    auto all = together(list(quick(log, "a"), broken(log, "b"), broken(log, "c"), quick(log, "d")));
    const Result<> done = fake::run(context, std::move(all));
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().message, "b");
    EXPECT_EQ(log, (Log{"+a", "!b", "!c", "+d", "-a", "-d"}));
}

Result<> cancelled(asio::io_context& context, Task<> task) {
    asio::cancellation_signal signal;
    Result<> result = fail(ErrorKind::internal, "did not end");
    asio::co_spawn(
        context, std::move(task),
        asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& thrown, Result<> value) {
            EXPECT_FALSE(thrown);
            result = std::move(value);
        }));
    context.poll();
    signal.emit(asio::cancellation_type::terminal);
    context.run();
    return result;
}

Task<> quietly(Task<> task) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_return co_await std::move(task);
}

TEST(Together, AnInterruptionEndsAllAndBeginsNoMore) {
    asio::io_context context;
    Log log;
    auto all = together(list(endless(log, "a"), endless(log, "b"), quick(log, "c")), 2);
    const Result<> done = cancelled(context, quietly(std::move(all)));
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::cancelled);
    EXPECT_EQ(log, (Log{"+a", "+b", "-a", "-b"}));
}

}  // namespace
}  // namespace rogate::engine
