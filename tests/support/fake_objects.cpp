// What the fake engine does with archives, images, volumes and networks.
#include <fmt/format.h>

#include <algorithm>

#include "engine/base64.hpp"
#include "support/fake_engine.hpp"

namespace rogate::test {

using nlohmann::json;

namespace {

constexpr std::uint32_t go_folder = 1U << 31U, go_link = 1U << 27U, go_fifo = 1U << 25U,
                        go_socket = 1U << 24U;

std::string text_of(const json& object, const char* key) {
    return object.contains(key) && object.at(key).is_string() ? object.at(key).get<std::string>()
                                                              : std::string();
}

Labels labels_in(const json& object, const char* key) {
    Labels labels;
    if (object.contains(key) && object.at(key).is_object())
        for (const auto& [name, value] : object.at(key).items())
            labels.emplace(name, value.get<std::string>());
    return labels;
}

// {"label":["a=b"]}, or nothing.
bool is_wanted(const Call& call, const std::string& name, const Labels& labels) {
    const auto given = call.query.find("filters");
    if (given == call.query.end()) return true;
    const json filters = json::parse(given->second, nullptr, false);
    if (filters.contains("name"))
        for (const json& each : filters.at("name"))
            if (name.find(each.get<std::string>()) == std::string::npos) return false;
    if (!filters.contains("label")) return true;
    for (const json& each : filters.at("label")) {
        const std::string label = each.get<std::string>();
        const std::size_t equals = label.find('=');
        const auto found = labels.find(label.substr(0, equals));
        if (found == labels.end()) return false;
        if (equals != std::string::npos && found->second != label.substr(equals + 1)) return false;
    }
    return true;
}

std::string stat_header(const std::string& path, const Node& node) {
    std::uint32_t mode = node.mode & 0777U;
    if (node.kind == Node::Kind::folder) mode |= go_folder;
    if (node.kind == Node::Kind::link) mode |= go_link;
    if (node.kind == Node::Kind::fifo) mode |= go_fifo;
    if (node.kind == Node::Kind::socket) mode |= go_socket;
    const json stat = {{"name", path.substr(path.rfind('/') + 1)},
                       {"size", node.content.size()},
                       {"mode", mode},
                       {"linkTarget", node.kind == Node::Kind::link ? node.content : ""}};
    return fmt::format("X-Docker-Container-Path-Stat: {}\r\n", engine::base64_encode(stat.dump()));
}

json volume_reply(const FakeVolume& volume) {
    return {{"Name", volume.name},
            {"Driver", "local"},
            {"Mountpoint", FakeEngine::mountpoint(volume.name)},
            {"Options", volume.options.empty() ? json() : json(volume.options)},
            {"Labels", volume.labels}};
}

}  // namespace

void FakeEngine::on_archive(const Call& call, FakeContainer& container) {
    std::string path = call.query.at("path");
    if (const std::string why = why_not_mounted(container); !why.empty()) return refuse(call, 500, why);
    const bool content = path.ends_with("/.");
    if (content) path.resize(path.size() - 2);
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    const Place at = place(container, path);
    const Node* node = disk.look(at);
    // A mount is there whether or not its place has been made.
    if (node == nullptr)
        return refuse(call, 404,
                      fmt::format("Could not find the file {} in container {}", path, container.id));
    if (call.method == "HEAD") return reply_raw(call, 200, {}, stat_header(path, *node));
    if (call.method == "GET") {
        const std::string name = content ? "." : path.substr(path.rfind('/') + 1);
        return reply_raw(call, 200, to_tar(disk.below(at), name), stat_header(path, *node));
    }
    if (node->kind != Node::Kind::folder) return refuse(call, 400, "extraction point is not a directory");
    if (at.read_only)
        return refuse(call, 403,
                      container.mounts.empty() ? "container rootfs is marked read-only"
                                               : "mounted volume is marked read-only");
    auto entries = from_tar(call.body);
    if (!entries) return refuse(call, 400, "unexpected EOF");
    for (auto& [inside, each] : *entries)
        disk.write(place(container, path == "/" ? inside : path + inside), each);
    reply(call, 200, json::object());
}

FakeImage& FakeEngine::add_image(const std::string& tag, Script script) {
    const std::string id = "sha256:" + new_id();
    disk.put("/images/" + id, folder());
    FakeImage& image = images[id];
    image.id = id;
    image.tags = {tag};
    image.script = std::move(script);
    return image;
}

const FakeImage* FakeEngine::image_named(const std::string& reference) const {
    for (const auto& [id, image] : images)
        if (id == reference || image.tags.contains(reference)) return &image;
    return nullptr;
}

void FakeEngine::on_image(Call& call) {
    if (call.words.size() < 2) return refuse(call, 404, "page not found");
    if (call.words[1] == "json") return list_images(call);
    if (call.words[1] == "create") {
        if (!call.query.contains("repo")) return refuse(call, 404, "manifest unknown");
        FakeImage made{.id = "sha256:" + new_id(), .tags = {call.query.at("repo")}};
        // The wire keeps the last of several "changes"; a session's label is all that is needed of them.
        made.labels.emplace("io.rogate.session",
                            call.query.at("repo").substr(call.query.at("repo").rfind(':') + 1));
        disk.put("/images/" + made.id, folder());
        for (auto& [id, image] : images) image.tags.erase(call.query.at("repo"));
        const std::string id = made.id;
        images.emplace(id, std::move(made));
        return reply_raw(call, 200, json{{"status", id}}.dump() + "\n");
    }
    std::string reference;
    const std::size_t last = call.words.size() - (call.method == "GET" ? 1 : 0);
    for (std::size_t i = 1; i < last; ++i) reference += (i == 1 ? "" : "/") + call.words[i];
    const FakeImage* image = image_named(reference);
    if (image == nullptr) return refuse(call, 404, "No such image: " + reference);
    if (call.method == "GET")
        return reply(call, 200, {{"Id", image->id}, {"Created", image->created}, {"Config", image->config}});
    for (const auto& [id, container] : containers)
        if (container.runs() && image_named(container.image) == image)
            return refuse(call, 409, "conflict: unable to delete: image is being used by running container");
    disk.remove("/images/" + image->id);
    images.erase(image->id);
    reply(call, 200, json::array());
}

void FakeEngine::on_build(const Call& call) {
    Build build{call.query, {}};
    if (const auto entries = from_tar(call.body))
        for (const auto& [name, node] : *entries) build.files.emplace(name, node.content);
    builds.push_back(std::move(build));
    std::string said = json{{"stream", "Step 1/2 : FROM base\n"}}.dump() + "\n" +
                       json{{"stream", " ---> Running in 1\nit goes on\n"}}.dump() + "\n";
    if (!build_error.empty()) {
        said += json{{"errorDetail", {{"message", build_error}}}, {"error", build_error}}.dump() + "\n";
        return reply_raw(call, 200, said);
    }
    FakeImage& image = add_image(call.query.at("t"), {});
    if (call.query.contains("labels")) image.labels = json::parse(call.query.at("labels")).get<Labels>();
    reply_raw(call, 200, said);
}

void FakeEngine::list_images(const Call& call) {
    json list = json::array();
    for (const auto& [id, image] : images)
        if (is_wanted(call, {}, image.labels))
            list.push_back({{"Id", id}, {"RepoTags", image.tags}, {"Labels", image.labels}});
    reply(call, 200, list);
}

void FakeEngine::add_volume(const std::string& name) {
    volumes[name] = {.name = name, .options = {}, .labels = {{"user", "yes"}}};
    disk.put(mountpoint(name), folder());
}

void FakeEngine::on_volume(Call& call) {
    if (call.words.size() == 1) {
        json list = json::array();
        for (const auto& [name, volume] : volumes)
            if (is_wanted(call, name, volume.labels)) list.push_back(volume_reply(volume));
        return reply(call, 200, {{"Volumes", list.empty() ? json() : list}});
    }
    if (call.words[1] == "create") {
        const json body = json::parse(call.body, nullptr, false);
        const std::string name = text_of(body, "Name");
        if (!volumes.contains(name)) {
            volumes[name] = {name, labels_in(body, "DriverOpts"), labels_in(body, "Labels")};
            disk.put(mountpoint(name), folder());
        }
        return reply(call, 201, volume_reply(volumes.at(name)));
    }
    const std::string name = call.words[1];
    if (!volumes.contains(name)) return refuse(call, 404, fmt::format("get {}: no such volume", name));
    if (call.method == "GET") return reply(call, 200, volume_reply(volumes.at(name)));
    for (const auto& [id, container] : containers)
        for (const FakeMount& mount : container.mounts)
            if (mount.is_volume && mount.source == name)
                return refuse(call, 409, fmt::format("remove {}: volume is in use - [{}]", name, id));
    volumes.erase(name);
    disk.remove("/var/lib/docker/volumes/" + name);
    reply(call, 204, {});
}

void FakeEngine::on_network(Call& call) {
    if (call.words.size() == 1) {
        json list = json::array();
        for (const auto& [name, network] : networks)
            if (is_wanted(call, name, network.labels))
                list.push_back({{"Id", network.id}, {"Name", name}, {"Labels", network.labels}});
        return reply(call, 200, list);
    }
    if (call.words[1] == "create") {
        const json body = json::parse(call.body, nullptr, false);
        const std::string name = text_of(body, "Name");
        if (networks.contains(name))
            return refuse(call, 409, fmt::format("network with name {} already exists", name));
        networks[name] = {new_id(), name, labels_in(body, "Labels")};
        return reply(call, 201, {{"Id", networks.at(name).id}});
    }
    const auto found = std::ranges::find_if(networks, [&](const auto& each) {
        return each.first == call.words[1] || each.second.id == call.words[1];
    });
    if (found == networks.end()) return refuse(call, 404, fmt::format("network {} not found", call.words[1]));
    if (call.method == "POST") return reply(call, 200, json::object());
    for (const auto& [id, container] : containers)
        if (container.runs() && container.network == found->first)
            return refuse(call, 403,
                          fmt::format("error while removing network: {} has active endpoints", found->first));
    networks.erase(found);
    reply(call, 204, {});
}

}  // namespace rogate::test
