#include <fmt/format.h>

#include <algorithm>

#include "spec/kube_pod.hpp"
#include "spec/kubernetes.hpp"

namespace rogate::spec {

namespace {

class LifecycleReader {
  public:
    LifecycleReader(const KubeObject& container, SystemContainer& made, const KubePod& pod)
        : container_(container), made_(made), pod_(pod) {}

    void probes(bool has_ready);
    void hooks();
    std::optional<Step> probe(const char* field, bool needed) const;

  private:
    std::optional<std::uint16_t> port(const Value& value) const;
    std::optional<Step> handler(const Value& value, const std::string& where) const;
    void tcp_instead(const Value& at, const std::string& where, std::string_view what) const;
    void health_check(const char* field, const Value& probe);

    const KubeObject& container_;
    SystemContainer& made_;
    const KubePod& pod_;
};

// A number, or the name of one of the container's ports.
std::optional<std::uint16_t> LifecycleReader::port(const Value& value) const {
    for (const ValuePtr& item : container_.list("ports"))
        if (!value.text.empty() && kube_text(*item, "name") == value.text)
            if (const Value* number = kube_field(*item, "containerPort"))
                return read_port(*number, "'containerPort'", pod_.context);
    return read_port(value, "'port'", pod_.context);
}

void LifecycleReader::tcp_instead(const Value& at, const std::string& where, std::string_view what) const {
    pod_.context.note(
        at, fmt::format("{} over {} is not spoken: the probe passes when its port answers", where, what));
}

std::optional<Step> LifecycleReader::handler(const Value& value, const std::string& where) const {
    Step step;
    if (const Value* get = kube_field(value, "httpGet")) {
        const KubeObject object(*get, "'httpGet'", {"path", "port", "scheme", "httpHeaders"}, {"host"},
                                pod_.context);
        HttpAction http;
        http.path = object.text("path").value_or("/");
        if (const Value* number = object.get("port")) http.port = port(*number).value_or(0);
        http.tls = object.text("scheme").value_or("HTTP") == "HTTPS";
        for (const ValuePtr& header : object.list("httpHeaders"))
            http.headers[kube_text(*header, "name")] = kube_text(*header, "value");
        step.action = std::move(http);
        return step;
    }
    if (const Value* socket = kube_field(value, "tcpSocket")) {
        const KubeObject object(*socket, "'tcpSocket'", {"port"}, {"host"}, pod_.context);
        TcpAction tcp;
        if (const Value* number = object.get("port")) tcp.port = port(*number).value_or(0);
        step.action = tcp;
        return step;
    }
    if (const Value* grpc = kube_field(value, "grpc")) {
        const KubeObject object(*grpc, "'grpc'", {"port"}, {"service"}, pod_.context);
        TcpAction tcp;
        if (const Value* number = object.get("port")) tcp.port = port(*number).value_or(0);
        tcp_instead(*grpc, where, "gRPC");
        step.action = tcp;
        return step;
    }
    if (const Value* exec = kube_field(value, "exec")) {
        const KubeObject object(*exec, "'exec'", {"command"}, {}, pod_.context);
        ExecAction action;
        action.command = object.texts("command");
        if (action.command.empty()) {
            pod_.context.problem(*exec, fmt::format("the 'exec' of {} has no 'command'; write it", where));
            return std::nullopt;
        }
        step.action = std::move(action);
        return step;
    }
    return std::nullopt;
}

std::optional<Step> LifecycleReader::probe(const char* field, bool needed) const {
    const Value* value = container_.get(field);
    if (value == nullptr) return std::nullopt;
    const KubeObject object(*value, fmt::format("'{}'", field),
                            {"httpGet", "tcpSocket", "exec", "grpc", "timeoutSeconds"},
                            {"initialDelaySeconds", "periodSeconds", "successThreshold", "failureThreshold",
                             "terminationGracePeriodSeconds"},
                            pod_.context);
    if (!needed && object.get("exec") == nullptr) return std::nullopt;
    auto step = handler(*value, fmt::format("'{}'", field));
    if (!step) return step;
    step->name = field;
    step->declared = pod_.context.declared(value->place);
    step->timeout_ms = object.integer("timeoutSeconds", 1, 3600).value_or(1) * 1000;
    return step;
}

// The kubelet runs it again and again, and what it writes is the application's.
void LifecycleReader::health_check(const char* field, const Value& probe) {
    const auto step = this->probe(field, false);
    if (!step || made_.subject.healthcheck) return;
    const auto number = [&](const char* key, std::int64_t otherwise) {
        const Value* value = kube_field(probe, key);
        return value == nullptr ? otherwise
                                : read_integer(*value, fmt::format("'{}'", key), pod_.context, 0, 86'400)
                                      .value_or(otherwise);
    };
    Healthcheck check;
    check.test = {"CMD"};
    const auto& command = std::get<ExecAction>(step->action).command;
    check.test.insert(check.test.end(), command.begin(), command.end());
    check.timeout_ms = step->timeout_ms;
    // More often than the kubelet would: a run is short, and a probe that never ran would prove nothing.
    check.interval_ms = std::clamp<std::int64_t>(number("periodSeconds", 10) * 1000, 1000, 2000);
    check.start_period_ms = number("initialDelaySeconds", 0) * 1000;
    check.retries = static_cast<int>(std::max<std::int64_t>(1, number("failureThreshold", 3)));
    made_.subject.healthcheck = std::move(check);
}

void LifecycleReader::probes(bool has_ready) {
    for (const char* field : {"livenessProbe", "readinessProbe"})
        if (const Value* value = container_.get(field)) health_check(field, *value);
    if (has_ready) return;
    for (const char* field : {"startupProbe", "readinessProbe"})
        if (auto check = probe(field, true)) made_.readiness.checks.push_back(std::move(*check));
    if (!made_.readiness.checks.empty()) return;
    if (auto check = probe("livenessProbe", true)) made_.readiness.checks.push_back(std::move(*check));
}

void LifecycleReader::hooks() {
    const Value* lifecycle = container_.get("lifecycle");
    if (lifecycle == nullptr) return;
    const KubeObject object(*lifecycle, "'lifecycle'", {"postStart", "preStop"}, {"stopSignal"},
                            pod_.context);
    for (const auto& [field, name] :
         {std::pair{"postStart", post_start_name}, std::pair{"preStop", pre_stop_name}}) {
        const Value* value = object.get(field);
        if (value == nullptr) continue;
        const KubeObject hook(*value, fmt::format("'{}'", field), {"httpGet", "exec", "sleep"}, {"tcpSocket"},
                              pod_.context);
        if (hook.get("sleep") != nullptr) continue;  // writes nothing
        auto step = handler(*value, fmt::format("'{}'", field));
        if (!step) continue;
        step->name = name;
        step->declared = pod_.context.declared(value->place);
        step->timeout_ms = made_.grace_ms;
        made_.hooks.push_back(std::move(*step));
    }
    if (const auto signal = object.text("stopSignal")) made_.subject.stop_signal = signal;
}

}  // namespace

void read_kube_probes(const KubeObject& container, SystemContainer& made, const KubePod& pod) {
    const LifecycleReader reader(container, made, pod);
    made.probes = {reader.probe("startupProbe", true), reader.probe("readinessProbe", true)};
}

void read_kube_lifecycle(const KubeObject& container, bool has_ready, SystemContainer& made,
                         const KubePod& pod) {
    LifecycleReader reader(container, made, pod);
    reader.hooks();
    reader.probes(has_ready);
}

}  // namespace rogate::spec
