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
    co_return volume_of(*reply);
}

Task<VolumeInfo> Client::volume_inspect(std::string name) {
    auto reply = co_await impl_->ask_json(get(impl_->path("/volumes/" + url_escape(name))));
    if (!reply) co_return fail(std::move(reply.error()));
    co_return volume_of(*reply);
}

Task<> Client::volume_remove(std::string name) {
    auto reply = co_await impl_->ask(erase(impl_->path("/volumes/" + url_escape(name))));
    if (!reply && reply.error().kind != ErrorKind::not_found) co_return fail(std::move(reply.error()));
    co_return Result<>{};
}

Task<std::vector<VolumeInfo>> Client::volume_list(std::string label) {
    auto reply = co_await impl_->ask_json(get(impl_->path("/volumes?filters=" + label_filter(label))));
    if (!reply) co_return fail(std::move(reply.error()));
    std::vector<VolumeInfo> volumes;
    const json list = child(*reply, "Volumes");
    if (list.is_array())
        for (const json& each : list) volumes.push_back(volume_of(each));
    co_return volumes;
}

Task<std::string> Client::network_create(std::string name, std::map<std::string, std::string> labels) {
    auto reply =
        co_await impl_->ask_json(post_json(impl_->path("/networks/create"), to_network_body(name, labels)));
    if (!reply) co_return fail(std::move(reply.error()));
    co_return field<std::string>(*reply, "Id");
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
    auto reply = co_await impl_->ask_json(get(impl_->path("/networks?filters=" + label_filter(label))));
    if (!reply) co_return fail(std::move(reply.error()));
    std::vector<NetworkInfo> networks;
    for (const json& each : *reply)
        networks.push_back({field<std::string>(each, "Id"), field<std::string>(each, "Name"),
                            field<std::map<std::string, std::string>>(each, "Labels")});
    co_return networks;
}

}  // namespace rogate::engine
