#include "wrap/observers.hpp"

#include <fmt/format.h>

namespace rogate::wrap {

using engine::Task;

Task<std::unique_ptr<observe::Observer>> Observers::take() {
    if (!free_.empty()) {
        std::unique_ptr<observe::Observer> observer = std::move(free_.back());
        free_.pop_back();
        co_return observer;
    }
    if (started_ >= most_observers)
        co_return fail(ErrorKind::inconclusive,
                       fmt::format("more than {} containers ran at the same time, and no more are watched",
                                   most_observers));
    observe::SidecarOptions options;
    options.session = session_;
    options.ring_bytes = ring_bytes_;
    options.reply_timeout = patience_;
    if (++started_ > 1) options.place = fmt::format("-{}", started_);
    auto observer = co_await observe::start_ebpf_observer(client_, std::move(options));
    if (!observer) co_return fail(std::move(observer.error()).with_context("starting an observer"));
    co_return std::move(*observer);
}

Task<> Observers::stop() {
    Result<> first;
    for (const auto& each : free_) {
        auto stopped = co_await each->stop();
        if (!stopped && first) first = std::move(stopped);
    }
    free_.clear();
    co_return first;
}

}  // namespace rogate::wrap
