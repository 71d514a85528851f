// Every key of a Compose service, and what becomes of it in a test run. A test holds the table against the
// schema of the Compose specification, so that no key is without a decision.
#pragma once

#include <array>
#include <string_view>

namespace rogate::spec {

struct ComposeKey {
    enum class Fate {
        supported,
        no_effect,  // read by nobody: it has no bearing on which mounts are written to; named in the notes
        refused     // the test run would not be what the user runs, unless it says so (--without KEY)
    };
    std::string_view name;
    Fate fate = Fate::supported;
    std::string_view why;  // refused
};

inline constexpr auto supported = ComposeKey::Fate::supported;
inline constexpr auto no_effect = ComposeKey::Fate::no_effect;
inline constexpr auto refused = ComposeKey::Fate::refused;

inline constexpr std::array compose_service_keys{
    ComposeKey{"annotations", no_effect, ""},
    ComposeKey{"attach", no_effect, ""},
    ComposeKey{"blkio_config", no_effect, ""},
    ComposeKey{"build", supported, ""},
    ComposeKey{"cap_add", supported, ""},
    ComposeKey{"cap_drop", supported, ""},
    ComposeKey{"cgroup", no_effect, ""},
    ComposeKey{"cgroup_parent", no_effect, ""},
    ComposeKey{"command", supported, ""},
    ComposeKey{"configs", supported, ""},
    ComposeKey{"container_name", supported, ""},  // as a name on the network
    ComposeKey{"cpu_count", no_effect, ""},
    ComposeKey{"cpu_percent", no_effect, ""},
    ComposeKey{"cpu_period", no_effect, ""},
    ComposeKey{"cpu_quota", no_effect, ""},
    ComposeKey{"cpu_rt_period", no_effect, ""},
    ComposeKey{"cpu_rt_runtime", no_effect, ""},
    ComposeKey{"cpu_shares", no_effect, ""},
    ComposeKey{"cpus", no_effect, ""},
    ComposeKey{"cpuset", no_effect, ""},
    ComposeKey{"credential_spec", refused, "it is for Windows containers"},
    ComposeKey{"depends_on", supported, ""},
    ComposeKey{"deploy", no_effect, ""},
    ComposeKey{"develop", no_effect, ""},
    ComposeKey{"device_cgroup_rules", refused, "devices are not passed on"},
    ComposeKey{"devices", refused, "devices are not passed on"},
    ComposeKey{"dns", no_effect, ""},
    ComposeKey{"dns_opt", no_effect, ""},
    ComposeKey{"dns_search", no_effect, ""},
    ComposeKey{"domainname", no_effect, ""},
    ComposeKey{"entrypoint", supported, ""},
    ComposeKey{"env_file", supported, ""},
    ComposeKey{"environment", supported, ""},
    ComposeKey{"expose", supported, ""},
    ComposeKey{"extends", supported, ""},
    ComposeKey{"external_links", refused, "containers outside of the project are not reached"},
    ComposeKey{"extra_hosts", supported, ""},
    ComposeKey{"gpus", refused, "devices are not passed on"},
    ComposeKey{"group_add", supported, ""},
    ComposeKey{"healthcheck", supported, ""},
    ComposeKey{"hostname", supported, ""},
    ComposeKey{"image", supported, ""},
    ComposeKey{"init", supported, ""},
    ComposeKey{"ipc", refused, "each container has an IPC namespace of its own"},
    ComposeKey{"isolation", no_effect, ""},
    ComposeKey{"label_file", no_effect, ""},
    ComposeKey{"labels", no_effect, ""},
    ComposeKey{"links", supported, ""},
    ComposeKey{"logging", no_effect, ""},
    ComposeKey{"mac_address", no_effect, ""},
    ComposeKey{"mem_limit", no_effect, ""},
    ComposeKey{"mem_reservation", no_effect, ""},
    ComposeKey{"mem_swappiness", no_effect, ""},
    ComposeKey{"memswap_limit", no_effect, ""},
    ComposeKey{"models", refused, "models are not started"},
    ComposeKey{"network_mode", supported, ""},
    ComposeKey{"networks", supported, ""},  // all of them are the run's one network
    ComposeKey{"oom_kill_disable", no_effect, ""},
    ComposeKey{"oom_score_adj", no_effect, ""},
    ComposeKey{"pid", refused, "the subject's processes are told by their PID namespace"},
    ComposeKey{"pids_limit", no_effect, ""},
    ComposeKey{"platform", no_effect, ""},
    ComposeKey{"ports", supported, ""},
    ComposeKey{"post_start", refused, "hooks are not run; write a step with 'exec' instead"},
    ComposeKey{"pre_start", refused, "hooks are not run; write a step with 'exec' instead"},
    ComposeKey{"pre_stop", refused, "hooks are not run; write a step with 'exec' instead"},
    ComposeKey{"privileged", supported, ""},
    ComposeKey{"profiles", supported, ""},
    ComposeKey{"provider", refused, "providers are not started"},
    ComposeKey{"pull_policy", no_effect, ""},
    ComposeKey{"pull_refresh_after", no_effect, ""},
    ComposeKey{"read_only", supported, ""},
    ComposeKey{"restart", supported, ""},  // of the services beside the subject
    ComposeKey{"runtime", supported, ""},
    ComposeKey{"scale", no_effect, ""},
    ComposeKey{"secrets", supported, ""},
    ComposeKey{"security_opt", supported, ""},
    ComposeKey{"shm_size", supported, ""},
    ComposeKey{"stdin_open", supported, ""},
    ComposeKey{"stop_grace_period", supported, ""},
    ComposeKey{"stop_signal", supported, ""},
    ComposeKey{"storage_opt", no_effect, ""},
    ComposeKey{"sysctls", supported, ""},
    ComposeKey{"tmpfs", supported, ""},
    ComposeKey{"tty", supported, ""},
    ComposeKey{"ulimits", supported, ""},
    ComposeKey{"use_api_socket", refused, "the engine is not given to the subject"},
    ComposeKey{"user", supported, ""},
    ComposeKey{"userns_mode", refused, "the engine's user namespace is used"},
    ComposeKey{"uts", refused, "each container has a host name of its own"},
    ComposeKey{"volumes", supported, ""},
    ComposeKey{"volumes_from", supported, ""},
    ComposeKey{"working_dir", supported, ""},
};

// Beside the refused keys, what --without can name: it takes the run's own network in place of the one said.
inline constexpr std::string_view network_mode_key = "network_mode";

}  // namespace rogate::spec
