// What a pod asks of itself: fields of the downward API that its manifest answers, and harmless answers in
// place of a cluster's.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "spec/kube_pod.hpp"

namespace rogate::spec {

namespace {

constexpr const char* this_machine = "127.0.0.1";

// As resources have them: "500m" CPUs, "64Mi", "1e3".
std::optional<double> amount_of(const std::string& text) {
    constexpr std::pair<std::string_view, double> units[] = {
        {"Ki", 0x1p10}, {"Mi", 0x1p20}, {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60},
        {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},    {"k", 1e3},     {"M", 1e6},     {"G", 1e9},
        {"T", 1e12},    {"P", 1e15},    {"E", 1e18},    {"", 1}};
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (end == text.c_str() || !std::isfinite(number)) return std::nullopt;
    const std::string_view unit(end);
    for (const auto& [name, factor] : units)
        if (unit == name) return number * factor;
    return std::nullopt;
}

const Value* container_called(const Value& spec, const std::string& name) {
    for (const char* field : {"containers", "initContainers"})
        if (const Value* list = kube_field(spec, field))
            for (const ValuePtr& item : list->items)
                if (kube_text(*item, "name") == name) return item.get();
    return nullptr;
}

std::string resource_of(const Value& container, const std::string& kind, const std::string& name) {
    const Value* resources = kube_field(container, "resources");
    const Value* part = resources == nullptr ? nullptr : kube_field(*resources, kind);
    return part == nullptr ? std::string() : kube_text(*part, name);
}

// Of a container without limits: what a small node would have to give.
double of_a_node(const std::string& name) {
    if (name == "cpu") return 2;
    return name == "memory" ? 0x1p31 : name == "ephemeral-storage" ? 10 * 0x1p30 : 0;
}

}  // namespace

std::optional<std::string> harmless_field(const std::string& path) {
    if (path == "spec.serviceAccountName") return "default";
    if (path == "spec.nodeName") return "node";
    if (path == "status.podIP" || path == "status.podIPs" || path == "status.hostIP" ||
        path == "status.hostIPs")
        return this_machine;
    if (path == "metadata.uid") return "00000000-0000-4000-8000-000000000000";
    return std::nullopt;
}

std::optional<std::string> kube_resource_ref(const Value& ref, const Value* container, const KubePod& pod) {
    const KubeObject object(ref, "'resourceFieldRef'", {"resource", "containerName", "divisor"}, {},
                            pod.context);
    const auto resource = object.text("resource");
    if (!resource) return std::nullopt;
    if (const auto given = pod.values.fields.find(*resource); given != pod.values.fields.end())
        return given->second;
    if (const auto name = object.text("containerName")) container = container_called(pod.spec, *name);
    const std::size_t dot = resource->find('.');
    const std::string kind = resource->substr(0, dot);
    if (container == nullptr || dot == std::string::npos || (kind != "limits" && kind != "requests")) {
        pod.context.problem(
            ref, fmt::format("{} is not a resource of a container; write for example limits.memory "
                             "and the container's name",
                             in_quotes(*resource)));
        return std::nullopt;
    }
    const std::string name = resource->substr(dot + 1);
    std::string text = resource_of(*container, kind, name);
    if (text.empty() && kind == "requests") text = resource_of(*container, "limits", name);
    double amount = kind == "limits" ? of_a_node(name) : 0;
    if (text.empty()) {
        pod.context.note(ref, fmt::format("the container has no {}; here it reads as {}", *resource, amount));
    } else if (const auto said = amount_of(text)) {
        amount = *said;
    } else {
        pod.context.problem(ref, fmt::format("{} is {}, which is no quantity; write for example 500m or 64Mi",
                                             in_quotes(*resource), in_quotes(text)));
        return std::nullopt;
    }
    const std::string divisor = object.text("divisor").value_or("");
    const double unit = divisor.empty() || divisor == "0" ? 1 : amount_of(divisor).value_or(1);
    // Rounded up, as the kubelet does (resource.ConvertResourceCPUToString and its like); 500m of 1m are 500.
    return fmt::format("{:.0f}", std::ceil(amount / unit - 1e-9));
}

}  // namespace rogate::spec
