// What is under test, as a whole: a Compose project, the workloads of a set of manifests, one subject. Every
// loader makes one; what a campaign of today settles (a Scenario with its subject) is derived from it.
#pragma once

#include <cstdint>
#include <optional>
#include <rogate/scenario.hpp>
#include <string>
#include <vector>

namespace rogate {

// A container of the system, as the files have it.
struct SystemContainer {
    enum class Role {
        service,  // goes on, or ends when its work is done
        init,     // of a pod: runs to its end before the next container starts
        sidecar   // of a pod's init containers, and goes on
    };
    std::string name;  // unique within the system: a service's, or "shop/web" of a pod
    std::string pod;   // the SystemPod that it is in; empty: none
    Role role = Role::service;
    bool ends = false;  // a job: others wait for its end, or its workload says so
    Subject subject;
    std::vector<PodMount> pod_mounts;  // subject.mounts has an entry with the same target for each
    std::vector<Dependency> after;     // `service` is a name of the system's
    Readiness readiness;               // when nobody says anything else
    Probes probes;                     // of a pod: what a cluster asks it
    std::vector<Step> hooks;           // of a pod: named as in spec/kubernetes.hpp
    RestartPolicy restart;
    std::int64_t grace_ms = 10'000;           // from its stop signal to SIGKILL
    std::vector<std::string> without_effect;  // keys that have no bearing on a test run
    std::vector<std::string> networks;        // names of the system's
    SourcePlace declared;
    bool operator==(const SystemContainer&) const = default;
};

// What the containers of a pod share beside their network namespace.
struct SystemPod {
    std::string name;  // "Deployment/shop"; with its namespace before it where two are called so
    std::string name_space;
    std::vector<PodVolume> volumes;
    std::optional<std::uint32_t> fs_group;           // owns what Kubernetes makes
    std::vector<std::string> secrets;                // contents that no result may show
    std::vector<std::string> names;                  // by which Services of the files reach it
    std::map<std::string, std::string> claims = {};  // volume -> the claim's name: pods that name it share it
    bool operator==(const SystemPod&) const = default;
};

struct DataPlace {
    std::string container, target;
    std::string sub_path;  // relative to the source; empty: all of it
    bool read_only = false;
    SourcePlace declared;
    bool operator==(const DataPlace&) const = default;
};

// One source, with every place where it is mounted.
struct SystemData {
    enum class Kind {
        bind,       // a path of the engine's host
        volume,     // a named volume of the engine's
        anonymous,  // a volume of one container's own
        tmpfs,      // of one container's own
        empty_dir,  // of a pod, also a claim that starts empty
        files,      // of a pod: config map, secret, projected, downward API
        rootfs      // what the image has and the container writes over it
    };
    Kind kind = Kind::bind;
    std::string source;  // path, or name on the engine; of a pod's own the volume's name; otherwise empty
    std::string pod;     // empty_dir, files
    std::vector<DataPlace> places;
    bool operator==(const SystemData&) const = default;
};

struct SystemNetwork {
    std::string name;
    std::string engine_name;  // what docker compose would call it
    bool external = false;    // not the project's own: others are on it
    bool internal = false;    // reaches nothing outside
    SourcePlace declared;
    bool operator==(const SystemNetwork&) const = default;
};

// A container that is not run, and every reason with file, line and column.
struct NotRun {
    std::string container;
    std::vector<std::string> why;
    bool operator==(const NotRun&) const = default;
};

struct System {
    std::string name;
    Origin::Kind kind = Origin::Kind::scenario;
    std::vector<std::string> files;
    std::vector<SystemContainer> containers;  // each behind those that it waits for
    std::vector<SystemPod> pods;
    std::vector<SystemData> data;
    std::vector<SystemNetwork> networks;  // as declared; a run has one of its own
    std::vector<NotRun> refused;          // what no run can have; nothing is run while there is one
    std::vector<NotRun> left_out;         // what the files or the user leave out
    std::vector<std::string> notes;
    std::vector<std::string> unlike_cluster = {};  // as Scenario's
    bool operator==(const System&) const = default;
};

}  // namespace rogate
