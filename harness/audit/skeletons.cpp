#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <rogate/names.hpp>

#include "audit/render.hpp"
#include "base/escape.hpp"
#include "base/yaml_text.hpp"

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
        return fmt::format("    # fill in: {}:{}\n", escape_text(mount.source), escape_text(mount.target));
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

// A path that a scenario in `folder` can open `file` by: beside each other from where rogate was started.
std::string from_folder(const std::string& file, const std::string& folder) {
    std::error_code unused;
    const auto path = std::filesystem::absolute(file, unused).lexically_normal();
    const auto relative =
        path.lexically_relative(std::filesystem::absolute(folder, unused).lexically_normal());
    return relative.empty() ? path.string() : relative.string();
}

// What the files say is read from them, with all that they extend and include.
std::string subject_of_files(const Found& first, const std::string& file, const std::string& folder) {
    const std::string path = scalar(from_folder(file, folder));
    if (first.kind == "compose")
        return fmt::format("subject: {{compose: {{file: {}, service: {}}}}}\n", path, scalar(first.name));
    return fmt::format(
        "subject:\n  kubernetes:\n    file: {}\n    workload: {}\n    container: {}\n"
        "    values: {{missing: placeholder, claims: {{\"*\": empty}}}}  # in place of what only the cluster "
        "has\n",
        path, scalar(first.name), scalar(first.container));
}

std::string subject_in_full(const std::vector<const Found*>& mounts) {
    const Found& first = *mounts.front();
    const bool has_root = std::any_of(mounts.begin(), mounts.end(), [](const Found* each) {
        return each->mount.type == MountType::rootfs && each->mount.read_only;
    });
    std::string out =
        fmt::format("subject:\n  image: {}\n{}",
                    first.image.empty() ? "'fill-in:latest'  # no image is named there" : scalar(first.image),
                    has_root ? "  read_only: true\n" : "");
    std::string declared;
    for (const Found* each : mounts) declared += mount_line(each->mount);
    const bool any = declared.find("    - ") != std::string::npos;
    if (!declared.empty()) out += (any ? "  mounts:\n" : "  # mounts:\n") + declared;
    return out;
}

std::string skeleton(const std::vector<const Found*>& mounts, const std::string& folder) {
    const Found& first = *mounts.front();
    const bool of_files = first.kind == "compose" || first.kind == "kubernetes";
    std::string out = fmt::format(
        "# Begun by `rogate audit --init` from {}. Fill in {}the steps that use each mount: a\n"
        "# mount that no step uses ends as 'untested'.\n"
        "name: {}\n{}",
        first.read_from.empty() ? "a running container" : escape_text(first.read_from),
        of_files ? "" : "what the application needs to start (environment, command, user) and\n# ",
        scalar(file_name(first)),
        of_files ? subject_of_files(first, first.read_from, folder) : subject_in_full(mounts));
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

std::map<std::string, std::string> skeletons(const Audit& audit, const std::string& folder) {
    // A Dockerfile names no container to start.
    std::map<std::string, std::vector<const Found*>> subjects;
    for (const Found& found : audit.mounts) {
        if (found.kind == "dockerfile" || found.kind == "scenario") continue;
        if (found.partial) continue;  // the file that it is merged over has the service
        subjects[found.read_from + '\0' + found.name + '\0' + found.container].push_back(&found);
    }
    std::map<std::string, std::string> files;
    for (const auto& [unused, mounts] : subjects) {
        std::string name = file_name(*mounts.front());
        for (int n = 2; files.contains(name + ".yaml"); ++n)
            name = file_name(*mounts.front()) + "-" + std::to_string(n);
        files[name + ".yaml"] = skeleton(mounts, folder);
    }
    return files;
}

}  // namespace rogate::audit
