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

namespace rogate::campaign {

namespace asio = boost::asio;
using engine::Task;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds longest_wait{300};

asio::awaitable<void> pause() {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(200));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace

std::string source_key(const Mount& mount) {
    if (mount.type == MountType::bind) return "bind " + mount.source;
    if (mount.type == MountType::volume) return "volume " + mount.source;
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
                       std::string network)
    : client_(client),
      status_(status),
      scenario_(scenario),
      data_(client, session, scenario.subject.image, "services-"),
      session_(std::move(session)),
      network_(std::move(network)) {}

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
        for (Mount mount : companion.subject.mounts) {
            const std::string key = source_key(mount);
            if (key.empty() || !known.insert(key).second) continue;
            mount.read_only = !written.contains(key);
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
    co_return co_await data_.survey(mounts);
}

Task<std::string> Companions::wait_for(const Dependency& dependency, const std::string& who) {
    // It was started, or it would not be here; how it goes on is nobody's condition, as with docker compose.
    if (dependency.condition == Dependency::Condition::started) co_return std::string();
    const std::string& container = containers_.at(dependency.service);
    const auto until = Clock::now() + longest_wait;
    for (;;) {
        auto state = co_await client_.container_inspect(container);
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
            auto words = co_await last_words(client_, container);
            if (!words) co_return fail(std::move(words.error()));
            co_return fmt::format("service '{}', which '{}' waits for, {}{}", dependency.service, who,
                                  trouble, *words);
        }
        co_await pause();
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
            co_return fail(ErrorKind::cancelled, "interrupted");
    }
}

Task<std::string> Companions::launch(const Companion& companion, int run, const DataPlane& subject_data,
                                     const std::vector<engine::MountSpec>& subject_mounts,
                                     const std::vector<engine::MountSpec>& own_mounts) {
    for (const Dependency& dependency : companion.after) {
        auto trouble = co_await wait_for(dependency, companion.name);
        if (!trouble || !trouble->empty()) co_return trouble;
    }
    engine::ContainerSpec spec = beside_subject(session_, run, companion.name, companion.subject, network_);
    const auto take = [&](const Mount& mount, const std::vector<engine::MountSpec>& specs,
                          const DataPlane& data, const std::string& target) {
        const auto found = std::ranges::find(specs, target, &engine::MountSpec::target);
        if (found == specs.end()) return false;
        engine::MountSpec made = *found;
        made.target = mount.target;
        made.read_only = mount.read_only;
        if (mount.type == MountType::volume) made.no_copy = mount.no_copy;
        spec.mounts.push_back(std::move(made));
        for (const DataMount& below : data.mounts()) {
            const auto its = std::ranges::find(specs, below.mount.target, &engine::MountSpec::target);
            if (!below.below_source || !below.mount.target.starts_with(target + "/") || its == specs.end())
                continue;
            spec.mounts.push_back(*its);
            spec.mounts.back().target = mount.target + below.mount.target.substr(target.size());
        }
        return true;
    };
    for (const Mount& mount : companion.subject.mounts) {
        const std::string key = source_key(mount);
        if (mount.type == MountType::tmpfs) {
            add_tmpfs(spec, mount, mount.read_only);
        } else if (key.empty()) {
            // Anonymous: the engine makes it and removes it with the container.
            spec.mounts.push_back({.type = engine::MountSpec::Type::volume,
                                   .source = {},
                                   .target = mount.target,
                                   .read_only = false,
                                   .no_copy = false,
                                   .propagation = {}});
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

Task<std::string> Companions::start(int run, const DataPlane& subject_data,
                                    const std::vector<engine::MountSpec>& subject_mounts) {
    RunPlan nothing_tried;
    nothing_tried.id = run;
    auto own = co_await data_.prepare(nothing_tried);
    if (!own) co_return fail(std::move(own.error()).with_context("data of the services"));
    for (const Companion& companion : scenario_.companions) {
        status_.phase_started("service " + companion.name);
        auto trouble = co_await launch(companion, run, subject_data, subject_mounts, *own);
        if (!trouble || !trouble->empty()) co_return trouble;
    }
    for (const Dependency& dependency : scenario_.after) {
        auto trouble = co_await wait_for(dependency, scenario_.subject.origin.name);
        if (!trouble || !trouble->empty()) co_return trouble;
    }
    co_return std::string();
}

Task<std::string> Companions::fallen() {
    co_return co_await name_fallen(client_, "service", containers_);
}

Task<> Companions::remove(int run) {
    auto removed = co_await remove_all(client_, std::exchange(containers_, {}));
    auto released = co_await data_.release(run);
    if (!removed) co_return removed;
    co_return released;
}

}  // namespace rogate::campaign
