#include "engine/together.hpp"

#include <algorithm>
#include <memory>

#include "engine/client_impl.hpp"

namespace rogate::engine {

namespace {

struct Work {
    std::vector<Task<>> tasks;
    std::vector<Result<>> results;
    std::size_t next = 0;
};

// Takes one task after the other until there is none left.
asio::awaitable<void> take_turns(std::shared_ptr<Work> work) {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (work->next < work->tasks.size()) {
        const std::size_t mine = work->next++;
        const bool stop = co_await detail::interrupted();
        if (stop) co_return;  // its result says so already
        Task<> task = std::move(work->tasks[mine]);
        Result<> result = co_await std::move(task);
        work->results[mine] = std::move(result);
    }
}

// A tree of pairs: operator&& takes two.
asio::awaitable<void> workers(std::shared_ptr<Work> work, std::size_t count) {
    using namespace asio::experimental::awaitable_operators;
    co_await asio::this_coro::throw_if_cancelled(false);
    auto one = take_turns(work);
    if (count <= 1) {
        co_await std::move(one);
        co_return;
    }
    auto others = workers(work, count - 1);
    co_await (std::move(one) && std::move(others));
}

}  // namespace

Task<> together(std::vector<Task<>> tasks, std::size_t at_once) {
    auto work = std::make_shared<Work>();
    work->tasks = std::move(tasks);
    work->results.assign(work->tasks.size(), fail(ErrorKind::cancelled, "interrupted"));
    // The new threads of && know nothing of a cancellation that came before them.
    const bool stop = co_await detail::interrupted();
    if (!stop) {
        auto done = workers(work, std::min(at_once, work->tasks.size()));
        co_await std::move(done);
    }
    for (Result<>& result : work->results)
        if (!result) co_return fail(std::move(result.error()));
    co_return Result<>{};
}

Task<> together(Task<> one, Task<> other) {
    std::vector<Task<>> tasks;
    tasks.push_back(std::move(one));
    tasks.push_back(std::move(other));
    auto both = together(std::move(tasks));
    co_return co_await std::move(both);
}

}  // namespace rogate::engine
