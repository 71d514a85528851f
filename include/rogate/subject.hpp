// The application under test, as every input format converges on it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rogate {

// Where in an input file something was declared; for messages and for patches. line and column count from 1;
// 0: unknown.
struct SourcePlace {
    std::string file;
    int line = 0;
    int column = 0;
    bool operator==(const SourcePlace&) const = default;
};

enum class MountType { bind, volume, anonymous, tmpfs, rootfs };

// A mount of the subject. `target` is absolute and normalised (no trailing '/', no '..'), except "/" itself.
struct Mount {
    MountType type = MountType::bind;
    std::string source;  // bind: absolute path on the engine's host; volume, and a live container's anonymous
                         // one: its name; otherwise empty
    std::string target;
    bool read_only = false;
    bool no_copy = false;          // volume: not filled from the image
    std::string sub_path = {};     // volume: the directory in it that is mounted; empty: all of it
    std::string tmpfs_options;     // tmpfs: as mount(8) takes them, e.g. "size=64m,mode=1777,uid=33"
    std::string propagation;       // bind: rprivate, rslave, …; empty: the engine's default
    bool made_if_missing = false;  // bind: whoever starts the application makes a missing source a directory
    SourcePlace declared;          // line 0: not in a file (an image's VOLUME)
    bool operator==(const Mount&) const = default;
};

// Times in milliseconds; absent: the image's or the engine's default.
struct Healthcheck {
    std::vector<std::string> test;  // as the Engine API takes it: {"CMD", …}, {"CMD-SHELL", "…"}, {"NONE"}
    std::optional<std::int64_t> interval_ms, timeout_ms, start_period_ms;
    std::optional<int> retries;
    bool operator==(const Healthcheck&) const = default;
};

// A port of the subject that steps talk to. It is always published on a free port of the loopback interface
// of the engine's host, never on the number the user runs it on in production.
struct Port {
    std::uint16_t container = 0;
    std::string protocol = "tcp";
    bool operator==(const Port&) const = default;
};

// When the engine starts a container again that has ended. `name`: as the Engine API has it ("always",
// "on-failure", "unless-stopped"); empty: never.
struct RestartPolicy {
    std::string name;
    int tries = 0;  // on-failure: how often; 0: without end
    bool operator==(const RestartPolicy&) const = default;
};

// The file that the subject was read from, so that a patch knows where to put a change.
struct Origin {
    enum class Kind { scenario, compose, kubernetes, docker_run, container };
    Kind kind = Kind::scenario;
    std::vector<std::string> files;  // compose: in the order in which they are merged; container: none
    std::string name;       // compose: the service; kubernetes: "Deployment/shop"; container: its name
    std::string container;  // kubernetes: the container in the pod
    bool operator==(const Origin&) const = default;
};

// A file that is written into the container before it starts (an inline config or secret of Compose): it lies
// on the root filesystem, or on whatever mount covers it.
struct SeedFile {
    std::string target;  // absolute path in the container
    std::string content;
    std::uint32_t uid = 0, gid = 0, mode = 0444;
    SourcePlace declared;
    bool operator==(const SeedFile&) const = default;
};

// From what an image is made, and how. Its arguments are Subject::build_args.
struct ImageBuild {
    std::string context;  // an absolute folder; or a URL that the engine fetches
    bool is_remote = false;
    std::string shown;              // the context, as the file has it
    std::string dockerfile;         // beside the context, or absolute; empty: Dockerfile
    std::string inline_dockerfile;  // in its place
    std::string target, network, platform;
    std::map<std::string, std::string> labels;
    std::vector<std::string> extra_hosts, cache_from;  // extra_hosts: "name:address"
    std::optional<std::int64_t> shm_size;              // bytes
    bool pull = false, no_cache = false;
    bool always = false;  // also if there is an image (pull_policy: build)
    // What docker compose can do and the Engine API cannot: key, where.
    std::vector<std::pair<std::string, SourcePlace>> beyond_the_api;
    // How docker compose is told of the same. No files: it cannot be.
    std::string project, project_folder;
    std::vector<std::string> files, env_files;  // absolute, in the order in which they are merged
    bool operator==(const ImageBuild&) const = default;
};

// What `docker compose build` would make the image of.
struct BuiltImage {
    std::string service;
    std::string other_name;  // that older versions gave the image; empty: the file names the image itself
    SourcePlace declared;
    ImageBuild build = {};
    bool operator==(const BuiltImage&) const = default;
};

struct Subject {
    Origin origin;
    std::string image;
    std::optional<BuiltImage> built;
    std::optional<std::vector<std::string>> command;     // absent: the image's
    std::optional<std::vector<std::string>> entrypoint;  // absent: the image's
    std::optional<std::string> user, working_dir, hostname, stop_signal;
    std::map<std::string, std::string> environment;
    std::vector<std::string> unset_environment;  // variables of the image's that the container has not
    std::vector<Mount> mounts;
    std::vector<Port> ports;
    std::vector<std::string> cap_add, cap_drop, security_opt;
    std::optional<Healthcheck> healthcheck;
    std::vector<std::string> group_add;    // further groups of the first process
    std::vector<std::string> extra_hosts;  // "name:address", for /etc/hosts
    std::vector<std::string> networks;     // joined beside the run's own
    std::string network_mode;  // "none"; "service:NAME", whose namespace it shares; empty: the run's network
    std::map<std::string, std::int64_t> ulimits;       // name -> soft and hard limit
    std::map<std::string, std::int64_t> ulimits_hard;  // name -> hard limit, where it is another
    std::map<std::string, std::string> sysctls;
    std::string runtime;                   // docker run --runtime; empty: the engine's default
    std::optional<std::int64_t> shm_size;  // bytes
    bool init = false;                     // docker run --init
    bool privileged = false;
    bool read_only_rootfs = false;
    bool open_stdin = false;           // stdin stays open and never has anything
    bool tty = false;                  // has a terminal
    std::vector<std::string> aliases;  // names on the run's network
    std::vector<SeedFile> files;
    bool unconfined_system_paths = false;  // systempaths=unconfined: nothing below /proc and /sys is hidden
    // Not for results: contents of what is a secret, and what the image's build was given.
    std::vector<std::string> secrets;
    std::map<std::string, std::string> build_args;
    bool operator==(const Subject&) const = default;
};

}  // namespace rogate
