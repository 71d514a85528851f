// Which members of a system that is settled as a whole (Scenario::members) are containers of pods, and what
// those have in common.
#pragma once

#include <map>
#include <optional>
#include <rogate/system.hpp>
#include <string>
#include <vector>

namespace rogate {

struct PodMember {
    std::string pod;               // the SystemPod that it is in
    bool init = false;             // it runs to its end before the next one of the pod starts, and once only
    std::vector<PodMount> mounts;  // Subject::mounts has an entry with the same target for each
    std::optional<Step> started_up;  // those that wait for its start wait until this passes, too
    bool operator==(const PodMember&) const = default;
};

struct Pods {
    std::vector<SystemPod> pods;
    std::map<std::string, PodMember> members;  // by name; who is not here is in no pod
    bool operator==(const Pods&) const = default;

    // Null: it is in none.
    const PodMember* find(const std::string& member) const {
        const auto found = members.find(member);
        return found == members.end() ? nullptr : &found->second;
    }
    const SystemPod* pod_of(const std::string& member) const {
        const PodMember* in = find(member);
        if (in != nullptr)
            for (const SystemPod& pod : pods)
                if (pod.name == in->pod) return &pod;
        return nullptr;
    }
};

}  // namespace rogate
