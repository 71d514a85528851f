#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "spec/kube_pod.hpp"

namespace rogate::spec {

namespace {

// Sources that a cluster would mount from elsewhere: their data are asked for, as a claim's are.
constexpr std::string_view remote_sources[] = {"nfs",
                                               "csi",
                                               "iscsi",
                                               "cephfs",
                                               "rbd",
                                               "awsElasticBlockStore",
                                               "azureDisk",
                                               "azureFile",
                                               "gcePersistentDisk",
                                               "flexVolume",
                                               "fc",
                                               "glusterfs",
                                               "cinder",
                                               "flocker",
                                               "gitRepo",
                                               "image",
                                               "portworxVolume",
                                               "photonPersistentDisk",
                                               "quobyte",
                                               "scaleIO",
                                               "storageos",
                                               "vsphereVolume"};
// Whatever comes from them, the containers can only read.
constexpr std::string_view read_only_sources[] = {"image"};

// Where a token of a service account would be. It has the form of one, so that a client can be made of it,
// and opens nothing.
constexpr const char* token_of_nobody =
    "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0."
    "eyJpc3MiOiJyb2dhdGUiLCJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6ZGVmYXVsdDpub2JvZHkifQ."
    "bm90LWEtc2lnbmF0dXJl\n";

class VolumeReader {
  public:
    explicit VolumeReader(const KubePod& pod) : pod_(pod), context_(pod.context) {}

    KubeVolume read(const Value& value, const std::string& name);
    KubeVolume claim(const std::string& asked, const std::string& name, const Value& at) const;

  private:
    void empty_dir(const Value& source, KubeVolume& made) const;
    void host_path(const Value& source, KubeVolume& made) const;
    void keys_of(const Value& source, std::string_view kind, const char* name_field, std::uint32_t mode,
                 std::vector<PodFile>& files) const;
    void fields_of(const Value& source, std::uint32_t mode, std::vector<PodFile>& files) const;
    void made_up(const Value& source, std::string_view what, std::string content, std::uint32_t mode,
                 std::vector<PodFile>& files) const;
    void projected(const Value& source, std::vector<PodFile>& files) const;
    std::uint32_t mode_of(const KubeObject& object, const char* field, std::uint32_t otherwise) const;
    std::optional<std::string> path_of(const KubeObject& item) const;

    const KubePod& pod_;
    const Context& context_;
};

std::uint32_t VolumeReader::mode_of(const KubeObject& object, const char* field,
                                    std::uint32_t otherwise) const {
    const Value* value = object.get(field);
    if (value == nullptr) return otherwise;
    return read_notation(*value, fmt::format("'{}'", field), context_, parse_file_mode).value_or(otherwise);
}

std::optional<std::string> VolumeReader::path_of(const KubeObject& item) const {
    const Value* value = item.get("path");
    if (value != nullptr) return read_notation(*value, "'path'", context_, parse_sub_path);
    context_.problem(item.value(),
                     fmt::format("{} has no 'path'; write the file's name in the volume", item.where()));
    return std::nullopt;
}

void VolumeReader::empty_dir(const Value& source, KubeVolume& made) const {
    made.volume.kind = PodVolume::Kind::empty;
    const KubeObject object(source, "'emptyDir'", {"medium", "sizeLimit"}, {}, context_);
    const std::string medium = object.text("medium").value_or("");
    std::optional<std::int64_t> size;
    if (const Value* limit = object.get("sizeLimit"))
        size = read_notation(*limit, "'sizeLimit'", context_, parse_quantity);
    if (medium.empty()) return;
    if (medium != "Memory") {
        context_.problem(
            *object.get("medium"),
            fmt::format("medium {} is not supported; there is Memory, or none", in_quotes(medium)));
        return;
    }
    // As the kubelet makes it: for everybody, and programs may run from it (Docker's default is noexec).
    std::string options = pod_.peers.fs_group ? fmt::format("mode=2777,gid={},exec", *pod_.peers.fs_group)
                                              : std::string("mode=0777,exec");
    if (size) options += fmt::format(",size={}", *size);
    made.tmpfs = std::move(options);
}

void VolumeReader::host_path(const Value& source, KubeVolume& made) const {
    const KubeObject object(source, "'hostPath'", {"path", "type"}, {}, context_);
    made.volume.kind = PodVolume::Kind::data;
    made.volume.data.type = MountType::bind;
    const Value* path = object.get("path");
    if (path == nullptr) {
        context_.problem(source, "'hostPath' has no 'path'; write a path on the engine's host");
        return;
    }
    // The kubelet and the runtime make a missing directory, unless the type says what has to be there.
    const std::string type = object.text("type").value_or("");
    made.volume.data.made_if_missing = type.empty() || type == "DirectoryOrCreate";
    made.volume.data.source = read_notation(*path, "'path'", context_, parse_container_path).value_or("");
}

void VolumeReader::keys_of(const Value& source, std::string_view kind, const char* name_field,
                           std::uint32_t mode, std::vector<PodFile>& files) const {
    const KubeObject object(source, fmt::format("the volume's {}", kind),
                            {name_field, "items", "defaultMode", "optional"}, {}, context_);
    const std::string name = object.text(name_field).value_or("");
    const bool optional = object.flag("optional");
    mode = mode_of(object, "defaultMode", mode);
    const auto contents =
        pod_.objects.contents(kind, name, pod_.name_space, optional, pod_.values, source, context_);
    if (!contents) return;
    if (kind == "Secret")
        for (const auto& [key, text] : *contents) pod_.secret(text);
    if (object.get("items") == nullptr) {
        for (const auto& [key, text] : *contents) files.push_back({key, text, mode});
        return;
    }
    for (const ValuePtr& item : object.list("items")) {
        const KubeObject entry(*item, "an entry of 'items'", {"key", "path", "mode"}, {}, context_);
        const std::string key = entry.text("key").value_or("");
        const auto path = path_of(entry);
        const auto found = contents->find(key);
        if (found != contents->end() && path)
            files.push_back({*path, found->second, mode_of(entry, "mode", mode)});
        else if (found == contents->end() && !optional && path && pod_.values.placeholders) {
            pod_.values.made_up_key(kind, name, key, *item, context_);
            files.push_back({*path, placeholder, mode_of(entry, "mode", mode)});
        } else if (found == contents->end() && !optional)
            context_.problem(*item, fmt::format("{} {} has no key {}; give it in the scenario, under "
                                                "subject.kubernetes.values: {}: {{{}: {{{}: text}}}}",
                                                kind, in_quotes(name), in_quotes(key),
                                                kind == "Secret" ? "secrets" : "configMaps", name, key));
    }
}

void VolumeReader::fields_of(const Value& source, std::uint32_t mode, std::vector<PodFile>& files) const {
    const KubeObject object(source, "'downwardAPI'", {"items", "defaultMode"}, {}, context_);
    mode = mode_of(object, "defaultMode", mode);
    for (const ValuePtr& item : object.list("items")) {
        const KubeObject entry(*item, "an entry of 'items'", {"path", "fieldRef", "resourceFieldRef", "mode"},
                               {}, context_);
        const auto path = path_of(entry);
        std::optional<std::string> text;
        if (const Value* ref = entry.get("fieldRef")) text = kube_field_ref(*ref, pod_);
        if (const Value* ref = entry.get("resourceFieldRef")) text = kube_resource_ref(*ref, nullptr, pod_);
        if (path && text) files.push_back({*path, *text, mode_of(entry, "mode", mode)});
    }
}

void VolumeReader::made_up(const Value& source, std::string_view what, std::string content,
                           std::uint32_t mode, std::vector<PodFile>& files) const {
    const KubeObject object(
        source, fmt::format("the volume's {}", what), {"path"},
        {"audience", "expirationSeconds", "name", "signerName", "labelSelector", "optional"}, context_);
    const auto path = path_of(object);
    if (!path) return;
    context_.note(source, fmt::format("{} is a cluster's to give; the runs have a file that is made up at {}",
                                      what, in_quotes(*path)));
    files.push_back({*path, std::move(content), mode});
}

void VolumeReader::projected(const Value& source, std::vector<PodFile>& files) const {
    const KubeObject object(source, "'projected'", {"sources", "defaultMode"}, {}, context_);
    const std::uint32_t mode = mode_of(object, "defaultMode", 0644);
    for (const ValuePtr& item : object.list("sources")) {
        const KubeObject entry(
            *item, "an entry of 'sources'",
            {"configMap", "secret", "downwardAPI", "serviceAccountToken", "clusterTrustBundle"}, {},
            context_);
        if (const Value* each = entry.get("configMap")) keys_of(*each, "ConfigMap", "name", mode, files);
        if (const Value* each = entry.get("secret")) keys_of(*each, "Secret", "name", mode, files);
        if (const Value* each = entry.get("downwardAPI")) fields_of(*each, mode, files);
        if (const Value* each = entry.get("serviceAccountToken"))
            made_up(*each, "a token of a service account", token_of_nobody, mode, files);
        if (const Value* each = entry.get("clusterTrustBundle"))
            made_up(*each, "a bundle of certificates", "", mode, files);
    }
}

KubeVolume VolumeReader::claim(const std::string& asked, const std::string& name, const Value& at) const {
    KubeVolume made;
    made.volume.name = name;
    auto given = pod_.values.claims.find(asked);
    if (given == pod_.values.claims.end()) {
        given = pod_.values.claims.find("*");
        if (pod_.values.made_up != nullptr) pod_.values.made_up->claims.insert(asked);
    }
    if (given == pod_.values.claims.end()) {
        context_.problem(
            at, fmt::format("the data of {} are in a cluster; give them in the scenario, under "
                            "subject.kubernetes.values: claims: {{{}: ./fixture}} (or a volume of the "
                            "engine, or 'empty'; claims: {{\"*\": empty}} for all)",
                            in_quotes(asked), asked));
        return made;
    }
    const auto& [source, place] = given->second;
    made.volume.kind = PodVolume::Kind::data;
    made.volume.for_group = true;
    if (source == "empty") {
        made.volume.kind = PodVolume::Kind::empty;
        made.volume.mode = pod_.peers.fs_group ? 0775 : 0777;
    } else if (source.find('/') == std::string::npos && source.front() != '.') {
        made.volume.data.type = MountType::volume;
        made.volume.data.source = source;
    } else {
        made.volume.data.type = MountType::bind;
        std::filesystem::path path =
            (std::filesystem::path(pod_.scenario.folder) / source).lexically_normal();
        made.volume.data.source =
            path.has_filename() || path == "/" ? path.string() : path.parent_path().string();
    }
    return made;
}

KubeVolume VolumeReader::read(const Value& value, const std::string& name) {
    KubeVolume made;
    made.volume.name = name;
    for (const auto& [key, source] : value.pairs) {
        const std::string& kind = key->text;
        if (kind == "name") continue;
        if (kind == "emptyDir" && source->kind == Value::Kind::null) continue;
        const auto files = [&] {
            made.volume.kind = PodVolume::Kind::files;
            made.read_only = true;
            return &made.volume.files;
        };
        if (kind == "emptyDir")
            empty_dir(*source, made);
        else if (kind == "configMap")
            keys_of(*source, "ConfigMap", "name", 0644, *files());
        else if (kind == "secret")
            keys_of(*source, "Secret", "secretName", 0644, *files());
        else if (kind == "downwardAPI")
            fields_of(*source, 0644, *files());
        else if (kind == "projected")
            projected(*source, *files());
        else if (kind == "hostPath")
            host_path(*source, made);
        else if (kind == "ephemeral")
            made.volume.mode = pod_.peers.fs_group ? 0775 : 0777;
        else if (kind == "persistentVolumeClaim") {
            const KubeObject object(*source, "'persistentVolumeClaim'", {"claimName", "readOnly"}, {},
                                    context_);
            made = claim(object.text("claimName").value_or(""), name, *source);
            made.claim = object.text("claimName").value_or("");
            made.read_only = object.flag("readOnly");
        } else if (std::ranges::find(remote_sources, kind) != std::end(remote_sources)) {
            made = claim(name, name, *key);
            made.read_only = kube_text(*source, "readOnly") == "true" ||
                             std::ranges::find(read_only_sources, kind) != std::end(read_only_sources);
        } else {
            context_.problem(*key,
                             fmt::format("a volume from {} is not supported; leave it out of a copy of the "
                                         "manifest, or write the subject without the manifest",
                                         in_quotes(kind)));
        }
    }
    return made;
}

}  // namespace

std::map<std::string, KubeVolume> read_kube_volumes(const KubeObject& spec, const Value* claim_templates,
                                                    const std::set<std::string>& used, const KubePod& pod) {
    std::map<std::string, KubeVolume> volumes;
    VolumeReader reader(pod);
    if (claim_templates != nullptr)
        for (const ValuePtr& item : claim_templates->items) {
            const Value* metadata = kube_field(*item, "metadata");
            const std::string name = metadata == nullptr ? "" : kube_text(*metadata, "name");
            if (!used.contains(name)) continue;
            volumes[name] = reader.claim(name, name, *item);
            volumes[name].claim = name + "-" + pod.fields.at("metadata.name");
        }
    for (const ValuePtr& item : spec.list("volumes")) {
        const std::string name = kube_text(*item, "name");
        if (!used.contains(name)) continue;
        if (volumes.contains(name))
            pod.context.problem(
                *item, fmt::format("volume {} is declared twice; keep one of the two", in_quotes(name)));
        else
            volumes[name] = reader.read(*item, name);
    }
    return volumes;
}

}  // namespace rogate::spec
