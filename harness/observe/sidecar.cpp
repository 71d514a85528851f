#include "observe/sidecar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/place.hpp>
#include <utility>

#include "observe/agent_image.hpp"
#include "observe/combine.hpp"
#include "observe/protocol.h"

namespace rogate::observe {

using engine::Task;

Sidecar::Sidecar(engine::Client& client, boost::asio::any_io_executor executor, SidecarOptions options,
                 std::string kind, AgentProgram agent)
    : client_(client),
      options_(std::move(options)),
      agent_(agent),
      channel_(client, std::move(executor), options_.reply_timeout) {
    facts_.kind = std::move(kind);
}

Task<> Sidecar::start() {
    std::string tag = options_.session + options_.place;
    auto image = co_await import_agent(client_, agent_, options_.session, "rogate-observer", std::move(tag));
    if (!image) co_return fail(std::move(image.error()));
    image_ = *image;
    auto created = co_await create(image_);
    if (!created) co_return fail(std::move(created.error()));
    container_ = *created;
    auto opened = co_await channel_.open(container_);
    if (!opened) co_return opened;
    facts_.hooks = channel_.hooks();
    co_return Result<>{};
}

std::string Sidecar::escaped(std::string_view path) {
    std::string text;
    for (const char c : path)
        if (c == '%' || static_cast<unsigned char>(c) <= ' ' || c == 0x7f)
            text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        else
            text += c;
    return text;
}

std::size_t Sidecar::record(const std::vector<ObservedMount>& mounts, std::string phase, std::string name) {
    std::vector<std::string> targets;
    std::set<std::string> below;
    for (const ObservedMount& mount : mounts)
        if (mount.below_source)
            below.insert(mount.target);
        else
            targets.push_back(mount.target);
    if (name.empty()) seats_.clear();
    const std::size_t slot = seats_.size();
    auto recorder =
        std::make_shared<Recorder>(std::move(targets), std::vector<std::string>{std::move(phase)});
    recorder->know_all(std::move(below));
    channel_.deliver(slot, recorder);
    seats_.push_back({std::move(name), std::move(recorder)});
    return slot;
}

std::size_t Sidecar::slot_of(std::string_view name) const {
    const auto seat = std::ranges::find(seats_, name, &Seat::name);
    return seat == seats_.end() ? 0 : static_cast<std::size_t>(seat - seats_.begin());
}

Task<> Sidecar::arm(std::string container, std::vector<ObservedMount> mounts, std::string phase,
                    std::string name) {
    if (!name.empty() && seats_.size() >= at_once())
        co_return fail(ErrorKind::internal,
                       fmt::format("the observer watches {} containers at most", at_once()));
    const std::size_t slot = record(mounts, std::move(phase), std::move(name));
    std::vector<std::string> commands{fmt::format("arm {} {}", slot, container)};
    for (std::string& each : about_mounts(slot, mounts)) commands.push_back(std::move(each));
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

Task<Canary> Sidecar::canary(std::string target) {
    const std::size_t slot = slot_of(container_of(target));
    auto reply = co_await command(fmt::format("canary {} {}", slot, escaped(path_in(target))));
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
    qualify(recording);
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
    channel_.close();
    Result<> first, removed;
    if (!container_.empty()) first = co_await client_.container_remove(container_);
    if (!image_.empty()) removed = co_await client_.image_remove(image_, true);
    if (!removed && first) first = std::move(removed);
    removed = co_await remove_rest();
    if (!removed && first) first = std::move(removed);
    co_return first;
}

Task<std::unique_ptr<Observer>> started(std::unique_ptr<Sidecar> sidecar) {
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

}  // namespace rogate::observe
