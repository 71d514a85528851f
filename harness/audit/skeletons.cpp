#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <rogate/names.hpp>

#include "audit/render.hpp"
#include "base/yaml_text.hpp"
#include "base/escape.hpp"

namespace rogate::audit {

namespace {

std::string scalar(std::string_view raw) {
    return yaml_scalar(escape_text(raw));
}

std::string file_name(const Found& found) {
    std::string name;
    for (const char c : found.name + (found.container.empty() ? "" : "-" + found.container)) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '.' || c == '_' || c == '-';
        name += plain ? c : '-';
    }
    return name.empty() || name[0] == '.' ? "subject" + name : name;
}

// A mount as a scenario takes it; empty if the container has it anyhow (an image's VOLUME, the root), or if
// it holds a variable, which only the tool that reads that file can fill in.
std::string mount_line(const Mount& mount) {
    const std::string mode = mount.read_only ? ", read_only: true" : "";
    if (mount.target.find('$') != std::string::npos || mount.source.find('$') != std::string::npos)
        return fmt::format("    # fill in: {}:{}\n", escape_text(mount.source),
                           escape_text(mount.target));
    for (const std::string_view kind : {"configMap", "secret", "projected", "downwardAPI"})
        if (mount.source == kind)
            return fmt::format("    # fill in, with the content of the {}: ./{}:{}:ro\n", kind, kind,
                               escape_text(mount.target));
    switch (mount.type) {
        case MountType::rootfs:
            return "";
        case MountType::tmpfs:
            return fmt::format("    - {{type: tmpfs, target: {}{}}}\n", scalar(mount.target), mode);
        case MountType::anonymous:
            return fmt::format("    - {}\n", scalar(mount.target));
        case MountType::volume:
            return fmt::format("    - {{type: volume, source: {}, target: {}{}}}\n", scalar(mount.source),
                               scalar(mount.target), mode);
        case MountType::bind:
            break;
    }
    std::string source = mount.source;
    if (!source.starts_with('/') && !source.starts_with('~') && mount.declared.line > 0) {
        // Relative to the file that declares it; a scenario's own are relative to the scenario.
        std::error_code unused;
        const auto folder = std::filesystem::absolute(mount.declared.file, unused).parent_path();
        source = (folder / source).lexically_normal().string();
    }
    return fmt::format("    - {{type: bind, source: {}, target: {}{}}}\n", scalar(source),
                       scalar(mount.target), mode);
}

std::string skeleton(const std::vector<const Found*>& mounts) {
    const Found& first = *mounts.front();
    const bool has_root = std::any_of(mounts.begin(), mounts.end(), [](const Found* each) {
        return each->mount.type == MountType::rootfs && each->mount.read_only;
    });
    std::string out = fmt::format(
        "# Begun by `rogate audit --init` from {}. Fill in what the application needs to start (environment, "
        "command,\n"
        "# user) and the steps that use each mount: a mount that no step uses ends as 'untested'.\n"
        "name: {}\nsubject:\n  image: {}\n{}",
        first.mount.declared.line > 0 ? escape_text(first.mount.declared.file)
                                      : "a running container",
        scalar(file_name(first)),
        first.image.empty() ? "'fill-in:latest'  # no image is named there" : scalar(first.image),
        has_root ? "  read_only: true\n" : "");
    std::string declared;
    for (const Found* each : mounts) declared += mount_line(each->mount);
    const bool any = declared.find("    - ") != std::string::npos;
    if (!declared.empty()) out += (any ? "  mounts:\n" : "  # mounts:\n") + declared;
    std::vector<const Found*> worth;
    for (const Found* each : mounts)
        if (each->order > 0 && each->mount.target.find('$') == std::string::npos &&
            each->mount.source.find('$') == std::string::npos)
            worth.push_back(each);
    std::sort(worth.begin(), worth.end(), [](const Found* a, const Found* b) { return a->order < b->order; });
    if (!worth.empty()) out += "candidates:  # most promising first\n";
    for (const Found* each : worth)
        out +=
            fmt::format("  - {}  # {}: {}\n", scalar(each->mount.target), to_string(each->looks), each->why);
    return out +
           "# ready: {timeout: 60s, http: {port: 8080, path: /}}\n"
           "# steps:\n"
           "#   - name: serves a page\n"
           "#     http: {port: 8080, path: /}\n"
           "#     expect: {status: 200}\n";
}

}  // namespace

std::map<std::string, std::string> skeletons(const Audit& audit) {
    // A Dockerfile names no container to start.
    std::map<std::string, std::vector<const Found*>> subjects;
    for (const Found& found : audit.mounts) {
        if (found.kind == "dockerfile" || found.kind == "scenario") continue;
        const std::string from = found.mount.declared.line > 0 ? found.mount.declared.file : "";
        subjects[from + '\0' + found.name + '\0' + found.container].push_back(&found);
    }
    std::map<std::string, std::string> files;
    for (const auto& [unused, mounts] : subjects) {
        std::string name = file_name(*mounts.front());
        for (int n = 2; files.contains(name + ".yaml"); ++n)
            name = file_name(*mounts.front()) + "-" + std::to_string(n);
        files[name + ".yaml"] = skeleton(mounts);
    }
    return files;
}

}  // namespace rogate::audit
