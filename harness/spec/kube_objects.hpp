// The objects of a set of manifests, and what the scenario gives for a cluster.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>

#include "spec/fields.hpp"

namespace rogate::spec {

struct KubeObjectRef {
    std::string kind, name, name_space;
    ValuePtr value;
    const Context* context = nullptr;  // of its file
};

using Contents = std::map<std::string, std::string>;  // key -> text

// What no file has, and the runs have something in its place.
struct MadeUp {
    std::map<std::string, std::set<std::string>> secrets, config_maps;  // name -> keys that are asked for
    std::set<std::string> claims;
    bool any() const { return !secrets.empty() || !config_maps.empty() || !claims.empty(); }
};

struct KubeValues {
    std::map<std::string, Contents> secrets, config_maps;
    std::map<std::string, std::pair<std::string, const Value*>> claims;
    Contents fields;
    bool placeholders = false;  // what refers to a key that nobody gives gets a text that is made up
    MadeUp* made_up = nullptr;  // is told all of it, in place of a note for each
    void made_up_key(std::string_view kind, const std::string& name, const std::string& key, const Value& at,
                     const Context& context) const;
};
// What such a key holds; equal in all runs.
inline constexpr const char* placeholder = "placeholder";

inline constexpr std::string_view no_workload =
    "no workload in the files; name one with a Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, "
    "ReplicationController, Job or CronJob";

KubeValues read_kube_values(const Value& value, const Context& context);

// A manifest to read, as it is named in messages.
struct ManifestFile {
    std::string name, path;
    const Value* at = nullptr;        // where it is named
    std::optional<std::string> text;  // of one that was read already
};
std::vector<ManifestFile> manifest_files(const std::vector<const Value*>& files, const Context& context);

class KubeObjects {
  public:
    // Reads the files, with the Lists in them taken apart. What is wrong in them is told to the problems of
    // `scenario` when finish() is called.
    KubeObjects(const std::vector<ManifestFile>& files, const Context& scenario);
    void finish(Problems& problems) const;
    // How many problems each file has, and those that came since.
    std::vector<std::size_t> marks() const;
    std::vector<std::string> lines_since(const std::vector<std::size_t>& marks) const;
    std::vector<std::string> files() const;  // their paths

    // "Deployment/shop", "qa/Deployment/shop"; without it, the only workload there is. Null: `at` was told
    // why.
    const KubeObjectRef* workload(const std::optional<std::string>& name, const Value& at) const;

    // A problem for each workload that is there already: a cluster would have the last one only.
    void refuse_twins() const;
    // All of them, as they stand in the files.
    std::vector<const KubeObjectRef*> workloads() const;
    // "shop"; with the kind, or with namespace and kind, before it where others are called so, too.
    std::string short_name(const KubeObjectRef& workload) const;
    // The names by which Services of its namespace reach a pod with these labels.
    std::vector<std::string> service_names(const KubeObjectRef& workload, const Value* labels) const;

    // Of these Services, each port that leads to another one of the pod: the runs' names lead to the pod
    // itself, which does not answer there. `pod`: the spec of the pod.
    std::vector<std::string> ports_led_elsewhere(const KubeObjectRef& workload, const Value* labels,
                                                 const Value& pod) const;

    // What a ConfigMap or Secret holds, with the scenario's values over it. Absent: `at` was told that it has
    // to be given, unless it is optional. `name_space`: of the workload that asks.
    std::optional<Contents> contents(std::string_view kind, const std::string& name,
                                     const std::string& name_space, bool optional, const KubeValues& values,
                                     const Value& at, const Context& context) const;

  private:
    // The Services of its namespace that select it.
    std::vector<const KubeObjectRef*> services_of(const KubeObjectRef& workload, const Value* labels) const;
    void read_file(const ManifestFile& file, const Context& scenario);
    void add(const ValuePtr& value, const Context& context);
    // Those of this kind and name that a workload of `name_space` means.
    std::vector<const KubeObjectRef*> named(std::string_view kind, const std::string& name,
                                            const std::string& name_space) const;

    struct File {
        Problems problems;
        std::string path;
        std::unique_ptr<Context> context;
        File(const std::string& name, std::string where) : problems(name), path(std::move(where)) {}
    };
    std::vector<std::unique_ptr<File>> files_;
    std::vector<KubeObjectRef> objects_;
    const Context& scenario_;
};

}  // namespace rogate::spec
