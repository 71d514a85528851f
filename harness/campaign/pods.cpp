#include "campaign/pods.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/place.hpp>
#include <utility>

#include "campaign/pod.hpp"

namespace rogate::campaign {

namespace {

// Pods that name one claim have the same data.
std::string place_of(const SystemPod& pod, const std::string& volume) {
    const auto claim = pod.claims.find(volume);
    if (claim == pod.claims.end()) return fmt::format("/{}/{}", pod.name, volume);
    return fmt::format("/claim/{}/{}", pod.name_space.empty() ? "default" : pod.name_space, claim->second);
}

}  // namespace

bool shares_network(const Pods& pods, const std::string& pod) {
    return std::ranges::count_if(pods.members, [&](const auto& each) {
               return each.second.pod == pod && !each.second.init;
           }) > 1;
}

PodData data_of_pods(const Pods& pods) {
    PodData found;
    for (const auto& [name, member] : pods.members) {
        const SystemPod& pod = *pods.pod_of(name);
        for (const PodMount& mount : member.mounts) {
            const auto volume = std::ranges::find(pod.volumes, mount.volume, &PodVolume::name);
            if (volume == pod.volumes.end() || volume->kind == PodVolume::Kind::data) continue;
            const std::string place = place_of(pod, volume->name);
            if (std::ranges::find(found.volumes, place, &Mount::target) == found.volumes.end()) {
                DataMount made = made_of(*volume, pod.fs_group);
                made.mount.type = MountType::anonymous;
                made.mount.target = place;
                made.mount.no_copy = true;
                found.volumes.push_back(made.mount);
                found.known.push_back(std::move(made));
            }
            DataMount part;
            part.mount.target = place_in(name, mount.target);
            part.how = DataSource::made;
            part.of_volume = place;
            part.sub_path = mount.sub_path;
            part.is_directory =
                std::ranges::find(volume->files, mount.sub_path, &PodFile::path) == volume->files.end();
            found.known.push_back(std::move(part));
        }
    }
    return found;
}

}  // namespace rogate::campaign
