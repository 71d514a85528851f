#include "init/pages.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/web_ports.hpp"

namespace rogate::init {

namespace {

bool is_plain(std::string_view path) {
    return path.starts_with('/') && std::ranges::all_of(path, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view("/_.-").find(c) != std::string_view::npos;
           });
}

// "http://localhost:8080/health" somewhere in a command; the default port is 80.
std::optional<std::string> path_in(std::string_view command, std::uint16_t port) {
    constexpr std::string_view hosts[] = {"http://localhost", "http://127.0.0.1", "http://[::1]",
                                          "http://0.0.0.0"};
    for (const std::string_view host : hosts) {
        const std::size_t at = command.find(host);
        if (at == std::string_view::npos) continue;
        std::string_view rest = command.substr(at + host.size());
        rest = rest.substr(0, rest.find_first_of(" \t\n'\"|;&)"));
        std::uint16_t number = 80;
        if (rest.starts_with(':')) {
            const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), number);
            if (error != std::errc()) continue;
            rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        }
        if (number != port) continue;
        if (rest.empty()) return "/";
        return is_plain(rest) ? std::string(rest) : "/";
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> page_of(const SystemContainer& container, std::uint16_t port) {
    for (const Step& check : container.readiness.checks)
        if (const auto* http = std::get_if<HttpAction>(&check.action); http != nullptr && http->port == port)
            return is_plain(http->path) ? http->path : "/";
    if (const auto& check = container.subject.healthcheck)
        for (const std::string& word : check->test)
            if (auto path = path_in(word, port)) return path;
    if (is_web_port(port)) return "/";
    return std::nullopt;
}

}  // namespace rogate::init
