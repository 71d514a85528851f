// The volumes that Kubernetes makes for pods whose containers are settled together. Each is made once for a
// run and is nobody's; the mounts of the containers are of it, as a whole or in part. Pure.
#pragma once

#include <rogate/pods.hpp>
#include <string>
#include <vector>

#include "campaign/data.hpp"

namespace rogate::campaign {

struct PodData {
    std::vector<Mount> volumes;    // to be surveyed beside the containers' mounts
    std::vector<DataMount> known;  // for DataPlane::know(): of these, and of the mounts
};
PodData data_of_pods(const Pods& pods);

// Whether something has to hold the network namespace that the pod's containers share.
bool shares_network(const Pods& pods, const std::string& pod);

}  // namespace rogate::campaign
