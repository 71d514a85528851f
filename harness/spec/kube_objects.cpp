#include "spec/kube_objects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "spec/kube_fields.hpp"
#include "spec/kube_text.hpp"

namespace rogate::spec {

namespace {

constexpr std::string_view workload_kinds[] = {
    "Pod", "Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job", "CronJob"};

// An object of another kind that has a pod to make others from is one too (OpenShift's DeploymentConfig, a
// Rollout of Argo's).
bool has_template(const Value& object) {
    const Value* spec = kube_field(object, "spec");
    const Value* made_from = spec == nullptr ? nullptr : kube_field(*spec, "template");
    const Value* pod = made_from == nullptr ? nullptr : kube_field(*made_from, "spec");
    const Value* containers = pod == nullptr ? nullptr : kube_field(*pod, "containers");
    return containers != nullptr && containers->kind == Value::Kind::sequence;
}

bool is_workload(const KubeObjectRef& object) {
    return std::ranges::find(workload_kinds, object.kind) != std::end(workload_kinds) ||
           has_template(*object.value);
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

constexpr const char* usual_name_space = "default";

bool is_called(const KubeObjectRef& object, const std::string& name) {
    const std::string short_name = object.kind + "/" + object.name;
    const std::string name_space = object.name_space.empty() ? usual_name_space : object.name_space;
    return lower(name) == lower(short_name) || lower(name) == lower(name_space + "/" + short_name);
}

std::string title(const KubeObjectRef& object) {
    return object.kind + "/" + object.name;
}

std::map<std::string, Contents> read_contents(const Value* value, std::string_view what,
                                              const Context& context) {
    std::map<std::string, Contents> all;
    if (value == nullptr) return all;
    if (value->kind != Value::Kind::mapping)
        context.problem(*value, fmt::format("'{}' is {}; write a mapping (name: {{key: text}})", what,
                                            kind_name(*value)));
    for (const auto& [name, keys] : value->pairs)
        all[name->text] = read_settings(*keys, fmt::format("'{}' of '{}'", name->text, what), context);
    return all;
}

void add_keys(const Value& object, std::string_view field, bool encoded, const Context& context,
              Contents& into) {
    const Value* data = kube_field(object, field);
    if (data == nullptr) return;
    for (const auto& [key, value] : data->pairs) {
        if (value->kind == Value::Kind::null) {
            into[key->text] = "";
            continue;
        }
        const auto text = read_text(*value, in_quotes(key->text), context);
        if (!text) continue;
        if (!encoded) {
            into[key->text] = *text;
            continue;
        }
        auto decoded = decode_base64(*text);
        if (decoded)
            into[key->text] = std::move(*decoded);
        else
            context.problem(*value, fmt::format("{}: {}", in_quotes(key->text), decoded.error()));
    }
}

}  // namespace

KubeValues read_kube_values(const Value& value, const Context& context) {
    const Mapping mapping(value, "'values' of 'kubernetes'", keys::kubernetes_values, context);
    KubeValues values;
    values.secrets = read_contents(mapping.get("secrets"), "secrets", context);
    values.config_maps = read_contents(mapping.get("configMaps"), "configMaps", context);
    if (const Value* claims = mapping.get("claims")) {
        if (claims->kind != Value::Kind::mapping)
            context.problem(*claims, fmt::format("'claims' is {}; write a mapping (name: ./fixture)",
                                                 kind_name(*claims)));
        for (const auto& [name, source] : claims->pairs)
            if (const auto text = read_line(*source, in_quotes(name->text), context))
                values.claims[name->text] = {*text, source.get()};
    }
    if (const auto missing = mapping.line("missing")) {
        values.placeholders = *missing == "placeholder";
        if (!values.placeholders)
            context.problem(*mapping.get("missing"),
                            fmt::format("'missing' is {}; write placeholder, or leave it out to be asked",
                                        in_quotes(*missing)));
    }
    if (const Value* fields = mapping.get("fields"))
        values.fields = read_settings(*fields, "'fields'", context);
    return values;
}

void KubeValues::made_up_key(std::string_view kind, const std::string& name, const std::string& key,
                             const Value& at, const Context& context) const {
    if (made_up != nullptr)
        (kind == "Secret" ? made_up->secrets : made_up->config_maps)[name].insert(key);
    else
        context.note(at, fmt::format("key {} of {} {} is made up", in_quotes(key), kind, in_quotes(name)));
}

std::vector<ManifestFile> manifest_files(const std::vector<const Value*>& files, const Context& context) {
    namespace fs = std::filesystem;
    std::vector<ManifestFile> found;
    for (const Value* file : files) {
        const auto name = read_line(*file, "a file", context);
        if (!name) continue;
        // Named as a person would from where the scenario was named.
        const fs::path shown = (fs::path(context.file).parent_path() / *name).lexically_normal();
        const fs::path path = (fs::path(context.folder) / *name).lexically_normal();
        found.push_back({shown.string(), path.string(), file, {}});
    }
    return found;
}

KubeObjects::KubeObjects(const std::vector<ManifestFile>& files, const Context& scenario)
    : scenario_(scenario) {
    for (const ManifestFile& file : files) read_file(file, scenario);
}

void KubeObjects::read_file(const ManifestFile& named, const Context& scenario) {
    const auto text =
        named.text ? Result<std::string>(*named.text) : scenario.surroundings.read_file(named.path);
    if (!text) {
        scenario.problems.add(named.at == nullptr ? Place{} : named.at->place,
                              fmt::format("{}: {}; name a Kubernetes manifest, relative to this file",
                                          named.path, text.error().message));
        return;
    }
    files_.push_back(std::make_unique<File>(named.name, named.path));
    File& file = *files_.back();
    file.context =
        std::make_unique<Context>(Context{file.problems, scenario.surroundings, named.name,
                                          std::filesystem::path(named.path).parent_path().string()});
    // Definitions of resources, which nothing here needs, make some manifests large.
    YamlLimits limits;
    limits.bytes = largest_manifest;
    limits.expanded_nodes = 2'000'000;
    limits.expanded_bytes = 4 * largest_manifest;
    for (const ValuePtr& document : read_yaml_documents(without_definitions(*text), file.problems, limits))
        add(document, *file.context);
}

void KubeObjects::add(const ValuePtr& value, const Context& context) {
    KubeObjectRef object;
    object.kind = kube_text(*value, "kind");
    if (object.kind.empty()) {
        context.problem(
            *value,
            "this document has no 'kind'; name files of Kubernetes manifests only (rendered ones: helm "
            "template, kustomize build)");
        return;
    }
    if (object.kind.ends_with("List")) {
        if (const Value* items = kube_field(*value, "items"))
            for (const ValuePtr& item : items->items) add(item, context);
        return;
    }
    if (const Value* metadata = kube_field(*value, "metadata")) {
        object.name = kube_text(*metadata, "name");
        if (object.name.empty()) object.name = kube_text(*metadata, "generateName");
        object.name_space = kube_text(*metadata, "namespace");
    }
    object.value = value;
    object.context = &context;
    objects_.push_back(std::move(object));
}

std::vector<std::string> KubeObjects::files() const {
    std::vector<std::string> names;
    for (const auto& file : files_) names.push_back(file->path);
    return names;
}

void KubeObjects::finish(Problems& problems) const {
    for (const auto& file : files_) problems.take(file->problems);
}

std::vector<std::size_t> KubeObjects::marks() const {
    std::vector<std::size_t> marks;
    for (const auto& file : files_) marks.push_back(file->problems.size());
    return marks;
}

std::vector<std::string> KubeObjects::lines_since(const std::vector<std::size_t>& marks) const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < files_.size(); ++i)
        for (std::string& line : files_[i]->problems.lines(marks.at(i))) all.push_back(std::move(line));
    return all;
}

std::vector<const KubeObjectRef*> KubeObjects::workloads() const {
    std::vector<const KubeObjectRef*> found;
    for (const KubeObjectRef& object : objects_)
        if (is_workload(object)) found.push_back(&object);
    return found;
}

void KubeObjects::refuse_twins() const {
    std::map<std::string, SourcePlace> known;
    for (const KubeObjectRef* each : workloads()) {
        const std::string name = fmt::format(
            "{}/{}", each->name_space.empty() ? usual_name_space : each->name_space, title(*each));
        const SourcePlace at = each->context->declared(each->value->place);
        const auto [earlier, fresh] = known.emplace(name, at);
        if (!fresh)
            each->context->problem(
                *each->value, fmt::format("{} is declared twice: here and at {}:{}; leave one of the two out",
                                          in_quotes(name), earlier->second.file, earlier->second.line));
    }
}

std::string KubeObjects::short_name(const KubeObjectRef& workload) const {
    int same_name = 0, same_title = 0;
    for (const KubeObjectRef* other : workloads()) {
        same_name += other->name == workload.name ? 1 : 0;
        same_title += title(*other) == title(workload) ? 1 : 0;
    }
    if (same_name == 1) return workload.name;
    if (same_title == 1) return lower(workload.kind) + "/" + workload.name;
    return fmt::format("{}/{}/{}", workload.name_space.empty() ? usual_name_space : workload.name_space,
                       lower(workload.kind), workload.name);
}

namespace {

std::string named_or_usual(const std::string& name_space) {
    return name_space.empty() ? std::string(usual_name_space) : name_space;
}

// The port of the pod with this name; empty: none has it.
std::string number_of_port(const Value& pod, const std::string& name) {
    for (const char* list : {"containers", "initContainers"})
        if (const Value* containers = kube_field(pod, list))
            for (const ValuePtr& container : containers->items)
                if (const Value* ports = kube_field(*container, "ports"))
                    for (const ValuePtr& port : ports->items)
                        if (kube_text(*port, "name") == name) return kube_text(*port, "containerPort");
    return {};
}

}  // namespace

std::vector<const KubeObjectRef*> KubeObjects::services_of(const KubeObjectRef& workload,
                                                           const Value* labels) const {
    std::vector<const KubeObjectRef*> found;
    for (const KubeObjectRef& object : objects_) {
        if (object.kind != "Service" ||
            named_or_usual(object.name_space) != named_or_usual(workload.name_space))
            continue;
        const Value* spec = kube_field(*object.value, "spec");
        const Value* selector = spec == nullptr ? nullptr : kube_field(*spec, "selector");
        if (selector == nullptr || selector->pairs.empty() || labels == nullptr) continue;
        const bool fits = std::ranges::all_of(selector->pairs, [&](const auto& pair) {
            return kube_text(*labels, pair.first->text) == pair.second->text;
        });
        if (fits) found.push_back(&object);
    }
    return found;
}

std::vector<std::string> KubeObjects::service_names(const KubeObjectRef& workload,
                                                    const Value* labels) const {
    std::vector<std::string> names;
    for (const KubeObjectRef* service : services_of(workload, labels)) {
        const std::string name_space = named_or_usual(service->name_space);
        for (const std::string& name :
             {service->name, service->name + "." + name_space, service->name + "." + name_space + ".svc",
              service->name + "." + name_space + ".svc.cluster.local"})
            names.push_back(name);
    }
    return names;
}

std::vector<std::string> KubeObjects::ports_led_elsewhere(const KubeObjectRef& workload, const Value* labels,
                                                          const Value& pod) const {
    std::vector<std::string> found;
    for (const KubeObjectRef* service : services_of(workload, labels)) {
        const Value& spec = *kube_field(*service->value, "spec");
        const Value* ports = kube_field(spec, "ports");
        // The name of a headless one leads to the pod in a cluster, too.
        if (ports == nullptr || kube_text(spec, "clusterIP") == "None") continue;
        for (const ValuePtr& port : ports->items) {
            const std::string number = kube_text(*port, "port"), target = kube_text(*port, "targetPort");
            if (number.empty() || target.empty() || target == number) continue;
            const bool is_name = target.find_first_not_of("0123456789") != std::string::npos;
            const std::string of_pod = is_name ? number_of_port(pod, target) : target;
            if (of_pod == number) continue;
            const SourcePlace at = service->context->declared(port->place);
            const std::string led_to = of_pod.empty()
                                           ? fmt::format("a port named {}, which is none", in_quotes(target))
                                           : fmt::format("port {}", in_quotes(of_pod));
            found.push_back(fmt::format(
                "{}:{}:{}: in a cluster, Service {} leads its port {} to {} of {}/{}; in the runs, its name "
                "leads to the pod itself, so that what asks {}:{} comes to port {} of the pod",
                at.file, at.line, at.column, in_quotes(service->name), in_quotes(number), led_to,
                workload.kind, workload.name, service->name, number, number));
        }
    }
    return found;
}

const KubeObjectRef* KubeObjects::workload(const std::optional<std::string>& name, const Value& at) const {
    std::vector<const KubeObjectRef*> found;
    std::string known;
    for (const KubeObjectRef& object : objects_) {
        if (!is_workload(object)) continue;
        known += (known.empty() ? "" : ", ") + title(object);
        if (std::ranges::count_if(
                objects_, [&](const KubeObjectRef& other) { return title(other) == title(object); }) > 1)
            known += fmt::format(" ({}/{})", object.name_space.empty() ? usual_name_space : object.name_space,
                                 title(object));
        if (!name || is_called(object, *name)) found.push_back(&object);
    }
    if (found.size() == 1) return found.front();
    if (known.empty())
        scenario_.problem(at, std::string(no_workload));
    else if (found.empty())
        scenario_.problem(at,
                          fmt::format("no workload {} in the files; there are: {}", in_quotes(*name), known));
    else if (name)
        scenario_.problem(at, fmt::format("workload {} is more than once in the files; write its namespace "
                                          "before it (NAMESPACE/{}), or leave a file out",
                                          in_quotes(*name), *name));
    else
        scenario_.problem(
            at, fmt::format("more than one workload in the files; write 'workload' with one of: {}", known));
    return nullptr;
}

// Rendered manifests often leave the namespace out, in all objects or in some: an object of the workload's
// own one goes first, then one of none, then the only one there is.
std::vector<const KubeObjectRef*> KubeObjects::named(std::string_view kind, const std::string& name,
                                                     const std::string& name_space) const {
    std::vector<const KubeObjectRef*> all, own, of_none;
    std::set<std::string> name_spaces;
    for (const KubeObjectRef& object : objects_) {
        if (object.kind != kind || object.name != name) continue;
        all.push_back(&object);
        name_spaces.insert(object.name_space);
        if (object.name_space == name_space) own.push_back(&object);
        if (object.name_space.empty()) of_none.push_back(&object);
    }
    if (!own.empty()) return own;
    if (!of_none.empty()) return of_none;
    return name_spaces.size() == 1 && name_space.empty() ? all : std::vector<const KubeObjectRef*>();
}

std::optional<Contents> KubeObjects::contents(std::string_view kind, const std::string& name,
                                              const std::string& name_space, bool optional,
                                              const KubeValues& values, const Value& at,
                                              const Context& context) const {
    const bool secret = kind == "Secret";
    Contents contents;
    bool known = false;
    for (const KubeObjectRef* object : named(kind, name, name_space)) {
        known = true;
        add_keys(*object->value, "data", secret, *object->context, contents);
        add_keys(*object->value, "binaryData", true, *object->context, contents);
        add_keys(*object->value, "stringData", false, *object->context, contents);
    }
    const auto& given = secret ? values.secrets : values.config_maps;
    if (const auto mine = given.find(name); mine != given.end()) {
        known = true;
        for (const auto& [key, text] : mine->second) contents[key] = text;
    }
    if (known) return contents;
    if (!optional && values.placeholders && values.made_up != nullptr) {
        (secret ? values.made_up->secrets : values.made_up->config_maps)[name];
        return contents;
    }
    if (!optional && values.placeholders) {
        context.note(at,
                     fmt::format("{} {} is in no file: the keys of it that are asked for hold a text that "
                                 "is made up",
                                 kind, in_quotes(name)));
        return contents;
    }
    if (!optional)
        context.problem(at, fmt::format("{} {} is not in the files; give its content in the scenario, under "
                                        "subject.kubernetes.values: {}: {{{}: {{KEY: text}}}}, or have it "
                                        "made up: values: {{missing: "
                                        "placeholder}}",
                                        kind, in_quotes(name), secret ? "secrets" : "configMaps", name));
    return std::nullopt;
}

}  // namespace rogate::spec
