// POST /build: the classic builder, which every engine has.
#include <fmt/format.h>

#include <algorithm>

#include "engine/base64.hpp"
#include "engine/client_impl.hpp"

namespace rogate::engine {

namespace {

// An image may take as long as its author has patience; whoever asks bounds it.
constexpr Milliseconds build_deadline = std::chrono::hours(6);

// What the engine may give to the registries of base images: registry -> credentials. The header for a pull
// holds the same for one of them.
Task<std::string> registry_config(Client::Impl* impl, std::vector<std::string> bases) {
    json config = json::object();
    for (const std::string& base : bases) {
        auto asking = impl->credentials(base);
        auto credentials = co_await std::move(asking);
        if (!credentials) co_return fail(std::move(credentials.error()));
        if (!credentials->header) continue;
        std::string plain = *credentials->header;
        std::replace(plain.begin(), plain.end(), '-', '+');
        std::replace(plain.begin(), plain.end(), '_', '/');
        json auth = json::parse(base64_decode(plain).value_or(""), nullptr, false);
        if (!auth.is_object()) continue;
        // The engine looks for the name that it has for the registry (registry.ResolveAuthConfig).
        const std::string server = field<std::string>(auth, "serveraddress", registry_of(base));
        config[server.empty() ? registry_of(base) : server] = std::move(auth);
    }
    if (config.empty()) co_return std::string();
    std::string header = base64_encode(config.dump());
    std::replace(header.begin(), header.end(), '+', '-');
    std::replace(header.begin(), header.end(), '/', '_');
    co_return header;
}

}  // namespace

std::string to_build_target(const BuildSpec& spec) {
    // Containers of steps that failed are removed as well.
    std::string target = "/build?rm=1&forcerm=1&t=" + url_escape(spec.name);
    const auto put = [&](const char* key, const std::string& value) {
        if (!value.empty()) target += fmt::format("&{}={}", key, url_escape(value));
    };
    const auto put_json = [&](const char* key, const json& value) {
        if (!value.empty()) put(key, value.dump(-1, ' ', false, json::error_handler_t::replace));
    };
    put("remote", spec.remote);
    put("dockerfile", spec.dockerfile);
    put("target", spec.target);
    put("networkmode", spec.network);
    put("platform", spec.platform);
    put_json("buildargs", spec.args);
    put_json("labels", spec.labels);
    put_json("cachefrom", spec.cache_from);
    // One each (moby: server/router/build, Form["extrahosts"]).
    for (const std::string& host : spec.extra_hosts) put("extrahosts", host);
    if (spec.shm_size) put("shmsize", std::to_string(*spec.shm_size));
    if (spec.pull) target += "&pull=1";
    if (spec.no_cache) target += "&nocache=1";
    return target;
}

Task<> Client::image_build(BuildSpec spec, ByteSource context,
                           std::function<void(const std::string&)> progress) {
    HttpRequest request = post(impl_->path(to_build_target(spec)));
    auto asking = registry_config(impl_.get(), spec.bases);
    auto header = co_await std::move(asking);
    if (!header) co_return fail(std::move(header.error()));
    if (!header->empty()) request.headers.emplace("X-Registry-Config", *header);
    if (spec.remote.empty()) {
        request.content_type = "application/x-tar";
        request.pieces = std::move(context);
    }
    std::string line;
    const auto message = [&](const json& each) {
        if (const auto status = field<std::string>(each, "status");
            !status.empty() && !each.contains("progress"))
            progress(status);
        for (const char c : field<std::string>(each, "stream")) {
            if (c != '\n' && c != '\r') {
                line += c;
                continue;
            }
            if (!line.empty()) progress(line);
            line.clear();
        }
    };
    auto built = co_await impl_->ask_progress(std::move(request), build_deadline, message);
    if (!line.empty()) progress(line);
    co_return built;
}

}  // namespace rogate::engine
