#include "scenario/step_runner.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <chrono>

#include "scenario/connection.hpp"
#include "scenario/expectation.hpp"
#include "scenario/outcome.hpp"

namespace rogate::scenario {

namespace asio = boost::asio;
namespace beast = boost::beast;
using engine::Milliseconds;
using engine::Task;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);

}  // namespace

void Memory::hide(const Secrets& more) {
    const std::size_t before = secrets.size();
    add_secrets(secrets, more);
    if (secrets.size() != before) masker = Masker(secrets);
}

Task<std::string> last_lines(engine::Client& client, std::string container, const Masker& masker,
                             std::size_t limit, int lines) {
    // More than is shown: the engine cuts long lines into entries, and a secret may begin before them.
    auto log = co_await client.container_logs(std::move(container), limit + (64U << 10U), 8 * lines + 64);
    if (!log) co_return fail(std::move(log.error()));
    co_return masked_end(masker, log->text, log->cut, limit, static_cast<std::size_t>(lines));
}

Task<std::string> describe_exit(engine::Client& client, const engine::ContainerState& state,
                                const Masker& masker) {
    std::string text = fmt::format("the subject exited with code {}", state.exit_code);
    if (state.oom_killed) text += " (out of memory)";
    if (!state.error.empty()) text += fmt::format(" ({})", masker.masked(state.error));
    auto log = co_await last_lines(client, state.id, masker, 4096, 5);
    if (log && !log->empty())
        text += fmt::format("; its last output: \"{}\"", excerpt_of_end(*log, masker, 500));
    co_return text;
}

std::string whole_secrets(engine::Client::Log log, const Masker& masker) {
    if (log.cut) masker.mask_cut(log.text, {.front = true});
    return std::move(log.text);
}

Task<> start_was_refused(engine::Client& client, std::string container, Error error) {
    if (error.kind != ErrorKind::refused) co_return fail(std::move(error));
    auto state = co_await client.container_inspect(std::move(container));
    if (!state) co_return fail(std::move(state.error()));
    // Podman notes nothing, but quotes its runtime.
    const bool quoted = error.message.find("OCI runtime") != std::string::npos;
    if (state->running || (state->error.empty() && !quoted)) co_return fail(std::move(error));
    co_return Result<>{};
}

Task<> StepRunner::refresh() {
    auto state = co_await client_.container_inspect(network_);
    if (!state) co_return fail(std::move(state.error()));
    ports_ = state->published;
    const auto address = state->addresses.find(neighbourhood_.network);
    address_ = address == state->addresses.end() ? std::string() : address->second;
    co_return Result<>{};
}

Result<Address> StepRunner::address_of(std::uint16_t container_port) const {
    if (!neighbourhood_.relay.empty()) {
        if (address_.empty())
            return fail(
                ErrorKind::scenario,
                fmt::format("port {}: the subject is not running, and has no address", container_port));
        return Address{address_, container_port, neighbourhood_.relay};
    }
    const auto found = ports_.find(fmt::format("{}/tcp", container_port));
    if (found == ports_.end())
        return fail(ErrorKind::scenario,
                    fmt::format("port {} of the subject is not published; the subject is not running, or "
                                "the port is missing from subject.ports",
                                container_port));
    return Address{client_.endpoint().published_host(), found->second, {}};
}

// A miss of the connection names the port that was asked for.
Task<StepOutcome> StepRunner::over_connection(std::uint16_t port, std::int64_t timeout_ms,
                                              Conversation talk) {
    auto address = address_of(port);
    if (!address) co_return miss(address.error().message);
    bool connected = false;
    Conversation noting = [&](Connection& connection) -> Task<StepOutcome> {
        connected = true;
        co_return co_await talk(connection);
    };
    auto outcome =
        co_await converse(client_, std::move(*address), Milliseconds(timeout_ms), std::move(noting));
    if (outcome && !outcome->passed && !connected)
        outcome->message = fmt::format("port {}: {}", port, outcome->message);
    co_return outcome;
}

namespace {

// docker-proxy accepts before it knows whether anybody listens behind it, and hangs up when nobody does.
// A listener that keeps the connection open (or greets) is there.
Task<StepOutcome> listens(Connection& connection, std::uint16_t port) {
    connection.expires_after(Milliseconds(150));
    char byte = 0;
    auto [read_error, size] = co_await connection.async_read_some(asio::buffer(&byte, 1), token);
    if (read_error && read_error != beast::error::timeout)
        co_return miss(fmt::format("port {}: nothing listens", port));
    co_return pass();
}

}  // namespace

Task<StepOutcome> StepRunner::exec(const Step& step, const ExecAction& action) {
    engine::ExecSpec spec;
    spec.command = wrapper_ ? wrapper_(action.command) : action.command;
    spec.user = action.user;
    spec.working_dir = action.working_dir;
    spec.stdin_text = action.stdin_text;
    for (const auto& [name, value] : action.environment) spec.env.push_back(name + "=" + value);
    auto done = co_await client_.exec(container_, std::move(spec), Milliseconds(step.timeout_ms));
    if (!done) {
        if (done.error().kind == ErrorKind::timeout)
            co_return miss(
                fmt::format("'{}' did not end within {} ms", action.command.front(), step.timeout_ms));
        // 409 and the like: the subject is not running (any more), or has ended meanwhile and the engine has
        // forgotten the command with it (404). That is an outcome of the step, not of the engine.
        if (done.error().kind != ErrorKind::refused && done.error().kind != ErrorKind::not_found &&
            done.error().kind != ErrorKind::engine)
            co_return fail(std::move(done.error()));
        auto state = co_await client_.container_inspect(container_);
        // The engine notes the container's end a moment after it has forgotten the command.
        for (int tries = 0;
             tries < 20 && state && state->running && done.error().kind == ErrorKind::not_found; ++tries) {
            co_await sleep_for(Milliseconds(100));
            state = co_await client_.container_inspect(container_);
        }
        if (!state) co_return fail(std::move(state.error()));
        if (!state->running) {
            auto why = co_await describe_exit(client_, *state, memory_.masker);
            co_return miss(why ? *why : "the subject is not running");
        }
        co_return fail(std::move(done.error()));
    }
    Observed observed;
    observed.exit_code = done->exit_code;
    if (done->truncated)  // within a secret, maybe, of which what follows would hide the beginning
        for (std::string* output : {&done->output_stdout, &done->output_stderr})
            memory_.masker.mask_cut(*output, {.back = true});
    observed.text = done->output_stdout + done->output_stderr;
    StepOutcome outcome = judged(step, std::move(observed), memory_.masker);
    if (done->pid > 0) outcome.exec_pids.push_back(done->pid);
    co_return outcome;
}

Task<StepOutcome> StepRunner::tcp(const Step& step, const TcpAction& action) {
    // A relay has met the listener itself, whatever that does then.
    const bool met = !neighbourhood_.relay.empty();
    Conversation talk = [&](Connection& connection) -> Task<StepOutcome> {
        if (met) co_return pass();
        co_return co_await listens(connection, action.port);
    };
    co_return co_await over_connection(action.port, step.timeout_ms, std::move(talk));
}

Task<StepOutcome> StepRunner::log(const Step& step, std::string since) {
    auto log = co_await client_.container_logs(container_, 1 << 20, {}, std::move(since));
    if (!log) co_return fail(std::move(log.error()));
    Observed observed;
    observed.text = whole_secrets(std::move(*log), memory_.masker);
    co_return judged(step, std::move(observed), memory_.masker);
}

Task<StepOutcome> StepRunner::health() {
    auto state = co_await client_.container_health(container_);
    if (!state) co_return fail(std::move(state.error()));
    if (state->health.empty() || state->health == "none")
        co_return miss(
            "the subject has no health check: neither its image nor subject.healthcheck declares one");
    if (state->health == "healthy") co_return pass();
    co_return miss(fmt::format("health is '{}'", state->health));
}

Task<StepOutcome> StepRunner::restart(const RestartAction& action) {
    if (before_end_)
        if (auto told = co_await before_end_(); !told) co_return fail(std::move(told.error()));
    if (action.kill) {
        auto killed = co_await client_.container_kill(container_, "KILL");
        if (!killed) {
            auto state = co_await client_.container_inspect(container_);
            if (!state) co_return fail(std::move(state.error()));
            if (state->running) co_return fail(std::move(killed.error()));  // else it had ended already
        }
        auto gone = co_await client_.container_wait(container_, Milliseconds(30'000));
        if (!gone) co_return fail(std::move(gone.error()));
    } else {
        auto stopped = co_await client_.container_stop(container_, 10);
        if (!stopped) co_return fail(std::move(stopped.error()));
    }
    auto ended = co_await client_.container_inspect(container_);
    if (!ended) co_return fail(std::move(ended.error()));
    ended_before_ = ended->finished_at;
    if (before_start_)
        if (auto told = co_await before_start_(); !told) co_return fail(std::move(told.error()));
    auto started = co_await client_.container_start(container_);
    if (!started) {
        auto could_not = co_await start_was_refused(client_, container_, started.error());
        if (!could_not) co_return fail(std::move(could_not.error()));
        co_return miss(started.error().message);
    }
    auto found = co_await refresh();
    if (!found) co_return fail(std::move(found.error()));
    co_return pass();
}

Task<StepOutcome> StepRunner::signal(const SignalAction& action) {
    auto sent = co_await client_.container_kill(container_, action.signal);
    if (sent) co_return pass();
    // 409: it is not running any more, which is an outcome; anything else is the engine's failure.
    auto state = co_await client_.container_inspect(container_);
    if (!state) co_return fail(std::move(state.error()));
    if (state->running) co_return fail(std::move(sent.error()));
    co_return miss(sent.error().message);
}

Task<StepOutcome> StepRunner::attempt(const Step& step) {
    if (const auto* http_action = std::get_if<HttpAction>(&step.action))
        co_return co_await http(step, *http_action);
    if (const auto* exec_action = std::get_if<ExecAction>(&step.action))
        co_return co_await exec(step, *exec_action);
    if (const auto* tcp_action = std::get_if<TcpAction>(&step.action))
        co_return co_await tcp(step, *tcp_action);
    if (const auto* restart_action = std::get_if<RestartAction>(&step.action))
        co_return co_await restart(*restart_action);
    if (const auto* signal_action = std::get_if<SignalAction>(&step.action))
        co_return co_await signal(*signal_action);
    if (const auto* copy_action = std::get_if<CopyAction>(&step.action))
        co_return co_await copy(*copy_action);
    if (const auto* file_action = std::get_if<FileAction>(&step.action))
        co_return co_await file(step, *file_action);
    if (const auto* run_container = std::get_if<RunContainerAction>(&step.action))
        co_return co_await run(step, *run_container);
    if (const auto* wait = std::get_if<WaitAction>(&step.action)) {
        co_await sleep_for(Milliseconds(wait->duration_ms));
        co_return pass();
    }
    if (std::holds_alternative<HealthAction>(step.action)) co_return co_await health();
    if (log_from_start_) co_return co_await check(step);
    std::string from_the_beginning;
    co_return co_await log(step, std::move(from_the_beginning));
}

// Before a restart the subject has said that it is ready, which is not to count after it.
Task<StepOutcome> StepRunner::check(const Step& step) {
    if (!std::holds_alternative<LogAction>(step.action)) co_return co_await attempt(step);
    auto state = co_await client_.container_inspect(container_);
    if (!state) co_return fail(std::move(state.error()));
    // Of one that has ended again, `finished_at` is behind all that it wrote.
    std::string since = state->finished_at;
    if (!state->running && ended_before_) since = *ended_before_;
    if (!state->running && !ended_before_ && !log_from_start_) since.clear();
    co_return co_await log(step, std::move(since));
}

Task<StepOutcome> StepRunner::wait_ready(const Readiness& readiness, std::function<Task<>()> meanwhile) {
    const auto until = Clock::now() + Milliseconds(readiness.timeout_ms);
    StepOutcome total = pass();
    for (const Step& check : readiness.checks) {
        for (;;) {
            auto outcome = co_await this->check(check);
            if (!outcome) co_return fail(std::move(outcome.error()));
            total.exec_pids.insert(total.exec_pids.end(), outcome->exec_pids.begin(),
                                   outcome->exec_pids.end());
            if (outcome->passed) break;
            auto state = co_await client_.container_inspect(container_);
            if (!state) co_return fail(std::move(state.error()));
            total.passed = false;
            if (!state->running && std::holds_alternative<LogAction>(check.action)) {
                // Its last words may have come behind the check, and they are still there.
                auto last = co_await this->check(check);
                if (!last) co_return fail(std::move(last.error()));
                total.passed = last->passed;
                if (last->passed) break;
            }
            if (!state->running) {
                auto why = co_await describe_exit(client_, *state, memory_.masker);
                total.message = why ? *why : "the subject exited";
                co_return total;
            }
            if (Clock::now() >= until) {
                total.message =
                    fmt::format("not ready within {:.1f} s: {}",
                                static_cast<double>(readiness.timeout_ms) / 1000.0, outcome->message);
                co_return total;
            }
            total.passed = true;
            if (meanwhile) {
                auto done = co_await meanwhile();
                if (!done) co_return fail(std::move(done.error()));
            }
            co_await sleep_for(Milliseconds(check.retry_interval_ms));
            if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
                co_return fail(ErrorKind::cancelled, "interrupted");
        }
    }
    co_return total;
}

}  // namespace rogate::scenario
