#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "plan/plan.hpp"

namespace rogate::plan {

namespace {

bool is_host_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

// "host" or "host:port"; nothing: it is none.
struct Authority {
    std::string host, port;
};
std::optional<Authority> authority_of(std::string_view text) {
    Authority found;
    std::string_view host = text, port;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        host = text.substr(1, close - 1);
        if (host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return std::nullopt;
        port = text.substr(close + 1);
        if (!port.empty() && port.front() != ':') return std::nullopt;
        if (!port.empty()) port.remove_prefix(1);
    } else {
        const std::size_t colon = text.find(':');
        host = text.substr(0, colon);
        if (colon != std::string_view::npos) port = text.substr(colon + 1);
        if (host.empty() || !std::ranges::all_of(host, is_host_char)) return std::nullopt;
    }
    if (!port.empty() && !is_number(port)) return std::nullopt;
    return Authority{std::string(host), std::string(port)};
}

bool is_address(std::string_view host) {
    return std::ranges::count(host, '.') == 3 &&
           host.find_first_not_of("0123456789.") == std::string_view::npos;
}

// With a top-level domain of letters.
bool is_domain(std::string_view host) {
    const std::size_t dot = host.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || host.size() - dot < 3) return false;
    return std::ranges::all_of(host.substr(dot + 1),
                               [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

bool is_own(const std::string& host) {
    return host.empty() || host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") ||
           host == "0.0.0.0" || host == "::1" || host == "::";
}

bool speaks_of_hosts(const std::string& variable) {
    const std::string name = lower(variable);
    return std::ranges::any_of(
        std::initializer_list<std::string_view>{"host", "addr", "url", "uri", "server", "endpoint", "broker",
                                                "peer", "smtp", "dsn"},
        [&](std::string_view part) { return name.find(part) != std::string::npos; });
}

void add_list(std::string_view text, std::vector<Authority>& found) {
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find(',', start), text.size());
        if (auto each = authority_of(text.substr(start, end - start))) found.push_back(std::move(*each));
        start = end + 1;
    }
}

// Hosts of the URLs in `value`. What stands before an '@' is somebody's name and password.
std::vector<Authority> of_urls(std::string_view value) {
    std::vector<Authority> found;
    for (std::size_t at = value.find("://"); at != std::string_view::npos; at = value.find("://", at + 3)) {
        const std::size_t begin = at + 3;
        const std::size_t url_end = std::min(value.find_first_of(" \t\n\"'<>;|", begin), value.size());
        const std::string_view url = value.substr(begin, url_end - begin);
        std::string_view authority = url.substr(0, url.find_first_of("/?#"));
        const bool later = url.substr(authority.size()).find('@') != std::string_view::npos;
        if (const std::size_t user = authority.rfind('@'); user != std::string_view::npos)
            authority.remove_prefix(user + 1);
        else if (later && authority.find(':') != std::string_view::npos)
            continue;  // a '/' in a password looks like the end of the host
        add_list(authority, found);
    }
    return found;
}

std::vector<Authority> of_words(const std::string& name, std::string_view value) {
    std::vector<Authority> found, words;
    if (value.find("://") != std::string_view::npos || value.find_first_of("/@=") != std::string_view::npos)
        return {};
    for (std::size_t start = 0; start <= value.size();) {
        const std::size_t end = std::min(value.find_first_of(" ,;\t\n", start), value.size());
        if (auto each = authority_of(value.substr(start, end - start))) words.push_back(std::move(*each));
        start = end + 1;
    }
    for (Authority& each : words)
        if ((is_address(each.host) || is_domain(each.host)) && (speaks_of_hosts(name) || !each.port.empty()))
            found.push_back(std::move(each));
    return found;
}

std::set<std::string> names_within(const System& system) {
    std::set<std::string> names;
    for (const SystemContainer& each : system.containers) {
        names.insert(lower(each.name));
        for (const std::string& alias : each.subject.aliases) names.insert(lower(alias));
        if (each.subject.hostname) names.insert(lower(*each.subject.hostname));
        for (const std::string& host : each.subject.extra_hosts)
            names.insert(lower(host.substr(0, host.find(':'))));
    }
    for (const SystemPod& pod : system.pods)
        for (const std::string& name : pod.names) names.insert(lower(name));
    return names;
}

}  // namespace

std::vector<Reach> reach_of(const System& system) {
    std::vector<Reach> found;
    const std::set<std::string> own = names_within(system);
    for (const SystemNetwork& network : system.networks)
        if (network.external)
            found.push_back(
                {Reach::Kind::network, {}, network.engine_name, network.name, false, network.declared});
    for (const SystemContainer& each : system.containers) {
        for (const std::string& host : each.subject.extra_hosts)
            found.push_back({Reach::Kind::host, each.name, host, "extra_hosts", true, each.declared});
        for (const Mount& mount : each.subject.mounts)
            if (mount.type == MountType::bind && mount.source.ends_with(".sock"))
                found.push_back(
                    {Reach::Kind::socket, each.name, mount.source, mount.target, true, mount.declared});
        for (const auto& [name, value] : each.subject.environment) {
            std::vector<Authority> hosts = of_urls(value);
            for (Authority& word : of_words(name, value)) hosts.push_back(std::move(word));
            std::set<std::string> told;
            for (const Authority& host : hosts) {
                const std::string lowered = lower(host.host);
                if (is_own(lowered) || own.contains(lowered)) continue;
                const std::string text =
                    host.port.empty() ? host.host : fmt::format("{}:{}", host.host, host.port);
                if (told.insert(text).second)
                    found.push_back({Reach::Kind::address, each.name, text, name, true, each.declared});
            }
        }
    }
    return found;
}

}  // namespace rogate::plan
