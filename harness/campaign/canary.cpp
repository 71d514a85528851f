#include "campaign/canary.hpp"

#include <fmt/format.h>

#include <rogate/labels.hpp>
#include <utility>

namespace rogate::campaign {

using engine::Task;

Task<std::string> make_canary_container(engine::Client& client, std::string session,
                                        observe::Observer& observer) {
    engine::VolumeSpec volume;
    volume.name = fmt::format("rogate-{}-canary", session);
    volume.labels = labels(session, "data");
    auto made = co_await client.volume_create(volume);
    if (!made) co_return fail(std::move(made.error()));
    // By its id: of a name podman may ask where it is from.
    auto image = co_await client.image_list(fmt::format("{}={}", session_label, session));
    if (!image) co_return fail(std::move(image.error()));
    std::erase_if(*image, [](const engine::ImageSummary& each) {
        const auto role = each.labels.find(role_label);
        return role == each.labels.end() || role->second != "observer";
    });
    if (image->empty()) co_return fail(ErrorKind::engine, "the engine does not list the observer's image");
    engine::ContainerSpec spec;
    spec.name = fmt::format("rogate-{}-canary", session);
    spec.image = image->front().id;
    spec.entrypoint = std::vector<std::string>{"/rogate-observer", "wait"};
    spec.labels = labels(session, "subject");
    spec.network_disabled = true;
    engine::MountSpec mount;
    mount.type = engine::MountSpec::Type::volume;
    mount.source = volume.name;
    mount.target = "/canary";
    mount.read_only = true;
    mount.no_copy = true;
    spec.mounts.push_back(std::move(mount));
    observer.dress(spec, {});
    co_return co_await client.container_create(std::move(spec));
}

Task<CanaryOutcome> run_canary(engine::Client& client, observe::Observer& observer, std::string container) {
    std::vector<observe::ObservedMount> mounts(1);
    mounts.front().target = "/canary";
    mounts.front().is_read_only = true;
    auto armed = co_await observer.arm(container, std::move(mounts), "entrypoint", "");
    if (!armed) co_return fail(std::move(armed.error()));
    if (auto started = co_await client.container_start(container); !started)
        co_return fail(std::move(started.error()));
    auto canary = co_await observer.canary("/canary");
    auto recorded = co_await observer.collect();
    auto removed = co_await client.container_remove(container);
    if (!canary) co_return fail(std::move(canary.error()));
    if (!recorded) co_return fail(std::move(recorded.error()));
    if (!removed) co_return fail(std::move(removed.error()));
    co_return CanaryOutcome{*canary, std::move(recorded->problem)};
}

}  // namespace rogate::campaign
