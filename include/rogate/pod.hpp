// What stands beside the subject in a Kubernetes pod: the volumes that its containers share, the init
// containers that run before it, and the containers that run beside it in its network namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <rogate/subject.hpp>
#include <string>
#include <vector>

namespace rogate {

// A file of a volume that Kubernetes fills: a key of a ConfigMap or Secret, a field of the downward API.
struct PodFile {
    std::string path;  // relative to the volume's root
    std::string content;
    std::uint32_t mode = 0644;
    bool operator==(const PodFile&) const = default;
};

struct PodVolume {
    enum class Kind {
        empty,  // an emptyDir, or a claim that starts empty
        files,  // configMap, secret, projected, downwardAPI: read-only for every container
        data    // the user's: a hostPath, or what the scenario gives for a claim
    };
    std::string name;
    Kind kind = Kind::empty;
    std::uint32_t mode = 0777;  // empty: of its root
    std::vector<PodFile> files;
    Mount data;              // kind data: type (bind, volume) and source
    bool for_group = false;  // of a claim, so that the pod's fs_group owns what is in it
    bool operator==(const PodVolume&) const = default;
};

struct PodMount {
    std::string target;
    std::string volume;    // a PodVolume's name
    std::string sub_path;  // relative; empty: the whole volume
    bool read_only = false;
    bool operator==(const PodMount&) const = default;
};

struct PodContainer {
    std::string name;
    bool init = false;   // runs to its end before the next one starts
    bool after = false;  // started when the subject has been
    bool sidecar =
        false;  // of the init containers, and goes on: what comes next waits until it has started up
    RestartPolicy restart = {};
    Subject subject;  // its mounts are the tmpfs ones only
    std::vector<PodMount> mounts;
    bool operator==(const PodContainer&) const = default;
};

struct PodPeers {
    std::vector<PodVolume> volumes;
    std::vector<PodMount>
        mounts;  // the subject's; Subject::mounts has an entry with the same target for each
    std::vector<PodContainer> containers;   // in the order of the file
    std::optional<std::uint32_t> fs_group;  // owns what Kubernetes makes
    std::vector<std::string> secrets;       // contents that no result may show
    bool any() const { return !volumes.empty() || !containers.empty(); }
    bool operator==(const PodPeers&) const = default;
};

}  // namespace rogate
