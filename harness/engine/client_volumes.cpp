#include <fmt/format.h>

#include "engine/client_impl.hpp"
#include "engine/requests.hpp"

namespace rogate::engine {

namespace {

VolumeInfo volume_of(const json& each) {
    return {.name = field<std::string>(each, "Name"),
            .driver = field<std::string>(each, "Driver"),
            .mountpoint = field<std::string>(each, "Mountpoint"),
            .options = field<std::map<std::string, std::string>>(each, "Options"),
            .labels = field<std::map<std::string, std::string>>(each, "Labels")};
}

std::string label_filter(const std::string& label) {
    return url_escape(json{{"label", {label}}}.dump());
}

}  // namespace

Task<VolumeInfo> Client::volume_create(VolumeSpec spec) {
    auto reply = co_await impl_->ask_json(post_json(impl_->path("/volumes/create"), to_volume_body(spec)));
    if (!reply) co_return fail(std::move(reply.error()));
    VolumeInfo volume = volume_of(*reply);
    if (volume.name.empty())
        co_return fail(ErrorKind::protocol, "engine: /volumes: the reply names no volume");
    co_return volume;
}

Task<VolumeInfo> Client::volume_inspect(std::string name) {
    auto reply = co_await impl_->ask_json(get(impl_->path("/volumes/" + url_escape(name))));
    if (!reply) co_return fail(std::move(reply.error()));
    VolumeInfo volume = volume_of(*reply);
    if (volume.name.empty())
        co_return fail(ErrorKind::protocol, "engine: /volumes: the reply names no volume");
    co_return volume;
}

Task<bool> Client::volume_awaits_first_use(std::string name) {
    if (!impl_->version.is_podman()) co_return false;
    auto reply = co_await impl_->ask_json(get("/v4.0.0/libpod/volumes/" + url_escape(name) + "/json"));
    if (!reply) co_return fail(std::move(reply.error()));
    co_return field<bool>(*reply, "NeedsChown");
}

Task<bool> Client::volume_exists(std::string name) {
    const std::string filters = url_escape(json{{"name", {name}}}.dump());
    auto reply = co_await impl_->ask_json(get(impl_->path("/volumes?filters=" + filters)));
    if (!reply) co_return fail(std::move(reply.error()));
    if (!reply->is_object() || !reply->contains("Volumes"))
        co_return fail(ErrorKind::protocol, "engine: GET /volumes: the reply is no list");
    // The filter takes parts of names as well.
    for (const json& each : child(*reply, "Volumes"))
        if (field<std::string>(each, "Name") == name) co_return true;
    co_return false;
}

Task<> Client::volume_remove(std::string name) {
    auto reply = co_await impl_->ask(erase(impl_->path("/volumes/" + url_escape(name))));
    if (!reply && reply.error().kind != ErrorKind::not_found) co_return fail(std::move(reply.error()));
    co_return Result<>{};
}

Task<std::vector<VolumeInfo>> Client::volume_list(std::string label) {
    // An empty label would be one that no volume has.
    const std::string filters = label.empty() ? std::string() : "?filters=" + label_filter(label);
    auto reply = co_await impl_->ask_json(get(impl_->path("/volumes" + filters)));
    if (!reply) co_return fail(std::move(reply.error()));
    // An engine without volumes says null.
    if (!reply->is_object() || !reply->contains("Volumes"))
        co_return fail(ErrorKind::protocol, "engine: GET /volumes: the reply is no list");
    std::vector<VolumeInfo> volumes;
    const json list = child(*reply, "Volumes");
    if (list.is_array())
        for (const json& each : list) volumes.push_back(volume_of(each));
    co_return volumes;
}

Task<std::string> Client::network_create(std::string name, std::map<std::string, std::string> labels,
                                         bool internal) {
    auto reply = co_await impl_->ask_json(
        post_json(impl_->path("/networks/create"), to_network_body(name, labels, internal)));
    if (!reply) co_return fail(std::move(reply.error()));
    std::string id = field<std::string>(*reply, "Id");
    if (id.empty())
        co_return fail(ErrorKind::protocol, "engine: POST /networks/create: the engine named no network");
    co_return id;
}

Task<> Client::network_connect(std::string network, std::string container) {
    json body = json::object();
    body["Container"] = container;
    auto reply =
        co_await impl_->ask(post_json(impl_->path("/networks/" + url_escape(network) + "/connect"), body));
    if (!reply) co_return fail(std::move(reply.error()));
    co_return Result<>{};
}

Task<> Client::network_remove(std::string id) {
    auto reply = co_await impl_->ask(erase(impl_->path("/networks/" + url_escape(id))));
    if (!reply && reply.error().kind != ErrorKind::not_found) co_return fail(std::move(reply.error()));
    co_return Result<>{};
}

Task<std::vector<NetworkInfo>> Client::network_list(std::string label) {
    const std::string filters = label.empty() ? std::string() : "?filters=" + label_filter(label);
    auto reply = co_await impl_->ask_json(get(impl_->path("/networks" + filters)));
    if (!reply) co_return fail(std::move(reply.error()));
    if (!reply->is_array())
        co_return fail(ErrorKind::protocol, "engine: GET /networks: the reply is no list");
    std::vector<NetworkInfo> networks;
    for (const json& each : *reply)
        networks.push_back({field<std::string>(each, "Id"), field<std::string>(each, "Name"),
                            field<std::map<std::string, std::string>>(each, "Labels")});
    co_return networks;
}

}  // namespace rogate::engine
