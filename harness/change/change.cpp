#include "change/change.hpp"

#include <algorithm>
#include <filesystem>

namespace rogate::change {

namespace {

bool is_file_of(const Change& change, const std::string& folder, const std::string& name) {
    if (name.empty()) return false;
    const std::filesystem::path path(name);
    if (!path.is_absolute())
        return (std::filesystem::path(folder) / path).lexically_normal().string() == change.path ||
               path.lexically_normal().string() == change.declared.file;
    const std::string whole = path.lexically_normal().string();
    return whole == change.path || whole.ends_with("/" + change.declared.file);
}

Origin::Kind kind_of(const Change& change) {
    return change.kind == "compose"      ? Origin::Kind::compose
           : change.kind == "kubernetes" ? Origin::Kind::kubernetes
                                         : Origin::Kind::scenario;
}

}  // namespace

bool is_about(const Change& change, const std::string& folder, const Scenario& scenario) {
    const Origin& origin = scenario.subject.origin;
    if (origin.kind != kind_of(change)) return false;
    if (origin.kind == Origin::Kind::scenario) return is_file_of(change, folder, scenario.file);
    return origin.name == change.name && origin.container == change.container &&
           std::any_of(origin.files.begin(), origin.files.end(),
                       [&](const std::string& file) { return is_file_of(change, folder, file); });
}

std::vector<std::string> made_read_only(const Since& since, const Scenario& scenario) {
    std::vector<std::string> targets;
    for (const Change& change : since.changes)
        if (is_about(change, since.folder, scenario)) targets.push_back(change.target);
    std::sort(targets.begin(), targets.end());
    targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    return targets;
}

Scenario before_the_change(Scenario scenario, const std::vector<std::string>& targets) {
    const auto changed = [&](const std::string& target) {
        return std::find(targets.begin(), targets.end(), target) != targets.end();
    };
    for (Mount& mount : scenario.subject.mounts)
        if (changed(mount.target)) mount.read_only = false;
    // By these the pod's volumes are told apart: one that nobody writes to would be the user's own.
    for (PodMount& mount : scenario.pod.mounts)
        if (changed(mount.target)) mount.read_only = false;
    if (changed("/")) scenario.subject.read_only_rootfs = false;
    scenario.candidates = targets;
    return scenario;
}

}  // namespace rogate::change
