#include <map>

#include "audit/readers.hpp"

namespace rogate::audit {

using spec::Value;

namespace {

struct Volume {
    MountType type = MountType::volume;
    std::string source;
    bool read_only = false;  // whatever the container says
};

// Secrets, config maps, downward and projected volumes are mounted read-only (since Kubernetes 1.9.6).
Volume volume_of(const Value& value) {
    for (const auto& [key, what] : value.pairs) {
        const std::string& kind = key->text;
        if (kind == "name") continue;
        if (kind == "hostPath") return {MountType::bind, text_of(member(what.get(), "path")), false};
        if (kind == "emptyDir")
            return {
                text_of(member(what.get(), "medium")) == "Memory" ? MountType::tmpfs : MountType::anonymous,
                "emptyDir", false};
        if (kind == "persistentVolumeClaim")
            return {MountType::volume, text_of(member(what.get(), "claimName")),
                    is_true(member(what.get(), "readOnly"))};
        if (kind == "configMap" || kind == "secret" || kind == "downwardAPI" || kind == "projected")
            return {MountType::volume, kind, true};
        return {MountType::volume, kind, is_true(member(what.get(), "readOnly"))};
    }
    return {};
}

// Where the pod is in each kind of object that has one.
const Value* pod_of(const Value& object) {
    const Value* spec = member(&object, "spec");
    if (text_of(member(&object, "kind")) == "Pod") return spec;
    if (const Value* job = member(spec, "jobTemplate")) spec = member(job, "spec");
    return member(member(spec, "template"), "spec");
}

void read_container(const Value& container, const std::map<std::string, Volume>& volumes,
                    const Source& source, Found about, Audit& audit) {
    about.container = text_of(member(&container, "name"));
    about.image = text_of(member(&container, "image"));
    if (const Value* mounts = member(&container, "volumeMounts"))
        for (const spec::ValuePtr& each : mounts->items) {
            const auto volume = volumes.find(text_of(member(each.get(), "name")));
            Found found = about;
            found.mount.declared = source.place(*each);
            found.mount.target = text_of(member(each.get(), "mountPath"));
            if (found.mount.target.size() > 1 && found.mount.target.ends_with('/'))
                found.mount.target.pop_back();
            found.mount.read_only = is_true(member(each.get(), "readOnly"));
            // A StatefulSet's volumeClaimTemplates are volumes by their name alone.
            found.mount.type = MountType::volume;
            found.mount.source = text_of(member(each.get(), "name"));
            if (volume != volumes.end()) {
                found.mount.type = volume->second.type;
                found.mount.source = volume->second.source;
                found.mount.read_only = found.mount.read_only || volume->second.read_only;
            }
            if (found.mount.target.starts_with('/')) audit.mounts.push_back(std::move(found));
        }
    const Value* read_only = member(member(&container, "securityContext"), "readOnlyRootFilesystem");
    about.mount.type = MountType::rootfs;
    about.mount.target = "/";
    about.mount.read_only = is_true(read_only);
    about.mount.declared = source.place(read_only != nullptr ? *read_only : container);
    audit.mounts.push_back(std::move(about));
}

}  // namespace

void read_kubernetes(const Value& root, const Source& source, Audit& audit) {
    if (text_of(member(&root, "kind")).ends_with("List")) {
        if (const Value* items = member(&root, "items"))
            for (const spec::ValuePtr& each : items->items) read_kubernetes(*each, source, audit);
        return;
    }
    const Value* pod = pod_of(root);
    if (pod == nullptr) return;
    std::map<std::string, Volume> volumes;
    if (const Value* list = member(pod, "volumes"))
        for (const spec::ValuePtr& each : list->items)
            volumes.emplace(text_of(member(each.get(), "name")), volume_of(*each));
    Found about;
    about.kind = "kubernetes";
    about.read_from = source.file;
    about.name = text_of(member(&root, "kind")) + "/" + text_of(member(member(&root, "metadata"), "name"));
    for (const std::string_view key : {"initContainers", "containers"})
        if (const Value* list = member(pod, key))
            for (const spec::ValuePtr& each : list->items)
                read_container(*each, volumes, source, about, audit);
}

}  // namespace rogate::audit
