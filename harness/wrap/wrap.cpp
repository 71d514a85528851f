#include "wrap/wrap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>

#include "base/masker.hpp"
#include "campaign/campaign.hpp"
#include "campaign/canary.hpp"
#include "campaign/door.hpp"
#include "campaign/engine_sockets.hpp"
#include "proxy/guest.hpp"
#include "scenario/junit_files.hpp"
#include "secrets/collect.hpp"
#include "suite/judge.hpp"
#include "verdict/compare.hpp"
#include "verdict/doubt.hpp"
#include "verdict/plan.hpp"
#include "wrap/command.hpp"
#include "wrap/keyed.hpp"
#include "wrap/lives.hpp"
#include "wrap/onlooker.hpp"
#include "wrap/question.hpp"

namespace rogate::wrap {

namespace asio = boost::asio;
using engine::Task;
using proxy::Call;
using proxy::CallKind;
using proxy::Exchange;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kept_output = 64 * 1024, shown_lines = 30;

// Passes calls to whichever run there is; between runs there is none.
class Switch : public proxy::Overseer {
  public:
    bool wants(const Call& call) const override {
        return call.kind != CallKind::other && call.kind != CallKind::copy_in;
    }
    void passes(const Call& call) override {
        if (run_ != nullptr && call.kind == CallKind::copy_in) run_->note_copy(call);
    }
    Task<> before(Exchange& exchange) override {
        const std::shared_ptr<Onlooker> run = run_;
        if (run == nullptr)
            co_return fail(ErrorKind::refused, "COMMAND has ended, and nothing is changed any more");
        exchange.seen_by = run;
        co_return co_await run->before(exchange);
    }
    Task<> after(const Exchange& exchange, int status, const std::string& body) override {
        const auto run = std::static_pointer_cast<Onlooker>(exchange.seen_by);
        co_return co_await run->after(exchange, status, body);
    }
    void set(std::shared_ptr<Onlooker> run) { run_ = std::move(run); }
    const std::shared_ptr<Onlooker>& run() const { return run_; }

  private:
    std::shared_ptr<Onlooker> run_;
};

// What belongs to the run that is under way, for containers of it that have the guests' socket.
class OfRun : public proxy::System {
  public:
    explicit OfRun(const Switch& runs) : runs_(runs) {}
    bool has_container(const std::string& id, const proxy::Labels&) const override {
        return runs_.run() != nullptr && runs_.run()->has_container(id);
    }
    void add_made(proxy::Belongings& all) const override {
        if (runs_.run() != nullptr) runs_.run()->add_made(all);
    }
    // What of it needs labels, gets them as what COMMAND makes.
    proxy::Labels labels_of_new() const override { return {}; }
    Task<> settled() override {
        const std::shared_ptr<Onlooker> run = runs_.run();
        if (run != nullptr) co_return co_await run->settled();
        co_return Result<>{};
    }
    void refused(const std::string& what) override {
        if (refused_.empty()) refused_ = what;
    }
    void looks(const std::string&) override {}  // all is as COMMAND has made it
    void acts(const std::string&) override {}   // it is watched
    // The first that was; empty: nothing.
    const std::string& first_refused() const { return refused_; }

  private:
    const Switch& runs_;
    std::string refused_;
};

std::set<std::string> present_in(const Onlooker& run) {
    std::set<std::string> keys;
    for (const auto& each : run.containers())
        if (each->is_made && each->was_started) keys.insert(each->key);
    return keys;
}

Lives lives_in(const Onlooker& run) {
    Lives lives;
    for (const auto& each : run.containers())
        if (each->is_made) lives.emplace(each->key, each->lives);
    return lives;
}

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Result<std::string> make_folder() {
    const char* given = std::getenv("TMPDIR");
    std::string name =
        fmt::format("{}/rogate-wrap-XXXXXX", given == nullptr || *given == '\0' ? "/tmp" : given);
    if (mkdtemp(name.data()) == nullptr)  // 0700
        return fail(ErrorKind::io, fmt::format("a folder for rogate's socket cannot be made: {}: {}", name,
                                               std::strerror(errno)));
    return name;
}

}  // namespace

std::optional<milliseconds> limit_of(const Options& options, const RunRecord* control) {
    if (options.timeout) return options.timeout;
    if (control == nullptr) return std::nullopt;
    return milliseconds(static_cast<std::int64_t>(control->duration_s * 3000)) + std::chrono::minutes(1);
}

struct Wrap::Impl {
    Impl(engine::Client& to, engine::Transport& by, std::string name, Options given, campaign::Status& tell)
        : client(to),
          transport(by),
          session(std::move(name)),
          options(std::move(given)),
          status(tell),
          observers(to, session, options.ring_bytes, options.observer_timeout),
          around{.client = to, .observers = observers, .status = tell, .session = session, .socket = {}} {}
    ~Impl() {
        door.reset();
        guests.reset();
        front.reset();
        command.reset();
        std::error_code ignored;
        if (!folder.empty()) std::filesystem::remove_all(folder, ignored);
    }

    Task<Answer> go();
    Task<> prepare();
    Task<std::string> open_door(std::string like);
    Task<> show_that_it_sees(const char* when);
    Task<RunRecord> run(RunPlan plan, const RunRecord* control, std::shared_ptr<Onlooker>* seen);
    Task<> run_command(RunRecord& record, const RunRecord* control);
    void judge_command(PhaseRecord& phase, int code, const scenario::JunitFiles& junit, bool is_control);
    void hold_against_control(RunRecord& record, const Onlooker& run);
    Task<> clear(Onlooker& run, bool is_announced);
    Task<> settle();
    Result<> ask_about(const Onlooker& run, const RunRecord& control);
    Answer answer();

    engine::Client& client;
    engine::Transport& transport;
    std::string session;
    Options options;
    campaign::Status& status;
    Observers observers;
    Surroundings around;
    Switch overseer;
    std::string folder;
    std::unique_ptr<proxy::Turn> door_turn;
    std::unique_ptr<proxy::Proxy> front;
    OfRun of_run{overseer};
    std::unique_ptr<proxy::Guest> guest;
    std::unique_ptr<proxy::Proxy> guests;  // with no socket of its own: connections come by the door
    std::unique_ptr<campaign::Door> door;  // null: no container has asked for the engine's socket
    std::unique_ptr<Command> command;
    std::shared_ptr<Onlooker> onlooker;  // of the run that is under way

    CampaignResult common;  // what all results share
    std::shared_ptr<Roster> roster;
    std::vector<Subjected> system;  // containers of the control run, and what was there before
    verdict::Question question;
    std::vector<RunRecord> runs;
    Lives lives;                     // of the last control run
    std::optional<RunRecord> first;  // a control run that was made again since its data outlast it
    suite::Tests control_tests;      // of the last control run, as its JUnit files have them
    std::optional<int> control_code;
    bool is_told = false;  // how containers are recognised
    std::string said;      // the end of COMMAND's output in this run
};

Task<> Wrap::Impl::show_that_it_sees(const char* when) {
    auto observer = co_await observers.take();
    if (!observer) co_return fail(std::move(observer.error()));
    auto container = co_await campaign::make_canary_container(client, session, **observer);
    if (!container) co_return fail(std::move(container.error()).with_context("making a canary's container"));
    auto outcome = co_await campaign::run_canary(client, **observer, std::move(*container));
    if (!outcome) co_return fail(std::move(outcome.error()).with_context("trying a canary"));
    if (outcome->canary != Canary::seen)
        co_return fail(
            ErrorKind::engine,
            fmt::format("{} the runs a write on a read-only volume was not refused, or not seen{}{}; "
                        "see `rogate doctor`",
                        when, outcome->problem.empty() ? "" : ": ", outcome->problem));
    common.observer = (*observer)->facts();
    observers.give_back(std::move(*observer));
    co_return Result<>{};
}

Task<> Wrap::Impl::prepare() {
    auto facts = co_await campaign::engine_facts(client);
    if (!facts) co_return fail(std::move(facts.error()));
    common.engine = std::move(*facts);
    common.started_at = campaign::now_utc();
    common.data_mode = "live";
    status.preparing("starting the observer");
    if (auto seen = co_await show_that_it_sees("before"); !seen) co_return seen;
    auto made = make_folder();
    if (!made) co_return fail(std::move(made.error()));
    folder = std::move(*made);
    front = std::make_unique<proxy::Proxy>(co_await asio::this_coro::executor, transport, overseer);
    if (auto listening = front->listen(folder); !listening) co_return listening;
    around.socket = front->address().substr(std::string_view("unix://").size());
    if (options.real_engine_socket) co_return Result<>{};
    door_turn = std::make_unique<proxy::Turn>(co_await asio::this_coro::executor);
    around.is_socket = [this](const std::string& source) {
        return source == around.socket || campaign::is_engine_socket(source, client.endpoint());
    };
    around.sockets_below = [this](const std::string& folder) {
        return campaign::engine_sockets_below(folder, client.endpoint());
    };
    around.door = [this](std::string like) { return open_door(std::move(like)); };
    co_return Result<>{};
}

// When the first container asks for the engine's socket; `like`: what it asked for, or empty.
Task<std::string> Wrap::Impl::open_door(std::string like) {
    const proxy::Turn::Held turn = co_await door_turn->take();
    if (door) co_return door->source();
    const auto executor = co_await asio::this_coro::executor;
    guest = std::make_unique<proxy::Guest>(client, transport, of_run, &overseer,
                                           proxy::GuestOptions{.is_socket = around.is_socket, .door = {}});
    guests = std::make_unique<proxy::Proxy>(executor, transport, *guest);
    std::vector<std::string> candidates;
    if (client.endpoint().kind == engine::Endpoint::Kind::unix_socket)
        candidates.push_back(client.endpoint().path);
    if (!like.empty()) candidates.push_back(std::move(like));
    candidates.emplace_back("/var/run/docker.sock");
    campaign::Door::Taken taken = [this](std::unique_ptr<engine::Stream> stream) {
        guests->serve(std::move(stream));
    };
    auto opened = co_await campaign::Door::open(client, session, std::move(candidates), std::move(taken));
    if (!opened)
        co_return fail(std::move(opened.error())
                           .with_context("a container mounts the engine's socket; --engine-socket real gives "
                                         "it the real one"));
    door = std::move(*opened);
    guest->set_door(door->source());
    if (options.note)
        options.note(
            "a container mounts the engine's socket: it gets one by which it sees and changes only what "
            "COMMAND creates (--engine-socket real gives it everything)");
    co_return door->source();
}

Task<> Wrap::Impl::run_command(RunRecord& record, const RunRecord* control) {
    CommandSpec spec;
    spec.words = options.command;
    spec.folder = folder;
    spec.environment = {{"DOCKER_HOST", front->address()},
                        {"DOCKER_CONTEXT", std::nullopt},
                        {"DOCKER_TLS_VERIFY", std::nullopt},
                        {"DOCKER_CERT_PATH", std::nullopt},
                        {"ROGATE_RUN", std::to_string(record.plan.id)},
                        {"ROGATE_RUN_KIND", record.plan.kind == RunKind::control  ? "control"
                                            : record.plan.kind == RunKind::verify ? "verify"
                                                                                  : "probe"}};
    said.clear();
    const auto hear = [this](std::string_view text) {
        if (options.output) options.output(text);
        said += text;
        if (said.size() > 2 * kept_output) said.erase(0, said.size() - kept_output);
    };
    const scenario::JunitFiles junit(std::filesystem::current_path().string(), options.junit);
    auto started = Command::start(co_await asio::this_coro::executor, std::move(spec), hear);
    if (!started) co_return fail(std::move(started.error()));
    command = std::move(*started);
    const auto limit = limit_of(options, control);
    auto code = co_await command->wait(limit);
    if (!code) co_return fail(std::move(code.error()));
    // What goes on in the background would be in the way of the next run.
    auto ended = co_await command->end();
    command.reset();
    if (ended) ended = co_await front->cut_off();
    if (!ended) co_return ended;
    PhaseRecord& phase = record.phases.back();
    record.exit_code = *code;
    phase.passed = *code == 0;
    if (!*code)
        phase.message =
            fmt::format("COMMAND did not end within {:.0f} s", static_cast<double>(limit->count()) / 1000);
    else
        judge_command(phase, **code, junit, control == nullptr);
    co_return Result<>{};
}

// By its exit code, and by the tests that it tells of: one that failed is named, one that is missing has
// failed.
void Wrap::Impl::judge_command(PhaseRecord& phase, int code, const scenario::JunitFiles& junit,
                               bool is_control) {
    if (code != 0) phase.message = fmt::format("COMMAND ended with code {}", code);
    if (options.junit.empty()) return;
    auto tests = junit.read();
    if (!tests) {
        phase.passed = false;
        phase.message += (phase.message.empty() ? "" : "; ") + tests.error().message;
        return;
    }
    suite::Judgement judged =
        suite::judge(*tests, is_control ? nullptr : &control_tests, options.known_failures);
    if (!judged.message.empty()) {
        phase.passed = false;
        phase.message = judged.message;
    } else if (suite::is_excused(code, judged, control_code, !is_control)) {
        phase.passed = true;
        phase.message.clear();
    }
    if (const std::string about = suite::about_known(options.known_failures, judged.suite, *tests);
        !about.empty())
        phase.message += (phase.message.empty() ? "" : "; ") + about;
    phase.suite = std::move(judged.suite);
    if (!is_control) return;
    control_tests = std::move(*tests);
    control_code = code;
}

Task<RunRecord> Wrap::Impl::run(RunPlan plan, const RunRecord* control, std::shared_ptr<Onlooker>* seen) {
    const auto start = Clock::now();
    RunRecord record;
    record.plan = std::move(plan);
    status.run_started(record.plan);
    onlooker = std::make_shared<Onlooker>(around, co_await asio::this_coro::executor, record.plan, roster);
    if (auto looked = co_await onlooker->look_around(); !looked) co_return fail(std::move(looked.error()));
    overseer.set(onlooker);
    record.phases.push_back({.name = "step COMMAND", .passed = false, .message = {}, .duration_s = 0});
    status.phase_started("step COMMAND");
    if (auto done = co_await run_command(record, control); !done) co_return fail(std::move(done.error()));
    record.phases.back().duration_s = seconds_since(start);
    record.passed = record.phases.back().passed;
    // A control run that failed leaves everything as COMMAND has left it.
    const bool stops = record.passed || !record.plan.read_only.empty() || control != nullptr;
    if (auto finished = co_await onlooker->finish(stops, &record); !finished)
        co_return fail(std::move(finished.error()));
    overseer.set(nullptr);
    // Containers that still run have nobody to speak to.
    if (guests)
        if (auto cut = co_await guests->cut_off(); !cut) co_return fail(std::move(cut.error()));
    if (door && !door->trouble().empty() && record.observer_problem.empty())
        record.observer_problem = "the containers' socket to the engine: " + door->trouble();
    for (const auto& each : onlooker->containers()) {
        if (each->start_problem.empty() || record.passed) continue;
        record.could_not_start = true;
        record.phases.back().message +=
            fmt::format("; container {} could not be started: {}", each->key, each->start_problem);
    }
    hold_against_control(record, *onlooker);
    if (!record.passed)
        record.log_tail = masked_end(Masker(), said, said.size() > kept_output, 16 * 1024, shown_lines);
    record.duration_s = seconds_since(start);
    if (control != nullptr) verdict::compare_with_control(record, *control);
    status.run_finished(record);
    *seen = std::move(onlooker);
    co_return record;
}

// COMMAND may have looked at some of its containers only.
void Wrap::Impl::hold_against_control(RunRecord& record, const Onlooker& run) {
    if (record.plan.read_only.empty()) {
        lives = lives_in(run);
        return;
    }
    if (!record.passed) return;
    const LivesCompared found = compare_lives(lives, lives_in(run));
    if (!found.failure.empty()) {
        record.passed = record.phases.back().passed = false;
        record.phases.back().message = "COMMAND ended with code 0, but " + found.failure;
    } else if (record.observer_problem.empty()) {
        record.observer_problem = found.doubt;
    }
}

Task<> Wrap::Impl::clear(Onlooker& run, bool is_announced) {
    auto left = co_await run.left();
    if (!left) co_return fail(std::move(left.error()));
    if (left->empty()) co_return Result<>{};
    if (is_announced && options.note)
        options.note(
            fmt::format("COMMAND left {}: removed, before it is started again", fmt::join(*left, ", ")));
    co_return co_await run.remove_left();
}

// What the control run has shown is what the others are asked about.
Result<> Wrap::Impl::ask_about(const Onlooker& run, const RunRecord& control) {
    system.clear();
    for (const auto& each : run.containers()) {
        if (!each->is_made) continue;
        Subjected subject{
            .key = each->key, .how = each->how, .mounts = each->mounts, .special = each->special};
        subject.subject = each->subject;
        subject.subject.mounts = each->mounts;
        subject.image_id = each->image_id;
        // The guests' socket, and rogate's own, lead through rogate.
        Subject without_ours = subject.subject;
        const auto is_ours = [&](const Mount& mount) {
            return mount.source == around.socket || each->sockets.contains(mount.target) ||
                   (door && mount.source == door->source());
        };
        std::erase_if(without_ours.mounts, is_ours);
        subject.unseen_writers = campaign::engine_socket_doubt(without_ours, client.endpoint(), each->bound);
        subject.was_started = each->was_started;
        system.push_back(std::move(subject));
    }
    if (system.empty())
        return fail(
            ErrorKind::scenario,
            fmt::format(
                "COMMAND created no container through rogate's socket in the control run ({}); it has to "
                "take the engine's address from DOCKER_HOST",
                control.passed ? "it ended with code 0" : control.phases.back().message));
    for (const Before& before : run.used_before()) {
        Subjected subject{.key = before.name, .how = "by its name", .mounts = before.mounts};
        subject.was_there = true;
        subject.subject.origin.kind = Origin::Kind::container;
        subject.subject.origin.name = before.name;
        subject.subject.image = before.image;
        system.push_back(std::move(subject));
    }
    question = question_of(system, options.rootfs, client.server().read_only_root_has_tmpfs());
    if (options.note && !std::exchange(is_told, true))
        for (const Subjected& each : system)
            options.note(each.was_there
                             ? fmt::format("{} was there before COMMAND, and is left as it is", each.key)
                             : fmt::format("{} is recognised {}", each.key, each.how));
    return {};
}

Task<> Wrap::Impl::settle() {
    bool is_remade = false, is_announced = true;
    for (;;) {
        verdict::NextStep step = verdict::next_step(question, runs);
        if (!step.run) break;
        if (options.budget) {
            question.stopped = options.budget->refusal(1);
            if (!question.stopped.empty()) {
                status.warn(question.stopped + ": what is not settled is inconclusive");
                break;
            }
            options.budget->take(1);
        }
        const bool is_first = runs.empty();
        if (is_first) roster = std::make_shared<Roster>();
        std::shared_ptr<Onlooker> seen;
        auto record = co_await run(std::move(*step.run), is_first ? nullptr : &runs.front(), &seen);
        if (!record) co_return fail(std::move(record.error()));
        if (is_first)
            if (auto asked = ask_about(*seen, *record); !asked) co_return asked;
        if (is_first && !record->passed) {
            runs.push_back(std::move(*record));
            break;
        }
        note_absent(question, *record, present_in(*seen), is_first);
        const bool again = is_first && !is_remade && record->passed &&
                           writes_what_outlasts(*record, system, [&](const std::string& volume) {
                               return seen->outlasts(volume);
                           });
        runs.push_back(std::move(*record));
        const bool goes_on = again || verdict::next_step(question, runs).run.has_value();
        // What rogate has changed something in does not stay.
        if (goes_on || !runs.back().plan.read_only.empty()) {
            if (auto cleared = co_await clear(*seen, is_announced); !cleared)
                co_return fail(std::move(cleared.error()).with_context("removing what COMMAND left"));
            is_announced = false;
        }
        if (!again) continue;
        is_remade = true;
        if (options.note)
            options.note(
                "COMMAND writes to data that outlast a run: the control run is made again, and the second "
                "one "
                "is the measure");
        first = std::move(runs.front());
        runs.clear();
    }
    co_return Result<>{};
}

Answer Wrap::Impl::answer() {
    Answer made;
    for (Subjected& each : system)
        if (each.unseen_writers.empty() && !of_run.first_refused().empty())
            each.unseen_writers = fmt::format(
                "a container that has the engine's socket asked for what it was not given ({}), so that the "
                "run is not as in life; --engine-socket real gives it everything",
                of_run.first_refused());
    std::vector<MountResult> judged = verdict::judge_all(question, runs);
    for (MountResult& each : judged) refine(each, system, question, first ? &*first : nullptr);
    const Recommendation whole = verdict::recommend(judged, runs);
    for (const Subjected& each : system) {
        CampaignResult result = common;
        result.scenario.name = each.key;
        result.scenario.file = fmt::format("rogate wrap: recognised {}", each.how);
        result.scenario.subject = each.subject;
        result.scenario.rootfs = options.rootfs;
        result.image_id = each.image_id;
        result.stopped = question.stopped;
        for (const RunRecord& run : runs) result.runs.push_back(of_container(run, each.key));
        for (const MountResult& mount : judged)
            if (without_key(each.key, mount.mount.target))
                result.mounts.push_back(of_container(mount, each.key));
        result.recommendation = of_container(whole, each.key);
        for (const RunRecord& run : runs) result.duration_s += run.duration_s;
        Scenario alone;
        alone.subject = each.subject;
        add_secrets(made.secrets, secrets::of_scenario(alone));
        made.results.push_back(std::move(result));
    }
    return made;
}

Task<Answer> Wrap::Impl::go() {
    if (options.note) {
        options.note(
            "COMMAND is started several times, one after the other. What it binds and its volumes are its "
            "own: what it "
            "writes there, stays. What it leaves on the engine (containers, networks, and volumes that were "
            "not there "
            "before) is removed before it is started again");
        if (client.endpoint().kind != engine::Endpoint::Kind::unix_socket)
            options.note(
                "the engine is on another host: COMMAND has to reach published ports there by itself");
    }
    if (auto prepared = co_await prepare(); !prepared) co_return fail(std::move(prepared.error()));
    if (auto settled = co_await settle(); !settled) co_return fail(std::move(settled.error()));
    if (auto seen = co_await show_that_it_sees("after"); !seen) co_return fail(std::move(seen.error()));
    auto stopped = co_await front->stop();
    if (!stopped) co_return fail(std::move(stopped.error()));
    door.reset();
    stopped = co_await observers.stop();
    if (!stopped) status.warn("stopping an observer: " + stopped.error().message);
    co_return answer();
}

Wrap::Wrap(engine::Client& client, engine::Transport& transport, std::string session, Options options,
           campaign::Status& status)
    : impl_(std::make_unique<Impl>(client, transport, std::move(session), std::move(options), status)) {}

Wrap::~Wrap() = default;

Task<Answer> Wrap::go() {
    co_return co_await impl_->go();
}

Task<> Wrap::end() {
    Result<> ended;
    // What it does when it is told to end (`docker compose down`), it does by the proxy.
    if (impl_->command) ended = co_await impl_->command->end();
    impl_->command.reset();
    impl_->overseer.set(nullptr);
    impl_->door.reset();
    if (impl_->guests) {
        auto stopped = co_await impl_->guests->stop();
        if (ended) ended = std::move(stopped);
    }
    if (impl_->front) {
        auto stopped = co_await impl_->front->stop();
        if (ended) ended = std::move(stopped);
    }
    impl_->onlooker.reset();
    co_return ended;
}

}  // namespace rogate::wrap
