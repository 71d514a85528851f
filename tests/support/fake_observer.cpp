// The fake observer listens to the fake engine's applications. It answers canary writes by the mounts that
// the container has.
#include "support/fake_observer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <rogate/place.hpp>

namespace rogate::test {

namespace asio = boost::asio;
using engine::Task;

FakeObserver::FakeObserver(FakeEngine& engine, ObserverTrouble trouble)
    : engine_(engine), trouble_(std::move(trouble)) {
    engine_.on_attempt = [this](const std::string& container, const Attempt& attempt) {
        saw(container, attempt);
    };
    engine_.on_use = [this](const std::string& container, const std::string& mount) {
        if (const auto name = armed_.find(container); name != armed_.end())
            ++uses_[place_in(name->second, mount)];
    };
}

FakeObserver::~FakeObserver() {
    engine_.on_attempt = {};
    engine_.on_use = {};
}

void FakeObserver::saw(const std::string& container, Attempt attempt) {
    const auto name = armed_.find(container);
    if (name == armed_.end() || (trouble_.hides && trouble_.hides(attempt))) return;
    attempt.phase = phase_;
    attempt.mount = place_in(name->second, attempt.mount.str());
    attempt.path = place_in(name->second, attempt.path.view());
    const auto same = std::ranges::find_if(attempts_, [&](const Attempt& each) {
        return each.mount == attempt.mount && each.path == attempt.path &&
               each.operation == attempt.operation && each.error == attempt.error &&
               each.phase == attempt.phase;
    });
    if (same == attempts_.end())
        attempts_.push_back(std::move(attempt));
    else
        ++same->count;
}

Task<> FakeObserver::called(const char* name) {
    const int number = ++calls_;
    asio::steady_timer pause(engine_.context(), std::chrono::milliseconds(1));
    [[maybe_unused]] const auto paused = co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        co_return fail(ErrorKind::cancelled, "interrupted");
    if (number == trouble_.fails_at)
        co_return fail(ErrorKind::engine, fmt::format("observer: {}: the observer has ended", name));
    co_return Result<>{};
}

Task<> FakeObserver::arm(std::string container, std::vector<observe::ObservedMount>, std::string phase,
                         std::string name) {
    if (name.empty() || armed_.empty()) {
        armed_.clear();
        attempts_.clear();
        uses_.clear();
        ++recordings_;
    }
    armed_.emplace(std::move(container), std::move(name));
    phase_ = std::move(phase);
    co_return co_await called("arm");
}

Task<> FakeObserver::phase(std::string name) {
    phase_ = std::move(name);
    co_return co_await called("phase");
}

Task<Canary> FakeObserver::canary(std::string target) {
    auto done = co_await called("canary");
    if (!done) co_return fail(std::move(done.error()));
    const auto armed =
        std::ranges::find_if(armed_, [&](const auto& each) { return each.second == container_of(target); });
    const FakeContainer* container = armed == armed_.end() ? nullptr : engine_.find(armed->first);
    if (container == nullptr || container->start == 0) co_return Canary::failed;
    if (trouble_.misses_canary == recordings_) co_return Canary::not_seen;
    co_return engine_.place(*container, std::string(path_in(target))).read_only ? Canary::seen
                                                                                : Canary::not_refused;
}

Task<observe::Recording> FakeObserver::collect() {
    auto done = co_await called("collect");
    if (!done) co_return fail(std::move(done.error()));
    observe::Recording recording;
    recording.attempts = std::move(attempts_);
    recording.uses = std::move(uses_);
    if (trouble_.loses_events == recordings_) recording.lost_events = 3;
    attempts_.clear();
    uses_.clear();
    armed_.clear();
    co_return recording;
}

}  // namespace rogate::test
