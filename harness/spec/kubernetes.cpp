#include "spec/kubernetes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "spec/compose_project.hpp"
#include "spec/kube_pod.hpp"
#include "spec/system.hpp"
#include "spec/without.hpp"

namespace rogate::spec {

namespace {

const KubeObject::Names container_read = {"name",         "image",           "command",       "args",
                                          "workingDir",   "ports",           "env",           "envFrom",
                                          "volumeMounts", "readinessProbe",  "livenessProbe", "startupProbe",
                                          "lifecycle",    "securityContext", "restartPolicy", "tty",
                                          "stdin"};
// What only the cluster looks at, and what changes nothing that a mount could show.
const KubeObject::Names container_harmless = {
    "resources", "resizePolicy", "terminationMessagePath", "imagePullPolicy", "terminationMessagePolicy",
    "stdinOnce"};
const KubeObject::Names pod_read = {"containers",
                                    "initContainers",
                                    "volumes",
                                    "securityContext",
                                    "hostname",
                                    "terminationGracePeriodSeconds",
                                    "hostNetwork",
                                    "hostPID",
                                    "hostIPC",
                                    "hostAliases",
                                    "shareProcessNamespace"};
const KubeObject::Names pod_harmless = {"activeDeadlineSeconds",
                                        "affinity",
                                        "automountServiceAccountToken",
                                        "dnsConfig",
                                        "dnsPolicy",
                                        "enableServiceLinks",
                                        "imagePullSecrets",
                                        "nodeName",
                                        "nodeSelector",
                                        "os",
                                        "overhead",
                                        "preemptionPolicy",
                                        "priority",
                                        "priorityClassName",
                                        "readinessGates",
                                        "resources",
                                        "restartPolicy",
                                        "runtimeClassName",
                                        "schedulerName",
                                        "schedulingGates",
                                        "serviceAccount",
                                        "serviceAccountName",
                                        "setHostnameAsFQDN",
                                        "subdomain",
                                        "tolerations",
                                        "topologySpreadConstraints"};

struct Listed {
    KubeObject object;
    std::string name;
    bool init = false;     // of initContainers
    bool sidecar = false;  // of initContainers, and goes on
};

// The pod inside of a workload: spec, and the metadata of what the pods are made from.
struct Template {
    const Value* spec = nullptr;
    const Value* metadata = nullptr;
    const Value* claims = nullptr;
};

Template template_of(const KubeObjectRef& workload) {
    Template found;
    const Value* object = workload.value.get();
    const Value* spec = kube_field(*object, "spec");
    if (workload.kind == "CronJob" && spec != nullptr) {
        object = kube_field(*spec, "jobTemplate");
        spec = object == nullptr ? nullptr : kube_field(*object, "spec");
    }
    if (workload.kind != "Pod" && spec != nullptr) {
        if (workload.kind == "StatefulSet") found.claims = kube_field(*spec, "volumeClaimTemplates");
        object = kube_field(*spec, "template");
        spec = object == nullptr ? nullptr : kube_field(*object, "spec");
    }
    found.spec = spec;
    found.metadata = object == nullptr ? nullptr : kube_field(*object, "metadata");
    return found;
}

std::string listed(const Value& labels) {
    std::string text;
    for (const auto& [key, value] : labels.pairs)
        text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : "\n", key->text, value->text);
    return text;
}

// What the files and plain habit tell of the downward API's fields.
Contents fields_of(const KubeObjectRef& workload, const Value& pod, const Value* metadata) {
    Contents fields{{"metadata.namespace", workload.name_space.empty() ? "default" : workload.name_space},
                    {"metadata.name", workload.kind == "Pod" ? workload.name : workload.name + "-0"}};
    for (const auto& [field, key] : {std::pair{"spec.nodeName", "nodeName"},
                                     {"spec.serviceAccountName", "serviceAccount"},
                                     {"spec.serviceAccountName", "serviceAccountName"}})
        if (std::string text = kube_text(pod, key); !text.empty()) fields[field] = std::move(text);
    if (metadata == nullptr) return fields;
    for (const char* kind : {"labels", "annotations"}) {
        const Value* set = kube_field(*metadata, kind);
        if (set == nullptr) continue;
        fields[fmt::format("metadata.{}", kind)] = listed(*set);
        for (const auto& [key, value] : set->pairs)
            fields[fmt::format("metadata.{}['{}']", kind, key->text)] = value->text;
    }
    return fields;
}

// Which container is under test; nothing: each of them.
struct UnderTest {
    std::optional<std::string> container;
    bool ready_is_said = false;
};

class PodReader {
  public:
    PodReader(const KubeObject& spec, const Value* claims, const Origin& origin, std::string short_name,
              System& system, const KubePod& pod)
        : spec_(spec),
          claims_(claims),
          origin_(origin),
          short_name_(std::move(short_name)),
          system_(system),
          pod_(pod),
          context_(pod.context) {}

    // The name of the container that is under test, in the system.
    std::optional<std::string> choose(const std::optional<std::string>& wanted, const Value& at);
    void read(const UnderTest& under_test);

  private:
    void check();
    void list(const char* field);
    void read_volumes();
    void make_up_parts();
    void add_container(const Listed& listed, const UnderTest& under_test);
    void add_mount(const Value& item, const Listed& listed, Subject& subject, std::vector<PodMount>& mounts);
    std::string sub_path(const KubeObject& mount, const Subject& subject) const;
    void check_sub_path(const KubeObject& mount, const KubeVolume& volume, const std::string& path) const;
    bool only_once(const std::string& volume) const;
    RestartPolicy restart_policy() const;

    const KubeObject& spec_;
    const Value* claims_;
    const Origin& origin_;
    std::string short_name_;
    System& system_;
    const KubePod& pod_;
    const Context& context_;
    std::vector<Listed> listed_;
    std::map<std::string, KubeVolume> volumes_;
};

void PodReader::list(const char* field) {
    const bool init = std::string_view(field) == "initContainers";
    for (const ValuePtr& item : spec_.list(field)) {
        const std::string name = kube_text(*item, "name");
        KubeObject object(*item, fmt::format("container {}", in_quotes(name)), container_read,
                          container_harmless, context_);
        const bool sidecar = init && kube_text(*item, "restartPolicy") == "Always";
        listed_.push_back({std::move(object), name, init, sidecar});
    }
}

std::optional<std::string> PodReader::choose(const std::optional<std::string>& wanted, const Value& at) {
    check();
    std::string known;
    const Listed* found = nullptr;
    std::size_t fitting = 0;
    for (const Listed& each : listed_) {
        if (each.init && !each.sidecar) continue;
        known += (known.empty() ? "" : ", ") + each.name;
        if (wanted ? each.name != *wanted : each.sidecar) continue;
        found = &each;
        ++fitting;
    }
    if (fitting == 1) return found->name;
    pod_.scenario.problem(
        at, !wanted
                ? fmt::format("the pod has more than one container; write 'container' with one of: {}", known)
                : fmt::format("the pod has no container {} that goes on running; there are: {}",
                              in_quotes(*wanted), known));
    return std::nullopt;
}

bool PodReader::only_once(const std::string& volume) const {
    int uses = 0;
    for (const Listed& each : listed_)
        for (const ValuePtr& item : each.object.list("volumeMounts"))
            if (kube_text(*item, "name") == volume)
                uses += kube_field(*item, "subPath") == nullptr && kube_field(*item, "subPathExpr") == nullptr
                            ? 1
                            : 2;
    return uses == 1;
}

void PodReader::read_volumes() {
    std::set<std::string> used;
    for (const Listed& each : listed_)
        for (const ValuePtr& item : each.object.list("volumeMounts")) used.insert(kube_text(*item, "name"));
    volumes_ = read_kube_volumes(spec_, claims_, used, pod_);
    if (pod_.values.placeholders) make_up_parts();
    for (const auto& [name, volume] : volumes_) {
        if (!volume.tmpfs || !only_once(name)) pod_.peers.volumes.push_back(volume.volume);
        if (!volume.claim.empty()) pod_.peers.claims.emplace(name, volume.claim);
    }
}

// Files that a container mounts one by one are known by name, whoever has their content.
void PodReader::make_up_parts() {
    for (const Listed& each : listed_)
        for (const ValuePtr& item : each.object.list("volumeMounts")) {
            const auto found = volumes_.find(kube_text(*item, "name"));
            const auto path = parse_sub_path(kube_text(*item, "subPath"));
            if (found == volumes_.end() || found->second.volume.kind != PodVolume::Kind::files || !path ||
                path->empty())
                continue;
            auto& files = found->second.volume.files;
            const bool there = std::ranges::any_of(files, [&](const PodFile& file) {
                return file.path == *path || file.path.starts_with(*path + "/");
            });
            if (there) continue;
            context_.note(*item, fmt::format("{} of volume {} is made up", in_quotes(*path),
                                             in_quotes(found->second.volume.name)));
            files.push_back({*path, placeholder});
        }
}

std::string PodReader::sub_path(const KubeObject& mount, const Subject& subject) const {
    const Value* value = mount.get("subPath") != nullptr ? mount.get("subPath") : mount.get("subPathExpr");
    if (value == nullptr || value->text.empty()) return {};
    const std::string text =
        mount.get("subPath") != nullptr ? value->text : expand_variables(value->text, subject.environment);
    auto path = parse_sub_path(text);
    if (path) return *path;
    context_.problem(*value, path.error());
    return {};
}

// Kubernetes would mount an empty directory there, which is hardly ever meant.
void PodReader::check_sub_path(const KubeObject& mount, const KubeVolume& volume,
                               const std::string& path) const {
    if (path.empty() || volume.volume.kind != PodVolume::Kind::files) return;
    const auto there = std::ranges::any_of(volume.volume.files, [&](const PodFile& file) {
        return file.path == path || file.path.starts_with(path + "/");
    });
    if (!there && context_.problems.empty())
        context_.problem(
            *mount.get(mount.get("subPath") != nullptr ? "subPath" : "subPathExpr"),
            fmt::format("{} is nothing in volume {}; Kubernetes would mount an empty directory here",
                        in_quotes(path), in_quotes(volume.volume.name)));
}

void PodReader::add_mount(const Value& item, const Listed& listed, Subject& subject,
                          std::vector<PodMount>& mounts) {
    const KubeObject object(
        item, fmt::format("a mount of {}", listed.object.where()),
        {"name", "mountPath", "subPath", "subPathExpr", "readOnly", "recursiveReadOnly", "mountPropagation"},
        {}, context_);
    const Value* path = object.get("mountPath");
    const auto target =
        path == nullptr ? std::nullopt : read_notation(*path, "'mountPath'", context_, parse_container_path);
    const std::string name = object.text("name").value_or("");
    if (path == nullptr) context_.problem(item, "a mount has no 'mountPath'; write where the volume goes");
    const auto found = volumes_.find(name);
    if (found == volumes_.end()) {
        const Value* at = object.get("name");
        context_.problem(
            at == nullptr ? item : *at,
            fmt::format("the pod has no volume {}; declare it under 'volumes'", in_quotes(name)));
        return;
    }
    if (!target) return;
    if (std::ranges::any_of(subject.mounts, [&](const Mount& m) { return m.target == *target; })) {
        context_.problem(item, fmt::format("two mounts on {}; keep one of the two", in_quotes(*target)));
        return;
    }
    const KubeVolume& volume = found->second;
    Mount mount;
    mount.target = *target;
    mount.read_only = object.flag("readOnly") || volume.read_only;
    mount.declared = context_.declared(item.place);
    mount.no_copy = true;
    const std::string propagation = object.text("mountPropagation").value_or("None");
    if (propagation == "Bidirectional")
        context_.problem(*object.get("mountPropagation"),
                         "mounts that spread to the host are not supported; leave 'mountPropagation' out");
    if (propagation == "HostToContainer") mount.propagation = "rslave";
    if (volume.tmpfs && only_once(name)) {
        mount.type = MountType::tmpfs;
        mount.tmpfs_options = *volume.tmpfs;
        mount.no_copy = false;
        subject.mounts.push_back(std::move(mount));
        return;
    }
    const std::string sub = sub_path(object, subject);
    check_sub_path(object, volume, sub);
    mount.type = MountType::anonymous;
    if (volume.volume.kind == PodVolume::Kind::files) mount.type = MountType::bind;
    if (volume.volume.kind == PodVolume::Kind::data) {
        mount.type = volume.volume.data.type;
        mount.source = volume.volume.data.source;
    }
    mounts.push_back({mount.target, name, sub, mount.read_only});
    subject.mounts.push_back(std::move(mount));
}

// What is wrong in it is a cluster's to say.
RestartPolicy PodReader::restart_policy() const {
    const std::string policy = spec_.text("restartPolicy").value_or("Always");
    if (policy == "Never") return {};
    return {policy == "OnFailure" ? "on-failure" : "always", 0};
}

void PodReader::add_container(const Listed& each, const UnderTest& under_test) {
    const bool beside = under_test.container && *under_test.container != each.name;
    SystemContainer made;
    made.name = container_name(short_name_, each.name);
    made.pod = pod_.peers.name;
    made.declared = context_.declared(each.object.value().place);
    made.subject = read_kube_container(each.object, spec_.get("securityContext"), pod_);
    made.subject.origin = origin_;
    made.subject.origin.container = each.name;
    made.subject.aliases = pod_.peers.names;
    for (const ValuePtr& item : spec_.list("hostAliases")) {
        const KubeObject alias(*item, "an entry of 'hostAliases'", {"ip", "hostnames"}, {}, context_);
        for (const std::string& name : alias.texts("hostnames"))
            made.subject.extra_hosts.push_back(name + ":" + alias.text("ip").value_or(""));
    }
    // A StatefulSet's programs read their number from it.
    made.subject.hostname = spec_.text("hostname").value_or(pod_.fields.at("metadata.name"));
    made.grace_ms = spec_.integer("terminationGracePeriodSeconds", 0, 86'400).value_or(30) * 1000;
    for (const ValuePtr& item : each.object.list("volumeMounts"))
        add_mount(*item, each, made.subject, made.pod_mounts);
    const Readiness declared = default_readiness(made.subject);
    if (each.init && !each.sidecar) {
        made.role = SystemContainer::Role::init;
        made.ends = true;
        made.readiness.derived = true;
    } else {
        if (each.sidecar) made.role = SystemContainer::Role::sidecar;
        made.ends =
            !each.sidecar && (origin_.name.starts_with("Job/") || origin_.name.starts_with("CronJob/"));
        made.restart = each.sidecar ? RestartPolicy{"always"} : restart_policy();
        if (beside || !under_test.container) read_kube_probes(each.object, made, pod_);
        if (!beside) read_kube_lifecycle(each.object, under_test.ready_is_said, made, pod_);
        if (made.readiness.checks.empty()) made.readiness = declared;
    }
    system_.containers.push_back(std::move(made));
}

void PodReader::check() {
    for (const auto& [field, why] :
         {std::pair{"hostNetwork", "the subject would answer on the host's own ports"},
          {"hostPID", "the subject would see the host's processes"},
          {"hostIPC", "the subject would share the host's memory"},
          {"shareProcessNamespace", "the subject's processes could not be told from its neighbours'"}})
        if (pod_.is_left_out(field) && spec_.get(field) != nullptr && spec_.flag(field))
            context_.note(*spec_.get(field), fmt::format("'{}' of the pod is left out, as asked", field));
        else
            spec_.refuse_if_set(field, why);
    list("initContainers");
    list("containers");
}

void PodReader::read(const UnderTest& under_test) {
    if (!under_test.container) check();
    read_volumes();
    for (const Listed& each : listed_) add_container(each, under_test);
}

void add_ports(const std::vector<Port>& from, std::vector<Port>& to) {
    for (const Port& port : from)
        if (std::ranges::find(to, port) == to.end()) to.push_back(port);
}

std::vector<const Value*> files_of(const Mapping& mapping, const Context& context) {
    std::vector<const Value*> files;
    if (const Value* file = mapping.get("file")) files.push_back(file);
    if (const Value* list = mapping.get("files")) {
        if (list->kind != Value::Kind::sequence)
            context.problem(*list,
                            fmt::format("'files' is {}; write a list (- deployment.yaml)", kind_name(*list)));
        for (const ValuePtr& item : list->items) files.push_back(item.get());
        if (mapping.has("file"))
            context.problems.add(mapping.place_of("files"),
                                 "'file' and 'files' mean the same; write all under 'files'");
    }
    if (files.empty() && !mapping.has("file") && !mapping.has("files"))
        context.problem(mapping.value(),
                        "'kubernetes' has no 'file'; write the manifest that the subject is in");
    return files;
}

std::vector<std::string> left_out(const Mapping& mapping, const Context& context) {
    std::vector<std::string> fields = context.surroundings.without;
    const Value* given = mapping.get("without");
    if (given == nullptr) return fields;
    const auto own = given->kind == Value::Kind::scalar
                         ? std::vector<std::string>{given->text}
                         : read_texts(*given, "'without'", context).value_or(std::vector<std::string>{});
    for (const std::string& field : own) {
        if (!can_be_left_out(field))
            context.problem(*given, fmt::format("{} {}", in_quotes(field), not_left_out));
        fields.push_back(field);
    }
    return fields;
}

// One workload into the system; `choose` picks the container under test, if it is one.
struct WorkloadReader {
    const Context& scenario;
    const KubeObjects& objects;
    const KubeValues& values;
    std::vector<std::string> without;

    // `wanted`: whose container is under test; null: all are. The answer is its name in the system.
    std::string read(const KubeObjectRef& workload, const Mapping* wanted, bool has_ready,
                     System& system) const;
};

std::string WorkloadReader::read(const KubeObjectRef& workload, const Mapping* wanted, bool has_ready,
                                 System& system) const {
    const Template pod = template_of(workload);
    const Context& own = *workload.context;
    if (pod.spec == nullptr) {
        own.problem(*workload.value, fmt::format("{} {} has no pod in its 'spec'; write its containers",
                                                 workload.kind, in_quotes(workload.name)));
        return {};
    }
    SystemPod shared;
    Origin origin;
    origin.kind = Origin::Kind::kubernetes;
    origin.name = workload.kind + "/" + workload.name;
    origin.files = objects.files();
    const std::string short_name = wanted != nullptr ? workload.name : objects.short_name(workload);
    shared.name = std::ranges::count(short_name, '/') > 1
                      ? (workload.name_space.empty() ? "default" : workload.name_space) + "/" + origin.name
                      : origin.name;
    shared.name_space = workload.name_space;
    const Value* labels = pod.metadata == nullptr ? nullptr : kube_field(*pod.metadata, "labels");
    shared.names = objects.service_names(workload, labels);
    for (std::string& each : objects.ports_led_elsewhere(workload, labels, *pod.spec)) {
        scenario.problems.note(each);
        system.unlike_cluster.push_back(std::move(each));
    }
    const KubeObject spec(*pod.spec, "the pod", pod_read, pod_harmless, own);
    if (const Value* security = spec.get("securityContext"))
        if (const Value* group = kube_field(*security, "fsGroup"))
            if (const auto id = read_integer(*group, "'fsGroup'", own, 0, 4'294'967'294))
                shared.fs_group = static_cast<std::uint32_t>(*id);
    const KubePod reading{scenario,
                          own,
                          objects,
                          values,
                          fields_of(workload, *pod.spec, pod.metadata),
                          shared,
                          *pod.spec,
                          workload.name_space,
                          without};
    PodReader reader(spec, pod.claims, origin, short_name, system, reading);
    UnderTest under_test;
    if (wanted != nullptr) {
        const auto container = wanted->line("container");
        under_test.container =
            reader.choose(container, container ? *wanted->get("container") : wanted->value());
        if (!under_test.container) return {};
        under_test.ready_is_said = has_ready;
    }
    reader.read(under_test);
    system.pods.push_back(std::move(shared));
    return under_test.container ? container_name(short_name, *under_test.container) : std::string();
}

// In the words of a scenario's `values`, on one line.
std::string values_block(const MadeUp& made_up) {
    std::vector<std::string> parts;
    for (const auto& [part, all] :
         {std::pair{"secrets", &made_up.secrets}, {"configMaps", &made_up.config_maps}}) {
        if (all->empty()) continue;
        std::vector<std::string> names;
        for (const auto& [name, keys] : *all) {
            std::vector<std::string> entries;
            for (const std::string& key : keys) entries.push_back(fmt::format("{}: {}", key, placeholder));
            names.push_back(fmt::format("{}: {{{}}}", name, fmt::join(entries, ", ")));
        }
        parts.push_back(fmt::format("{}: {{{}}}", part, fmt::join(names, ", ")));
    }
    if (!made_up.claims.empty()) {
        std::vector<std::string> claims;
        for (const std::string& claim : made_up.claims) claims.push_back(claim + ": empty");
        parts.push_back(fmt::format("claims: {{{}}}", fmt::join(claims, ", ")));
    }
    return fmt::format("values: {{{}}}", fmt::join(parts, ", "));
}

}  // namespace

void read_kubernetes(const Value& value, bool has_ready, Scenario& scenario, const Context& context) {
    const Mapping mapping(value, "'kubernetes' of 'subject'", keys::kubernetes, context);
    if (value.kind != Value::Kind::mapping) return;
    KubeValues values;
    if (const Value* given = mapping.get("values")) values = read_kube_values(*given, context);
    const auto files = files_of(mapping, context);
    const KubeObjects objects(manifest_files(files, context), context);
    const auto wanted = mapping.line("workload");
    const Value& at = wanted ? *mapping.get("workload") : value;
    const KubeObjectRef* workload =
        files.empty() || !context.problems.empty() ? nullptr : objects.workload(wanted, at);
    if (workload != nullptr) {
        scenario.subject.origin.kind = Origin::Kind::kubernetes;
        scenario.subject.origin.name = workload->kind + "/" + workload->name;
        scenario.subject.origin.files = objects.files();
        System system;
        const std::string chosen = WorkloadReader{context, objects, values, left_out(mapping, context)}.read(
            *workload, &mapping, has_ready, system);
        if (!chosen.empty()) {
            Scenario made = scenario_of(system, chosen);
            add_ports(scenario.subject.ports, made.subject.ports);
            scenario.subject = std::move(made.subject);
            scenario.pod = std::move(made.pod);
            scenario.probes_beside = std::move(made.probes_beside);
            scenario.readiness = std::move(made.readiness);
            scenario.steps = std::move(made.steps);
            scenario.shutdown.timeout_ms = made.shutdown.timeout_ms;
            scenario.unlike_cluster = std::move(made.unlike_cluster);
        }
    }
    objects.finish(context.problems);
}

namespace {

System read_system(const std::vector<ManifestFile>& files, KubeValues values,
                   const std::vector<std::string>& without, const Context& context) {
    MadeUp made_up;
    values.placeholders = true;
    values.made_up = &made_up;
    values.claims.try_emplace("*", "empty", nullptr);
    const KubeObjects objects(files, context);
    System system;
    system.kind = Origin::Kind::kubernetes;
    system.files = objects.files();
    // They have no name of their own as a whole.
    system.name = std::filesystem::path(context.file).stem().string();
    if (system.name.starts_with('<')) system.name = "manifests";
    const auto workloads = objects.workloads();
    if (workloads.empty() && context.problems.empty()) context.problems.add({}, std::string(no_workload));
    objects.refuse_twins();
    const std::vector<std::size_t> nothing_yet = objects.marks();
    const bool readable = objects.lines_since(std::vector<std::size_t>(nothing_yet.size())).empty();
    if (readable && context.problems.empty())
        for (const KubeObjectRef* workload : workloads) {
            const auto before = objects.marks();
            const WorkloadReader reader{context, objects, values, without};
            reader.read(*workload, nullptr, false, system);
            if (auto why = objects.lines_since(before); !why.empty())
                system.refused.push_back({objects.short_name(*workload), std::move(why)});
        }
    objects.finish(context.problems);
    if (made_up.any())
        context.problems.note(fmt::format(
            "made up for the runs, since no file has it; to give something else, write a scenario with "
            "subject.kubernetes and {}",
            values_block(made_up)));
    system.data = data_of(system);
    return system;
}

}  // namespace

System read_kubernetes_system(const std::vector<ManifestFile>& files, const Context& context) {
    return read_system(files, {}, context.surroundings.without, context);
}

System read_kubernetes_system(const Value& value, const Context& context) {
    const Mapping mapping(value, "'kubernetes' of 'subject'", keys::kubernetes, context);
    if (value.kind != Value::Kind::mapping) return {};
    KubeValues values;
    if (const Value* given = mapping.get("values")) values = read_kube_values(*given, context);
    const auto files = files_of(mapping, context);
    if (files.empty() || !context.problems.empty()) return {};
    return read_system(manifest_files(files, context), std::move(values), left_out(mapping, context),
                       context);
}

}  // namespace rogate::spec
