#include "wrap/onlooker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <rogate/labels.hpp>

#include "campaign/runtimes.hpp"
#include "engine/together.hpp"
#include "proxy/field.hpp"
#include "proxy/guest.hpp"
#include "wrap/keyed.hpp"

namespace rogate::wrap {

using engine::Task;
using nlohmann::json;
using proxy::field;

namespace {

constexpr int default_grace_s = 10;
// A container makes some seven events from its creation to its end.
constexpr int starts_between_questions = 16;

json parsed(const std::string& body) {
    return json::parse(body, nullptr, false);
}

std::string message_of(const std::string& body, int status) {
    const json reply = parsed(body);
    if (reply.is_object() && reply.contains("message") && reply.at("message").is_string())
        return reply.at("message").get<std::string>();
    return fmt::format("the engine answered {}", status);
}

// What a result says of the container.
Subject subject_of(const json& inspected, const std::string& key) {
    Subject subject;
    const json config = field<json>(inspected, "Config", json::object());
    subject.origin.kind = Origin::Kind::container;
    subject.origin.name = key;
    subject.image = field<std::string>(config, "Image");
    subject.command = field<std::vector<std::string>>(config, "Cmd");
    subject.entrypoint = field<std::vector<std::string>>(config, "Entrypoint");
    for (const std::string& variable : field<std::vector<std::string>>(config, "Env"))
        if (const std::size_t equals = variable.find('='); equals != std::string::npos)
            subject.environment.insert_or_assign(variable.substr(0, equals), variable.substr(equals + 1));
    return subject;
}

// Go's os.FileMode.
std::string special_by(std::uint32_t go_mode) {
    if ((go_mode & 1U << 24U) != 0) return "a unix socket";
    if ((go_mode & 1U << 25U) != 0) return "a FIFO";
    if ((go_mode & 1U << 26U) != 0) return "a device";
    return {};
}

}  // namespace

Onlooker::Onlooker(Surroundings& around, boost::asio::any_io_executor executor, RunPlan plan,
                   std::shared_ptr<Roster> roster)
    : around_(around),
      executor_(executor),
      plan_(std::move(plan)),
      roster_(std::move(roster)),
      is_first_(roster_->all().empty()),
      roll_(roster_->all()),
      others_(*roster_),
      room_(executor),
      no_creation_(executor, boost::asio::steady_timer::time_point::max()) {}

void Onlooker::doubt(std::string why) {
    if (doubt_.empty()) doubt_ = std::move(why);
}

// What goes wrong with watching must not go wrong for COMMAND: it is said, and no verdict rests on the run.
Result<> Onlooker::doubted(Result<> done, const std::string& doing) {
    if (!done && done.error().kind == ErrorKind::cancelled) return done;
    if (!done) doubt(fmt::format("{}: {}", doing, done.error().message));
    return {};
}

Task<> Onlooker::look_around() {
    auto containers = co_await around_.client.container_list("");
    if (!containers) co_return fail(std::move(containers.error()));
    for (const engine::ContainerSummary& each : *containers) containers_before_.insert(each.id);
    auto volumes = co_await around_.client.volume_list("");
    if (!volumes) co_return fail(std::move(volumes.error()));
    for (const engine::VolumeInfo& each : *volumes) volumes_before_.insert(each.name);
    co_return Result<>{};
}

Created* Onlooker::find(const std::string& object) {
    if (object.empty()) return nullptr;
    const auto is_it = [&](const auto& each) {
        return each->is_made && (each->id == object || (object.size() >= 12 && each->id.starts_with(object)));
    };
    const auto found = std::ranges::find_if(containers_, is_it);
    return found == containers_.end() ? nullptr : found->get();
}

Task<Created*> Onlooker::resolve(std::string object) {
    if (Created* found = find(object)) co_return found;
    auto inspected = co_await around_.client.container_inspect_raw(object);
    if (!inspected && inspected.error().kind == ErrorKind::cancelled)
        co_return fail(std::move(inspected.error()));
    if (!inspected) co_return nullptr;  // the engine will say so
    const auto id = field<std::string>(*inspected, "Id");
    if (Created* found = find(id)) co_return found;
    if (!containers_before_.contains(id)) {
        doubt(fmt::format("container '{}' was not created by a call that rogate reads", object));
        co_return nullptr;
    }
    if (std::ranges::find(used_before_, id, &Before::id) != used_before_.end()) co_return nullptr;
    auto name = field<std::string>(*inspected, "Name");
    while (name.starts_with('/')) name.erase(0, 1);
    used_before_.push_back({.id = id,
                            .name = std::move(name),
                            .image = field<std::string>(field<json>(*inspected, "Config"), "Image"),
                            .mounts = mounts_of(*inspected)});
    co_return nullptr;
}

// --- creating

Task<std::vector<Mount>> Onlooker::inherited(const Asked& asked) {
    std::vector<Mount> mounts;
    for (const std::string& from : asked.from_containers) {
        const std::string name = from.substr(0, from.find(':'));
        const bool read_only = from.ends_with(":ro");
        auto inspected = co_await around_.client.container_inspect_raw(name);
        if (!inspected && inspected.error().kind == ErrorKind::cancelled)
            co_return fail(std::move(inspected.error()));
        if (!inspected) co_return std::vector<Mount>{};  // the engine will say so
        const Created* ours = find(field<std::string>(*inspected, "Id"));
        for (Mount& mount : mounts_of(*inspected)) {
            if (mount.type == MountType::rootfs || mount.type == MountType::tmpfs) continue;
            const bool by_plan =
                ours != nullptr &&
                std::ranges::find(plan_.read_only, keyed(ours->key, mount.target)) != plan_.read_only.end();
            mount.read_only = read_only || (mount.read_only && !by_plan);
            mounts.push_back(std::move(mount));
        }
    }
    co_return mounts;
}

Task<> Onlooker::change(Created& made, json& body) {
    Change change;
    for (const std::string& target : plan_.read_only)
        if (auto own = without_key(made.key, target)) change.read_only.insert(std::move(*own));
    change.new_volume = fmt::format("rogate-{}-run{}-{}", around_.session, plan_.id, made.key);
    change.labels = labels(around_.session, "wrapped");
    auto from_others = co_await inherited(made.asked);
    if (!from_others) co_return fail(std::move(from_others.error()));
    change.inherited = std::move(*from_others);
    if (auto changed = make_read_only(body, change); !changed) co_return changed;
    // What the engine would make without a label, nobody could find after a kill.
    for (const auto& [name, driver] : volumes_by_name(body)) {
        if (volumes_before_.contains(name) || volumes_made_.contains(name)) continue;
        engine::VolumeSpec volume;
        volume.name = name;
        if (!driver.empty()) volume.driver = driver;
        volume.labels = change.labels;
        auto volume_made = co_await around_.client.volume_create(std::move(volume));
        if (!volume_made) co_return fail(std::move(volume_made.error()));
        volumes_made_.insert(name);
    }
    co_return Result<>{};
}

// The guests' socket in place of the engine's. Bodies can be written in ways that are not read here; then the
// container has the engine's own, which engine_socket_doubt() sees.
Task<bool> Onlooker::replace_sockets(Created& made, json& body) {
    if (!around_.door) co_return false;
    std::string like;
    std::vector<std::string> covers;
    for (const Mount& mount : mounts_asked(body)) {
        if (around_.is_socket(mount.source)) {
            made.sockets.emplace(mount.target, mount.source);
            if (mount.source != around_.socket)
                like = mount.source;  // rogate's own is none of the engine's host
        }
        for (const std::string& below : around_.sockets_below(mount.source))
            covers.push_back((mount.target == "/" ? "" : mount.target) + below);
    }
    for (const Mount& mount : mounts_asked(body)) std::erase(covers, mount.target);
    if (made.sockets.empty() && covers.empty()) co_return false;
    auto door = co_await around_.door(std::move(like));
    if (!door) co_return fail(std::move(door.error()));
    proxy::replace_sockets(body, {.is_socket = around_.is_socket, .door = *door});
    for (std::string& target : covers) {
        add_bind(body, *door, target);
        made.covers.insert(std::move(target));
    }
    // A socket that nobody serves any more must not outlast rogate.
    add_labels(body, labels(around_.session, "wrapped"));
    co_return true;
}

Task<> Onlooker::before_create(Exchange& exchange) {
    json body = parsed(exchange.body);
    if (!body.is_object()) co_return Result<>{};  // the engine will say so
    const auto name = exchange.call.query.find("name");
    auto made = std::make_unique<Created>(executor_);
    made->asked = read_create(body, name == exchange.call.query.end() ? "" : name->second);
    Created& container = *made;
    containers_.push_back(std::move(made));
    exchange.note = containers_.size();
    auto replaced = co_await replace_sockets(container, body);
    if (!replaced) co_return fail(std::move(replaced.error()));
    if (*replaced) exchange.body = body.dump();
    if (is_first_) {
        ++creating_;
        co_return Result<>{};
    }
    container.known = roll_.find(container.asked);
    const Known& known = container.known != nullptr ? *container.known : others_.add(container.asked);
    container.key = known.key;
    container.how = known.how;
    if (!is_changed()) {
        ++creating_;
        co_return Result<>{};
    }
    auto changed = co_await change(container, body);
    if (!changed) {
        if (container.known != nullptr) roll_.give_back(container.known);
        co_return changed;
    }
    exchange.body = body.dump();
    ++creating_;
    co_return Result<>{};
}

bool Onlooker::has_container(const std::string& id) const {
    return std::ranges::any_of(containers_,
                               [&](const auto& each) { return each->is_made && each->id == id; });
}

void Onlooker::add_made(proxy::Belongings& all) const {
    all.networks_made.insert(networks_made_.begin(), networks_made_.end());
    all.networks_made.insert(network_names_.begin(), network_names_.end());
    all.volumes_made.insert(volumes_made_.begin(), volumes_made_.end());
}

Task<> Onlooker::settled() {
    while (creating_ > 0) co_await no_creation_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return Result<>{};
}

void Onlooker::created(const Exchange& exchange, int status, const std::string& body) {
    if (exchange.note == 0) return;
    if (--creating_ == 0) no_creation_.cancel();
    Created& container = *containers_[exchange.note - 1];
    const auto id = field<std::string>(parsed(body), "Id");
    if (status != 201 || id.empty()) {
        if (container.known != nullptr) roll_.give_back(container.known);
        return;
    }
    container.id = id;
    container.is_made = true;
    if (!is_first_) return;
    const Known& known = roster_->add(container.asked);
    container.key = known.key;
    container.how = known.how;
}

// --- starting

Task<> Onlooker::learn(Created& container) {
    auto inspected = co_await around_.client.container_inspect_raw(container.id);
    if (!inspected) co_return fail(std::move(inspected.error()));
    container.mounts = mounts_of(*inspected);
    std::erase_if(container.mounts,
                  [&](const Mount& mount) { return container.covers.contains(mount.target); });
    for (Mount& mount : container.mounts)
        if (const auto real = container.sockets.find(mount.target); real != container.sockets.end())
            mount.source = real->second;
    compare_mounts(container);
    container.subject = subject_of(*inspected, container.key);
    container.image_id = field<std::string>(*inspected, "Image");
    const json config = field<json>(*inspected, "Config", json::object());
    container.has_healthcheck =
        !field<std::vector<std::string>>(field<json>(config, "Healthcheck"), "Test").empty();
    container.grace_s = field<int>(config, "StopTimeout", default_grace_s);
    std::string runtime = field<std::string>(field<json>(*inspected, "HostConfig"), "Runtime");
    co_return co_await doubt_runtime(container.key, std::move(runtime));
}

// eBPF sees nothing of what a runtime like gVisor's keeps from the engine's kernel.
Task<> Onlooker::doubt_runtime(std::string key, std::string runtime) {
    if (known_runtimes_.contains(runtime)) co_return Result<>{};
    std::vector<std::string> asked{runtime};
    auto apart = co_await campaign::kernel_apart(around_.client, std::move(asked));
    if (!apart) co_return fail(std::move(apart.error()));
    if (apart->empty())
        known_runtimes_.insert(runtime);
    else
        doubt(
            fmt::format("container {} has the runtime {}, which is not known to leave containers the "
                        "engine's kernel, so that its calls may not be seen",
                        key, *apart));
    co_return Result<>{};
}

// Once, in the first run: what is a socket is one in every run.
Task<> Onlooker::look_at_sources(Created& container) {
    if (!is_first_) co_return Result<>{};
    for (const Mount& mount : container.mounts) {
        if (mount.type == MountType::volume) {
            std::string name = mount.source;
            auto volume = co_await around_.client.volume_inspect(std::move(name));
            if (!volume && volume.error().kind != ErrorKind::not_found)
                co_return fail(std::move(volume.error()));
            if (volume)
                if (std::string folder = campaign::bound_folder(*volume); !folder.empty())
                    container.bound.emplace(mount.source, std::move(folder));
        }
        if (mount.type != MountType::bind) continue;
        const std::string target = mount.target;
        auto stat = co_await around_.client.archive_stat(container.id, target);
        if (!stat && stat.error().kind == ErrorKind::cancelled) co_return fail(std::move(stat.error()));
        const std::string kind = stat ? special_by(stat->go_mode) : std::string();
        if (!stat || !kind.empty()) container.special.insert_or_assign(target, kind);
    }
    co_return Result<>{};
}

// Observers of containers that have ended, without anybody's having removed them.
Task<> Onlooker::make_room() {
    auto turn = co_await room_.take();
    for (const auto& each : containers_) {
        if (!around_.observers.is_full()) break;
        if (each->observer == nullptr || each->turn.is_taken()) continue;
        auto turn_of_it = co_await each->turn.take();
        auto still = co_await runs(*each);
        if (!still) co_return fail(std::move(still.error()));
        if (*still) continue;
        if (auto closed = co_await close(*each); !closed) co_return closed;
    }
    co_return Result<>{};
}

Task<> Onlooker::arm(Created& container) {
    if (around_.observers.is_full())
        if (auto made = co_await make_room(); !made) co_return made;
    auto observer = co_await around_.observers.take();
    if (!observer) co_return fail(std::move(observer.error()));
    container.observer = std::move(*observer);
    std::vector<observe::ObservedMount> mounts;
    for (const Mount& mount : container.mounts) {
        observe::ObservedMount observed;
        observed.target = mount.target;
        observed.is_read_only = mount.read_only;
        mounts.push_back(std::move(observed));
    }
    const std::string id = container.id;
    const std::string phase = "command";
    auto armed = co_await container.observer->arm(id, std::move(mounts), phase, "");
    if (!armed) {
        around_.observers.give_up(std::move(container.observer));
        co_return armed;
    }
    container.was_watched = true;
    co_return Result<>{};
}

Task<> Onlooker::before_start(Created& container) {
    auto turn = co_await container.turn.take();
    auto noted = co_await note_life(container);
    if (auto said = doubted(std::move(noted), "before a start"); !said) co_return said;
    if (++unasked_starts_ >= starts_between_questions)
        if (auto learned = co_await learn_exit_codes(0); !learned) co_return learned;
    if (container.observer != nullptr) {
        if (!container.was_started) co_return Result<>{};
        auto told = co_await container.observer->before_start_again("");
        co_return doubted(std::move(told), fmt::format("watching container {} again", container.key));
    }
    const std::string doing = fmt::format("watching container {}", container.key);
    auto learned = co_await learn(container);
    if (!learned) co_return doubted(std::move(learned), doing);
    if (around_.client.server().archives_mount_volumes())
        if (auto looked = co_await look_at_sources(container); !looked) co_return looked;
    auto armed = co_await arm(container);
    co_return doubted(std::move(armed), doing);
}

Task<> Onlooker::try_canaries(Created& container) {
    if (container.observer == nullptr || !container.was_started) co_return Result<>{};
    for (const Mount& mount : container.mounts) {
        if (!mount.read_only || container.special.contains(mount.target)) continue;
        const std::string target = mount.target;
        auto canary = co_await container.observer->canary(target);
        if (!canary) co_return fail(std::move(canary.error()));
        // The worst of all is the one that counts.
        const auto [at, fresh] = container.canary.try_emplace(target, *canary);
        if (!fresh && *canary != Canary::seen) at->second = *canary;
    }
    co_return Result<>{};
}

// --- ending

Task<bool> Onlooker::runs(const Created& container) {
    auto state = co_await around_.client.container_inspect(container.id);
    if (!state && state.error().kind == ErrorKind::not_found) co_return false;
    if (!state) co_return fail(std::move(state.error()));
    co_return state->running;
}

// Closes the account of one that has ended, or is about to be removed.
Task<> Onlooker::close(Created& container) {
    if (container.observer == nullptr) co_return Result<>{};
    auto tried = co_await try_canaries(container);
    if (tried) {
        auto recording = co_await container.observer->collect();
        if (recording) {
            container.recordings.push_back(std::move(*recording));
            around_.observers.give_back(std::move(container.observer));
            co_return Result<>{};
        }
        tried = fail(std::move(recording.error()));
    }
    around_.observers.give_up(std::move(container.observer));
    co_return doubted(std::move(tried), fmt::format("closing the account of container {}", container.key));
}

Task<> Onlooker::end(Created* container, bool stop) {
    auto turn = co_await container->turn.take();
    const std::string doing = fmt::format("stopping container {}", container->key);
    auto noted = co_await note_life(*container);
    if (auto said = doubted(std::move(noted), doing); !said) co_return said;
    if (container->observer == nullptr) co_return Result<>{};
    if (stop) {
        auto still = co_await runs(*container);
        if (!still) co_return doubted(fail(std::move(still.error())), doing);
        if (*still) {
            const std::string phase = "shutdown";
            auto told = co_await container->observer->phase(phase);
            if (told) told = co_await try_canaries(*container);
            if (told) told = co_await around_.client.container_stop(container->id, container->grace_s);
            if (auto said = doubted(std::move(told), doing); !said) co_return said;
        }
    }
    co_return co_await close(*container);
}

Task<> Onlooker::before(Exchange& exchange) {
    const Call& call = exchange.call;
    if (call.kind == CallKind::create) co_return co_await before_create(exchange);
    if (call.kind == CallKind::foreign) {
        doubt(fmt::format("COMMAND called {}, which makes containers in a way that rogate does not read",
                          call.name));
        co_return Result<>{};
    }
    if (call.kind == CallKind::network_create || call.kind == CallKind::volume_create) {
        json body = parsed(exchange.body);
        if (!body.is_object() || !is_changed()) co_return Result<>{};
        add_labels(body, labels(around_.session, "wrapped"));
        exchange.body = body.dump();
        co_return Result<>{};
    }
    if (call.kind == CallKind::prune) {
        for (const auto& each : containers_) {
            auto turn = co_await each->turn.take();
            if (each->observer == nullptr) continue;
            auto still = co_await runs(*each);
            if (!still && still.error().kind == ErrorKind::cancelled)
                co_return fail(std::move(still.error()));
            if (still && !*still) {
                auto noted = co_await note_life(*each);
                if (auto said = doubted(std::move(noted), "before a prune"); !said) co_return said;
                if (auto closed = co_await close(*each); !closed) co_return closed;
            }
        }
        co_return Result<>{};
    }
    auto found = co_await resolve(call.object);
    if (!found) co_return fail(std::move(found.error()));
    Created* container = *found;
    if (container == nullptr || call.kind == CallKind::exec) co_return Result<>{};
    exchange.note =
        1 + static_cast<std::size_t>(
                std::ranges::find(containers_, container, [](const auto& each) { return each.get(); }) -
                containers_.begin());
    if (call.kind == CallKind::start) co_return co_await before_start(*container);

    auto turn = co_await container->turn.take();
    // One that was never started is known by its id only.
    if (call.kind == CallKind::remove && container->mounts.empty())
        if (auto learned = co_await learn(*container);
            !learned && learned.error().kind == ErrorKind::cancelled)
            co_return learned;
    const std::string doing = fmt::format("before {} of container {}", call.name, container->key);
    const auto signal = call.query.find("signal");
    if (!call.name.ends_with("/kill") || ends_by(signal == call.query.end() ? "" : signal->second)) {
        auto noted = co_await note_life(*container);
        if (auto said = doubted(std::move(noted), doing); !said) co_return said;
    }
    if (container->observer == nullptr) co_return Result<>{};
    if (call.kind == CallKind::remove) {
        const auto force = call.query.find("force");
        const bool by_force = force != call.query.end() && (force->second == "1" || force->second == "true");
        auto still = by_force ? Result<bool>(false) : co_await runs(*container);
        if (still && !*still) co_return co_await close(*container);
        if (!still) co_return doubted(fail(std::move(still.error())), doing);
    }
    auto tried = co_await try_canaries(*container);
    if (tried && call.kind == CallKind::restart) {
        // In two steps: what the observer holds of the mounts would be mounted twice.
        const auto given = call.query.find("t");
        const int grace = given == call.query.end() ? container->grace_s : std::atoi(given->second.c_str());
        tried = co_await around_.client.container_stop(container->id, std::max(grace, 0));
        if (tried) tried = co_await container->observer->before_start_again("");
    }
    co_return doubted(std::move(tried), doing);
}

Task<> Onlooker::after(const Exchange& exchange, int status, const std::string& body) {
    const Call& call = exchange.call;
    if (call.kind == CallKind::create) {
        created(exchange, status, body);
        co_return Result<>{};
    }
    if (call.kind == CallKind::network_create && status == 201) {
        networks_made_.insert(field<std::string>(parsed(body), "Id"));
        network_names_.insert(field<std::string>(parsed(exchange.body), "Name"));
    }
    if (call.kind == CallKind::volume_create && status == 201)
        if (auto name = field<std::string>(parsed(body), "Name"); !volumes_before_.contains(name))
            volumes_made_.insert(std::move(name));
    const bool starts = call.kind == CallKind::start || call.kind == CallKind::restart;
    const bool removes = call.kind == CallKind::remove;
    if (exchange.note == 0 || (!starts && !removes)) co_return Result<>{};
    Created& container = *containers_[exchange.note - 1];
    if (removes) {
        if (status >= 400 && status != 404 && container.was_watched && container.observer == nullptr)
            doubt(fmt::format("container {} was not removed ({}), and was not watched any more",
                              container.key, message_of(body, status)));
        co_return Result<>{};
    }
    auto turn = co_await container.turn.take();
    if (status >= 400) {
        container.start_problem = message_of(body, status);
        co_return Result<>{};
    }
    container.was_started = container.is_alive = true;
    if (!around_.client.server().archives_mount_volumes())
        if (auto looked = co_await look_at_sources(container); !looked) co_return looked;
    auto tried = co_await try_canaries(container);
    co_return doubted(std::move(tried), fmt::format("the canaries of container {}", container.key));
}

Task<> Onlooker::finish(bool stop, RunRecord* record) {
    std::vector<Task<>> ends;
    for (const auto& each : containers_)
        if (each->is_made) ends.push_back(end(each.get(), stop));
    auto all = engine::together(std::move(ends), most_observers);
    if (auto ended = co_await std::move(all); !ended) co_return ended;
    if (std::ranges::any_of(containers_, [this](const auto& each) { return lacks_exit_code(*each); }))
        if (auto learned = co_await learn_exit_codes(1); !learned) co_return learned;
    for (const auto& each : containers_) {
        if (!each->is_made) continue;
        if (const auto code = exit_codes_.find(each->id); code != exit_codes_.end() && !each->lives.empty() &&
                                                          each->lives.back().by_itself &&
                                                          !each->lives.back().exit_code)
            each->lives.back().exit_code = code->second;
        // One that was never started is known by its id only.
        if (each->mounts.empty())
            if (auto learned = co_await learn(*each);
                !learned && learned.error().kind == ErrorKind::cancelled)
                co_return learned;
        for (observe::Recording& recording : each->recordings)
            add_recording(*record, each->key, std::move(recording), each->has_healthcheck);
        each->recordings.clear();
        for (const auto& [target, canary] : each->canary)
            record->canary.emplace(keyed(each->key, target), canary);
    }
    if (auto added = co_await add_copies(*record); !added) co_return added;
    record->observer = "ebpf";
    if (record->observer_problem.empty()) record->observer_problem = doubt_;
    co_return Result<>{};
}

// --- what is left

Task<std::vector<Created*>> Onlooker::containers_left() {
    auto list = co_await around_.client.container_list("");
    if (!list) co_return fail(std::move(list.error()));
    std::vector<Created*> left;
    for (const auto& each : containers_)
        if (each->is_made && std::ranges::find(*list, each->id, &engine::ContainerSummary::id) != list->end())
            left.push_back(each.get());
    // Those that were never started are known by their ids only.
    for (Created* each : left)
        if (each->mounts.empty())
            if (auto learned = co_await learn(*each);
                !learned && learned.error().kind != ErrorKind::not_found)
                co_return fail(std::move(learned.error()));
    co_return left;
}

Task<std::vector<std::string>> Onlooker::volumes_left() {
    std::set<std::string> ours = volumes_made_;
    for (const auto& each : containers_)
        for (const Mount& mount : each->mounts)
            if ((mount.type == MountType::volume || mount.type == MountType::anonymous) &&
                !volumes_before_.contains(mount.source))
                ours.insert(mount.source);
    auto list = co_await around_.client.volume_list("");
    if (!list) co_return fail(std::move(list.error()));
    std::vector<std::string> left;
    for (const engine::VolumeInfo& each : *list)
        if (ours.contains(each.name)) left.push_back(each.name);
    co_return left;
}

Task<std::vector<engine::NetworkInfo>> Onlooker::networks_left() {
    auto list = co_await around_.client.network_list("");
    if (!list) co_return fail(std::move(list.error()));
    std::erase_if(*list, [&](const engine::NetworkInfo& each) { return !networks_made_.contains(each.id); });
    co_return list;
}

Task<std::vector<std::string>> Onlooker::left() {
    std::vector<std::string> words;
    auto containers = co_await containers_left();
    if (!containers) co_return fail(std::move(containers.error()));
    for (const Created* each : *containers) words.push_back("container " + each->key);
    auto volumes = co_await volumes_left();
    if (!volumes) co_return fail(std::move(volumes.error()));
    for (const std::string& each : *volumes) words.push_back("volume " + each);
    auto networks = co_await networks_left();
    if (!networks) co_return fail(std::move(networks.error()));
    for (const engine::NetworkInfo& each : *networks) words.push_back("network " + each.name);
    co_return words;
}

Task<> Onlooker::remove_left() {
    auto containers = co_await containers_left();
    if (!containers) co_return fail(std::move(containers.error()));
    for (const Created* each : *containers)
        if (auto removed = co_await around_.client.container_remove(each->id); !removed) co_return removed;
    auto volumes = co_await volumes_left();
    if (!volumes) co_return fail(std::move(volumes.error()));
    for (const std::string& each : *volumes)
        if (auto removed = co_await around_.client.volume_remove(each); !removed) co_return removed;
    auto networks = co_await networks_left();
    if (!networks) co_return fail(std::move(networks.error()));
    for (const engine::NetworkInfo& each : *networks)
        if (auto removed = co_await around_.client.network_remove(each.id);
            !removed && removed.error().kind != ErrorKind::not_found)
            co_return removed;
    co_return Result<>{};
}

}  // namespace rogate::wrap
