// Every key that a scenario file may use. A Mapping is read with one of these sets, and the published schema
// (scenarios/scenario.schema.json) is held against them by a test, so that neither can drift.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

namespace rogate::spec {

struct KeySet {
    std::string_view schema;  // JSON pointer to the schema object whose "properties" are these names

    constexpr KeySet(std::string_view pointer, std::initializer_list<std::string_view> names)
        : schema(pointer) {
        for (const std::string_view name : names) slots_[count_++] = name;
    }
    constexpr std::span<const std::string_view> names() const { return std::span(slots_).first(count_); }

  private:
    std::array<std::string_view, 32> slots_{};  // its own, so that a set needs no array declared beside it
    std::size_t count_ = 0;
};

namespace keys {

inline constexpr KeySet scenario("",
                                 {"name", "description", "subject", "candidates", "ready", "steps",
                                  "shutdown", "vars", "fixtures", "states", "data", "scenarios", "harden"});
inline constexpr KeySet subject("/$defs/subject",
                                {"image",     "command",     "entrypoint",  "user",      "working_dir",
                                 "hostname",  "stop_signal", "init",        "runtime",   "privileged",
                                 "read_only", "shm_size",    "environment", "mounts",    "volumes",
                                 "tmpfs",     "ports",       "cap_add",     "cap_drop",  "security_opt",
                                 "ulimits",   "sysctls",     "healthcheck", "container", "kubernetes",
                                 "compose",   "docker_run"});
inline constexpr KeySet container("/$defs/container", {"name", "network"});
inline constexpr KeySet kubernetes("/$defs/kubernetes",
                                   {"file", "files", "workload", "container", "values", "without"});
inline constexpr KeySet kubernetes_values("/$defs/kubernetes_values",
                                          {"secrets", "configMaps", "claims", "fields", "missing"});
inline constexpr KeySet compose("/$defs/compose",
                                {"file", "files", "service", "profiles", "env_file", "without"});
inline constexpr KeySet mount("/$defs/mount", {"type", "source", "src", "target", "dst", "destination",
                                               "read_only", "readonly", "bind", "volume", "tmpfs"});
inline constexpr KeySet mount_bind("/$defs/mount/properties/bind", {"propagation", "create_host_path"});
inline constexpr KeySet mount_volume("/$defs/mount/properties/volume", {"nocopy", "subpath"});
inline constexpr KeySet mount_tmpfs("/$defs/mount/properties/tmpfs", {"size", "mode"});
inline constexpr KeySet subject_healthcheck("/$defs/subject_healthcheck",
                                            {"test", "interval", "timeout", "retries", "start_period",
                                             "disable"});
inline constexpr KeySet ready("/$defs/ready",
                              {"timeout", "checks", "http", "tcp", "log", "exec", "healthcheck", "expect"});
inline constexpr KeySet check("/$defs/check",
                              {"name", "http", "tcp", "log", "exec", "healthcheck", "expect", "timeout"});
inline constexpr KeySet step(
    "/$defs/step", {"name",   "http",        "exec",       "signal",  "restart", "wait",   "log",
                    "tcp",    "healthcheck", "expect",     "timeout", "retry",   "copy",   "file",
                    "run",    "parallel",    "background", "capture", "skip_if", "repeat", "same_as_control",
                    "command"});
inline constexpr KeySet http("/$defs/http",
                             {"method", "scheme", "port", "path", "headers", "body", "file", "form"});
inline constexpr KeySet form_field("/$defs/form_field", {"file", "text", "filename", "type"});
inline constexpr KeySet copy("/$defs/copy", {"to", "from", "text", "owner", "mode"});
inline constexpr KeySet run("/$defs/run", {"image", "command", "entrypoint", "user", "working_dir",
                                           "environment", "files"});
inline constexpr KeySet command("/$defs/command",
                                {"run", "directory", "environment", "junit", "known_failures"});
inline constexpr KeySet background("/$defs/background", {"steps", "interval"});
inline constexpr KeySet capture("/$defs/capture", {"json", "header", "regex"});
inline constexpr KeySet skip_if("/$defs/skip_if", {"exec", "vars"});
inline constexpr KeySet same_as_control("/$defs/same_as_control", {"ignore"});
inline constexpr KeySet fixture("/$defs/fixture", {"target", "from", "empty", "owner", "mode"});
inline constexpr KeySet exec("/$defs/exec", {"command", "user", "working_dir", "environment", "stdin"});
inline constexpr KeySet restart("/$defs/restart", {"kill"});
inline constexpr KeySet tcp("/$defs/tcp", {"port"});
inline constexpr KeySet expect("/$defs/expect", {"status", "exit_code", "contains", "not_contains", "matches",
                                                 "equals", "headers", "json", "exists", "mode", "size"});
inline constexpr KeySet retry("/$defs/retry", {"until", "interval"});
inline constexpr KeySet shutdown("/$defs/shutdown", {"signal", "timeout", "exit_code"});

inline constexpr KeySet none("/$defs/none", {});

inline constexpr std::array all{scenario,
                                subject,
                                mount,
                                mount_bind,
                                mount_volume,
                                mount_tmpfs,
                                subject_healthcheck,
                                container,
                                kubernetes,
                                kubernetes_values,
                                compose,
                                ready,
                                check,
                                step,
                                http,
                                exec,
                                restart,
                                tcp,
                                expect,
                                retry,
                                shutdown,
                                form_field,
                                copy,
                                run,
                                command,
                                background,
                                capture,
                                skip_if,
                                same_as_control,
                                fixture,
                                none};

}  // namespace keys

}  // namespace rogate::spec
