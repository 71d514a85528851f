// Typed calls of the Docker Engine API, 1.41 and newer. One Client speaks to one engine; calls may overlap
// (each takes a connection of its own, closed after it). Every call ends by its deadline with
// ErrorKind::timeout and can be cancelled; an answer of the engine that is an error becomes ErrorKind::engine
// (ErrorKind::not_found for 404) with the call's name and the engine's own message.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/transport.hpp"

namespace rogate::engine {

using Milliseconds = std::chrono::milliseconds;

struct Version {
    std::string platform;  // "Docker Engine - Community", "Podman Engine"
    std::string version, api_version, min_api_version, os, arch, kernel;
    bool is_podman() const { return platform.starts_with("Podman"); }

    // What engines do differently; of podman as of 4.3.
    // Archives name each file's owner. Podman's name the user of the container that is asked (libpod:
    // container_copy_linux.go, copyToArchive).
    bool archives_tell_owners() const { return !is_podman(); }
    // Archive calls mount the container's volumes, and fill new ones from its image. Podman does that when it
    // starts a container, before it finds that there is no such program; with one that does not run they see
    // what lies under an overlay.
    bool archives_mount_volumes() const { return !is_podman(); }
    // Archive calls reach a single file that is mounted. Podman's enter what is mounted (buildah's copier
    // changes its root to it), and answer 500 where that is no folder and the container does not run.
    bool archives_reach_single_files() const { return !is_podman(); }
    // When a volume is mounted for the first time its root gets the owner and mode of the folder that is
    // there in the container (libpod: fixVolumePermissions), even if it is an overlay of the user's data.
    bool first_mount_changes_owner() const { return is_podman(); }
    // A container with a read-only root has a tmpfs on /run, /tmp and /var/tmp.
    bool read_only_root_has_tmpfs() const { return is_podman(); }
    // The options of a tmpfs can name its root's owner.
    bool tmpfs_takes_owner() const { return !is_podman(); }
    // Who joins a container's network has its host name as well.
    bool network_brings_host_name() const { return !is_podman(); }
};
struct Info {
    std::string id, cgroup_version, cgroup_driver, storage_driver, docker_root_dir, operating_system, kernel;
    std::vector<std::string> security_options;
    std::string default_runtime;  // "runc"
    std::map<std::string, std::string>
        runtimes;  // name -> program; empty for a shim that containerd knows by its name
};

struct ImageInfo {
    std::string id;
    std::string created;  // RFC 3339
    std::vector<std::string> env, entrypoint, cmd, volumes,
        exposed_ports;  // volumes: paths of VOLUME, sorted
    std::string user, working_dir, stop_signal;
    bool has_healthcheck = false;
    std::vector<std::string> health_test;                // as the API gives it: {"CMD-SHELL", "…"}
    std::vector<std::string> shell = {"/bin/sh", "-c"};  // what runs a CMD-SHELL
};

struct MountSpec {
    enum class Type { bind, volume };
    Type type = Type::bind;
    std::string source, target;
    bool read_only = false;
    bool no_copy = false;
    std::string propagation;
    bool not_below = false;  // bind, from API 1.44: read-only, but not what is mounted below the source
};
struct HealthSpec {
    std::vector<std::string> test;
    std::optional<std::int64_t> interval_ms, timeout_ms, start_period_ms;
    std::optional<int> retries;
};
struct PublishSpec {
    std::uint16_t container_port = 0;
    std::string protocol = "tcp";
    std::string host_ip = "127.0.0.1";
    std::uint16_t host_port = 0;  // 0: the engine chooses
};
struct ContainerSpec {
    std::string name, image;
    std::optional<std::vector<std::string>> entrypoint, cmd;
    std::optional<std::string> user, working_dir, hostname, stop_signal;
    std::vector<std::string> env;  // "NAME=value"
    std::map<std::string, std::string> labels;
    std::vector<MountSpec> mounts;
    std::map<std::string, std::string> tmpfs;  // target -> mount options
    std::vector<PublishSpec> publish;
    std::vector<std::string> cap_add, cap_drop, security_opt;
    bool unconfined_system_paths = false;  // nothing below /proc and /sys is hidden or read-only
    std::optional<HealthSpec> health;
    std::vector<std::string> group_add, extra_hosts;
    std::map<std::string, std::int64_t> ulimits;
    std::map<std::string, std::int64_t> ulimits_hard;  // where it is not the soft one
    std::map<std::string, std::string> sysctls;
    std::optional<std::int64_t> shm_size, memory;
    std::string network_mode;  // "none", "host", "container:ID", a network's name; empty: the default
    // For a helper that only reads and writes files: it has not even a loopback interface that is up,
    // whatever network_mode says. The engine then makes no sandbox for it, which is half of the cost of a
    // start.
    bool network_disabled = false;
    std::vector<std::string> network_aliases;
    std::string pid_mode;   // "host"
    std::string restart;    // "always", "on-failure", "unless-stopped"; empty: it is not started again
    int restart_tries = 0;  // on-failure: 0 is without end
    bool init = false, privileged = false, read_only_rootfs = false, auto_remove = false;
    std::string runtime;  // empty: the engine's default
    bool tty = false;
    bool open_stdin = false;  // stdin stays open until the one attached client goes away (StdinOnce)
};
// The body of POST /containers/create; pure, checked against the published specs in tests.
nlohmann::json to_create_body(const ContainerSpec&);

struct ContainerState {
    std::string id, name, image_id;
    std::string status;    // created, running, exited, …
    bool running = false;  // or about to be started again
    int restarts = 0;      // by the engine, after an end
    bool oom_killed = false;
    std::int64_t pid = 0;
    int exit_code = 0;
    std::string error;
    std::string health;                              // "", starting, healthy, unhealthy
    bool health_checked = false;                     // a check's result is on record
    std::chrono::nanoseconds health_interval{0};     // between checks
    std::map<std::string, std::uint16_t> published;  // "80/tcp" -> port on the engine's host
    std::map<std::string, std::string> addresses;    // network -> IPv4 address on it
    std::string started_at,
        finished_at;  // RFC 3339; finished_at: of the run before, "0001-…" if there was none
};
// Bit 0 is signal 1.
struct SignalMasks {
    std::uint64_t caught = 0, blocked = 0;
    bool operator==(const SignalMasks&) const = default;
};
struct ContainerSummary {
    std::string id, name, state;
    std::map<std::string, std::string> labels;
};
struct VolumeSpec {
    std::string name, driver = "local";
    std::map<std::string, std::string> options, labels;
};
struct VolumeInfo {
    std::string name, driver, mountpoint;
    std::map<std::string, std::string> options, labels;
};
struct NetworkInfo {
    std::string id, name;
    std::map<std::string, std::string> labels;
};
// What the engine is told of an image that it builds from a context, or from what it fetches itself.
struct BuildSpec {
    std::string name;        // that the image gets
    std::string remote;      // a URL; empty: the context is sent
    std::string dockerfile;  // in the context
    std::string target, network, platform;
    std::map<std::string, std::string> args, labels;
    std::vector<std::string> extra_hosts, cache_from;  // extra_hosts: "name:address"
    std::optional<std::int64_t> shm_size;
    bool pull = false, no_cache = false;
    std::vector<std::string> bases;  // references whose registries may ask for credentials
};
// Path and query of POST /build; pure.
std::string to_build_target(const BuildSpec&);

struct ImageSummary {
    std::string id;
    std::vector<std::string> tags;
    std::map<std::string, std::string> labels;
};

struct ExecSpec {
    std::vector<std::string> command, env;
    std::optional<std::string> user, working_dir;
    std::string stdin_text;     // sent and closed when not empty
    bool attach_stdin = false;  // exec_attached: what is written to the attachment is its standard input
};
struct ExecResult {
    std::string id;
    int exit_code = 0;
    std::int64_t pid = 0;  // of the process on the engine's host, 0 if it was not known any more
    std::string output_stdout, output_stderr;  // each cut at `output_limit` bytes
    bool truncated = false;
};

enum class Channel : std::uint8_t { in = 0, out = 1, err = 2 };

// A hijacked connection to a container's standard streams.
class Attachment {
  public:
    virtual ~Attachment() = default;
    virtual Task<> write(std::string_view) = 0;
    // The end of the program's standard input, behind all that was written.
    virtual Task<> close_write() = 0;
    struct Chunk {
        Channel channel = Channel::out;
        std::string bytes;
    };
    // Next bytes; nullopt at end of stream.
    virtual Task<std::optional<Chunk>> read() = 0;
    virtual void close() noexcept = 0;
};

// Feeds on tar bytes: returns an empty string at the end.
using ByteSource = std::function<Task<std::string>()>;
using ByteSink = std::function<Result<bool>(std::string_view)>;  // false: enough, stop reading

class Client {
  public:
    Client(boost::asio::any_io_executor, std::unique_ptr<Transport>, Endpoint);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // The value of X-Registry-Auth for a pull of a reference, if there is one. At first: what
    // ~/.docker/config.json (DOCKER_CONFIG), or its helper, has for the registry.
    using RegistryAuth = std::function<std::optional<std::string>(const std::string& reference)>;
    void set_registry_auth(RegistryAuth lookup);

    // How long an ordinary call may take (60 s unless told); calls that move images and archives are given
    // five times that, pulls ten times.
    void set_timeout(Milliseconds timeout);

    const Endpoint& endpoint() const;
    const Version& server() const;  // after negotiate()
    const std::string& api_version()
        const;  // spoken: the smaller of the engine's and the newest known (1.55)

    // Ping, version, choice of the API version. ErrorKind::engine with what to do when the engine is too old
    // (< 1.41) or cannot be reached (socket missing, permission denied, connection refused are told apart).
    Task<> negotiate(Milliseconds deadline = Milliseconds(10'000));
    Task<Info> info();

    Task<ImageInfo> image_inspect(std::string reference);
    // Imports a root filesystem (tar) as an image with `changes` (Dockerfile instructions); returns its id.
    Task<std::string> image_import(std::string repository, std::string tag, std::string tar,
                                   std::vector<std::string> changes);
    Task<> image_pull(std::string reference, std::function<void(const std::string&)> progress = {},
                      Milliseconds deadline = Milliseconds(600'000));
    // The classic builder's. `context` answers its tar, piece by piece; it is not asked when the engine
    // fetches it. `progress` gets each line of the log, without its end.
    Task<> image_build(BuildSpec spec, ByteSource context,
                       std::function<void(const std::string& line)> progress);
    Task<> image_remove(std::string reference, bool force);
    Task<std::vector<ImageSummary>> image_list(std::string label);

    Task<std::string> container_create(ContainerSpec);
    Task<> container_start(std::string id);
    Task<ContainerState> container_inspect(std::string id);
    // Like container_inspect(), for callers polling health. Podman's service leaves the checks to timers of
    // systemd; where there is none, a check that is due is made here (GET
    // /libpod/containers/{name}/healthcheck, podman 4.0).
    Task<ContainerState> container_health(std::string id);
    Task<nlohmann::json> container_inspect_raw(std::string id);
    // Waits until it is not running; its exit code.
    Task<int> container_wait(std::string id, Milliseconds deadline);
    Task<> container_stop(std::string id, int grace_seconds);
    Task<> container_kill(std::string id, std::string signal);
    Task<> container_remove(std::string id);  // by force, with its anonymous volumes; already gone is success
    Task<std::vector<ContainerSummary>> container_list(
        std::string label);  // running or not; empty: all of them
    // What a container wrote, stdout and stderr as they came.
    struct Log {
        std::string text;
        bool cut = false;  // its beginning is missing, maybe within a line
    };
    // Everything written so far, the last `limit` bytes at most; `tail_entries`: only that many of the
    // engine's last entries, each a line or up to 16 KiB of a longer one; `since`: RFC 3339, only what was
    // written after it.
    Task<Log> container_logs(std::string id, std::size_t limit = 1 << 20,
                             std::optional<int> tail_entries = {}, std::string since = {});
    // Of its first process. Nothing where the engine cannot say: it asks the ps of its host.
    Task<std::optional<SignalMasks>> container_signals(std::string id);
    Task<std::unique_ptr<Attachment>> container_attach(std::string id, bool with_stdin);
    // Starts it, and answers its standard output once it has ended, which it must within `deadline`, an
    // ordinary call's time by default (ErrorKind::timeout). It has to be made with open_stdin, and to say
    // nothing before it has read a line: a program that ends at once may be gone before the engine (Docker
    // 28) has attached anybody. A stream that is cut off looks like an end: whether it is whole, the text has
    // to say.
    Task<std::string> container_output(std::string id, std::optional<Milliseconds> deadline = {});
    // `deadline` is for the process itself: ErrorKind::timeout when it still runs then.
    Task<ExecResult> exec(std::string id, ExecSpec, Milliseconds deadline,
                          std::size_t output_limit = 1 << 20);
    // Starts a process and answers its standard streams. It is told of the attachment's end by the end of its
    // standard input; how it ends is not learned.
    Task<std::unique_ptr<Attachment>> exec_attached(std::string id, ExecSpec);
    Task<> archive_put(std::string id, std::string path, std::string tar);
    // Streams the tar of `path`; the sink may stop early.
    Task<> archive_get(std::string id, std::string path, ByteSink sink,
                       Milliseconds deadline = Milliseconds(600'000));
    struct PathStat {
        std::string name, link_target;  // link_target: of a symbolic link only
        std::uint64_t size = 0;
        std::uint32_t go_mode = 0;  // Go's os.FileMode bits
        bool is_directory() const { return (go_mode & 0x80000000U) != 0; }
    };
    Task<PathStat> archive_stat(std::string id, std::string path);

    Task<VolumeInfo> volume_create(VolumeSpec);
    Task<VolumeInfo> volume_inspect(std::string name);
    // Podman (libpod API): no container has had it yet, and the first one will fill it and give its root an
    // owner, even if it only looks. Other engines: false, since theirs only fills, which `no_copy` prevents.
    Task<bool> volume_awaits_first_use(std::string name);
    // By the list of all of them: a second opinion on a 404.
    Task<bool> volume_exists(std::string name);
    Task<> volume_remove(std::string name);                        // already gone is success
    Task<std::vector<VolumeInfo>> volume_list(std::string label);  // empty: all of them
    // `internal`: nothing outside of it is reached from it, and no port of its containers is published.
    Task<std::string> network_create(std::string name, std::map<std::string, std::string> labels,
                                     bool internal = false);
    Task<> network_connect(std::string network, std::string container);
    Task<> network_remove(std::string id);
    Task<std::vector<NetworkInfo>> network_list(std::string label);  // empty: all of them

    // Engine events as they come until cancelled or until the handler answers false; `filters` as the API
    // takes them. Without a deadline. ErrorKind::engine when the engine ends the stream.
    Task<> events(nlohmann::json filters, std::function<bool(const nlohmann::json&)> handler);
    // Those that the engine still remembers (dockerd: the last 256), up to `until`, in seconds since 1970.
    Task<> past_events(nlohmann::json filters, std::int64_t until,
                       std::function<bool(const nlohmann::json&)> handler);

    struct Impl;  // the client's own sources share it

  private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace rogate::engine
