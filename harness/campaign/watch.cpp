#include "campaign/watch.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <utility>

#include "campaign/campaign.hpp"
#include "campaign/canary.hpp"
#include "campaign/runtimes.hpp"

namespace rogate::campaign {

namespace asio = boost::asio;
using engine::Task;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds between_looks{1000}, between_checks{100};
// The engine waits between an end and the restart that a policy asks for, each time longer.
constexpr int looks_without_it = 3;

Task<> pause(milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    [[maybe_unused]] const auto waited = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        co_return fail(ErrorKind::cancelled, "interrupted");
    co_return Result<>{};
}

// One watch, from the first canary to the last.
class Watch {
  public:
    Watch(engine::Client& client, WatchSubject subject, std::string session, WatchOptions options,
          const WatchControl& control, Status& status)
        : client_(client),
          subject_(std::move(subject)),
          session_(std::move(session)),
          options_(options),
          control_(control),
          status_(status) {}

    Task<WatchResult> go();

  private:
    Task<> start_observer();
    Task<> show_that_it_sees(const char* when);
    Task<> join();
    Task<> wait();
    // Whether there is anything left to watch.
    Task<bool> look();

    engine::Client& client_;
    WatchSubject subject_;
    std::string session_;
    WatchOptions options_;
    const WatchControl& control_;
    Status& status_;
    std::unique_ptr<observe::Observer> observer_;
    std::string started_at_;  // of the container
    int looks_without_ = 0;
    WatchResult result_;
};

Task<> Watch::start_observer() {
    std::vector<std::string> runtimes{subject_.runtime};
    auto apart = co_await kernel_apart(client_, std::move(runtimes));
    if (!apart) co_return fail(std::move(apart.error()));
    if (!apart->empty())
        co_return fail(
            ErrorKind::usage,
            fmt::format(
                "the runtime {} of container '{}' is not known to leave it the engine's kernel, so that its "
                "calls might not be seen; run a copy of it: rogate run --container {} --observer ptrace",
                *apart, subject_.name, subject_.name));
    observe::SidecarOptions sidecar;
    sidecar.session = session_;
    sidecar.ring_bytes = options_.ring_bytes;
    sidecar.reply_timeout = options_.observer_timeout;
    auto started = co_await observe::start_ebpf_observer(client_, std::move(sidecar));
    if (!started)
        co_return fail(std::move(started.error())
                           .with_context("starting the eBPF observer, without which a container that runs "
                                         "already cannot be watched"));
    observer_ = std::move(*started);
    result_.observer = observer_->facts();
    co_return Result<>{};
}

Task<> Watch::show_that_it_sees(const char* when) {
    auto container = co_await make_canary_container(client_, session_, *observer_);
    if (!container) co_return fail(std::move(container.error()).with_context("making a canary's container"));
    auto outcome = co_await run_canary(client_, *observer_, std::move(*container));
    if (!outcome) co_return fail(std::move(outcome.error()).with_context("trying a canary"));
    if (outcome->canary == Canary::seen) co_return Result<>{};
    const std::string why = outcome->problem.empty() ? "" : ": " + outcome->problem;
    result_.problem =
        fmt::format("{} the watch a write on a read-only volume was not refused, or not seen{}", when, why);
    co_return Result<>{};
}

Task<> Watch::join() {
    auto state = co_await client_.container_inspect(subject_.id);
    if (!state) co_return fail(std::move(state.error()));
    if (!state->running || state->pid == 0)
        co_return fail(
            ErrorKind::usage,
            fmt::format("container '{}' does not run; start it, and watch it then", subject_.name));
    started_at_ = state->started_at;
    std::vector<observe::ObservedMount> mounts;
    for (const Mount& mount : subject_.mounts) mounts.push_back({.target = mount.target});
    auto joined = co_await observer_->join(subject_.id, state->pid, std::move(mounts), "watch");
    if (!joined)
        co_return fail(std::move(joined.error()).with_context("watching container " + subject_.name));
    co_return Result<>{};
}

Task<bool> Watch::look() {
    auto state = co_await client_.container_inspect(subject_.id);
    if (!state && state.error().kind == ErrorKind::not_found) {
        result_.ended = "until it was removed";
        co_return false;
    }
    if (!state) co_return fail(std::move(state.error()));
    if (state->running && state->pid != 0) {
        looks_without_ = 0;
        if (state->started_at != started_at_) ++result_.restarts;
        started_at_ = state->started_at;
        co_return true;
    }
    if (state->running || ++looks_without_ < looks_without_it) co_return true;
    result_.ended = fmt::format("until it ended with code {}", state->exit_code);
    co_return false;
}

Task<> Watch::wait() {
    const auto start = Clock::now();
    auto next_look = start + between_looks;
    for (;;) {
        if (control_.stop) {
            result_.ended = "until the watch was stopped";
            co_return Result<>{};
        }
        if (options_.duration && Clock::now() - start >= *options_.duration) {
            result_.ended = "until the time was over";
            co_return Result<>{};
        }
        if (Clock::now() >= next_look) {
            auto more = co_await look();
            if (!more) co_return fail(std::move(more.error()));
            if (!*more) co_return Result<>{};
            next_look = Clock::now() + between_looks;
        }
        if (auto paused = co_await pause(between_checks); !paused) co_return paused;
    }
}

Task<WatchResult> Watch::go() {
    auto facts = co_await engine_facts(client_);
    if (!facts) co_return fail(std::move(facts.error()));
    result_.engine = std::move(*facts);
    result_.container = subject_.name;
    result_.image = subject_.image;
    status_.preparing("starting the observer");
    if (auto started = co_await start_observer(); !started) co_return fail(std::move(started.error()));
    if (auto seen = co_await show_that_it_sees("before"); !seen) co_return fail(std::move(seen.error()));
    if (!result_.problem.empty())
        co_return fail(ErrorKind::engine, result_.problem + "; see `rogate doctor`");
    if (auto joined = co_await join(); !joined) co_return fail(std::move(joined.error()));
    result_.started_at = now_utc();
    const auto start = Clock::now();
    status_.preparing(fmt::format("watching {}{}", subject_.name,
                                  options_.duration
                                      ? fmt::format(" for {:g} s; Ctrl-C ends it sooner",
                                                    static_cast<double>(options_.duration->count()) / 1000)
                                      : std::string("; Ctrl-C ends it")));
    auto waited = co_await wait();
    result_.duration_s = std::chrono::duration<double>(Clock::now() - start).count();
    if (!waited) co_return fail(std::move(waited.error()));
    auto recording = co_await observer_->collect();
    if (!recording) co_return fail(std::move(recording.error()));
    result_.lost_events = recording->lost_events;
    result_.problem = std::move(recording->problem);
    result_.mounts = by_mount(subject_, std::move(*recording));
    if (result_.problem.empty())
        if (auto seen = co_await show_that_it_sees("after"); !seen) co_return fail(std::move(seen.error()));
    auto stopped = co_await observer_->stop();
    if (!stopped) status_.warn("stopping the observer: " + stopped.error().message);
    co_return std::move(result_);
}

}  // namespace

std::vector<WatchedMount> by_mount(const WatchSubject& subject, observe::Recording recording) {
    std::vector<WatchedMount> mounts;
    for (const Mount& mount : subject.mounts) {
        const auto uses = recording.uses.find(mount.target);
        mounts.push_back({.mount = mount,
                          .uses = uses == recording.uses.end() ? 0 : uses->second,
                          .writes = {},
                          .refused = {}});
    }
    for (Attempt& attempt : recording.attempts) {
        if (attempt.cls != AttemptClass::write || (attempt.error != 0 && attempt.error != EROFS)) continue;
        const auto mount = std::ranges::find_if(
            mounts, [&](const WatchedMount& each) { return attempt.mount == each.mount.target; });
        if (mount == mounts.end()) continue;
        // Nobody told the observer which processes an engine puts into the container.
        if (attempt.phase == "healthcheck")
            attempt.phase = subject.has_healthcheck ? "health check or docker exec" : "docker exec";
        (attempt.error == 0 ? mount->writes : mount->refused).push_back(std::move(attempt));
    }
    return mounts;
}

Task<WatchResult> watch(engine::Client& client, WatchSubject subject, std::string session,
                        WatchOptions options, const WatchControl& control, Status& status) {
    Watch watching(client, std::move(subject), std::move(session), options, control, status);
    co_return co_await watching.go();
}

}  // namespace rogate::campaign
