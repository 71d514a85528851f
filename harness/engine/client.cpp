#include "engine/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "engine/client_impl.hpp"
#include "engine/credentials.hpp"

namespace rogate::engine {

namespace {

struct ApiVersion {
    int major = 0, minor = 0;
    auto operator<=>(const ApiVersion&) const = default;
};

constexpr ApiVersion oldest{1, 41}, newest{1, 55};

std::optional<ApiVersion> parse_version(std::string_view text) {
    ApiVersion version;
    const auto dot = text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto major = std::from_chars(text.data(), text.data() + dot, version.major);
    const auto minor = std::from_chars(text.data() + dot + 1, text.data() + text.size(), version.minor);
    if (major.ec != std::errc() || minor.ec != std::errc()) return std::nullopt;
    return version;
}

std::optional<std::string> process_environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

Task<RegistryCredentials> at_hand(std::optional<std::string> header) {
    RegistryCredentials credentials{std::move(header), {}};
    co_return credentials;
}

}  // namespace

Client::Client(asio::any_io_executor executor, std::unique_ptr<Transport> transport, Endpoint endpoint)
    : impl_(std::make_unique<Impl>()) {
    impl_->executor = std::move(executor);
    impl_->transport = std::move(transport);
    impl_->endpoint = std::move(endpoint);
    impl_->credentials = [](std::string reference) {
        return find_registry_auth(std::move(reference), process_environment);
    };
}
Client::~Client() = default;

void Client::set_registry_auth(RegistryAuth lookup) {
    impl_->credentials = [lookup = std::move(lookup)](const std::string& reference) {
        return at_hand(lookup(reference));
    };
}

void Client::set_timeout(Milliseconds timeout) {
    impl_->timeout = timeout;
}

const Endpoint& Client::endpoint() const {
    return impl_->endpoint;
}
const Version& Client::server() const {
    return impl_->version;
}
const std::string& Client::api_version() const {
    return impl_->api_version;
}

Task<> Client::negotiate(Milliseconds deadline) {
    // A client that negotiates twice (after the engine was replaced) starts anew.
    impl_->api_version.clear();
    auto reply = co_await impl_->ask_json(get(impl_->path("/version")), deadline);
    if (!reply) co_return fail(std::move(reply.error()));
    Version version;
    version.platform = field<std::string>(child(*reply, "Platform"), "Name", "Docker Engine");
    if (version.platform.empty()) version.platform = "Docker Engine";
    // Podman's platform is "linux/amd64/debian-12"; what it is stands among its components.
    for (const json& component : child(*reply, "Components"))
        if (const auto name = field<std::string>(component, "Name"); name.starts_with("Podman"))
            version.platform = name;
    version.version = field<std::string>(*reply, "Version");
    version.api_version = field<std::string>(*reply, "ApiVersion");
    version.min_api_version = field<std::string>(*reply, "MinAPIVersion");
    version.os = field<std::string>(*reply, "Os");
    version.arch = field<std::string>(*reply, "Arch");
    version.kernel = field<std::string>(*reply, "KernelVersion");
    const auto theirs = parse_version(version.api_version);
    if (!theirs)
        co_return fail(ErrorKind::protocol,
                       fmt::format("what answers at {} is no Docker engine: it names no API version",
                                   impl_->endpoint.to_string()));
    if (*theirs < oldest)
        co_return fail(ErrorKind::engine, fmt::format("the engine at {} speaks API {}; rogate needs {}.{} or "
                                                      "newer: update it to Docker 20.10 or later, or name "
                                                      "another engine with DOCKER_HOST or --host",
                                                      impl_->endpoint.to_string(), version.api_version,
                                                      oldest.major, oldest.minor));
    const auto lowest = parse_version(version.min_api_version);
    if (lowest && *lowest > newest)
        co_return fail(
            ErrorKind::engine,
            fmt::format("the engine at {} speaks API {} and newer only; this rogate knows up to {}.{}",
                        impl_->endpoint.to_string(), version.min_api_version, newest.major, newest.minor));
    const ApiVersion spoken = std::min(*theirs, newest);
    impl_->version = std::move(version);
    impl_->api_version = fmt::format("{}.{}", spoken.major, spoken.minor);
    co_return Result<>{};
}

Task<Info> Client::info() {
    auto reply = co_await impl_->ask_json(get(impl_->path("/info")));
    if (!reply) co_return fail(std::move(reply.error()));
    Info info;
    info.id = field<std::string>(*reply, "ID");
    info.cgroup_version = field<std::string>(*reply, "CgroupVersion", "1");
    info.cgroup_driver = field<std::string>(*reply, "CgroupDriver");
    info.storage_driver = field<std::string>(*reply, "Driver");
    info.docker_root_dir = field<std::string>(*reply, "DockerRootDir");
    info.operating_system = field<std::string>(*reply, "OperatingSystem");
    info.kernel = field<std::string>(*reply, "KernelVersion");
    info.security_options = field<std::vector<std::string>>(*reply, "SecurityOptions");
    info.default_runtime = field<std::string>(*reply, "DefaultRuntime");
    if (const auto runtimes = reply->find("Runtimes"); runtimes != reply->end() && runtimes->is_object())
        for (const auto& [name, runtime] : runtimes->items())
            info.runtimes[name] = field<std::string>(runtime, "path");
    co_return info;
}

namespace {

// The body is read until the handler has enough, the stream ends, or the caller is cancelled.
Task<> read_events(Client::Impl* impl, std::string target, bool has_end,
                   std::function<bool(const json&)> handler) {
    const HttpRequest request = get(std::move(target));
    auto opened = co_await impl->open(request);
    if (!opened) co_return fail(std::move(opened.error()));
    if (opened->second.status >= 400) {
        auto body = co_await opened->first.read_rest_of_body(body_limit);
        if (!body) co_return fail(std::move(body.error()).with_context("engine: GET /events"));
        co_return fail(engine_error(request, opened->second.status, *body));
    }
    std::string pending;
    for (;;) {
        auto piece = co_await opened->first.read_body();
        if (!piece) co_return fail(std::move(piece.error()).with_context("engine: GET /events"));
        if (piece->empty() && has_end && pending.empty()) co_return Result<>{};
        // The engine never ends an open stream while it lives: events may have been missed.
        if (piece->empty())
            co_return fail(ErrorKind::engine, "engine: GET /events: the engine ended the stream");
        pending += *piece;
        if (pending.size() > body_limit)
            co_return fail(ErrorKind::protocol, "engine: GET /events: an event without end");
        for (std::size_t end = 0; (end = pending.find('\n')) != std::string::npos;) {
            const bool blank = pending.find_first_not_of("\r\n") >= end;
            const json event = json::parse(pending.substr(0, end), nullptr, false);
            pending.erase(0, end + 1);
            if (blank) continue;
            if (!event.is_object())
                co_return fail(ErrorKind::protocol, "engine: GET /events: the reply is not JSON");
            if (!handler(event)) co_return Result<>{};
        }
    }
}

}  // namespace

Task<> Client::events(json filters, std::function<bool(const json&)> handler) {
    co_return co_await read_events(impl_.get(), impl_->path("/events?filters=" + url_escape(filters.dump())),
                                   false, std::move(handler));
}

Task<> Client::past_events(json filters, std::int64_t until, std::function<bool(const json&)> handler) {
    // Without "since" the engine tells of none that are over.
    co_return co_await read_events(
        impl_.get(),
        impl_->path(fmt::format("/events?since=1&until={}&filters={}", until, url_escape(filters.dump()))),
        true, std::move(handler));
}

}  // namespace rogate::engine
