#include "campaign/companions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

#include "campaign/campaign.hpp"
#include "campaign/containers.hpp"
#include "campaign/images.hpp"
#include "campaign/readiness.hpp"
#include "engine/together.hpp"

namespace rogate::campaign {

namespace asio = boost::asio;
using engine::Task;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds longest_wait{300};

// Of a mount of service `name`; what is anonymous is nobody else's.
std::string key_of(const std::string& name, const Mount& mount) {
    if (mount.type == MountType::anonymous) return fmt::format("anonymous {}:{}", name, mount.target);
    return source_key(mount);
}

asio::awaitable<void> pause() {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(200));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace

std::string source_key(const Mount& mount) {
    if (mount.type == MountType::bind) return "bind " + mount.source;
    // A volume's name has no '/'.
    if (mount.type == MountType::volume)
        return fmt::format("volume {}{}{}", mount.source, mount.sub_path.empty() ? "" : "/", mount.sub_path);
    return {};
}

std::set<std::string> written_by_companions(const Scenario& scenario) {
    std::set<std::string> keys;
    for (const Companion& companion : scenario.companions)
        for (const Mount& mount : companion.subject.mounts)
            if (!mount.read_only && !source_key(mount).empty()) keys.insert(source_key(mount));
    return keys;
}

Companions::Companions(engine::Client& client, Status& status, const Scenario& scenario, std::string session,
                       std::string network, bool publish)
    : client_(client),
      publish_(publish),
      for_commands_(scenario::runs_commands(scenario.steps)),
      status_(status),
      scenario_(scenario),
      data_(client, session, scenario.subject.image, "services-"),
      session_(std::move(session)),
      network_(std::move(network)) {
    data_.use(scenario.data);
    data_.is_of_services();
}

Task<> Companions::survey() {
    std::vector<Mount> mounts;
    std::set<std::string> known;
    for (const Mount& mount : scenario_.subject.mounts) known.insert(source_key(mount));
    const std::set<std::string> written = written_by_companions(scenario_);
    for (const Companion& companion : scenario_.companions) {
        auto image = co_await need_image(client_, companion.subject.image, status_);
        if (!image)
            co_return fail(
                std::move(image.error()).with_context(fmt::format("service '{}'", companion.name)));
        for (const Port& port : companion.subject.ports)
            if (port.protocol == "tcp") ports_[companion.name].insert(port.container);
        for (const std::string& exposed : image->exposed_ports)
            if (const auto port = tcp_port(exposed)) ports_[companion.name].insert(*port);
        std::vector<Mount>& own = mounts_[companion.name];
        own = effective_mounts(companion.subject, image->volumes);
        std::erase_if(own, [](const Mount& mount) { return mount.type == MountType::rootfs; });
        for (Mount mount : own) {
            const std::string key = key_of(companion.name, mount);
            if (key.empty() || !known.insert(key).second) continue;
            mount.read_only = mount.type != MountType::anonymous && !written.contains(key);
            // Services may have the same target; the plane needs paths that differ.
            mount.target = fmt::format("/{}:{}", companion.name, mount.target);
            targets_.emplace(key, mount.target);
            mounts.push_back(std::move(mount));
        }
    }
    Mount root;  // the plane looks for what lies above a mount
    root.type = MountType::rootfs;
    root.target = "/";
    mounts.push_back(std::move(root));
    if (auto surveyed = co_await data_.survey(mounts); !surveyed) co_return surveyed;
    for (const std::string& note : data_.notes()) status_.warn(note);
    co_return Result<>{};
}

Task<> Companions::look_for_links(DataPlane& subject_data) {
    if (targets_.empty()) co_return Result<>{};
    auto found = co_await subject_data.linked_with(data_);
    if (!found) co_return fail(std::move(found.error()));
    links_ = std::move(*found);
    co_return Result<>{};
}

bool Companions::have(const Mount& mount) const {
    const std::string key = source_key(mount);
    return std::ranges::any_of(mounts_,
                               [&](const auto& service) {
                                   return !key.empty() &&
                                          std::ranges::find(service.second, key, source_key) !=
                                              service.second.end();
                               }) ||
           std::ranges::any_of(same_, [&](const auto& each) { return each.second == mount.target; });
}

std::vector<DataDifference> Companions::differences(const DataPlane& subject_data) {
    std::vector<DataDifference> found;
    for (const auto& [own, its] : links_)
        found.push_back({.target = {},
                         .what = fmt::format("{} and {} are one file (a hard link), and two in the runs", own,
                                             its.substr(1)),
                         .way_out = "mount a folder that holds both"});
    for (const auto& [key, target] : targets_) {
        const auto own = std::ranges::find(data_.mounts(), target,
                                           [](const DataMount& each) { return each.mount.target; });
        if (own == data_.mounts().end() || own->fixture || is_kernels_own(*own)) continue;
        if (const DataMount* same = subject_data.with_source(own->facts)) {
            same_.insert_or_assign(key, same->mount.target);
            continue;
        }
        const DataMount* other = subject_data.overlapping(own->facts);
        if (other == nullptr) continue;
        // What nobody writes is the same for both.
        if (other->how == DataSource::as_it_is && own->how == DataSource::as_it_is) continue;
        found.push_back(
            {.target = other->mount.target,
             .what = fmt::format("{}: its data are at {} as well, and the runs would not have them in common",
                                 other->mount.target, target.substr(1)),
             .way_out = "mount the same folder in both"});
    }
    for (const DataMount& data : data_.mounts())
        for (const DataMount::Lack& lack : data.lacks)
            found.push_back({.target = {},
                             .what = fmt::format("{}: {}", data.mount.target.substr(1), lack.what),
                             .way_out = lack.way_out});
    return found;
}

// Somebody cannot do without it.
bool Companions::is_required(const std::string& service) const {
    const auto needs = [&](const std::vector<Dependency>& after) {
        return std::ranges::any_of(
            after, [&](const Dependency& each) { return each.service == service && each.required; });
    };
    return needs(scenario_.after) || std::ranges::any_of(scenario_.companions, [&](const Companion& each) {
               return needs(each.after);
           });
}

// The first run tells it for all.
void Companions::warn_once(const std::string& text) {
    if (warned_.insert(text.substr(0, text.find('\n'))).second) status_.warn(text);
}

Task<std::string> Companions::wait_for(const Dependency& dependency, const std::string& who) {
    if (!dependency.required) {
        Dependency as_if = dependency;
        as_if.required = true;
        auto trouble = co_await wait_for(as_if, who);
        if (!trouble) co_return trouble;
        if (!trouble->empty())
            warn_once(fmt::format("{}; '{}' does not require it, and is started", *trouble, who));
        co_return std::string();
    }
    const bool on_subject = is_subject(dependency.service) && !subject_.empty();
    if (!on_subject && !containers_.contains(dependency.service))
        co_return fmt::format("service '{}', which '{}' waits for, was not started", dependency.service, who);
    // It was started, or it would not be here; how it goes on is nobody's condition, as with docker compose.
    if (dependency.condition == Dependency::Condition::started) co_return std::string();
    const std::string& container = on_subject ? subject_ : containers_.at(dependency.service);
    const auto until = Clock::now() + longest_wait;
    for (;;) {
        auto state = co_await client_.container_health(container);
        if (!state) co_return fail(std::move(state.error()));
        std::string trouble;
        if (dependency.condition == Dependency::Condition::completed) {
            if (!state->running && state->exit_code == 0) co_return std::string();
            if (!state->running) trouble = fmt::format("exited with code {}", state->exit_code);
        } else if (!state->running) {
            trouble = fmt::format("exited with code {}", state->exit_code);
        } else if (state->health == "healthy") {
            co_return std::string();
        } else if (state->health.empty() || state->health == "none") {
            trouble = "has no health check, neither its own nor its image's";
        } else if (state->health == "unhealthy") {
            trouble = "is unhealthy";
        }
        if (trouble.empty() && Clock::now() >= until)
            trouble = fmt::format("did not get there within {} s", longest_wait.count());
        if (!trouble.empty()) {
            auto tail = co_await log_tail(client_, container, masker_);
            if (!tail) co_return fail(std::move(tail.error()));
            co_return fmt::format("service '{}', which '{}' waits for, {}{}", dependency.service, who,
                                  trouble, *tail);
        }
        co_await pause();
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
            co_return fail(ErrorKind::cancelled, "interrupted");
    }
}

Task<std::string> Companions::launch(const Companion& companion, int run, const DataPlane& subject_data) {
    const auto& subject_mounts = subject_mounts_;
    const auto& own_mounts = own_mounts_;
    for (const Dependency& dependency : companion.after) {
        auto trouble = co_await wait_for(dependency, companion.name);
        if (!trouble || !trouble->empty()) co_return trouble;
    }
    engine::ContainerSpec spec = beside_subject(session_, run, companion.name, companion.subject, network_);
    if (const std::string owner = network_owner(scenario_, companion.subject); !owner.empty())
        share_network(spec, is_subject(owner) ? subject_ : containers_.at(owner));
    if (companion.name == network_owner(scenario_, scenario_.subject) && spec.network_mode == network_) {
        spec.network_aliases.emplace_back("subject");
        if (publish_) publish_ports(scenario_.subject, spec);
    }
    if (publish_ && for_commands_ && spec.network_mode == network_) {
        Subject reached;
        const auto ports = ports_.find(companion.name);
        if (ports != ports_.end())
            for (const std::uint16_t port : ports->second) reached.ports.push_back({port, "tcp"});
        publish_ports(reached, spec);
    }
    spec.restart = companion.restart.name;
    spec.restart_tries = companion.restart.tries;
    const auto take = [&](const Mount& mount, const std::vector<engine::MountSpec>& specs,
                          const DataPlane& data, const std::string& target) {
        const auto found = std::ranges::find(specs, target, &engine::MountSpec::target);
        if (found == specs.end()) return false;
        engine::MountSpec made = *found;
        made.target = mount.target;
        made.read_only = mount.read_only;
        if (mount.type == MountType::volume) made.no_copy = mount.no_copy;
        spec.mounts.push_back(std::move(made));
        // The sockets and FIFOs that others serve within it.
        for (const engine::MountSpec& live : specs) {
            const bool is_mount = std::ranges::any_of(
                data.mounts(), [&](const DataMount& each) { return each.mount.target == live.target; });
            if (is_mount || !live.target.starts_with(target + "/") || !live.read_only) continue;
            spec.mounts.push_back(live);
            spec.mounts.back().target = mount.target + live.target.substr(target.size());
        }
        for (const DataMount& below : data.mounts()) {
            const auto its = std::ranges::find(specs, below.mount.target, &engine::MountSpec::target);
            if (!below.below_source || !below.mount.target.starts_with(target + "/") || its == specs.end())
                continue;
            spec.mounts.push_back(*its);
            spec.mounts.back().target = mount.target + below.mount.target.substr(target.size());
            // How this one is mounted here, and not the subject's.
            if (below.follows == target)
                spec.mounts.back().read_only = mount.read_only || below.read_only_by_itself;
        }
        return true;
    };
    for (const Mount& mount : mounts_.at(companion.name)) {
        const std::string key = key_of(companion.name, mount);
        const auto same_source = same_.find(key);
        if (mount.type == MountType::tmpfs) {
            add_tmpfs(spec, mount, mount.read_only);
        } else if (same_source != same_.end()) {
            if (!take(mount, subject_mounts, subject_data, same_source->second))
                co_return fail(ErrorKind::internal,
                               fmt::format("service '{}': no data for {}", companion.name, mount.target));
        } else if (const auto own = targets_.find(key); own != targets_.end()) {
            if (!take(mount, own_mounts, data_, own->second))
                co_return fail(ErrorKind::internal,
                               fmt::format("service '{}': no data for {}", companion.name, mount.target));
        } else {
            const auto same = std::ranges::find(scenario_.subject.mounts, key, source_key);
            if (same == scenario_.subject.mounts.end() ||
                !take(mount, subject_mounts, subject_data, same->target))
                co_return fail(ErrorKind::internal,
                               fmt::format("service '{}': no data for {}", companion.name, mount.target));
        }
    }
    const std::string who = fmt::format("service '{}'", companion.name);
    auto created = co_await client_.container_create(std::move(spec));
    if (!created) co_return fail(std::move(created.error()).with_context(who));
    containers_[companion.name] = *created;
    auto seeded = co_await seed_files(client_, *created, companion.subject.files);
    if (!seeded && seeded.error().kind != ErrorKind::refused)
        co_return fail(std::move(seeded.error()).with_context(who));
    if (!seeded) co_return fmt::format("{} could not be started: {}", who, seeded.error().message);
    co_return co_await start_beside(client_, who, *created);
}

Task<std::string> Companions::start(const RunPlan& plan, const DataPlane& subject_data,
                                    const std::vector<engine::MountSpec>& subject_mounts) {
    const int run = plan.id;
    RunPlan nothing_tried = data_of(plan);
    auto own = co_await data_.prepare(std::move(nothing_tried));
    if (!own) co_return fail(std::move(own.error()).with_context("data of the services"));
    own_mounts_ = std::move(*own);
    subject_mounts_ = subject_mounts;
    subject_.clear();
    auto trouble_here = co_await launch_all(false, run, subject_data);
    if (!trouble_here || !trouble_here->empty()) co_return trouble_here;
    for (const Dependency& dependency : scenario_.after) {
        auto trouble = co_await wait_for(dependency, scenario_.subject.origin.name);
        if (!trouble || !trouble->empty()) co_return trouble;
    }
    co_return std::string();
}

Task<std::string> Companions::launch_all(bool behind, int run, const DataPlane& subject_data) {
    for (const Companion& companion : scenario_.companions) {
        if (companion.behind != behind) continue;
        status_.phase_started("service " + companion.name);
        auto trouble = co_await launch(companion, run, subject_data);
        if (trouble && !trouble->empty() && !is_required(companion.name)) {
            warn_once(*trouble);
            continue;
        }
        if (!trouble || !trouble->empty()) co_return trouble;
    }
    co_return std::string();
}

Task<std::string> Companions::start_behind(int run, std::string subject, const DataPlane& subject_data) {
    subject_ = std::move(subject);
    co_return co_await launch_all(true, run, subject_data);
}

bool Companions::is_subject(const std::string& service) const {
    const Origin& origin = scenario_.subject.origin;
    return origin.kind == Origin::Kind::compose && origin.name == service;
}

std::vector<scenario::Place> Companions::places() const {
    std::vector<scenario::Place> places;
    for (const Companion& each : scenario_.companions) {
        const auto ports = ports_.find(each.name);
        const auto container = containers_.find(each.name);
        if (ports == ports_.end() || container == containers_.end() || !each.subject.network_mode.empty())
            continue;
        places.push_back({.name = each.name,
                          .container = container->second,
                          .ports = {ports->second.begin(), ports->second.end()}});
    }
    return places;
}

Task<std::string> Companions::fallen() {
    co_return co_await name_fallen(client_, "service", containers_, masker_);
}

// A crash is the machine's: it leaves nobody the time to put anything in order.
Task<> Companions::kill_all() {
    std::vector<Task<>> ends;
    for (const auto& [service, container] : containers_)
        ends.push_back(end_beside(client_, container, true, 0));
    auto all = engine::together(std::move(ends));
    auto ended = co_await std::move(all);
    if (!ended) co_return fail(std::move(ended.error()).with_context("killing the services"));
    co_return Result<>{};
}

Task<> Companions::stop(bool kill) {
    if (kill) co_return co_await kill_all();
    for (auto companion = scenario_.companions.rbegin(); companion != scenario_.companions.rend();
         ++companion) {
        const auto container = containers_.find(companion->name);
        if (container == containers_.end()) continue;
        auto ended = co_await end_beside(client_, container->second, false, companion->grace_ms);
        if (!ended)
            co_return fail(
                std::move(ended.error()).with_context(fmt::format("stopping service '{}'", companion->name)));
    }
    co_return Result<>{};
}

std::map<std::string, DataPlane::SeenIn> Companions::seen_in() const {
    std::map<std::string, DataPlane::SeenIn> places;
    for (const auto& [service, mounts] : mounts_) {
        const auto container = containers_.find(service);
        if (container == containers_.end()) continue;
        for (const Mount& mount : mounts) {
            const auto target = targets_.find(key_of(service, mount));
            if (target != targets_.end())
                places.try_emplace(target->second, DataPlane::SeenIn{container->second, mount.target});
        }
    }
    return places;
}

Task<> Companions::keep(RunPlan plan) {
    auto places = seen_in();
    std::string no_subject;
    auto kept = co_await data_.keep(std::move(plan), std::move(no_subject), std::move(places));
    if (!kept) co_return fail(std::move(kept.error()).with_context("data of the services"));
    co_return co_await remove_all(client_, std::exchange(containers_, {}));
}

Task<> Companions::remove(int run) {
    auto removed = co_await remove_all(client_, std::exchange(containers_, {}));
    auto released = co_await data_.release(run);
    if (!removed) co_return removed;
    co_return released;
}

}  // namespace rogate::campaign
