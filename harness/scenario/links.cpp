#include "scenario/links.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rogate::scenario {

namespace {

constexpr std::size_t longest_link = 300, longest_page = 1U << 20U;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
    std::string made(text);
    for (char& c : made) c = lower(c);
    return made;
}

bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool changes_something(const std::string& link) {
    constexpr std::string_view words[] = {
        "logout", "logoff",  "signout",  "signoff",     "delete", "remove", "destroy",
        "erase",  "purge",   "wipe",     "unsubscribe", "revoke", "reset",  "shutdown",
        "reboot", "restart", "poweroff", "uninstall",   "cancel", "drop",   "truncate"};
    std::string plain;  // log-out, sign_out
    for (const char c : link)
        if (c != '-' && c != '_' && c != '.') plain += lower(c);
    return std::ranges::any_of(words,
                               [&](std::string_view word) { return plain.find(word) != std::string::npos; });
}

bool differs_each_time(const std::string& link) {
    const std::string plain = lower(link);
    const std::size_t query = std::min(plain.find('?'), plain.size());
    for (const std::string_view word :
         {"token", "csrf", "nonce", "session", "sid=", "state=", "code=", "sig=", "ts="})
        if (plain.find(word, query) != std::string::npos) return true;
    // A run of letters and digits that is no word.
    std::size_t length = 0, digits = 0;
    for (const char c : plain + "/") {
        if (is_alnum(c)) {
            ++length;
            digits += c >= '0' && c <= '9' ? 1U : 0U;
            continue;
        }
        if (length >= 16 && digits >= 3) return true;
        length = digits = 0;
    }
    return false;
}

// RFC 3986, 5.2.4, as far as links of pages have it.
std::string without_dots(std::string_view path) {
    std::vector<std::string_view> parts;
    std::size_t at = 1;
    bool ends_in_folder = path.ends_with('/');
    while (at <= path.size()) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        const std::string_view part = path.substr(at, end - at);
        ends_in_folder = part.empty() || part == "." || part == "..";
        if (part == ".." && !parts.empty()) parts.pop_back();
        if (!ends_in_folder) parts.push_back(part);
        at = end + 1;
    }
    std::string made;
    for (const std::string_view part : parts) made += "/" + std::string(part);
    if (ends_in_folder || made.empty()) made += '/';
    return made;
}

std::string decoded(std::string_view text) {
    std::string made(text);
    for (std::size_t at = 0; (at = made.find("&amp;", at)) != std::string::npos; ++at) made.erase(at + 1, 4);
    return made;
}

}  // namespace

std::string followed(std::string_view raw, std::string_view page, std::uint16_t port) {
    std::string link = decoded(raw.substr(0, raw.find('#')));
    while (!link.empty() && (link.back() == ' ' || link.back() == '\n')) link.pop_back();
    while (!link.empty() && (link.front() == ' ' || link.front() == '\n')) link.erase(0, 1);
    if (link.empty() || link.size() > longest_link) return {};
    // rogate asks for localhost:PORT, so that this is what the application calls itself.
    for (const char* scheme : {"http:", "https:", ""})
        for (const std::string& host : {fmt::format("localhost:{}", port), std::string("localhost")}) {
            const std::string origin = fmt::format("{}//{}", scheme, host);
            if (link == origin) link += '/';
            if (link.starts_with(origin + "/")) link.erase(0, origin.size());
        }
    const std::size_t special = std::min(link.find_first_of(":/?"), link.size());
    if (link.starts_with("//") || (special < link.size() && link[special] == ':')) return {};
    const std::string_view base = page.substr(0, page.find('?'));
    if (link.front() == '?')
        link = std::string(base) + link;
    else if (link.front() != '/')
        link = std::string(base.substr(0, base.rfind('/') + 1)) + link;
    const std::size_t query = std::min(link.find('?'), link.size());
    link = without_dots(std::string_view(link).substr(0, query)) + link.substr(query);
    const bool is_plain = std::ranges::all_of(link, [](char c) { return c > ' ' && c < 0x7f; });
    return is_plain && !changes_something(link) && !differs_each_time(link) ? link : std::string();
}

std::vector<std::string> links_in(std::string_view html, std::string_view page, std::uint16_t port) {
    html = html.substr(0, longest_page);
    std::vector<std::string> links;
    const std::string plain = lower(html);
    for (std::size_t at = 0; (at = plain.find('=', at)) != std::string::npos; ++at) {
        std::size_t end = at;
        while (end > 0 && (plain[end - 1] == ' ' || plain[end - 1] == '\n')) --end;
        const std::string_view before = std::string_view(plain).substr(0, end);
        const std::size_t name = before.ends_with("href") ? 4 : before.ends_with("src") ? 3 : 0;
        if (name == 0 || before.size() == name ||
            (is_alnum(before[before.size() - name - 1]) || before[before.size() - name - 1] == '-'))
            continue;
        const std::size_t begin = plain.find_first_not_of(" \n", at + 1);
        if (begin == std::string::npos) break;
        const char quote = plain[begin];
        const bool quoted = quote == '"' || quote == '\'';
        const std::size_t from = quoted ? begin + 1 : begin;
        const std::size_t to = quoted ? plain.find(quote, from) : plain.find_first_of(" \n\t>", from);
        if (to == std::string::npos) break;
        const std::string link = followed(html.substr(from, to - from), page, port);
        if (!link.empty() && std::ranges::find(links, link) == links.end()) links.push_back(link);
    }
    return links;
}

}  // namespace rogate::scenario
