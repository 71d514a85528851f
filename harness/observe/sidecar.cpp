#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdio>
#include <rogate/labels.hpp>
#include <rogate/place.hpp>
#include <utility>

#include "base/tar.hpp"
#include "observe/agent_program.hpp"
#include "observe/combine.hpp"
#include "observe/decoder.hpp"
#include "observe/observer.hpp"
#include "observe/protocol.h"
#include "observe/ptrace.hpp"
#include "observe/recorder.hpp"

ROGATE_AGENT_BYTES(rogate_observer);
ROGATE_AGENT_BYTES(rogate_ptrace);

namespace rogate::observe {

namespace asio = boost::asio;
using engine::Milliseconds;
using engine::Task;

namespace {

enum class Kind { ebpf, ptrace };

// A root file system that is one file: the agent.
Result<std::string> agent_tar(const AgentProgram& agent, std::string_view arch) {
    TarWriter tar;
    auto program = program_for(agent, arch);
    if (!program) return fail(std::move(program.error()));
    auto added = tar.add({.name = "rogate-observer", .mode = 0755, .content = std::move(*program)});
    if (!added) return fail(std::move(added.error()).with_context("the observer's image could not be made"));
    return tar.finish();
}

Task<std::string> import_agent(engine::Client& client, std::string session, Kind kind, std::string name,
                               const std::string& place = {}) {
    const AgentProgram agent = kind == Kind::ebpf ? ROGATE_AGENT_PROGRAM("eBPF observer", rogate_observer)
                                                  : ROGATE_AGENT_PROGRAM("ptrace observer", rogate_ptrace);
    auto tar = agent_tar(agent, client.server().arch);
    if (!tar) co_return fail(std::move(tar.error()));
    const std::vector<std::string> changes = {fmt::format("LABEL {}={}", session_label, session),
                                              fmt::format("LABEL {}=observer", role_label)};
    auto image = co_await client.image_import(name, session + place, std::move(*tar), changes);
    if (!image) co_return fail(std::move(image.error()).with_context("importing its image"));
    co_return image;
}

std::string percent_escape(std::string_view path) {
    std::string escaped;
    for (const char c : path)
        if (c == '%' || static_cast<unsigned char>(c) <= ' ' || c == 0x7f)
            escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        else
            escaped += c;
    return escaped;
}

constexpr std::chrono::seconds between_looks(2);  // at a container whose observer does not answer

bool older_than_5_11(const std::string& kernel) {
    int major = 0, minor = 0;
    if (std::sscanf(kernel.c_str(), "%d.%d", &major, &minor) != 2) return false;
    return major < 5 || (major == 5 && minor < 11);
}

class Sidecar : public Observer {
  public:
    Sidecar(engine::Client& client, asio::any_io_executor executor, SidecarOptions options, Kind kind)
        : client_(client),
          executor_(std::move(executor)),
          options_(std::move(options)),
          kind_(kind),
          wake_(executor_) {
        wake_.expires_at(asio::steady_timer::time_point::max());
    }
    ~Sidecar() override {
        // Left without stop() (the work was cancelled): the reader must not outlive what it reads into.
        if (attachment_) attachment_->close();
    }

    Task<> start();
    const ObserverFacts& facts() const override { return facts_; }
    void dress(engine::ContainerSpec& spec, const engine::ImageInfo& image) override;
    std::vector<std::string> wrap_exec(std::vector<std::string> command) const override;
    bool sees_after_end() const override { return kind_ == Kind::ebpf; }
    std::size_t at_once() const override { return kind_ == Kind::ebpf ? PROTOCOL_SLOTS : 1; }
    Task<> arm(std::string container, std::vector<ObservedMount> mounts, std::string phase,
               std::string name) override;
    Task<> join(std::string container, std::int64_t pid, std::vector<ObservedMount> mounts,
                std::string phase) override;
    Task<> phase(std::string name) override;
    Task<> before_end() override;
    Task<> before_start_again(std::string name) override;
    void own_processes(const std::vector<std::int64_t>& pids) override {
        for (const Seat& seat : seats_) seat.recorder->own_processes(pids);
    }
    Task<Canary> canary(std::string target) override;
    Task<Recording> collect() override;
    Task<> stop() override;

  private:
    // What the reader shares with the commands. It is kept by both, since the reader may end after the
    // sidecar.
    struct Shared {
        Decoder decoder;
        std::optional<Hello> hello;
        std::map<std::uint32_t, Reply> replies;
        std::map<std::uint16_t, std::shared_ptr<Recorder>> recorders;  // by slot
        std::string stderr_tail;
        std::optional<Error> ended;  // the stream is over, and why
    };
    static Task<> read_all(std::shared_ptr<engine::Attachment> attachment, std::shared_ptr<Shared> shared,
                           std::function<void()> wake);
    static Result<> take_frames(Shared& shared);
    // One of the containers that are armed: its place in the list is its slot.
    struct Seat {
        std::string name;
        std::shared_ptr<Recorder> recorder;
    };

    Task<> create_container(const std::string& image);
    Task<> release(std::size_t slot);
    Task<Recording> collect_from(std::size_t slot);
    // The slot.
    std::size_t record(std::vector<ObservedMount> mounts, std::string phase, std::string name);
    std::size_t slot_of(std::string_view name) const;
    Task<Reply> command(std::string text);
    template <class Condition>
    Task<> wait_until(Condition condition, std::string_view what);
    Task<bool> container_is_gone();

    engine::Client& client_;
    asio::any_io_executor executor_;
    SidecarOptions options_;
    Kind kind_;
    std::string drop_ = "-";  // ptrace: the capabilities that the agent gives up
    ObserverFacts facts_;
    std::string container_, image_;
    std::shared_ptr<engine::Attachment> attachment_;
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
    std::vector<Seat> seats_;
    asio::steady_timer wake_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::uint32_t next_number_ = 1;
    std::string canary_problem_;  // of the container that is armed
};

Result<> Sidecar::take_frames(Shared& shared) {
    for (;;) {
        auto frame = shared.decoder.next();
        if (!frame) return fail(std::move(frame.error()));
        if (!*frame) return {};
        Frame& value = **frame;
        std::shared_ptr<Recorder>& recorder = shared.recorders[shared.decoder.slot()];
        if (!recorder) recorder = std::make_shared<Recorder>();
        if (auto* hello = std::get_if<Hello>(&value)) {
            shared.hello = std::move(*hello);
        } else if (auto* reply = std::get_if<Reply>(&value)) {
            const auto number = reply->number;
            shared.replies.emplace(number, std::move(*reply));
        } else if (auto* error = std::get_if<AgentError>(&value)) {
            return fail(ErrorKind::engine, error->text);
        } else if (auto* attempt = std::get_if<AttemptEvent>(&value)) {
            recorder->take(std::move(*attempt));
        } else if (auto* count = std::get_if<CountEvent>(&value)) {
            recorder->take(*count);
        } else if (auto* use = std::get_if<UseEvent>(&value)) {
            recorder->take(*use);
        } else if (auto* read = std::get_if<ReadEvent>(&value)) {
            recorder->take(*read);
        } else if (auto* stats = std::get_if<StatsEvent>(&value)) {
            recorder->take(*stats);
        } else if (auto* root = std::get_if<RootEvent>(&value)) {
            recorder->take(*root);
        } else if (auto* doubt = std::get_if<DoubtEvent>(&value)) {
            recorder->take(std::move(*doubt));
        } else if (auto* check = std::get_if<CapabilityEvent>(&value)) {
            recorder->take(*check);
        } else if (auto* checks = std::get_if<ChecksEvent>(&value)) {
            recorder->take(*checks);
        } else if (auto* target = std::get_if<TargetEvent>(&value)) {
            recorder->take(*target);
        }
    }
}

// Always reading, so that the agent never waits for this side while events come in.
Task<> Sidecar::read_all(std::shared_ptr<engine::Attachment> attachment, std::shared_ptr<Shared> shared,
                         std::function<void()> wake) {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        auto chunk = co_await attachment->read();
        if (!chunk) {
            shared->ended = std::move(chunk.error());
            break;
        }
        if (!*chunk) {
            const auto whole = shared->decoder.finish();
            shared->ended =
                whole ? Error{ErrorKind::engine, "the observer's container ended"} : whole.error();
            break;
        }
        if ((*chunk)->channel == engine::Channel::err) {
            shared->stderr_tail += (*chunk)->bytes;
            if (shared->stderr_tail.size() > 4096)
                shared->stderr_tail.erase(0, shared->stderr_tail.size() - 4096);
            continue;
        }
        shared->decoder.feed((*chunk)->bytes);
        if (auto taken = take_frames(*shared); !taken) {
            shared->ended = std::move(taken.error());
            break;
        }
        wake();
    }
    wake();
    co_return Result<>{};
}

// False if it cannot be told.
Task<bool> Sidecar::container_is_gone() {
    auto state = co_await client_.container_inspect(container_);
    co_return state ? !state->running : state.error().kind == ErrorKind::not_found;
}

template <class Condition>
Task<> Sidecar::wait_until(Condition condition, std::string_view what) {
    const auto deadline = std::chrono::steady_clock::now() + options_.reply_timeout;
    auto next_look = std::chrono::steady_clock::now() + between_looks;
    bool gone = false;
    while (!condition()) {
        if (shared_->ended) {
            std::string text = shared_->ended->message;
            if (!shared_->stderr_tail.empty()) text += "; it said: " + shared_->stderr_tail;
            co_return fail(shared_->ended->kind, fmt::format("{}: {}", what, text));
        }
        if (std::chrono::steady_clock::now() >= deadline)
            co_return fail(ErrorKind::timeout, fmt::format("{}: the observer did not answer within {} ms",
                                                           what, options_.reply_timeout.count()));
        wake_.expires_at(std::min(deadline, next_look));
        [[maybe_unused]] const auto woken = co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
        const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none)
            co_return fail(ErrorKind::cancelled, "interrupted");
        if (std::chrono::steady_clock::now() < next_look || condition() || shared_->ended) continue;
        // Podman's attachment can outlive a container that was killed. What it said last may still be under
        // way at the first look.
        const auto looked = co_await container_is_gone();
        const bool gone_before = std::exchange(gone, looked.value_or(false));
        if (gone && gone_before && !shared_->ended)
            shared_->ended = Error{ErrorKind::engine, "the observer's container ended"};
        next_look = std::chrono::steady_clock::now() + between_looks;
    }
    co_return Result<>{};
}

void Sidecar::dress(engine::ContainerSpec& spec, const engine::ImageInfo& image) {
    if (kind_ == Kind::ptrace) drop_ = ptrace_dress(spec, image, options_.session);
}

std::vector<std::string> Sidecar::wrap_exec(std::vector<std::string> command) const {
    return kind_ == Kind::ptrace ? ptrace_exec(options_.session, drop_, std::move(command)) : command;
}

Task<> Sidecar::create_container(const std::string& image) {
    engine::ContainerSpec spec;
    if (kind_ == Kind::ptrace) {
        engine::VolumeSpec home;
        home.name = ptrace_volume(options_.session);
        home.labels = labels(options_.session, "observer");
        auto made = co_await client_.volume_create(std::move(home));
        if (!made) co_return fail(std::move(made.error()));
        auto relay =
            co_await client_.container_create(ptrace_relay(options_.session, image, options_.ring_bytes));
        if (!relay) co_return fail(std::move(relay.error()));
        container_ = *relay;
        co_return Result<>{};
    }
    spec.name = fmt::format("rogate-{}-observer{}", options_.session, options_.place);
    spec.image = image;
    spec.entrypoint = std::vector<std::string>{"/rogate-observer", std::to_string(options_.ring_bytes)};
    if (options_.sees_capabilities) spec.entrypoint->emplace_back("capabilities");
    spec.labels = labels(options_.session, "observer");
    spec.network_disabled = true;
    spec.pid_mode = "host";  // the subject's processes are looked up in /proc
    spec.read_only_rootfs = true;
    spec.cap_drop = {"ALL"};
    // SYS_ADMIN: bpf(2) and tracing programs (BPF and PERFMON in its place need Linux 5.8 and an engine that
    // knows them). SYS_PTRACE: /proc/PID/root, exe and mountinfo of other users' processes. DAC_READ_SEARCH:
    // paths below directories that only their owner may search. KILL: letting go of the subject, which is
    // held at its first instruction until its mounts are known.
    spec.cap_add = {"SYS_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH", "KILL"};
    spec.security_opt = {"seccomp=unconfined", "apparmor=unconfined", "label=disable"};
    // Before 5.11, BPF maps are charged to RLIMIT_MEMLOCK; raising it there is worth the risk that an engine
    // without CAP_SYS_RESOURCE refuses it.
    if (older_than_5_11(client_.server().kernel)) spec.ulimits = {{"memlock", -1}};
    spec.open_stdin = true;  // it ends when rogate does, however that ends
    spec.auto_remove = true;
    auto created = co_await client_.container_create(std::move(spec));
    if (!created) co_return fail(std::move(created.error()));
    container_ = *created;
    co_return Result<>{};
}

Task<> Sidecar::start() {
    auto image = co_await import_agent(client_, options_.session, kind_, "rogate-observer", options_.place);
    if (!image) co_return fail(std::move(image.error()));
    image_ = *image;
    if (auto created = co_await create_container(image_); !created) co_return created;
    auto attached = co_await client_.container_attach(container_, true);
    if (!attached) co_return fail(std::move(attached.error()));
    attachment_ = std::move(*attached);
    auto started = co_await client_.container_start(container_);
    if (!started) co_return started;
    auto wake = [this, alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired()) wake_.cancel();
    };
    // Its end is noted in `shared`, which everything that waits looks at.
    asio::co_spawn(executor_, read_all(attachment_, shared_, wake),
                   [](const std::exception_ptr&, const Result<>&) {});
    auto said_hello =
        co_await wait_until([this] { return shared_->hello.has_value(); }, "starting the agent");
    if (!said_hello) co_return said_hello;
    facts_.kind = kind_ == Kind::ebpf ? "ebpf" : "ptrace";
    facts_.hooks = shared_->hello->hooks;
    co_return Result<>{};
}

Task<Reply> Sidecar::command(std::string text) {
    const std::uint32_t number = next_number_++;
    const std::string line = fmt::format("{} {}\n", number, text);
    auto written = co_await attachment_->write(line);
    if (!written && written.error().kind == ErrorKind::cancelled) co_return fail(std::move(written.error()));
    const std::string what = fmt::format("observer: {}", text.substr(0, text.find(' ')));
    auto answered = co_await wait_until([this, number] { return shared_->replies.contains(number); }, what);
    if (!answered) co_return fail(std::move(answered.error()));
    Reply reply = std::move(shared_->replies.at(number));
    shared_->replies.erase(number);
    if (reply.status != 0) co_return fail(ErrorKind::engine, fmt::format("{}: {}", what, reply.text));
    co_return reply;
}

// A container without a name is alone.
std::size_t Sidecar::record(std::vector<ObservedMount> mounts, std::string phase, std::string name) {
    std::vector<std::string> targets;
    targets.reserve(mounts.size());
    for (ObservedMount& mount : mounts)
        if (!mount.below_source) targets.push_back(std::move(mount.target));
    if (name.empty()) seats_.clear();
    const std::size_t slot = seats_.size();
    seats_.push_back({std::move(name), std::make_shared<Recorder>(
                                           std::move(targets), std::vector<std::string>{std::move(phase)})});
    shared_->recorders[static_cast<std::uint16_t>(slot)] = seats_.back().recorder;
    return slot;
}

std::size_t Sidecar::slot_of(std::string_view name) const {
    const auto seat = std::ranges::find(seats_, name, &Seat::name);
    return seat == seats_.end() ? 0 : static_cast<std::size_t>(seat - seats_.begin());
}

Task<> Sidecar::join(std::string container, std::int64_t pid, std::vector<ObservedMount> mounts,
                     std::string phase) {
    if (kind_ != Kind::ebpf) {
        auto refusal = Observer::join(std::move(container), pid, std::move(mounts), std::move(phase));
        co_return co_await std::move(refusal);
    }
    record(std::move(mounts), std::move(phase), {});
    auto reply = co_await command(fmt::format("join 0 {} {}", container, pid));
    if (!reply) co_return fail(std::move(reply.error()));
    co_return Result<>{};
}

Task<> Sidecar::arm(std::string container, std::vector<ObservedMount> mounts, std::string phase,
                    std::string name) {
    if (!name.empty() && seats_.size() >= at_once())
        co_return fail(ErrorKind::internal,
                       fmt::format("the observer watches {} containers at most", at_once()));
    std::set<std::string> below;
    std::vector<std::string> proofs, targets;
    for (const ObservedMount& mount : mounts) {
        if (mount.below_source) below.insert(mount.target);
        if (!mount.below_source && mount.target != "/") targets.push_back(percent_escape(mount.target));
        if (mount.is_read_only && !sees_after_end()) proofs.push_back(percent_escape(mount.target));
    }
    const bool looks = kind_ == Kind::ebpf && std::ranges::any_of(mounts, &ObservedMount::lacks_data);
    const std::size_t slot = record(std::move(mounts), std::move(phase), std::move(name));
    seats_.back().recorder->know_all(std::move(below));
    std::vector<std::string> commands{fmt::format("arm {} {}", slot, container)};
    if (looks) commands.push_back(fmt::format("looks {}", slot));
    for (const std::string& target : targets)
        if (kind_ == Kind::ebpf) commands.push_back(fmt::format("target {} {}", slot, target));
    // A subject may be gone before it could be asked for a canary write.
    for (const std::string& proof : proofs) commands.push_back(fmt::format("prove {} {}", slot, proof));
    for (std::string& each : commands)
        if (auto reply = co_await command(std::move(each)); !reply) co_return fail(std::move(reply.error()));
    co_return Result<>{};
}

Task<> Sidecar::phase(std::string name) {
    for (std::size_t slot = 0; slot < seats_.size(); ++slot) {
        const std::uint32_t number = seats_[slot].recorder->add_phase(name);
        auto reply = co_await command(fmt::format("phase {} {}", slot, number));
        // An observer that is gone does not stop the run: collect() says so, and the verdicts become
        // inconclusive.
        if (!reply && reply.error().kind == ErrorKind::cancelled) co_return fail(std::move(reply.error()));
    }
    co_return Result<>{};
}

Task<> Sidecar::release(std::size_t slot) {
    auto reply = co_await command(fmt::format("release {}", slot));
    if (!reply && reply.error().kind == ErrorKind::cancelled) co_return fail(std::move(reply.error()));
    co_return Result<>{};
}

// To the ptrace agent it says that the tracer's end is to come; the eBPF agent lets go of what it has pinned.
Task<> Sidecar::before_end() {
    if (kind_ == Kind::ptrace) co_return co_await release(0);
    co_return Result<>{};
}

Task<> Sidecar::before_start_again(std::string name) {
    if (kind_ == Kind::ebpf) co_return co_await release(slot_of(name));
    co_return Result<>{};
}

Task<Canary> Sidecar::canary(std::string target) {
    const std::size_t slot = slot_of(container_of(target));
    auto reply = co_await command(fmt::format("canary {} {}", slot, percent_escape(path_in(target))));
    if (!reply) {
        if (reply.error().kind == ErrorKind::cancelled) co_return fail(std::move(reply.error()));
        co_return Canary::not_seen;
    }
    if (reply->value == CANARY_FAILED)
        canary_problem_ = fmt::format("the canary write on {} could not be made: {}", target, reply->text);
    switch (reply->value) {
        case CANARY_SEEN:
            co_return Canary::seen;
        case CANARY_NOT_SEEN:
            co_return Canary::not_seen;
        case CANARY_NOT_REFUSED:
            co_return Canary::not_refused;
        default:
            co_return Canary::failed;
    }
}

Task<Recording> Sidecar::collect_from(std::size_t slot) {
    auto reply = co_await command(fmt::format("flush {}", slot));
    if (!reply && reply.error().kind == ErrorKind::cancelled) co_return fail(std::move(reply.error()));
    Recording recording = seats_[slot].recorder->finish();
    if (kind_ == Kind::ptrace) recording.read_back.reset();  // its uses are "at least"
    // Only the eBPF observer looks at a path after the call.
    if (recording.is_guess && kind_ == Kind::ebpf) recording.problem += "; --observer ptrace can tell";
    if (recording.problem.empty()) recording.problem = std::exchange(canary_problem_, {});
    if (reply && !reply->text.empty()) recording.problem = std::move(reply->text);
    if (!reply) recording.problem = "the observer failed during the run (" + reply.error().message + ")";
    co_return recording;
}

Task<Recording> Sidecar::collect() {
    std::vector<NamedRecording> all;
    for (std::size_t slot = 0; slot < seats_.size(); ++slot) {
        auto recording = co_await collect_from(slot);
        if (!recording) co_return fail(std::move(recording.error()));
        all.push_back({seats_[slot].name, std::move(*recording)});
    }
    canary_problem_.clear();
    seats_.clear();
    co_return combined(std::move(all));
}

Task<> Sidecar::stop() {
    if (attachment_) attachment_->close();
    Result<> first, removed;
    if (!container_.empty()) first = co_await client_.container_remove(container_);
    if (!image_.empty()) removed = co_await client_.image_remove(image_, true);
    if (!removed && first) first = std::move(removed);
    if (kind_ == Kind::ptrace) {
        removed = co_await client_.volume_remove(ptrace_volume(options_.session));
        if (!removed && first) first = std::move(removed);
    }
    co_return first;
}

}  // namespace

namespace {

Task<std::unique_ptr<Observer>> start_sidecar(engine::Client& client, SidecarOptions options, Kind kind) {
    auto sidecar =
        std::make_unique<Sidecar>(client, co_await asio::this_coro::executor, std::move(options), kind);
    auto started = co_await sidecar->start();
    if (!started) {
        // Another observer may be tried, and what this one left would be in its way. What cannot be removed
        // now, the session's sweep removes, or reports.
        if (started.error().kind != ErrorKind::cancelled) [[maybe_unused]]
            const auto stopped = co_await sidecar->stop();
        co_return fail(std::move(started.error()));
    }
    std::unique_ptr<Observer> observer = std::move(sidecar);
    co_return observer;
}

}  // namespace

Task<std::unique_ptr<Observer>> start_ebpf_observer(engine::Client& client, SidecarOptions options) {
    co_return co_await start_sidecar(client, std::move(options), Kind::ebpf);
}

Task<std::unique_ptr<Observer>> start_ptrace_observer(engine::Client& client, SidecarOptions options) {
    co_return co_await start_sidecar(client, std::move(options), Kind::ptrace);
}

Task<std::string> import_mount_reader(engine::Client& client, std::string session) {
    co_return co_await import_agent(client, std::move(session), Kind::ptrace, "rogate-mounts");
}

}  // namespace rogate::observe
