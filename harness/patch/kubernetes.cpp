// Kubernetes manifests: volumeMounts of one container, the pod's volumes, the container's securityContext.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "patch/capabilities.hpp"
#include "patch/environment.hpp"
#include "patch/job.hpp"
#include "patch/reach.hpp"
#include "patch/volume_entry.hpp"

namespace rogate::patch {

namespace {

struct Workload {
    OpenFile* file = nullptr;
    NodePtr document, pod;  // pod: the pod's spec
    std::string kind, name;
};

NodePtr at(NodePtr node, std::initializer_list<std::string_view> path) {
    for (const std::string_view key : path) {
        const Found found = find(node, key);
        if (!found) return nullptr;
        node = found.pair->value;
    }
    return resolved(node);
}

NodePtr pod_spec(const NodePtr& object, const std::string& kind) {
    if (kind == "Pod") return at(object, {"spec"});
    if (kind == "CronJob") return at(object, {"spec", "jobTemplate", "spec", "template", "spec"});
    return at(object, {"spec", "template", "spec"});
}

void collect(OpenFile& file, const NodePtr& object, std::vector<Workload>& found) {
    if (resolved(object)->kind != Node::Kind::mapping) return;
    const std::string kind = text_of(object, "kind");
    if (const NodePtr items = at(object, {"items"}); items && kind.ends_with("List"))
        for (const NodePtr& item : items->items) collect(file, item, found);
    const NodePtr pod = pod_spec(object, kind);
    const NodePtr metadata = at(object, {"metadata"});
    if (pod && pod->kind == Node::Kind::mapping && find(pod, "containers") && metadata)
        found.push_back({&file, resolved(object), pod, kind, text_of(metadata, "name")});
}

// 67108864 -> "64Mi"
std::string quantity(const std::string& bytes) {
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), n);
    if (error != std::errc() || n == 0) return "";
    const std::string_view unit(end, static_cast<std::size_t>(bytes.data() + bytes.size() - end));
    if (unit == "k" || unit == "K")
        n <<= 10U;
    else if (unit == "m" || unit == "M")
        n <<= 20U;
    else if (unit == "g" || unit == "G")
        n <<= 30U;
    else if (!unit.empty())
        return "";
    for (const auto& [shift, name] : {std::pair(30U, "Gi"), std::pair(20U, "Mi"), std::pair(10U, "Ki")})
        if (n % (1ULL << shift) == 0) return std::to_string(n >> shift) + name;
    return std::to_string(n);
}

bool is_true(const std::string& text) {
    return text == "true" || text == "True" || text == "TRUE";
}

// Volumes of these kinds take no writes whatever the mount says.
constexpr std::string_view read_only_kinds[] = {"configMap", "secret", "projected", "downwardAPI"};

class Kubernetes {
  public:
    explicit Kubernetes(Job& job) : job_(job) {}
    void run() {
        if (!choose_workload() || !choose_container()) return;
        for (const std::string& target : job_.result.recommendation.read_only)
            if (target == "/")
                root();
            else
                read_only(target);
        for (const WritablePath& writable : job_.result.recommendation.writable) add(writable);
        add_lists();
        set_container_env(job_, file(), container_, who(), sharing_);
        set_container_capabilities(job_, file(), container_, who(), sharing_);
    }

  private:
    bool choose_workload();
    bool choose_container();
    NodePtr mount_item(const std::string& path);
    void root();
    void read_only(const std::string& target);
    void add(const WritablePath& writable);
    void fill_from_image(const std::string& volume, const std::string& path);
    void add_lists();
    void append(const NodePtr& mapping, const std::string& key, const std::vector<NodePtr>& values,
                std::string_view behind);
    NodePtr volume(const std::string& name) const;
    bool has_claim_template(const std::string& name) const;
    bool may_change(const Node& node, const std::string& what);
    OpenFile& file() { return *workload_.file; }
    std::string who() const {
        return fmt::format("container '{}' of {}/{}", container_name_, workload_.kind, workload_.name);
    }

    Job& job_;
    Workload workload_;
    NodePtr container_;
    std::string container_name_;
    Sharing sharing_;
    std::vector<NodePtr> volumes_, mounts_, init_containers_;  // to be added
    std::vector<std::string> names_;                           // of volumes, taken
};

bool Kubernetes::choose_workload() {
    std::vector<Workload> all, fitting;
    for (const auto& each : job_.files)
        if (each->primary)
            for (const NodePtr& root : each->document.roots) collect(*each, root, all);
    const std::string& wanted = job_.request.name;
    for (const Workload& each : all)
        if (wanted.empty() || wanted == each.name || wanted == each.kind + "/" + each.name)
            fitting.push_back(each);
    if (fitting.size() > 1) {
        // The same name in two namespaces: the place of a mount says which.
        std::erase_if(fitting, [&](const Workload& each) {
            return std::ranges::none_of(job_.result.mounts, [&](const MountResult& mount) {
                const std::size_t place = offset_of(each.file->document.text, mount.mount.declared.line,
                                                    mount.mount.declared.column);
                return same_name(mount.mount.declared.file, each.file->document.file) && place != nowhere &&
                       place >= each.document->begin && place < each.document->end;
            });
        });
        if (fitting.size() != 1) fitting.clear();
    }
    if (fitting.size() == 1) {
        workload_ = fitting.front();
        return true;
    }
    std::string names;
    for (const Workload& each : all)
        names += fmt::format("{}{}/{} ({})", names.empty() ? "" : ", ", each.kind, each.name,
                             place(each.file->document, each.document->begin));
    job_.refuse(names.empty()
                    ? "no workload with containers in the files given; name the manifest with --file"
                    : fmt::format("which workload is {}? Give --service with one of: {}",
                                  wanted.empty() ? "it" : "'" + wanted + "'", names));
    return false;
}

bool Kubernetes::choose_container() {
    std::vector<NodePtr> all;
    std::string names;
    for (const char* key : {"containers", "initContainers"}) {
        const NodePtr list = at(workload_.pod, {key});
        if (!list) continue;
        for (const NodePtr& item : list->items) {
            const NodePtr& node = resolved(item);
            if (node->kind != Node::Kind::mapping) continue;
            const std::string name = text_of(node, "name");
            names += (names.empty() ? "" : ", ") + name;
            if (job_.request.container.empty() ? std::string_view(key) == "containers"
                                               : name == job_.request.container)
                all.push_back(node);
            else
                reach(node, sharing_.others["container " + name]);
        }
    }
    if (all.size() != 1) {
        job_.refuse(file(), *workload_.pod,
                    fmt::format("which container of {}/{} is it? Give --container with one of: {}",
                                workload_.kind, workload_.name, names));
        return false;
    }
    container_ = all.front();
    container_name_ = text_of(container_, "name");
    // Anchors reach across all workloads of one document (a List).
    std::vector<Workload> rest;
    for (const NodePtr& root : file().document.roots) collect(file(), root, rest);
    for (const Workload& each : rest)
        if (each.pod != workload_.pod) reach(each.pod, sharing_.others[each.kind + "/" + each.name]);
    if (const NodePtr list = at(workload_.pod, {"volumes"}))
        for (const NodePtr& item : list->items) names_.push_back(text_of(item, "name"));
    return true;
}

bool Kubernetes::may_change(const Node& node, const std::string& what) {
    const std::string with = sharing_.with(node);
    if (with.empty()) return true;
    if (job_.request.change_shared) {
        job_.note(fmt::format("{}: {} is changed for {} too, which was not run with it",
                              place(file().document, node.begin), what, with));
        return true;
    }
    job_.refuse(
        file(), node,
        fmt::format(
            "{} is shared with {} by an anchor or merge key; write it for {} alone by hand, or give --shared",
            what, with, who()));
    return false;
}

NodePtr Kubernetes::mount_item(const std::string& path) {
    const NodePtr list = at(container_, {"volumeMounts"});
    NodePtr found;
    if (!list) return nullptr;
    for (const NodePtr& item : list->items) {
        if (normalised(text_of(item, "mountPath")) != path) continue;
        if (found) {
            job_.refuse(file(), *item, fmt::format("a second volumeMount on {}; keep one of the two", path));
            return found;
        }
        found = resolved(item);
    }
    return found;
}

void Kubernetes::root() {
    const Found context = find(container_, "securityContext");
    const NodePtr value = context ? resolved(context.pair->value) : nullptr;
    if (value && is_true(text_of(value, "readOnlyRootFilesystem"))) return;
    if (value && value->kind == Node::Kind::mapping) {
        if (may_change(*value, "the securityContext"))
            job_.take(file().editor->set_literal(*value, "readOnlyRootFilesystem", "true"));
        return;
    }
    NodePtr yes = make_scalar("true");
    yes->style = 'L';
    Node& owner = context ? *context.owner : *container_;
    auto pairs = security_context_of(job_.result.recommendation);
    pairs.insert(pairs.begin(), {"readOnlyRootFilesystem", yes});
    if (may_change(owner, "the securityContext"))
        job_.take(file().editor->add(owner, "securityContext", make_mapping(std::move(pairs))));
}

void Kubernetes::read_only(const std::string& target) {
    if (const NodePtr item = mount_item(target)) {
        const std::string said = text_of(item, "readOnly");
        if (is_true(said)) return;
        if (may_change(*item, "the volumeMount on " + target))
            job_.take(file().editor->set_literal(*item, "readOnly", "true"));
        return;
    }
    const Mount* mount = job_.mount(target);
    if (mount != nullptr && mount->read_only) return;
    if (mount != nullptr && mount->type == MountType::anonymous)
        return job_.refuse(
            file(), *container_,
            fmt::format(
                "{} is a VOLUME of the image of {}: Kubernetes has no read-only form of it that keeps "
                "what the image has there; leave {} out of the image's VOLUME, or mount a volume of "
                "your own on it with readOnly: true",
                target, who(), target));
    job_.refuse(
        file(), *container_,
        fmt::format("{} has no volumeMount on {}; the file has changed since the run", who(), target));
}

NodePtr Kubernetes::volume(const std::string& name) const {
    const NodePtr list = at(workload_.pod, {"volumes"});
    if (list)
        for (const NodePtr& item : list->items)
            if (text_of(item, "name") == name) return resolved(item);
    return nullptr;
}

bool Kubernetes::has_claim_template(const std::string& name) const {
    const NodePtr list = at(workload_.document, {"spec", "volumeClaimTemplates"});
    return list && std::ranges::any_of(list->items, [&](const NodePtr& item) {
               const NodePtr metadata = at(item, {"metadata"});
               return metadata && text_of(metadata, "name") == name;
           });
}

void Kubernetes::add(const WritablePath& writable) {
    if (const NodePtr item = mount_item(writable.path)) {
        if (is_true(text_of(item, "readOnly")))
            job_.refuse(file(), *item,
                        fmt::format("{} has to be writable, and is mounted read-only here", writable.path));
        return;
    }
    const NodePtr parent = mount_item(writable.mount);
    const std::string parent_name = parent ? text_of(parent, "name") : "";
    const NodePtr parent_volume = volume(parent_name);
    const bool holds_data = parent && (parent_volume || has_claim_template(parent_name)) &&
                            !find(parent, "subPathExpr") &&
                            std::ranges::none_of(read_only_kinds, [&](std::string_view kind) {
                                return parent_volume && find(parent_volume, kind);
                            });
    if (writable.as != WritableAs::tmpfs && holds_data && writable.path.starts_with(writable.mount + "/")) {
        // The same volume again, writable, at the directory that it is about: the data stay where they are.
        const std::string below = writable.path.substr(writable.mount.size() + 1);
        const std::string sub = text_of(parent, "subPath");
        mounts_.push_back(make_mapping({{"name", make_scalar(parent_name)},
                                        {"mountPath", make_scalar(writable.path)},
                                        {"subPath", make_scalar(sub.empty() ? below : sub + "/" + below)}}));
        return;
    }
    if (writable.as == WritableAs::subpath)
        return job_.refuse(
            file(), *container_,
            fmt::format("{} has data, and which volume has them cannot be told from this file; mount the "
                        "directory of it on {} by hand",
                        writable.path, writable.path));
    const std::string name = volume_name(container_name_, writable.path, '-', names_);
    names_.push_back(name);
    mounts_.push_back(make_mapping({{"name", make_scalar(name)}, {"mountPath", make_scalar(writable.path)}}));
    NodePtr empty = make_mapping({});
    if (writable.as == WritableAs::tmpfs) {
        empty = make_mapping({{"medium", make_scalar("Memory")}});
        for (const std::string& option : split_outside(writable.tmpfs_options, ','))
            if (const std::string size = option.starts_with("size=") ? quantity(option.substr(5)) : "";
                !size.empty())
                empty->pairs.push_back({make_scalar("sizeLimit"), make_scalar(size)});
        // A run of a manifest had what an emptyDir is.
        const std::string group = "mode=2777,gid=";
        const bool same =
            writable.tmpfs_options == "mode=0777,exec" ||
            (writable.tmpfs_options.starts_with(group) && writable.tmpfs_options.ends_with(",exec"));
        if (!same && (writable.tmpfs_options.find("mode=") != std::string::npos ||
                      writable.tmpfs_options.find("uid=") != std::string::npos))
            job_.note(
                fmt::format("the run had {} as a tmpfs with {}; an emptyDir has mode 0777 and the group of "
                            "fsGroup instead",
                            writable.path, writable.tmpfs_options));
    } else {
        job_.note(fmt::format(
            "what is written to {} has to outlive a restart of the application: the emptyDir added for it "
            "lives as long as the pod; if it has to outlive that, take a PersistentVolumeClaim in its place",
            writable.path));
        if (writable.from_image) fill_from_image(name, writable.path);
    }
    volumes_.push_back(make_mapping({{"name", make_scalar(name)}, {"emptyDir", empty}}));
}

// The run had a volume that began with the image's files, owner and mode; an emptyDir begins empty, root's
// and open to everybody.
void Kubernetes::fill_from_image(const std::string& volume, const std::string& path) {
    const std::string image = text_of(container_, "image");
    if (image.empty())
        return job_.refuse(file(), *container_,
                           fmt::format("{} has to begin with what the image has there, and {} names no image "
                                       "that an init container could copy it from; add one by hand",
                                       path, who()));
    constexpr const char* there = "/rogate-volume";
    auto command = std::make_shared<Node>();
    command->kind = Node::Kind::sequence;
    command->made = true;
    for (const std::string& word : {std::string("cp"), std::string("-a"), path + "/.", std::string(there)})
        command->items.push_back(make_scalar(word));
    auto mounts = std::make_shared<Node>();
    mounts->kind = Node::Kind::sequence;
    mounts->made = true;
    mounts->items.push_back(make_mapping({{"name", make_scalar(volume)}, {"mountPath", make_scalar(there)}}));
    NodePtr root = make_scalar("0"), no = make_scalar("false");
    root->style = no->style = 'L';
    init_containers_.push_back(
        make_mapping({{"name", make_scalar("fill-" + volume)},
                      {"image", make_scalar(image)},
                      {"command", command},
                      {"securityContext", make_mapping({{"runAsUser", root}, {"runAsNonRoot", no}})},
                      {"volumeMounts", mounts}}));
    job_.note(
        fmt::format("{} begins with the files, owner and mode that the image has there: the init container "
                    "fill-{} copies them as root, which takes `cp` in the image, and a pod security that "
                    "lets it",
                    path, volume));
}

void Kubernetes::append(const NodePtr& mapping, const std::string& key, const std::vector<NodePtr>& values,
                        std::string_view behind) {
    if (values.empty()) return;
    const Found found = find(mapping, key);
    const NodePtr list = found ? resolved(found.pair->value) : nullptr;
    if (list && list->kind == Node::Kind::sequence) {
        if (may_change(*list, "'" + key + "'")) job_.take(file().editor->append(*list, values));
        return;
    }
    auto fresh = std::make_shared<Node>();
    fresh->kind = Node::Kind::sequence;
    fresh->made = true;
    fresh->items = values;
    Node& owner = found ? *found.owner : *mapping;
    if (may_change(owner, "'" + key + "'")) job_.take(file().editor->add(owner, key, fresh, behind));
}

void Kubernetes::add_lists() {
    append(container_, "volumeMounts", mounts_, "");
    // The pod's own list is the pod's: other containers see no more of it than they mount.
    for (auto& [name, seen] : sharing_.others)
        if (const NodePtr list = at(workload_.pod, {"volumes"}); list && name.starts_with("container "))
            seen.erase(list.get());
    append(workload_.pod, "volumes", volumes_, "");
    append(workload_.pod, "initContainers", init_containers_, "");
}

}  // namespace

void patch_kubernetes(Job& job) {
    Kubernetes(job).run();
}

}  // namespace rogate::patch
