#include "campaign/companions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <rogate/labels.hpp>

#include "campaign/campaign.hpp"
#include "campaign/images.hpp"
#include "campaign/tar.hpp"
#include "scenario/driver.hpp"

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

Task<> seed_files(engine::Client& client, const std::string& container, const std::vector<SeedFile>& files) {
    if (files.empty()) co_return Result<>{};
    std::vector<TarFile> entries;
    for (const SeedFile& file : files)
        entries.push_back({file.target.substr(1), file.content, file.uid, file.gid, file.mode});
    auto tar = tar_of_files(entries);
    if (!tar) co_return fail(std::move(tar.error()));
    auto put = co_await client.archive_put(container, "/", std::move(*tar));
    if (!put) co_return fail(std::move(put.error()).with_context("writing the inline configs and secrets"));
    co_return Result<>{};
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

Task<std::string> Companions::last_words(const std::string& container) {
    auto log = co_await client_.container_logs(container, 4096, 8);
    if (!log || log->empty()) co_return std::string("; it wrote nothing");
    std::string text = std::move(*log);
    while (text.ends_with('\n')) text.pop_back();
    co_return "; its last output:\n" + text;
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
            auto words = co_await last_words(container);
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
    engine::ContainerSpec spec;
    spec.name = fmt::format("rogate-{}-run{}-{}", session_, run, companion.name);
    spec.labels = labels(session_, "service");
    spec.labels.emplace("io.rogate.run", std::to_string(run));
    spec.network_mode = network_;
    describe(companion.subject, spec);
    spec.stop_signal = companion.subject.stop_signal;
    spec.read_only_rootfs = companion.subject.read_only_rootfs;
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
            spec.tmpfs.emplace(mount.target, mount.tmpfs_options + (!mount.read_only              ? ""
                                                                    : mount.tmpfs_options.empty() ? "ro"
                                                                                                  : ",ro"));
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
    auto created = co_await client_.container_create(std::move(spec));
    if (!created)
        co_return fail(std::move(created.error()).with_context(fmt::format("service '{}'", companion.name)));
    containers_[companion.name] = *created;
    auto seeded = co_await seed_files(client_, *created, companion.subject.files);
    const auto in_service = [&](Error error) {
        return fail(std::move(error).with_context(fmt::format("service '{}'", companion.name)));
    };
    if (!seeded && seeded.error().kind != ErrorKind::refused) co_return in_service(std::move(seeded.error()));
    if (!seeded)
        co_return fmt::format("service '{}' could not be started: {}", companion.name,
                              seeded.error().message);
    auto started = co_await client_.container_start(*created);
    if (started) co_return std::string();
    auto could_not = co_await scenario::start_was_refused(client_, *created, started.error());
    if (!could_not) co_return in_service(std::move(could_not.error()));
    co_return fmt::format("service '{}' could not be started: {}", companion.name, started.error().message);
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
    std::string text;
    for (const auto& [name, container] : containers_) {
        auto state = co_await client_.container_inspect(container);
        if (!state) co_return fail(std::move(state.error()));
        if (state->running || state->exit_code == 0) continue;
        auto words = co_await last_words(container);
        if (!words) co_return fail(std::move(words.error()));
        text += fmt::format("{}service '{}' exited with code {}{}", text.empty() ? "" : "\n", name,
                            state->exit_code, *words);
    }
    co_return text;
}

Task<> Companions::remove(int run) {
    Result<> first;
    for (const auto& [name, container] : containers_) {
        auto removed = co_await client_.container_remove(container);
        if (!removed && first) first = fail(std::move(removed.error()));
    }
    containers_.clear();
    auto released = co_await data_.release(run);
    if (!released && first) first = std::move(released);
    co_return first;
}

}  // namespace rogate::campaign
