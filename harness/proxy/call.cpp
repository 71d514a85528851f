#include "proxy/call.hpp"

#include <fmt/format.h>

#include <charconv>
#include <vector>

namespace rogate::proxy {

namespace {

std::string decoded(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        if (text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(&text[i] + 1, &text[i] + 3, byte, 16).ptr == &text[i] + 3) {
            plain += static_cast<char>(byte);
            i += 2;
        } else {
            plain += text[i] == '+' ? ' ' : text[i];
        }
    }
    return plain;
}

std::string encoded(std::string_view text) {
    std::string made;
    for (const char c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              c == '-' || c == '_' || c == '.' || c == '~' || c == ':';
        made += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return made;
}

std::vector<std::string> segments(std::string_view text, char at) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t end = text.find(at);
        if (end != 0) parts.push_back(decoded(text.substr(0, end)));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return parts;
}

// "v1.41", "v4.3.1"
bool is_version(const std::string& word) {
    return word.size() > 1 && word.front() == 'v' &&
           word.find_first_not_of("0123456789.", 1) == std::string::npos;
}

CallKind kind_of(std::string_view method, const std::vector<std::string>& path) {
    const bool is_post = method == "POST", is_delete = method == "DELETE";
    const auto is = [&](std::size_t place, const char* word) {
        return path.size() > place && path[place] == word;
    };
    if (is(0, "containers") && path.size() == 2) {
        if (is_delete) return CallKind::remove;
        if (!is_post) return CallKind::other;
        if (is(1, "create")) return CallKind::create;
        if (is(1, "prune")) return CallKind::prune;
    }
    if (is(0, "containers") && path.size() == 3 && is_post) {
        if (is(2, "start")) return CallKind::start;
        if (is(2, "stop") || is(2, "kill")) return CallKind::stop;
        if (is(2, "restart")) return CallKind::restart;
        if (is(2, "exec")) return CallKind::exec;
    }
    if (is(0, "containers") && path.size() == 3 && method == "PUT" && is(2, "archive"))
        return CallKind::copy_in;
    if (!is_post) return CallKind::other;
    if (path.size() == 2 && is(0, "networks") && is(1, "create")) return CallKind::network_create;
    if (path.size() == 2 && is(0, "volumes") && is(1, "create")) return CallKind::volume_create;
    if (path.size() == 2 && is(0, "services") && is(1, "create")) return CallKind::foreign;
    if (is(0, "libpod") && (is(1, "containers") || is(1, "pods") || is(1, "play") || is(1, "kube")))
        return CallKind::foreign;
    return CallKind::other;
}

}  // namespace

Call call_of(std::string_view method, std::string_view target) {
    Call call;
    // An absolute form ("http://docker/v1.41/…") is as good as a path.
    if (const std::size_t scheme = target.find("://");
        scheme != std::string_view::npos && !target.starts_with('/')) {
        const std::size_t slash = target.find('/', scheme + 3);
        target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
    }
    const std::size_t question = target.find('?');
    std::vector<std::string> path = segments(target.substr(0, question), '/');
    if (!path.empty() && is_version(path.front())) {
        call.version = path.front();
        path.erase(path.begin());
    }
    call.kind = kind_of(method, path);
    if (path.size() > 1 && path.front() == "containers") call.object = path[1];
    if (question != std::string_view::npos) {
        std::string_view rest = target.substr(question + 1);
        while (!rest.empty()) {
            const std::string_view item = rest.substr(0, rest.find('&'));
            rest.remove_prefix(std::min(rest.size(), item.size() + 1));
            const std::size_t equals = item.find('=');
            call.query[decoded(item.substr(0, equals))] =
                equals == std::string_view::npos ? "" : decoded(item.substr(equals + 1));
        }
    }
    call.name = std::string(method) + ' ';
    for (const std::string& each : path) call.name += '/' + each;
    call.path = std::move(path);
    return call;
}

std::string target_of(const Call& call) {
    std::string target;
    if (!call.version.empty()) target += '/' + call.version;
    for (const std::string& each : call.path) target += '/' + encoded(each);
    char before = '?';
    for (const auto& [name, value] : call.query) {
        target += before + encoded(name) + '=' + encoded(value);
        before = '&';
    }
    return target;
}

}  // namespace rogate::proxy
