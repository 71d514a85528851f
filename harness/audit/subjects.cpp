#include <utility>

#include "audit/audit.hpp"

namespace rogate::audit {

namespace {

std::string file_name(const Found& found) {
    std::string name;
    for (const char c : found.name + (found.container.empty() ? "" : "-" + found.container)) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '.' || c == '_' || c == '-';
        name += plain ? c : '-';
    }
    return name.empty() || name[0] == '.' ? "subject" + name : name;
}

}  // namespace

std::map<std::string, Startable> startable(const Audit& audit) {
    std::map<Startable, std::string> named;
    for (const Found& found : audit.mounts) {
        // A Dockerfile names no container to start, and a scenario is one already.
        if (found.kind == "dockerfile" || found.kind == "scenario") continue;
        if (found.partial) continue;  // the file that it is merged over has the service
        const bool is_live = found.kind == "container";
        named.emplace(Startable{.file = is_live ? "" : found.read_from,
                                .name = found.name + (found.container.empty() ? "" : "/" + found.container)},
                      file_name(found));
    }
    std::map<std::string, Startable> files;
    for (const auto& [each, wanted] : named) {
        std::string name = wanted;
        for (int n = 2; files.contains(name + ".yaml"); ++n) name = wanted + "-" + std::to_string(n);
        files.emplace(name + ".yaml", each);
    }
    return files;
}

}  // namespace rogate::audit
