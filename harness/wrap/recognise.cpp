#include "wrap/recognise.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rogate::wrap {

namespace {

std::string label(const Asked& asked, const char* name) {
    const auto at = asked.labels.find(name);
    return at == asked.labels.end() ? std::string() : at->second;
}

std::string service(const Asked& asked) {
    return label(asked, "com.docker.compose.service");
}

// Of `docker compose run`: each has a name and a number of its own.
bool is_one_off(const Asked& asked) {
    const std::string said = label(asked, "com.docker.compose.oneoff");
    return said == "True" || said == "true";
}

bool same_service(const Asked& a, const Asked& b) {
    if (service(a).empty() || service(a) != service(b) || is_one_off(a) != is_one_off(b)) return false;
    if (is_one_off(a)) return a.command == b.command && a.entrypoint == b.entrypoint;
    constexpr const char* number = "com.docker.compose.container-number";
    return label(a, number) == label(b, number);
}

bool same_project(const Asked& a, const Asked& b) {
    constexpr const char* project = "com.docker.compose.project";
    return label(a, project) == label(b, project);
}

bool is_testcontainers(const Asked& asked) {
    return asked.labels.contains("org.testcontainers") || asked.labels.contains("org.testcontainers.lang") ||
           asked.labels.contains("org.testcontainers.session-id");
}

bool alike(const Asked& a, const Asked& b) {
    return a.image == b.image && a.command == b.command && a.entrypoint == b.entrypoint &&
           a.targets == b.targets && service(a).empty() && service(b).empty() &&
           is_testcontainers(a) == is_testcontainers(b);
}

// "redis" of "registry:5000/library/redis:7@sha256:…".
std::string last_name(std::string image) {
    image.resize(std::min(image.find('@'), image.size()));
    image.erase(0, image.rfind('/') == std::string::npos ? 0 : image.rfind('/') + 1);
    image.resize(std::min(image.find(':'), image.size()));
    return image;
}

std::string as_key(std::string text) {
    while (text.starts_with('/')) text.erase(0, 1);
    for (char& c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '_' || c == '.' || c == '-';
        if (!plain) c = '-';
    }
    // No option, no hidden file, and no way out of a folder.
    while (!text.empty() && (text.front() == '.' || text.front() == '-')) text.erase(0, 1);
    return text.empty() ? "container" : text;
}

}  // namespace

std::string Roster::free_key(std::string wanted) const {
    const auto taken = [&](const std::string& key) {
        return std::ranges::find(known_, key, &Known::key) != known_.end();
    };
    std::string key = wanted;
    for (int number = 2; taken(key); ++number) key = fmt::format("{}-{}", wanted, number);
    return key;
}

const Known& Roster::add(Asked asked) {
    Known known;
    const auto number =
        std::ranges::count_if(known_, [&](const Known& each) { return alike(each.asked, asked); }) + 1;
    std::string wanted;
    if (!service(asked).empty()) {
        wanted = service(asked);
        known.how = fmt::format("by its Compose service {} of project {}", service(asked),
                                label(asked, "com.docker.compose.project"));
    } else if (!asked.name.empty() && !is_testcontainers(asked)) {
        wanted = asked.name;
        known.how = fmt::format("by its name {}, else by its image and command", asked.name);
    } else {
        wanted = last_name(asked.image);
        known.how = fmt::format("{}by its image {}, its command and its mounts",
                                is_testcontainers(asked) ? "as one of testcontainers', " : "", asked.image);
    }
    if (service(asked).empty() && number > 1)
        known.how += fmt::format("; it was number {} of those alike, so the order counts", number);
    known.key = free_key(as_key(std::move(wanted)));
    known.asked = std::move(asked);
    known_.push_back(std::move(known));
    return known_.back();
}

template <class Alike>
const Known* Roll::first(Alike is_alike) {
    for (std::size_t i = 0; i < known_.size(); ++i)
        if (!taken_[i] && is_alike(known_[i].asked)) {
            taken_[i] = true;
            return &known_[i];
        }
    return nullptr;
}

const Known* Roll::find(const Asked& asked) {
    const auto by = [&](auto is_alike) { return first(is_alike); };
    if (!service(asked).empty()) {
        if (const Known* found =
                by([&](const Asked& each) { return same_service(each, asked) && same_project(each, asked); }))
            return found;
        return by([&](const Asked& each) { return same_service(each, asked); });
    }
    if (!asked.name.empty())
        if (const Known* found =
                by([&](const Asked& each) { return each.name == asked.name && each.image == asked.image; }))
            return found;
    if (const Known* found = by(
            [&](const Asked& each) { return alike(each, asked) && each.environment == asked.environment; }))
        return found;
    return by([&](const Asked& each) { return alike(each, asked); });
}

}  // namespace rogate::wrap
