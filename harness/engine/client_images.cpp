#include <fmt/format.h>

#include <algorithm>

#include "engine/client_impl.hpp"

namespace rogate::engine {

namespace {

std::vector<std::string> keys(const json& object) {
    std::vector<std::string> found;
    if (object.is_object())
        for (const auto& [key, value] : object.items()) found.push_back(key);
    std::sort(found.begin(), found.end());
    return found;
}

std::map<std::string, std::string> labels_of(const json& object) {
    return field<std::map<std::string, std::string>>(object, "Labels");
}

// A reference's slashes and colons are part of the path: /images/registry:5000/name:tag/json.
std::string escape_reference(const std::string& reference) {
    std::string escaped;
    for (const char c : reference)
        escaped += c == '/' || c == ':' || c == '@' ? std::string(1, c) : url_escape(std::string_view(&c, 1));
    return escaped;
}

std::string label_filter(const std::string& label) {
    return url_escape(json{{"label", {label}}}.dump());
}

}  // namespace

Task<ImageInfo> Client::image_inspect(std::string reference) {
    auto reply =
        co_await impl_->ask_json(get(impl_->path("/images/" + escape_reference(reference) + "/json")));
    if (!reply) co_return fail(std::move(reply.error()));
    if (field<std::string>(*reply, "Id").empty())
        co_return fail(ErrorKind::protocol, "engine: GET /images: the reply names no image");
    const json config = child(*reply, "Config");
    ImageInfo info;
    info.id = field<std::string>(*reply, "Id");
    info.created = field<std::string>(*reply, "Created");
    info.env = field<std::vector<std::string>>(config, "Env");
    info.entrypoint = field<std::vector<std::string>>(config, "Entrypoint");
    info.cmd = field<std::vector<std::string>>(config, "Cmd");
    info.user = field<std::string>(config, "User");
    info.working_dir = field<std::string>(config, "WorkingDir");
    info.stop_signal = field<std::string>(config, "StopSignal");
    info.volumes = keys(child(config, "Volumes"));
    info.exposed_ports = keys(child(config, "ExposedPorts"));
    const auto test = field<std::vector<std::string>>(child(config, "Healthcheck"), "Test");
    info.has_healthcheck = !test.empty() && test.front() != "NONE";
    info.health_test = test;
    if (auto shell = field<std::vector<std::string>>(config, "Shell"); !shell.empty())
        info.shell = std::move(shell);
    co_return info;
}

Task<std::string> Client::image_import(std::string repository, std::string tag, std::string tar,
                                       std::vector<std::string> changes) {
    // In one word, as the docker client does it: podman 4 does not look at a tag by itself.
    std::string target = "/images/create?fromSrc=-&repo=" + url_escape(repository + ":" + tag);
    for (const std::string& change : changes) target += "&changes=" + url_escape(change);
    HttpRequest request = post(impl_->path(target));
    request.content_type = "application/x-tar";
    request.body = std::move(tar);
    std::string id;
    auto done = co_await impl_->ask_progress(std::move(request), long_deadline, [&](const json& message) {
        // The last status is the new image's id.
        if (const auto status = field<std::string>(message, "status"); status.starts_with("sha256:"))
            id = status;
    });
    if (!done) co_return fail(std::move(done.error()));
    if (id.empty())
        co_return fail(ErrorKind::protocol, "engine: POST /images/create: the engine named no image");
    co_return id;
}

Task<> Client::image_pull(std::string reference, std::function<void(const std::string&)> progress,
                          Milliseconds deadline) {
    // Without a tag the API would pull every one of them.
    const auto slash = reference.rfind('/');
    const bool named = reference.find('@') != std::string::npos ||
                       reference.find(':', slash == std::string::npos ? 0 : slash) != std::string::npos;
    const std::string full = named ? reference : reference + ":latest";
    HttpRequest request = post(impl_->path("/images/create?fromImage=" + url_escape(full)));
    auto asking = impl_->credentials(full);
    auto credentials = co_await std::move(asking);
    if (!credentials) co_return fail(std::move(credentials.error()));
    if (credentials->header) request.headers.emplace("X-Registry-Auth", *credentials->header);
    std::function<void(const json&)> message;
    if (progress) message = [&](const json& each) { progress(field<std::string>(each, "status")); };
    auto pulled = co_await impl_->ask_progress(std::move(request), deadline, std::move(message));
    if (!pulled) mask_credentials(pulled.error().message, *credentials);
    if (!pulled && !credentials->trouble.empty() && pulled.error().kind != ErrorKind::cancelled)
        pulled.error().message += "; it was asked without credentials: " + credentials->trouble;
    co_return pulled;
}

Task<> Client::image_remove(std::string reference, bool force) {
    std::string target = impl_->path("/images/" + escape_reference(reference) + (force ? "?force=1" : ""));
    auto reply = co_await impl_->ask(erase(std::move(target)));
    if (!reply && reply.error().kind != ErrorKind::not_found) co_return fail(std::move(reply.error()));
    co_return Result<>{};
}

Task<std::vector<ImageSummary>> Client::image_list(std::string label) {
    const std::string target = impl_->path("/images/json?filters=" + label_filter(label));
    auto reply = co_await impl_->ask_json(get(target));
    // Podman fails when one of them is removed while it lists them.
    for (int tries = 0;
         tries < 20 && !reply && reply.error().message.find("image not known") != std::string::npos;
         ++tries) {
        auto waited = co_await detail::expire(Milliseconds(100));
        if (!waited) co_return fail(std::move(waited.error()));
        reply = co_await impl_->ask_json(get(target));
    }
    if (!reply) co_return fail(std::move(reply.error()));
    if (!reply->is_array())
        co_return fail(ErrorKind::protocol, "engine: GET /images/json: the reply is no list");
    std::vector<ImageSummary> images;
    for (const json& each : *reply)
        images.push_back({field<std::string>(each, "Id"), field<std::vector<std::string>>(each, "RepoTags"),
                          labels_of(each)});
    co_return images;
}

}  // namespace rogate::engine
