#include "engine/requests.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace rogate::engine {

using nlohmann::json;

namespace {

template <class T>
void put_if(json& object, const char* key, const std::optional<T>& value) {
    if (value) object[key] = *value;
}
template <class T>
void put_unless_empty(json& object, const char* key, const T& value) {
    if (!value.empty()) object[key] = value;
}

// The API counts durations in nanoseconds.
void put_duration(json& object, const char* key, const std::optional<std::int64_t>& milliseconds) {
    if (milliseconds) object[key] = *milliseconds * 1'000'000;
}

// A volume that is not there (any more) is made by the engine, without a word; by its labels, which one that
// is there does not get, it can be found and told from others.
json to_mount(const MountSpec& spec, const std::map<std::string, std::string>& labels) {
    const bool bind = spec.type == MountSpec::Type::bind;
    json mount = {{"Type", bind ? "bind" : "volume"},
                  {"Source", spec.source},
                  {"Target", spec.target},
                  {"ReadOnly", spec.read_only}};
    if (bind && !spec.propagation.empty()) mount["BindOptions"]["Propagation"] = spec.propagation;
    if (bind && spec.not_below) mount["BindOptions"]["ReadOnlyNonRecursive"] = true;
    if (!bind && spec.no_copy) mount["VolumeOptions"]["NoCopy"] = true;
    if (!bind && !labels.empty()) mount["VolumeOptions"]["Labels"] = labels;
    return mount;
}

json to_health(const HealthSpec& spec) {
    json health = {{"Test", spec.test}};
    put_duration(health, "Interval", spec.interval_ms);
    put_duration(health, "Timeout", spec.timeout_ms);
    put_duration(health, "StartPeriod", spec.start_period_ms);
    put_if(health, "Retries", spec.retries);
    return health;
}

json to_host_config(const ContainerSpec& spec) {
    json host = json::object();
    json mounts = json::array();
    for (const MountSpec& mount : spec.mounts) mounts.push_back(to_mount(mount, spec.labels));
    put_unless_empty(host, "Mounts", mounts);
    put_unless_empty(host, "Tmpfs", spec.tmpfs);
    put_unless_empty(host, "CapAdd", spec.cap_add);
    put_unless_empty(host, "CapDrop", spec.cap_drop);
    put_unless_empty(host, "ExtraHosts", spec.extra_hosts);
    put_unless_empty(host, "GroupAdd", spec.group_add);
    put_unless_empty(host, "SecurityOpt", spec.security_opt);
    // Absent means the engine's own lists.
    if (spec.unconfined_system_paths) host["MaskedPaths"] = host["ReadonlyPaths"] = json::array();
    put_unless_empty(host, "GroupAdd", spec.group_add);
    put_unless_empty(host, "ExtraHosts", spec.extra_hosts);
    put_unless_empty(host, "Sysctls", spec.sysctls);
    if (spec.network_disabled)
        host["NetworkMode"] = "none";
    else
        put_unless_empty(host, "NetworkMode", spec.network_mode);
    put_unless_empty(host, "PidMode", spec.pid_mode);
    put_if(host, "ShmSize", spec.shm_size);
    put_if(host, "Memory", spec.memory);
    json ulimits = json::array();
    for (const auto& [name, limit] : spec.ulimits)
        ulimits.push_back({{"Name", name},
                           {"Soft", limit},
                           {"Hard", spec.ulimits_hard.contains(name) ? spec.ulimits_hard.at(name) : limit}});
    put_unless_empty(host, "Ulimits", ulimits);
    json bindings = json::object();
    for (const PublishSpec& port : spec.publish)
        bindings[fmt::format("{}/{}", port.container_port, port.protocol)] =
            json::array({{{"HostIp", port.host_ip},
                          {"HostPort", port.host_port == 0 ? "" : std::to_string(port.host_port)}}});
    put_unless_empty(host, "PortBindings", bindings);
    if (spec.init) host["Init"] = true;
    if (!spec.runtime.empty()) host["Runtime"] = spec.runtime;
    if (spec.privileged) host["Privileged"] = true;
    if (spec.read_only_rootfs) host["ReadonlyRootfs"] = true;
    if (spec.auto_remove) host["AutoRemove"] = true;
    if (!spec.restart.empty())
        host["RestartPolicy"] = {{"Name", spec.restart}, {"MaximumRetryCount", spec.restart_tries}};
    return host;
}

}  // namespace

json to_create_body(const ContainerSpec& spec) {
    json body = {{"Image", spec.image}, {"HostConfig", to_host_config(spec)}};
    put_if(body, "Entrypoint", spec.entrypoint);
    put_if(body, "Cmd", spec.cmd);
    put_if(body, "User", spec.user);
    put_if(body, "WorkingDir", spec.working_dir);
    put_if(body, "Hostname", spec.hostname);
    put_if(body, "StopSignal", spec.stop_signal);
    put_unless_empty(body, "Env", spec.env);
    put_unless_empty(body, "Labels", spec.labels);
    if (spec.health) body["Healthcheck"] = to_health(*spec.health);
    json exposed = json::object();
    for (const PublishSpec& port : spec.publish)
        exposed[fmt::format("{}/{}", port.container_port, port.protocol)] = json::object();
    put_unless_empty(body, "ExposedPorts", exposed);
    if (spec.network_disabled) body["NetworkDisabled"] = true;
    if (spec.tty) body["Tty"] = true;
    if (spec.open_stdin) {
        body["OpenStdin"] = true;
        body["StdinOnce"] = true;
        body["AttachStdin"] = true;
    }
    if (!spec.network_aliases.empty() && !spec.network_mode.empty())
        body["NetworkingConfig"] = {
            {"EndpointsConfig", {{spec.network_mode, {{"Aliases", spec.network_aliases}}}}}};
    return body;
}

json to_volume_body(const VolumeSpec& spec) {
    json body = {{"Name", spec.name}, {"Driver", spec.driver}};
    put_unless_empty(body, "DriverOpts", spec.options);
    put_unless_empty(body, "Labels", spec.labels);
    return body;
}

json to_network_body(const std::string& name, const std::map<std::string, std::string>& labels,
                     bool internal) {
    json body = {{"Name", name}, {"Driver", "bridge"}};
    if (internal) body["Internal"] = true;
    put_unless_empty(body, "Labels", labels);
    return body;
}

std::vector<std::string> health_test_for_podman(std::vector<std::string> test) {
    const auto is_split = [](const std::string& word) {
        return word.empty() || word.find_first_of(" \t\n\v\f\r") != std::string::npos;
    };
    if (test.empty() || test.front() != "CMD" || std::none_of(test.begin(), test.end(), is_split))
        return test;
    std::string line = "exec";
    for (std::size_t i = 1; i < test.size(); ++i) line += ' ' + in_single_quotes(test[i]);
    return {"CMD-SHELL", line};
}

json to_exec_body(const ExecSpec& spec) {
    json body = {{"Cmd", spec.command},
                 {"AttachStdout", true},
                 {"AttachStderr", true},
                 {"AttachStdin", spec.attach_stdin || !spec.stdin_text.empty()}};
    put_unless_empty(body, "Env", spec.env);
    put_if(body, "User", spec.user);
    put_if(body, "WorkingDir", spec.working_dir);
    return body;
}

}  // namespace rogate::engine
