#include "proxy/guest.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "proxy/ask.hpp"
#include "proxy/field.hpp"

namespace rogate::proxy {

using engine::Task;
using nlohmann::json;

namespace {

json parsed(const std::string& body) {
    return json::parse(body, nullptr, false);
}

std::string written(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

Admission told(int status, const std::string& message) {
    return {.reply = Reply{.status = status, .body = written({{"message", message}})}};
}

void add_labels(json& body, const Labels& labels) {
    if (labels.empty()) return;
    json& all = body["Labels"];
    if (!all.is_object()) all = json::object();
    for (const auto& [key, value] : labels) all[key] = value;
}

Admission missing(const char* kind, const std::string& object) {
    return told(404, fmt::format("No such {}: {}", kind, object));
}

bool may_upgrade(const Call& call) {
    const std::string& last = call.path.back();
    return last == "attach" || last == "start" || last == "ws";
}

}  // namespace

bool replace_sockets(json& body, const GuestOptions& options) {
    const auto host = body.is_object() ? body.find("HostConfig") : body.end();
    if (!body.is_object() || host == body.end() || !host->is_object()) return false;
    bool found = false;
    if (const auto binds = host->find("Binds"); binds != host->end() && binds->is_array())
        for (json& each : *binds) {
            if (!each.is_string()) continue;
            const std::string bind = each.get<std::string>();
            const std::size_t colon = bind.find(':');
            if (colon == std::string::npos || !options.is_socket(bind.substr(0, colon))) continue;
            each = options.door + bind.substr(colon);
            found = true;
        }
    if (const auto mounts = host->find("Mounts"); mounts != host->end() && mounts->is_array())
        for (json& each : *mounts) {
            if (field<std::string>(each, "Type") != "bind" ||
                !options.is_socket(field<std::string>(each, "Source")))
                continue;
            each["Source"] = options.door;
            found = true;
        }
    return found;
}

bool Guest::wants(const Call& call) const {
    if (call.kind == CallKind::network_create || call.kind == CallKind::volume_create) return true;
    return seer_ != nullptr && seer_->wants(call);
}

bool Guest::reads(const Call& call) const {
    return call.kind == CallKind::create || call.kind == CallKind::exec ||
           call.kind == CallKind::network_create || call.kind == CallKind::volume_create ||
           (call.path.size() == 3 && call.path.front() == "networks");  // connect, disconnect
}

void Guest::passes(const Call& call) {
    if (seer_ != nullptr) seer_->passes(call);
}

Task<> Guest::before(Exchange& exchange) {
    if (seer_ == nullptr || !seer_->wants(exchange.call)) co_return Result<>{};
    co_return co_await seer_->before(exchange);
}

Task<> Guest::after(const Exchange& exchange, int status, const std::string& body) {
    if (exchange.call.kind == CallKind::network_create && status == 201) {
        networks_made_.insert(field<std::string>(parsed(body), "Id"));
        networks_made_.insert(field<std::string>(parsed(exchange.body), "Name"));
    }
    if (exchange.call.kind == CallKind::volume_create && status == 201)
        volumes_made_.insert(field<std::string>(parsed(body), "Name"));
    if (exchange.call.kind == CallKind::create && status == 201)
        known_.insert(field<std::string>(parsed(body), "Id"));
    if (seer_ == nullptr || !seer_->wants(exchange.call)) co_return Result<>{};
    co_return co_await seer_->after(exchange, status, body);
}

bool Guest::belongs(const std::string& id, const Labels& labels) {
    if (!system_.has_container(id, labels)) return false;
    known_.insert(id);
    return true;
}

Task<json> Guest::look(std::string target, int* status) {
    auto answer = co_await ask(transport_, target);
    if (!answer) co_return fail(std::move(answer.error()));
    *status = answer->status;
    co_return parsed(answer->body);
}

Task<Belongings> Guest::belongings() {
    int status = 0;
    auto list = co_await look("/containers/json?all=1", &status);
    if (!list) co_return fail(std::move(list.error()));
    if (status != 200)
        co_return fail(ErrorKind::engine,
                       fmt::format("the engine answered {} to a list of containers", status));
    if (auto settled = co_await system_.settled(); !settled) co_return fail(std::move(settled.error()));
    Belongings all;
    add_containers(all, *list,
                   [this](const std::string& id, const Labels& labels) { return belongs(id, labels); });
    system_.add_made(all);
    all.networks_made.insert(networks_made_.begin(), networks_made_.end());
    all.volumes_made.insert(volumes_made_.begin(), volumes_made_.end());
    co_return all;
}

// Its whole id; empty: there is none of the system's.
Task<std::string> Guest::resolve(std::string container) {
    int status = 0;
    Call inspecting{.path = {"containers", container, "json"}};
    auto found = co_await look(target_of(inspecting), &status);
    if (!found) co_return fail(std::move(found.error()));
    const std::string id = field<std::string>(*found, "Id");
    if (status != 200 || id.empty()) co_return std::string();
    if (auto settled = co_await system_.settled(); !settled) co_return fail(std::move(settled.error()));
    co_return belongs(id, labels_of(*found)) ? id : std::string();
}

Task<Admission> Guest::refuse(std::string what) {
    system_.refused(what);
    co_return told(403, fmt::format("rogate: {} is not given to a container that is under test; "
                                    "--engine-socket real gives everything",
                                    what));
}

Task<Admission> Guest::not_given(Error why) {
    if (why.kind == ErrorKind::refused) co_return co_await refuse(std::move(why.message));
    co_return told(400, "rogate: " + why.message);
}

Task<Admission> Guest::admit(std::string method, Call call, std::string* body) {
    if (!is_known_version(call.version)) co_return co_await refuse("the Engine API " + call.version);
    const Wanted want = wanted(method, call);
    if (tells_of_system(want.access)) system_.looks(call.name);
    switch (want.access) {
        case Access::pass:
            co_return Admission{.target = target_of(call), .may_upgrade = false};
        case Access::absent:
            co_return told(404, "No such object: " + want.object);
        case Access::refused:
            co_return co_await refuse(call.name);
        case Access::list_containers:
        case Access::list_networks:
        case Access::list_volumes:
        case Access::list_images:
        case Access::list_all:
            co_return co_await list(want.access, std::move(call));
        case Access::image:
            co_return Admission{.target = target_of(call), .may_upgrade = false};
        case Access::container:
            co_return co_await one_container(want, std::move(call), body);
        case Access::exec:
            co_return co_await one_exec(want, std::move(call));
        case Access::network:
        case Access::network_remove:
            co_return co_await one_network(std::move(method), want, std::move(call), body);
        case Access::volume:
        case Access::volume_remove:
            co_return co_await one_volume(want, std::move(call));
        case Access::create:
            co_return co_await create(std::move(call), body);
        case Access::volume_create:
            co_return co_await create_volume(std::move(call), body);
        case Access::pull:
            co_return co_await pull(std::move(call));
        case Access::network_create: {
            json asked = parsed(*body);
            if (auto checked = check_network(asked); !checked)
                co_return co_await not_given(std::move(checked.error()));
            add_labels(asked, system_.labels_of_new());
            *body = asked.dump();
            co_return Admission{.target = target_of(call), .may_upgrade = false};
        }
        case Access::events: {
            Admission admission{.target = target_of(call), .may_upgrade = false};
            admission.keeps = [this](std::string line) { return is_told(std::move(line)); };
            co_return admission;
        }
    }
    co_return co_await refuse(call.name);
}

Task<bool> Guest::is_told(std::string line) {
    const json event = parsed(line);
    const json none = json::object();
    const json& actor = event.is_object() && event.contains("Actor") ? event["Actor"] : none;
    const json& attributes = actor.is_object() && actor.contains("Attributes") ? actor["Attributes"] : none;
    const std::string type = field<std::string>(event, "Type");
    if (auto settled = co_await system_.settled(); !settled) co_return fail(std::move(settled.error()));
    if (type == "container") {
        // A container's labels are among the attributes; one that has gone is in no list.
        Labels labels;
        if (attributes.is_object())
            for (const auto& [key, value] : attributes.items())
                if (value.is_string()) labels.emplace(key, value.get<std::string>());
        const std::string id = field<std::string>(actor, "ID");
        co_return known_.contains(id) || belongs(id, labels);
    }
    auto all = co_await belongings();
    if (!all) co_return fail(std::move(all.error()));
    all->containers.insert(known_.begin(), known_.end());
    co_return proxy::is_told(*all, event);
}

Task<Admission> Guest::list(Access access, Call call) {
    // The engine would count those of others.
    std::size_t most = 0;
    if (access == Access::list_containers)
        if (const auto limit = call.query.find("limit"); limit != call.query.end()) {
            most = static_cast<std::size_t>(std::max(0, std::atoi(limit->second.c_str())));
            call.query.erase(limit);
            if (most > 0) call.query["all"] = "1";
        }
    int status = 0;
    auto reply = co_await look(target_of(call), &status);
    if (!reply) co_return fail(std::move(reply.error()));
    if (status != 200) co_return Admission{.reply = Reply{.status = status, .body = written(*reply)}};
    auto all = co_await belongings();
    if (!all) co_return fail(std::move(all.error()));
    // One that has come since.
    if (access == Access::list_containers)
        add_containers(*all, *reply,
                       [this](const std::string& id, const Labels& labels) { return belongs(id, labels); });
    json ours = only_of(*all, access, std::move(*reply));
    if (most > 0 && ours.is_array() && ours.size() > most)
        ours.erase(ours.begin() + static_cast<std::ptrdiff_t>(most), ours.end());
    co_return Admission{.reply = Reply{.status = 200, .body = written(ours)}};
}

Task<Admission> Guest::one_container(Wanted want, Call call, std::string* body) {
    auto id = co_await resolve(want.object);
    if (!id) co_return fail(std::move(id.error()));
    if (id->empty()) co_return missing("container", want.object);
    call.path[1] = *id;
    if (call.kind == CallKind::exec) {
        const json asked = parsed(*body);
        if (auto checked = check_exec(asked); !checked)
            co_return co_await not_given(std::move(checked.error()));
        *body = asked.dump();
    }
    if (want.changes) system_.acts(call.name);
    co_return Admission{.target = target_of(call), .may_upgrade = may_upgrade(call)};
}

Task<Admission> Guest::one_exec(Wanted want, Call call) {
    int status = 0;
    Call inspecting{.path = {"exec", want.object, "json"}};
    auto found = co_await look(target_of(inspecting), &status);
    if (!found) co_return fail(std::move(found.error()));
    if (status != 200) co_return told(404, "No such exec instance: " + want.object);
    auto id = co_await resolve(field<std::string>(*found, "ContainerID"));
    if (!id) co_return fail(std::move(id.error()));
    if (id->empty()) co_return told(404, "No such exec instance: " + want.object);
    co_return Admission{.target = target_of(call), .may_upgrade = may_upgrade(call)};
}

Task<Admission> Guest::one_network(std::string method, Wanted want, Call call, std::string* body) {
    int status = 0;
    Call inspecting{.path = {"networks", want.object}};
    auto found = co_await look(target_of(inspecting), &status);
    if (!found) co_return fail(std::move(found.error()));
    auto all = co_await belongings();
    if (!all) co_return fail(std::move(all.error()));
    json networks = json::array({*found});
    json ours = status == 200 ? only_of(*all, Access::list_networks, std::move(networks)) : json::array();
    if (ours.empty()) co_return missing("network", want.object);
    const std::string id = field<std::string>(ours[0], "Id");
    if (method == "GET" || method == "HEAD")
        co_return Admission{.reply = Reply{.status = 200, .body = written(ours[0])}};
    if (want.access == Access::network_remove && !all->networks_made.contains(id))
        co_return co_await refuse("removing a network that the system has not made");
    call.path[1] = id;
    if (want.access == Access::network_remove) {
        system_.acts(call.name);
        co_return Admission{.target = target_of(call), .may_upgrade = false};
    }
    json asked = parsed(*body);
    auto named = container_to_join(asked);
    if (!named) co_return co_await not_given(std::move(named.error()));
    auto container = co_await resolve(*named);
    if (!container) co_return fail(std::move(container.error()));
    if (container->empty()) co_return missing("container", *named);
    asked["Container"] = *container;
    *body = asked.dump();
    system_.acts(call.name);
    co_return Admission{.target = target_of(call), .may_upgrade = false};
}

Task<Admission> Guest::one_volume(Wanted want, Call call) {
    auto all = co_await belongings();
    if (!all) co_return fail(std::move(all.error()));
    const bool is_made = all->volumes_made.contains(want.object);
    if (!is_made && !all->volumes.contains(want.object)) co_return missing("volume", want.object);
    if (want.access == Access::volume_remove && !is_made)
        co_return co_await refuse("removing a volume that the system has not made");
    if (want.changes) system_.acts(call.name);
    co_return Admission{.target = target_of(call), .may_upgrade = false};
}

Task<Admission> Guest::create(Call call, std::string* body) {
    json asked = parsed(*body);
    if (!asked.is_object()) co_return told(400, "the body is no JSON object");
    replace_sockets(asked, options_);
    auto reach = reach_of(asked);
    if (!reach) co_return co_await not_given(reach.error());
    auto all = co_await belongings();
    if (!all) co_return fail(std::move(all.error()));
    all->sources.insert(options_.door);
    std::vector<std::string> fresh;
    for (const std::string& volume : reach->volumes) {
        if (all->volumes.contains(volume) || all->volumes_made.contains(volume)) continue;
        int status = 0;
        Call inspecting{.path = {"volumes", volume}};
        auto found = co_await look(target_of(inspecting), &status);
        if (!found) co_return fail(std::move(found.error()));
        if (status != 404) continue;
        fresh.push_back(volume);
        all->volumes_made.insert(volume);
    }
    for (std::string& container : reach->containers) {
        auto id = co_await resolve(container);
        if (!id) co_return fail(std::move(id.error()));
        if (id->empty()) co_return missing("container", container);
    }
    if (const std::string other = beyond(*all, *reach); !other.empty()) co_return co_await refuse(other);
    const Labels labels = system_.labels_of_new();
    add_labels(asked, labels);
    // What the engine would make by itself would carry no label.
    for (const std::string& name : fresh) {
        if (!labels.empty()) {
            engine::VolumeSpec volume;
            volume.name = name;
            volume.labels = labels;
            auto made = co_await client_.volume_create(std::move(volume));
            if (!made) co_return told(500, "rogate: " + made.error().message);
        }
        volumes_made_.insert(name);
    }
    *body = asked.dump();
    system_.acts(call.name);
    co_return Admission{.target = target_of(call), .may_upgrade = false};
}

Task<Admission> Guest::create_volume(Call call, std::string* body) {
    json asked = parsed(*body);
    if (!asked.is_object()) co_return told(400, "the body is no JSON object");
    const auto reach = reach_of_volume(asked);
    if (!reach) co_return co_await not_given(reach.error());
    auto all = co_await belongings();
    if (!all) co_return fail(std::move(all.error()));
    if (const std::string other = beyond(*all, *reach); !other.empty()) co_return co_await refuse(other);
    if (const std::string name = field<std::string>(asked, "Name"); !name.empty()) {
        int status = 0;
        Call inspecting{.path = {"volumes", name}};
        auto found = co_await look(target_of(inspecting), &status);
        if (!found) co_return fail(std::move(found.error()));
        // The engine would answer with the one that is there.
        if (status != 404 && !all->volumes.contains(name) && !all->volumes_made.contains(name))
            co_return co_await refuse(fmt::format("volume '{}'", name));
    }
    add_labels(asked, system_.labels_of_new());
    *body = asked.dump();
    co_return Admission{.target = target_of(call), .may_upgrade = false};
}

// What is there stays as it is: others have it as well, and all runs are to have the same.
Task<Admission> Guest::pull(Call call) {
    std::string image = call.query.contains("fromImage") ? call.query.at("fromImage") : std::string();
    if (image.empty() || call.query.contains("fromSrc")) co_return co_await refuse("importing an image");
    std::string tag = call.query.contains("tag") ? call.query.at("tag") : std::string();
    // Without one all of them are pulled, those that are there among them.
    if (tag.empty() && image.find('@') == std::string::npos &&
        image.find(':', image.rfind('/') == std::string::npos ? 0 : image.rfind('/')) == std::string::npos)
        call.query["tag"] = tag = "latest";
    if (tag.starts_with("sha256:"))
        image += "@" + tag;
    else if (!tag.empty())
        image += ":" + tag;
    int status = 0;
    Call inspecting{.path = {"images", image, "json"}};
    auto found = co_await look(target_of(inspecting), &status);
    if (!found) co_return fail(std::move(found.error()));
    if (status == 200)
        co_return Admission{
            .reply = Reply{.status = 200,
                           .body = written({{"status", "Status: Image is up to date for " + image}})}};
    co_return Admission{.target = target_of(call), .may_upgrade = false};
}

}  // namespace rogate::proxy
