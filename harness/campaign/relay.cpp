#include "campaign/relay.hpp"

#include <fmt/format.h>

#include <rogate/labels.hpp>

#include "campaign/tar.hpp"
#include "observe/agent_program.hpp"

ROGATE_AGENT_BYTES(rogate_holder);

namespace rogate::campaign {

using engine::Task;

Task<std::string> import_holder(engine::Client& client, std::string session) {
    auto program = observe::program_for(ROGATE_AGENT_PROGRAM("holder", rogate_holder), client.server().arch);
    if (!program) co_return fail(std::move(program.error()));
    std::vector<TarEntry> files;
    files.push_back({.name = "rogate-holder", .mode = 0755, .content = std::move(*program)});
    auto tar = tar_of(files);
    if (!tar) co_return fail(std::move(tar.error()));
    const std::vector<std::string> changes = {fmt::format("LABEL {}={}", session_label, session),
                                              fmt::format("LABEL {}=holder", role_label)};
    auto image = co_await client.image_import("rogate-holder", session, std::move(*tar), changes);
    if (!image) co_return fail(std::move(image.error()).with_context("importing rogate's holder"));
    co_return std::move(*image);
}

engine::ContainerSpec holder_container(std::string image) {
    engine::ContainerSpec spec;
    spec.image = std::move(image);
    spec.entrypoint = std::vector<std::string>{"/rogate-holder"};
    spec.cap_drop = {"ALL"};
    spec.read_only_rootfs = true;
    return spec;
}

Task<std::string> start_relay(engine::Client& client, std::string session, std::string network) {
    auto image = co_await import_holder(client, session);
    if (!image) co_return fail(std::move(image.error()));
    engine::ContainerSpec spec = holder_container(std::move(*image));
    spec.name = fmt::format("rogate-{}-relay", session);
    spec.labels = labels(session, "relay");
    spec.network_mode = network;
    auto created = co_await client.container_create(std::move(spec));
    if (!created) co_return fail(std::move(created.error()).with_context("making the relay"));
    auto started = co_await client.container_start(*created);
    if (!started) co_return fail(std::move(started.error()).with_context("starting the relay"));
    co_return std::move(*created);
}

bool needs_relay(const engine::Endpoint& endpoint) {
    using Kind = engine::Endpoint::Kind;
    if (endpoint.kind == Kind::unix_socket) return false;
    if (endpoint.kind == Kind::ssh) return true;
    return endpoint.host != "localhost" && endpoint.host != "::1" && !endpoint.host.starts_with("127.");
}

}  // namespace rogate::campaign
