// What the readers of a pod's parts share.
#pragma once

#include <algorithm>
#include <rogate/system.hpp>
#include <set>

#include "spec/kube_fields.hpp"
#include "spec/kube_objects.hpp"

namespace rogate::spec {

struct KubePod {
    const Context& scenario;  // for the places of the scenario's own values
    const Context& context;   // of the workload's file
    const KubeObjects& objects;
    const KubeValues& values;
    Contents fields;  // of the downward API
    SystemPod& peers;
    const Value& spec;  // the pod's own, with all its containers
    std::string name_space;
    std::vector<std::string> without;  // fields that are read as if they were not there

    bool is_left_out(std::string_view field) const {
        return std::find(without.begin(), without.end(), field) != without.end();
    }

    void secret(const std::string& text) const {
        if (!text.empty()) peers.secrets.push_back(text);
    }
};

// The value of a fieldRef or resourceFieldRef; nothing after a problem was told. `container`: whose resources
// are meant, unless the reference names another.
std::optional<std::string> kube_field_ref(const Value& ref, const KubePod& pod);
std::optional<std::string> kube_resource_ref(const Value& ref, const Value* container, const KubePod& pod);
// What a pod of a cluster knows of itself, and no file tells: a harmless value, or nothing.
std::optional<std::string> harmless_field(const std::string& path);

// `env` and `envFrom` of a container.
std::map<std::string, std::string> read_kube_environment(const KubeObject& container, const KubePod& pod);
// $(NAME) by the variable's value, $$(NAME) by $(NAME); an unknown name stays as it is, as in Kubernetes.
std::string expand_variables(const std::string& text, const std::map<std::string, std::string>& variables);

// A volume of the pod as its mounts see it.
struct KubeVolume {
    PodVolume volume;
    bool read_only = false;            // whatever the mount says
    std::optional<std::string> tmpfs;  // an emptyDir in memory: the options of a tmpfs
    std::string claim = {};            // its name, of one that other pods may name as well
};
// Of the pod's `volumes` and a StatefulSet's `volumeClaimTemplates`; those in `used` only, since what is not
// mounted needs no data.
std::map<std::string, KubeVolume> read_kube_volumes(const KubeObject& spec, const Value* claim_templates,
                                                    const std::set<std::string>& used, const KubePod& pod);

// A container of the pod, without its mounts.
Subject read_kube_container(const KubeObject& container, const Value* pod_security, const KubePod& pod);

// What a cluster asks of the container, for those beside it.
void read_kube_probes(const KubeObject& container, SystemContainer& made, const KubePod& pod);
// Its hooks and health check; unless somebody says when it is ready (`has_ready`), the probes are it.
void read_kube_lifecycle(const KubeObject& container, bool has_ready, SystemContainer& made,
                         const KubePod& pod);

}  // namespace rogate::spec
