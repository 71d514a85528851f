#include <fmt/format.h>

#include "spec/kube_pod.hpp"

namespace rogate::spec {

namespace {

using Variables = std::map<std::string, std::string>;

// configMapKeyRef and secretKeyRef.
std::optional<std::string> key_ref(const Value& ref, std::string_view kind, const KubePod& pod) {
    const KubeObject object(ref, fmt::format("a reference to a key of a {}", kind),
                            {"name", "key", "optional"}, {}, pod.context);
    const auto name = object.text("name"), key = object.text("key");
    if (!name || !key) {
        pod.context.problem(ref, "a reference to a key has 'name' and 'key'; write both");
        return std::nullopt;
    }
    const bool optional = object.flag("optional");
    const auto contents =
        pod.objects.contents(kind, *name, pod.name_space, optional, pod.values, ref, pod.context);
    if (!contents) return std::nullopt;
    const auto found = contents->find(*key);
    if (found != contents->end()) {
        if (kind == "Secret") pod.secret(found->second);
        return found->second;
    }
    if (!optional && pod.values.placeholders) {
        pod.values.made_up_key(kind, *name, *key, ref, pod.context);
        return placeholder;
    }
    if (!optional)
        pod.context.problem(
            ref,
            fmt::format("{} {} has no key {}; give it in the scenario, under subject.kubernetes.values: {}: "
                        "{{{}: {{{}: text}}}}, or have it made up: values: {{missing: placeholder}}",
                        kind, in_quotes(*name), in_quotes(*key), kind == "Secret" ? "secrets" : "configMaps",
                        *name, *key));
    return std::nullopt;
}

std::optional<std::string> value_from(const Value& from, const Value& container, const KubePod& pod) {
    const KubeObject object(from, "'valueFrom'",
                            {"configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef"}, {},
                            pod.context);
    if (const Value* ref = object.get("configMapKeyRef")) return key_ref(*ref, "ConfigMap", pod);
    if (const Value* ref = object.get("secretKeyRef")) return key_ref(*ref, "Secret", pod);
    if (const Value* ref = object.get("fieldRef")) return kube_field_ref(*ref, pod);
    if (const Value* ref = object.get("resourceFieldRef")) return kube_resource_ref(*ref, &container, pod);
    return std::nullopt;
}

void add_all_of(const Value& item, const KubePod& pod, Variables& variables) {
    const KubeObject object(item, "an entry of 'envFrom'", {"prefix", "configMapRef", "secretRef"}, {},
                            pod.context);
    const std::string prefix = object.text("prefix").value_or("");
    for (const auto& [field, kind] :
         {std::pair{"configMapRef", "ConfigMap"}, std::pair{"secretRef", "Secret"}}) {
        const Value* ref = object.get(field);
        if (ref == nullptr) continue;
        const KubeObject named(*ref, fmt::format("'{}'", field), {"name", "optional"}, {}, pod.context);
        const auto contents = pod.objects.contents(kind, named.text("name").value_or(""), pod.name_space,
                                                   named.flag("optional"), pod.values, *ref, pod.context);
        if (!contents) continue;
        for (const auto& [key, text] : *contents) {
            if (object.get("secretRef") != nullptr) pod.secret(text);
            variables[prefix + key] = text;
        }
    }
}

std::optional<std::string> field_named(const std::string& path, const Value& at, const KubePod& pod) {
    const auto given = pod.values.fields.find(path);
    if (given != pod.values.fields.end()) return given->second;
    const auto known = pod.fields.find(path);
    if (known != pod.fields.end()) return known->second;
    // A label or an annotation that is not set reads as empty.
    if (path.starts_with("metadata.labels['") || path.starts_with("metadata.annotations['")) return "";
    if (auto harmless = harmless_field(path)) {
        pod.context.note(at, fmt::format("field {} is a cluster's to tell; here it reads {}; another one is "
                                         "given under values: fields: {{\"{}\": text}}",
                                         path, *harmless, path));
        return harmless;
    }
    pod.context.problem(at, fmt::format("field {} is told by a cluster only; give it in the scenario, under "
                                        "subject.kubernetes.values: fields: {{\"{}\": text}}",
                                        in_quotes(path), path));
    return std::nullopt;
}

}  // namespace

std::optional<std::string> kube_field_ref(const Value& ref, const KubePod& pod) {
    const KubeObject object(ref, "'fieldRef'", {"fieldPath"}, {"apiVersion"}, pod.context);
    const auto path = object.text("fieldPath");
    return path ? field_named(*path, ref, pod) : std::nullopt;
}

std::string expand_variables(const std::string& text, const Variables& variables) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '$' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        if (text[i + 1] == '$') {
            out += '$';
            ++i;
            continue;
        }
        const std::size_t close = text[i + 1] == '(' ? text.find(')', i) : std::string::npos;
        const auto found =
            close == std::string::npos ? variables.end() : variables.find(text.substr(i + 2, close - i - 2));
        if (found == variables.end()) {
            out += text[i];
            continue;
        }
        out += found->second;
        i = close;
    }
    return out;
}

Variables read_kube_environment(const KubeObject& container, const KubePod& pod) {
    Variables variables;
    for (const ValuePtr& item : container.list("envFrom")) add_all_of(*item, pod, variables);
    for (const ValuePtr& item : container.list("env")) {
        const KubeObject object(*item, "an entry of 'env'", {"name", "value", "valueFrom"}, {}, pod.context);
        const auto name = object.text("name");
        if (!name) {
            pod.context.problem(*item, "an entry of 'env' has no 'name'; write the variable's name");
            continue;
        }
        if (const Value* from = object.get("valueFrom")) {
            if (auto value = value_from(*from, container.value(), pod)) variables[*name] = std::move(*value);
        } else {
            variables[*name] = expand_variables(object.text("value").value_or(""), variables);
        }
    }
    return variables;
}

}  // namespace rogate::spec
