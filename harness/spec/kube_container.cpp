#include <fmt/format.h>

#include "spec/kube_pod.hpp"

namespace rogate::spec {

namespace {

// What Kubernetes allows in the fields that only matter to the cluster is not looked at.
void read_security(const Value* of_pod, const Value* own, Subject& subject, const KubePod& pod) {
    std::optional<std::int64_t> user, group;
    constexpr std::int64_t max_id = 4'294'967'294;
    if (of_pod != nullptr) {
        const KubeObject object(*of_pod, "'securityContext' of the pod",
                                {"runAsUser", "runAsGroup", "fsGroup", "supplementalGroups", "sysctls"},
                                {"runAsNonRoot", "fsGroupChangePolicy", "seccompProfile", "appArmorProfile",
                                 "seLinuxOptions", "seLinuxChangePolicy", "supplementalGroupsPolicy"},
                                pod.context);
        user = object.integer("runAsUser", 0, max_id);
        group = object.integer("runAsGroup", 0, max_id);
        if (pod.peers.fs_group) subject.group_add.push_back(std::to_string(*pod.peers.fs_group));
        for (const std::string& each : object.texts("supplementalGroups")) subject.group_add.push_back(each);
        for (const ValuePtr& item : object.list("sysctls"))
            subject.sysctls[kube_text(*item, "name")] = kube_text(*item, "value");
    }
    if (own != nullptr) {
        const KubeObject object(*own, "'securityContext' of the container",
                                {"runAsUser", "runAsGroup", "readOnlyRootFilesystem", "capabilities",
                                 "privileged", "allowPrivilegeEscalation", "procMount"},
                                {"runAsNonRoot", "seccompProfile", "appArmorProfile", "seLinuxOptions"},
                                pod.context);
        if (const auto id = object.integer("runAsUser", 0, max_id)) user = id;
        if (const auto id = object.integer("runAsGroup", 0, max_id)) group = id;
        subject.read_only_rootfs = object.flag("readOnlyRootFilesystem");
        subject.privileged = object.flag("privileged");
        if (!object.flag("allowPrivilegeEscalation", true))
            subject.security_opt.push_back("no-new-privileges:true");
        if (const auto kind = object.text("procMount"); kind && *kind != "Default")
            pod.context.problem(*object.get("procMount"),
                                "an unmasked /proc is not supported; leave 'procMount' out");
        if (const Value* capabilities = object.get("capabilities")) {
            const KubeObject both(*capabilities, "'capabilities'", {"add", "drop"}, {}, pod.context);
            subject.cap_add = both.texts("add");
            subject.cap_drop = both.texts("drop");
        }
    }
    if (user) subject.user = std::to_string(*user) + (group ? ":" + std::to_string(*group) : "");
    if (group && !user)
        pod.context.problem(*(own != nullptr && kube_field(*own, "runAsGroup") != nullptr ? own : of_pod),
                            "'runAsGroup' without 'runAsUser' is not supported; write 'runAsUser' as well");
}

std::vector<std::string> words(const KubeObject& container, const char* field, const Subject& subject) {
    std::vector<std::string> expanded;
    for (const std::string& word : container.texts(field))
        expanded.push_back(expand_variables(word, subject.environment));
    return expanded;
}

void read_ports(const KubeObject& container, Subject& subject, const KubePod& pod) {
    for (const ValuePtr& item : container.list("ports")) {
        const KubeObject object(*item, "an entry of 'ports'", {"containerPort", "protocol"},
                                {"name", "hostPort", "hostIP"}, pod.context);
        Port port;
        const auto number = object.integer("containerPort", 1, 65535);
        if (!number) continue;
        port.container = static_cast<std::uint16_t>(*number);
        port.protocol = object.text("protocol").value_or("TCP");
        for (char& c : port.protocol) c = static_cast<char>(c | 0x20);
        subject.ports.push_back(std::move(port));
    }
}

}  // namespace

Subject read_kube_container(const KubeObject& container, const Value* pod_security, const KubePod& pod) {
    Subject subject;
    subject.image = container.text("image").value_or("");
    if (subject.image.empty())
        pod.context.problem(container.value(),
                            fmt::format("{} has no 'image'; write the image to start", container.where()));
    subject.environment = read_kube_environment(container, pod);
    // As in Docker, an entrypoint drops the image's command.
    if (container.get("command") != nullptr) subject.entrypoint = words(container, "command", subject);
    if (container.get("args") != nullptr) subject.command = words(container, "args", subject);
    subject.working_dir = container.text("workingDir");
    subject.tty = container.flag("tty");
    subject.open_stdin = container.flag("stdin");
    read_ports(container, subject, pod);
    read_security(pod_security, container.get("securityContext"), subject, pod);
    return subject;
}

}  // namespace rogate::spec
