#include "campaign/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <chrono>
#include <rogate/labels.hpp>
#include <rogate/names.hpp>
#include <utility>

#include "base/text.hpp"
#include "campaign/collected.hpp"
#include "campaign/containers.hpp"
#include "campaign/ending.hpp"
#include "campaign/engine_sockets.hpp"
#include "campaign/guests.hpp"
#include "campaign/phases.hpp"
#include "campaign/readiness.hpp"
#include "campaign/silent_ports.hpp"
#include "campaign/steppers.hpp"
#include "campaign/together.hpp"
#include "engine/together.hpp"
#include "scenario/outcome.hpp"
#include "scenario/step_runner.hpp"
#include "verdict/no_op.hpp"
#include "verdict/plan.hpp"

namespace rogate::campaign {

using engine::Milliseconds;
using engine::Task;
using Clock = std::chrono::steady_clock;

namespace {

bool contains(const std::vector<std::string>& list, const std::string& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

bool is_read_only(const Mount& mount, const RunPlan& plan) {
    return mount.read_only || contains(plan.read_only, mount.target);
}

// Where nothing says when a subject is ready: whoever is stopped at once has shown little, and may not have
// set up its signal handlers.
constexpr std::chrono::milliseconds a_while{2000}, between_looks{100};

// In seconds. The signal is lost on it, and all that goes on meanwhile would go on without it as well.
constexpr int grace_of_the_deaf = 1;

constexpr const char* healthcheck_phase = "healthcheck";

bool kills(const SignalAction& action) {
    return action.signal == "KILL" || action.signal == "SIGKILL" || action.signal == "9";
}

// One launch, step by step. Each member moves the record on; a failed phase ends the steps but never the
// shutdown.
class Launch {
  public:
    Launch(Bench& bench, RunPlan plan) : bench_(bench), phases_(bench, record_) {
        record_.plan = std::move(plan);
        memory_.variables = bench.scenario.variables;
        memory_.scenario = &bench.scenario;
        if (bench.secrets != nullptr) memory_.hide(*bench.secrets);
        if (bench.control != nullptr) memory_.control = &bench.control->observations;
    }

    Task<RunRecord> go();

  private:
    Task<> start();
    Result<> stay_out(std::string why);
    Task<> run_phases();
    Task<> begin(std::string name) { return phases_.begin(std::move(name)); }
    void end(bool passed, const std::string& message) { phases_.end(passed, message, memory_.masker); }
    bool has_failed() const { return phases_.any_failed(); }
    Task<> ready();
    Task<> start_behind();
    Task<> step(const Step& step, std::string phase);
    Task<> begin_anew();
    Task<> crash();
    Task<> end_others(bool kill);
    Task<> keep();
    Task<> steps_from(std::size_t first);
    Task<> ask_for_health();
    Task<> steps_again();
    Task<> start_after_crash();
    Task<> with_background(std::size_t index);
    // Whose ports are published; empty: the subject's own.
    const std::string& published_by() const { return network_.empty() ? bench_.pod.holder() : network_; }
    // What it is waited for: without the ports that did not answer in the control run, or in this one if it
    // is.
    Readiness readiness() const {
        const Readiness& said = bench_.scenario.readiness;
        if (bench_.control == nullptr) return without_ports(said, record_.silent_ports);
        Readiness asked = without_ports(said, bench_.control->silent_ports);
        if (asked.derived)
            asked.timeout_ms = allowed_wait(*bench_.control, Milliseconds(asked.timeout_ms)).count();
        return asked;
    }
    Task<scenario::StepOutcome> find_silent_ports(scenario::StepRunner& runner);
    Task<> run_for_a_while();
    scenario::StepRunner step_runner() {
        scenario::StepRunner made = stepper(bench_, record_.plan, memory_, asked(), places());
        if (!prefix_.empty()) made.read_log_from_start();
        made.show_output([this](const std::string& line) { bench_.status.output(line); });
        made.tell_of_restarts([this] { return bench_.observer.before_end(); },
                              [this] { return bench_.observer.before_start_again(""); });
        return made;
    }
    Asked asked() const { return {.container = container_, .published_by = published_by()}; }
    std::vector<scenario::Place> places() const {
        std::vector<scenario::Place> all{
            scenario::place_of_subject(bench_.scenario, container_, published_by())};
        for (scenario::Place& each : bench_.companions.places()) all.push_back(std::move(each));
        return all;
    }
    scenario::Neighbourhood neighbourhood() const {
        return {.session = bench_.session,
                .network = bench_.network,
                .name = fmt::format("rogate-{}-run{}", bench_.session, record_.plan.id),
                .relay = bench_.relay};
    }
    // A program that does its work and ends, not a server: it is waited for, or how far it gets would be
    // chance.
    bool may_end_by_itself() const {
        const bool nothing_else_is_asked = readiness().checks.empty() && bench_.scenario.steps.empty();
        return !has_failed() &&
               (record_.plan.expected_early_exit || nothing_else_is_asked || ended_before_restart_);
    }
    Task<> let_it_end();
    Task<> look_before_restart();
    Task<> shutdown();
    std::string stop_signal() const;
    Task<bool> is_deaf();
    void judge_exit(const engine::ContainerState& state, bool told_to, bool killed);
    bool takes_canary(const DataMount& data) const {
        return is_read_only(data.mount, record_.plan) && data.special.empty() && !data.below_source;
    }
    Task<> canaries();
    Task<> collect();
    Task<> remove();

    Bench& bench_;
    RunRecord record_;
    Phases phases_;
    scenario::Memory memory_;
    std::string container_, network_;            // network_: the service's whose network the subject shares
    std::string prefix_;                         // of the steps' phases
    bool signalled_ = false, executed_ = false;  // by steps since the subject was started last
    bool ended_before_restart_ = false;          // by itself, and so it will again
};

// Without what is beside it nothing is learned about the subject, so it is not started.
Result<> Launch::stay_out(std::string why) {
    record_.services_problem = masked_beginning(memory_.masker, why, longest_message);
    phases_.begin_within("services");
    end(false, why);
    return Result<>{};
}

Task<> Launch::start() {
    scenario::Neighbourhood beside = neighbourhood();
    auto in_pod = co_await bench_.pod.start(record_.plan, std::move(beside));
    if (!in_pod) co_return fail(std::move(in_pod.error()));
    if (!in_pod->empty()) co_return stay_out(std::move(*in_pod));
    auto given = co_await bench_.pod.mounts(record_.plan);
    if (!given) co_return fail(std::move(given.error()));
    auto mounts = co_await bench_.data.prepare(record_.plan, std::move(*given));
    if (!mounts) co_return fail(std::move(mounts.error()));
    auto trouble = co_await bench_.companions.start(record_.plan, bench_.data, *mounts);
    if (!trouble) co_return fail(std::move(trouble.error()));
    if (!trouble->empty()) co_return stay_out(std::move(*trouble));
    engine::ContainerSpec spec = container_for(bench_, record_.plan, std::move(*mounts));
    bench_.pod.dress(spec);
    network_ = bench_.companions.container(network_owner(bench_.scenario, bench_.scenario.subject));
    if (!network_.empty()) share_network(spec, network_);
    bench_.observer.dress(spec, bench_.image);
    auto created = co_await bench_.client.container_create(std::move(spec));
    if (!created) co_return fail(std::move(created.error()).with_context("creating the subject's container"));
    container_ = *created;
    for (const std::string& network : bench_.scenario.subject.networks)
        if (auto joined = co_await bench_.client.network_connect(network, container_); !joined)
            co_return fail(
                std::move(joined.error()).with_context(fmt::format("joining network '{}'", network)));
    auto seeded = co_await seed_files(bench_.client, container_, bench_.scenario.subject.files);
    if (!seeded && seeded.error().kind != ErrorKind::refused) co_return seeded;

    std::vector<observe::ObservedMount> observed;
    for (const DataMount& data : bench_.data.mounts())
        observed.push_back({.target = data.mount.target,
                            .is_directory = data.is_directory,
                            .is_read_only = takes_canary(data),
                            .below_source = data.below_source,
                            .lacks_data = bench_.lacks_data});
    auto armed = co_await bench_.observer.arm(container_, std::move(observed), "entrypoint", "");
    if (!armed) co_return fail(std::move(armed.error()).with_context("arming the observer"));

    if (auto begun = co_await begin("entrypoint"); !begun) co_return begun;
    // The engine writes no file into a container whose root is read-only, as with docker compose.
    auto started = seeded;
    if (seeded) started = co_await bench_.client.container_start(container_);
    if (!started) {
        if (seeded) {
            auto could_not = co_await scenario::start_was_refused(bench_.client, container_, started.error());
            if (!could_not) co_return fail(std::move(could_not.error()));
        }
        record_.could_not_start = true;
        end(false, started.error().message);
        co_return Result<>{};
    }
    in_pod = co_await bench_.pod.start_rest(record_.plan.id);
    if (!in_pod) co_return fail(std::move(in_pod.error()));
    end(in_pod->empty(), *in_pod);
    co_return Result<>{};
}

Task<scenario::StepOutcome> Launch::find_silent_ports(scenario::StepRunner& runner) {
    auto asked =
        co_await campaign::find_silent_ports(bench_.client, container_, bench_.scenario.readiness, runner);
    if (!asked) co_return fail(std::move(asked.error()));
    for (const std::uint16_t port : asked->silent) bench_.status.warn(silent_port_note("", port));
    record_.silent_ports.merge(asked->silent);
    co_return std::move(asked->outcome);
}

// Until it has ended, or a while has passed.
Task<> Launch::run_for_a_while() {
    const auto until = Clock::now() + a_while;
    while (Clock::now() < until) {
        auto state = co_await bench_.client.container_inspect(container_);
        if (!state) co_return fail(std::move(state.error()));
        if (!state->running) break;
        if (auto paused = co_await pause_for(between_looks); !paused) co_return paused;
    }
    co_return Result<>{};
}

Task<> Launch::ready() {
    // What happens until readiness still belongs to the entrypoint; only the processes of readiness checks do
    // not.
    phases_.begin_within("ready");
    scenario::StepRunner runner = step_runner();
    if (auto found = co_await runner.refresh(); !found) co_return found;
    Readiness asked = readiness();
    const bool finds_out = bench_.control == nullptr && asked.derived;
    auto waiting = finds_out ? find_silent_ports(runner) : runner.wait_ready(asked);
    auto outcome = co_await std::move(waiting);
    if (!outcome)
        co_return fail(std::move(outcome.error()).with_context("waiting for the subject to be ready"));
    bench_.observer.own_processes(outcome->exec_pids);
    if (outcome->passed && asked.derived && readiness().checks.empty())
        if (auto waited = co_await run_for_a_while(); !waited) co_return waited;
    if (outcome->passed) {
        auto others = co_await bench_.pod.ready();
        if (!others) co_return fail(std::move(others.error()));
        outcome->passed = others->empty();
        outcome->message = std::move(*others);
    }
    end(outcome->passed, outcome->message);
    co_return Result<>{};
}

// The services that wait for the subject.
Task<> Launch::start_behind() {
    if (has_failed()) co_return Result<>{};
    auto trouble = co_await bench_.companions.start_behind(record_.plan.id, container_, bench_.data);
    if (!trouble) co_return fail(std::move(trouble.error()));
    if (trouble->empty()) co_return Result<>{};
    phases_.begin_within("services");
    end(false, *trouble);
    co_return Result<>{};
}

// A restart would hide that the subject has ended by itself, where in the control run it had not by then.
Task<> Launch::look_before_restart() {
    auto state = co_await bench_.client.container_inspect(container_);
    if (!state) co_return fail(std::move(state.error()));
    const std::string key = "before " + record_.phases.back().name;  // no step's own
    memory_.observed[key].had_ended = !state->running;
    ended_before_restart_ = !state->running && !signalled_ && !executed_;
    if (state->running || record_.plan.kind == RunKind::control) co_return Result<>{};
    bool expected = record_.plan.expected_early_exit;
    if (memory_.control != nullptr)
        if (const auto there = memory_.control->find(key); there != memory_.control->end())
            expected = there->second.had_ended;
    // What a step has ended may be running for a moment still, in one run and not in the other.
    const bool by_exec = executed_ && (state->exit_code == 0 || state->exit_code > 128);
    if (expected || signalled_ || by_exec) co_return Result<>{};
    auto why = co_await scenario::describe_exit(bench_.client, *state, memory_.masker);
    end(false, why ? *why : "the subject had exited by itself");
    co_return Result<>{};
}

Task<> Launch::step(const Step& step, std::string phase) {
    if (auto begun = co_await begin(std::move(phase)); !begun) co_return begun;
    scenario::StepRunner runner = step_runner();
    if (auto found = co_await runner.refresh(); !found) co_return found;
    if (const auto* signal = std::get_if<SignalAction>(&step.action); signal != nullptr && kills(*signal))
        if (auto told = co_await bench_.observer.before_end(); !told) co_return told;
    const bool restarts = std::holds_alternative<RestartAction>(step.action);
    if (restarts)
        if (auto alive = co_await look_before_restart(); !alive || has_failed()) co_return alive;
    signalled_ = !restarts && (signalled_ || std::holds_alternative<SignalAction>(step.action));
    executed_ = !restarts && (executed_ || std::holds_alternative<ExecAction>(step.action));
    auto outcome = co_await runner.perform(step);
    if (!outcome)
        co_return fail(std::move(outcome.error()).with_context(fmt::format("step '{}'", step.name)));
    bench_.observer.own_processes(outcome->exec_pids);
    if (outcome->passed && restarts) {
        // The next step is to meet an application that is there again, as the first one did.
        const Readiness asked = readiness();
        outcome = co_await runner.wait_ready(asked);
        if (!outcome)
            co_return fail(std::move(outcome.error()).with_context(fmt::format("step '{}'", step.name)));
        bench_.observer.own_processes(outcome->exec_pids);
    }
    end(outcome->passed, outcome->message);
    record_.phases.back().suite = std::move(outcome->suite);
    record_.phases.back().output = std::move(outcome->output);
    co_return Result<>{};
}

Task<> Launch::steps_from(std::size_t first) {
    const std::vector<Step>& steps = bench_.scenario.steps;
    for (std::size_t i = first; i < steps.size() && !has_failed(); ++i) {
        if (std::holds_alternative<BackgroundAction>(steps[i].action)) co_return co_await with_background(i);
        if (auto done = co_await step(steps[i], prefix_ + "step " + steps[i].name); !done) co_return done;
    }
    co_return Result<>{};
}

// The steps that follow, with this one going on beside them. Its failure ends the run like any other.
Task<> Launch::with_background(std::size_t index) {
    const Step& step = bench_.scenario.steps[index];
    if (auto begun = co_await begin(prefix_ + "step " + step.name); !begun) co_return begun;
    end(true, {});
    const std::size_t phase = record_.phases.size() - 1;
    const auto start = Clock::now();
    // What it captures is its own.
    scenario::Memory memory = memory_;
    Asked beside = asked();
    beside.suffix = "-background";  // its containers are not those of the other steps
    scenario::StepRunner runner = stepper(bench_, record_.plan, memory, std::move(beside), places());
    if (auto found = co_await runner.refresh(); !found) co_return found;
    bool stop = false;
    const auto load = [&]() -> Task<> {
        co_await boost::asio::this_coro::throw_if_cancelled(false);
        auto outcome = co_await runner.in_background(step, stop);
        if (!outcome)
            co_return fail(std::move(outcome.error()).with_context(fmt::format("step '{}'", step.name)));
        bench_.observer.own_processes(outcome->exec_pids);
        record_.phases[phase].passed = outcome->passed;
        record_.phases[phase].message = masked_beginning(memory_.masker, outcome->message, longest_message);
        record_.phases[phase].duration_s = seconds_since(start);
        if (!outcome->passed) phases_.fail();
        co_return Result<>{};
    };
    const auto rest = [&]() -> Task<> {
        co_await boost::asio::this_coro::throw_if_cancelled(false);
        auto done = co_await steps_from(index + 1);
        stop = true;
        co_return done;
    };
    using namespace boost::asio::experimental::awaitable_operators;
    auto [loaded, done] = co_await (load() && rest());
    memory_.hide(memory.secrets);
    if (!done) co_return done;
    co_return loaded;
}

// The states `restart` and `crash`: what follows is asked of a subject that was there before.
Task<> Launch::begin_anew() {
    const DataState state = record_.plan.state;
    if (has_failed() || record_.plan.ends_by_kill ||
        (state != DataState::restart && state != DataState::crash))
        co_return Result<>{};
    Step again;
    again.name = "restart";
    again.action = RestartAction{state == DataState::crash};
    co_return co_await step(again, "restart");
}

// The engine asks every 30 seconds unless told otherwise, and most runs are over by then. What the check does
// belongs to the subject, however it ends; it has to end as in the control run.
Task<> Launch::ask_for_health() {
    const auto command = health_check_that_nobody_awaits(bench_.scenario, bench_.image);
    if (command.empty() || has_failed()) co_return Result<>{};
    auto state = co_await bench_.client.container_inspect(container_);
    if (!state) co_return fail(std::move(state.error()).with_context("looking at the subject"));
    if (!state->running) co_return Result<>{};
    if (auto begun = co_await begin(healthcheck_phase); !begun) co_return begun;
    Step ask;
    ask.name = healthcheck_phase;
    ask.action = ExecAction{command, {}, {}, {}, {}};
    scenario::StepRunner runner = step_runner();
    if (auto found = co_await runner.refresh(); !found) co_return found;
    executed_ = true;
    auto outcome = co_await runner.perform(ask);
    if (!outcome) co_return fail(std::move(outcome.error()).with_context("asking for the subject's health"));
    bench_.observer.own_processes(outcome->exec_pids);
    const bool is_first = bench_.control == nullptr;
    const bool failed_before =
        !is_first && std::ranges::any_of(bench_.control->phases, [](const auto& phase) {
            return phase.name == healthcheck_phase && !phase.message.empty();
        });
    end(outcome->passed || is_first || failed_before, outcome->message);
    co_return Result<>{};
}

// Whether anything is missed that a restart empties.
Task<> Launch::steps_again() {
    if (!record_.plan.again || has_failed()) co_return Result<>{};
    if (auto waited = co_await let_it_end(); !waited) co_return waited;
    prefix_ = again_prefix;
    Step again;
    again.name = "restart";
    again.action = RestartAction{};
    if (auto restarted = co_await step(again, verdict::restart_phase); !restarted) co_return restarted;
    co_return co_await steps_from(0);
}

// A new container finds nothing of before but what is in volumes: there a pid file or a lock would outlive
// it, and keep the application from starting.
Task<> Launch::start_after_crash() {
    if (!record_.plan.crashes || has_failed() || record_.plan.ends_by_kill ||
        record_.plan.expected_early_exit)
        co_return Result<>{};
    Step again;
    again.name = "start after a crash";
    again.action = RestartAction{.kill = true};
    co_return co_await step(again, verdict::crash_phase);
}

// In place of the shutdown, in a run whose data are to be those of a crash.
Task<> Launch::crash() {
    if (auto begun = co_await begin("crash"); !begun) co_return begun;
    if (!bench_.observer.sees_after_end())
        if (auto tried = co_await canaries(); !tried) co_return tried;
    if (auto told = co_await bench_.observer.before_end(); !told) co_return told;
    auto killed = co_await bench_.client.container_kill(container_, "KILL");
    // 409: it has ended by itself.
    if (!killed && killed.error().kind != ErrorKind::refused) co_return fail(std::move(killed.error()));
    auto ended = co_await bench_.client.container_wait(container_, Milliseconds(30'000));
    if (!ended) co_return fail(std::move(ended.error()).with_context("killing the subject"));
    record_.exit_code = *ended;
    if (auto others = co_await end_others(true); !others) co_return others;
    end(killed.has_value(),
        killed ? "" : fmt::format("the subject had exited by itself with code {}", *ended));
    co_return Result<>{};
}

// What is beside the subject.
Task<> Launch::end_others(bool kill) {
    auto stopped = co_await bench_.pod.stop(kill);
    if (!stopped) co_return stopped;
    co_return co_await bench_.companions.stop(kill);
}

// The data are to be whole before anything is kept of them.
Task<> Launch::keep() {
    if (auto ended = co_await end_others(record_.plan.ends_by_kill); !ended) co_return ended;
    if (auto kept = co_await bench_.pod.keep(record_.plan, container_); !kept) co_return kept;
    if (auto kept = co_await bench_.companions.keep(record_.plan); !kept) co_return kept;
    std::map<std::string, DataPlane::SeenIn> places;
    const bool in_pod = bench_.scenario.subject.origin.kind == Origin::Kind::kubernetes;
    for (const DataMount& data : bench_.data.mounts()) {
        // What the image declares is new with each pod.
        if (in_pod && data.mount.type == MountType::anonymous) continue;
        places.emplace(data.mount.target, DataPlane::SeenIn{container_, data.mount.target});
    }
    co_return co_await bench_.data.keep(record_.plan, container_, std::move(places));
}

Task<> Launch::canaries() {
    for (const DataMount& data : bench_.data.mounts()) {
        const std::string& target = data.mount.target;
        if (!takes_canary(data)) continue;
        auto canary = co_await bench_.observer.canary(target);
        if (!canary) co_return fail(std::move(canary.error()).with_context("canary write on " + target));
        // The worse of the two, at the beginning and at the end of the run, is the one that counts.
        const auto [at, fresh] = record_.canary.try_emplace(target, *canary);
        if (!fresh && *canary != Canary::seen) at->second = *canary;
    }
    co_return Result<>{};
}

// The signal that it is told to end by.
std::string Launch::stop_signal() const {
    const Scenario& scenario = bench_.scenario;
    if (scenario.shutdown.signal) return *scenario.shutdown.signal;
    if (scenario.subject.stop_signal) return *scenario.subject.stop_signal;
    return bench_.image.stop_signal.empty() ? "SIGTERM" : bench_.image.stop_signal;
}

// Whether waiting for it would be in vain. What the control run's first process was like is what counts: one
// that lacks its handler in another run shows it by being killed late.
Task<bool> Launch::is_deaf() {
    if (bench_.control != nullptr) co_return bench_.control->deaf_to_stop;
    auto masks = co_await bench_.client.container_signals(container_);
    if (!masks) co_return fail(std::move(masks.error()));
    co_return masks->has_value() && is_deaf_to(signal_number(stop_signal()), **masks);
}

void Launch::judge_exit(const engine::ContainerState& state, bool told_to, bool killed) {
    const RunPlan& plan = record_.plan;
    record_.exit_code = state.exit_code;
    record_.exited_early = !told_to;
    record_.killed = killed;
    // One that is made again is held against the first: what ends otherwise there shows nothing.
    const bool is_control = bench_.control == nullptr;
    std::string wrong = judge_ending(
        {.exit_code = state.exit_code, .oom_killed = state.oom_killed, .told_to = told_to, .killed = killed},
        {.is_control = is_control,
         .said = bench_.scenario.shutdown.exit_code,
         .control = plan.expected_exit_code,
         .early = plan.expected_early_exit,
         .killed = bench_.control != nullptr && bench_.control->killed,
         .grace_ms = bench_.scenario.shutdown.timeout_ms});
    if (is_control && killed && wrong.empty())
        bench_.status.warn(killed_note("the subject", stop_signal(), record_.deaf_to_stop,
                                       bench_.scenario.shutdown.timeout_ms));
    end(wrong.empty(), wrong);
}

// A program that does its work and ends gets the time for it.
Task<> Launch::let_it_end() {
    if (!may_end_by_itself()) co_return Result<>{};
    auto ended =
        co_await bench_.client.container_wait(container_, Milliseconds(bench_.scenario.shutdown.timeout_ms));
    if (!ended && ended.error().kind != ErrorKind::timeout)
        co_return fail(std::move(ended.error()).with_context("waiting for the subject to end"));
    co_return Result<>{};
}

Task<> Launch::shutdown() {
    if (auto begun = co_await begin("shutdown"); !begun) co_return begun;
    if (auto waited = co_await let_it_end(); !waited) co_return waited;
    auto before = co_await bench_.client.container_inspect(container_);
    if (!before) co_return fail(std::move(before.error()));
    bool killed = false;
    if (before->running) {
        if (!bench_.observer.sees_after_end())
            if (auto tried = co_await canaries(); !tried) co_return tried;
        if (auto told = co_await bench_.observer.before_end(); !told) co_return told;
        auto deaf = co_await is_deaf();
        if (!deaf) co_return fail(std::move(deaf.error()).with_context("stopping the subject"));
        record_.deaf_to_stop = *deaf;
        auto grace = static_cast<int>((bench_.scenario.shutdown.timeout_ms + 999) / 1000);
        if (*deaf) grace = std::min(grace, grace_of_the_deaf);
        const auto start = Clock::now();
        auto stopped = co_await bench_.client.container_stop(container_, grace);
        if (!stopped) co_return fail(std::move(stopped.error()).with_context("stopping the subject"));
        killed = seconds_since(start) >= grace;
    }
    auto after = co_await bench_.client.container_inspect(container_);
    if (!after) co_return fail(std::move(after.error()));
    judge_exit(*after, before->running, killed && after->exit_code == 137);
    co_return Result<>{};
}

Task<> Launch::collect() {
    auto collecting = campaign::collect(bench_, record_);
    if (auto collected = co_await std::move(collecting); !collected) co_return collected;
    if (std::string doubt = unseen_writers(bench_, bench_.scenario.subject); !doubt.empty())
        record_.unseen_writers.emplace("", std::move(doubt));
    co_return Result<>{};
}

Task<> Launch::run_phases() {
    if (auto started = co_await start(); !started) co_return started;
    if (!record_.services_problem.empty()) {
        record_.observer = bench_.observer.facts().kind;
        co_return Result<>{};
    }
    if (!record_.could_not_start) {
        if (auto tried = co_await canaries(); !tried) co_return tried;
        if (auto waited = co_await ready(); !waited) co_return waited;
        if (auto behind = co_await start_behind(); !behind) co_return behind;
        if (auto again = co_await begin_anew(); !again) co_return again;
        if (auto done = co_await steps_from(0); !done) co_return done;
        if (auto asked = co_await ask_for_health(); !asked) co_return asked;
        if (auto again = co_await steps_again(); !again) co_return again;
        if (auto crashed = co_await start_after_crash(); !crashed) co_return crashed;
        if (has_failed()) {
            auto log =
                co_await scenario::last_lines(bench_.client, container_, memory_.masker, 16 * 1024, 30);
            if (log) record_.log_tail = std::move(*log);
            auto fallen_beside = co_await bench_.pod.fallen();
            if (fallen_beside && !fallen_beside->empty())
                record_.phases.back().message += "; " + *fallen_beside;
            auto fallen = co_await bench_.companions.fallen();
            if (fallen && !fallen->empty()) record_.phases.back().message += "; " + *fallen;
            memory_.masker.mask(record_.phases.back().message);  // also what the steps have brought
        }
        // Not with `?:` around co_await: g++ 12 destroys its answer twice.
        Result<> stopped;
        if (record_.plan.ends_by_kill)
            stopped = co_await crash();
        else
            stopped = co_await shutdown();
        if (!stopped) co_return stopped;
        if (bench_.observer.sees_after_end())
            if (auto tried = co_await canaries(); !tried) co_return tried;
    }
    if (auto collected = co_await collect(); !collected) co_return collected;
    record_.passed = !has_failed();
    record_.observations = std::move(memory_.observed);
    record_.secrets = std::move(memory_.secrets);
    co_return Result<>{};
}

Task<> Launch::remove() {
    if (bench_.guests != nullptr)
        if (auto ended = co_await bench_.guests->end_run(); !ended) co_return ended;
    if (record_.plan.leaves_data && !container_.empty()) co_return co_await keep();
    if (bench_.scenario.companions.empty() && bench_.scenario.pod.containers.empty() &&
        bench_.pod.holder().empty() && bench_.guests == nullptr) {  // who would see it in the next run
        bench_.remains = {.run = record_.plan.id, .container = container_};
        co_return Result<>{};
    }
    if (!container_.empty())
        if (auto removed = co_await bench_.client.container_remove(container_); !removed) co_return removed;
    if (auto removed = co_await bench_.pod.remove(record_.plan.id); !removed) co_return removed;
    if (auto removed = co_await bench_.companions.remove(record_.plan.id); !removed) co_return removed;
    co_return co_await bench_.data.release(record_.plan.id);
}

Task<RunRecord> Launch::go() {
    const auto start = Clock::now();
    bench_.status.run_started(record_.plan);
    auto done = co_await run_phases();
    if (!done && done.error().kind == ErrorKind::cancelled) co_return fail(std::move(done.error()));
    auto removed = co_await remove();
    if (!done) co_return fail(std::move(done.error()).with_context(fmt::format("run {}", record_.plan.id)));
    if (!removed)
        bench_.status.warn(fmt::format("run {}: clean-up: {}", record_.plan.id, removed.error().message));
    record_.duration_s = seconds_since(start);
    bench_.status.run_finished(record_);
    co_return std::move(record_);
}

}  // namespace

BoundVolumes bound_volumes(const DataPlane& data, const Companions& companions, const Pod& pod) {
    BoundVolumes bound = data.bound_volumes();
    bound.merge(companions.bound_volumes());
    bound.merge(pod.bound_volumes());
    return bound;
}

std::string unseen_writers(const Bench& bench, const Subject& subject) {
    if (bench.guests != nullptr) return bench.guests->doubt(subject);
    const engine::Endpoint& endpoint = bench.client.endpoint();
    const BoundVolumes bound = bound_volumes(bench.data, bench.companions, bench.pod);
    std::string own = engine_socket_doubt(subject, endpoint, bound);
    if (!own.empty() || !has_engine_socket(bench.scenario, endpoint, bound)) return own;
    return "another container has the engine's own socket, and what it looks for there has other names, "
           "labels, networks and mounts in the runs than in life, so that it may act otherwise; with "
           "`rogate wrap` it has its own";
}

engine::ContainerSpec container_for(const Bench& bench, const RunPlan& plan,
                                    std::vector<engine::MountSpec> mounts) {
    const Subject& subject = bench.scenario.subject;
    engine::ContainerSpec spec;
    spec.name = fmt::format("rogate-{}-run{}", bench.session, plan.id);
    describe(subject, spec);
    spec.stop_signal = bench.scenario.shutdown.signal ? bench.scenario.shutdown.signal : subject.stop_signal;
    spec.labels = labels(bench.session, "subject");
    spec.labels.emplace("io.rogate.run", std::to_string(plan.id));
    spec.mounts = std::move(mounts);
    for (const DataMount& data : bench.data.mounts())
        if (data.mount.type == MountType::tmpfs) add_tmpfs(spec, data.mount, is_read_only(data.mount, plan));
    for (const WritablePath& path : plan.writable)
        if (path.as == WritableAs::tmpfs && !bench.data.makes_tmpfs())
            spec.tmpfs.emplace(path.path, path.tmpfs_options);
    for (const auto& [name, value] : plan.environment) spec.env.push_back(name + "=" + value);
    if (plan.capabilities) spec.cap_drop = {"ALL"}, spec.cap_add = *plan.capabilities;
    if (plan.no_new_privileges) spec.security_opt.emplace_back("no-new-privileges:true");
    place_on_network(subject, bench.network, bench.relay.empty(), spec);
    spec.read_only_rootfs = subject.read_only_rootfs || contains(plan.read_only, "/");
    return spec;
}

namespace {

Task<> clear(Bench& bench, Remains remains) {
    Result<> removed;
    if (!remains.container.empty()) removed = co_await bench.client.container_remove(remains.container);
    if (removed) removed = co_await bench.data.release(remains.run);
    if (!removed && removed.error().kind != ErrorKind::cancelled)
        bench.status.warn(fmt::format("run {}: clean-up: {}", remains.run, removed.error().message));
    co_return Result<>{};
}

Task<> into(Task<RunRecord> task, std::optional<RunRecord>* record) {
    auto done = co_await std::move(task);
    if (!done) co_return fail(std::move(done.error()));
    *record = std::move(*done);
    co_return Result<>{};
}

}  // namespace

Task<> clear_remains(Bench& bench) {
    std::optional<Remains> remains = std::exchange(bench.remains, std::nullopt);
    if (!remains) co_return Result<>{};
    co_return co_await clear(bench, std::move(*remains));
}

Task<RunRecord> launch(Bench& bench, RunPlan plan) {
    if (!bench.scenario.members.empty()) co_return co_await launch_together(bench, std::move(plan));
    Launch one(bench, std::move(plan));
    std::optional<Remains> before =
        std::exchange(bench.remains, std::nullopt);  // this run leaves its own there
    if (!before) co_return co_await one.go();
    std::optional<RunRecord> record;
    Task<> clearing = clear(bench, std::move(*before));
    Task<> going = into(one.go(), &record);
    auto both = engine::together(std::move(clearing), std::move(going));
    if (auto done = co_await std::move(both); !done) co_return fail(std::move(done.error()));
    co_return std::move(*record);
}

}  // namespace rogate::campaign
