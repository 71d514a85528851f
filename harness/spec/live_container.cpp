#include "spec/live_container.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <rogate/host_network.hpp>

#include "spec/compose_project.hpp"
#include "spec/mounts.hpp"

namespace rogate::spec {

namespace {

using nlohmann::json;
using Texts = std::vector<std::string>;

// The engine writes null, leaves a field out, or writes its empty value, as it pleases.
template <class T>
T field(const json& object, const char* key) {
    const auto at = object.find(key);
    if (at == object.end() || at->is_null()) return {};
    return at->get<T>();
}
json child(const json& object, const char* key) {
    const auto at = object.find(key);
    return at == object.end() || at->is_null() ? json::object() : *at;
}
std::optional<std::string> text(const json& object, const char* key) {
    auto value = field<std::string>(object, key);
    if (value.empty()) return std::nullopt;
    return value;
}
std::optional<std::int64_t> milliseconds(const json& object, const char* key) {
    const auto nanoseconds = field<std::int64_t>(object, key);
    if (nanoseconds <= 0) return std::nullopt;
    return std::max<std::int64_t>(1, nanoseconds / 1'000'000);
}

// Docker names an anonymous volume by 64 hex digits.
bool is_anonymous(const std::string& volume) {
    return volume.size() == 64 && volume.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string without_last_slash(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
}

// --tmpfs TARGET:OPTIONS; whether it is read-only is said by Mount::read_only alone.
Mount tmpfs_of(const std::string& target, const std::string& options) {
    Mount mount;
    mount.type = MountType::tmpfs;
    mount.target = without_last_slash(target);
    for (std::size_t start = 0; start < options.size();) {
        const std::size_t end = std::min(options.find(',', start), options.size());
        const std::string option = options.substr(start, end - start);
        start = end + 1;
        if (option == "ro") mount.read_only = true;
        if (option.empty() || option == "ro" || option == "rw") continue;
        if (!mount.tmpfs_options.empty()) mount.tmpfs_options += ',';
        mount.tmpfs_options += option;
    }
    return mount;
}

Mount tmpfs_of(const json& spec) {
    Mount mount;
    mount.type = MountType::tmpfs;
    mount.target = without_last_slash(field<std::string>(spec, "Target"));
    mount.read_only = field<bool>(spec, "ReadOnly");
    const json options = child(spec, "TmpfsOptions");
    if (const auto size = field<std::int64_t>(options, "SizeBytes"); size > 0)
        mount.tmpfs_options = fmt::format("size={}", size);
    if (const auto mode = field<std::int64_t>(options, "Mode"); mode > 0)
        mount.tmpfs_options += fmt::format("{}mode={:o}", mount.tmpfs_options.empty() ? "" : ",", mode);
    return mount;
}

class Clone {
  public:
    Clone(const json& inspect, const std::string& name, CloneNetwork network)
        : inspect_(inspect),
          config_(child(inspect, "Config")),
          host_(child(inspect, "HostConfig")),
          name_(name),
          network_(network) {}

    Result<Subject> go() {
        process();
        limits();
        if (auto done = mounts(); !done) return fail(std::move(done.error()));
        healthcheck();
        ports();
        if (auto done = networks(); !done) return fail(std::move(done.error()));
        if (auto done = refuse(); !done) return fail(std::move(done.error()));
        return std::move(subject_);
    }

  private:
    tl::unexpected<Error> cannot(const std::string& what) const {
        return fail(ErrorKind::usage, fmt::format("container '{}' {}", name_, what));
    }

    void process() {
        subject_.origin.kind = Origin::Kind::container;
        subject_.origin.name = name_;
        subject_.image = field<std::string>(inspect_, "Image");
        // Both are always said: an image's own would be taken where the original has none.
        subject_.entrypoint = field<Texts>(config_, "Entrypoint");
        subject_.command = field<Texts>(config_, "Cmd");
        subject_.user = text(config_, "User");
        subject_.working_dir = text(config_, "WorkingDir");
        subject_.stop_signal = text(config_, "StopSignal");
        const auto hostname = text(config_, "Hostname");
        // The engine's default is the beginning of the container's id.
        if (hostname && !field<std::string>(inspect_, "Id").starts_with(*hostname))
            subject_.hostname = hostname;
        for (const std::string& variable : field<Texts>(config_, "Env")) {
            const std::size_t equals = variable.find('=');
            if (equals != std::string::npos)
                subject_.environment.insert_or_assign(variable.substr(0, equals),
                                                      variable.substr(equals + 1));
        }
        subject_.cap_add = field<Texts>(host_, "CapAdd");
        subject_.cap_drop = field<Texts>(host_, "CapDrop");
        subject_.security_opt = field<Texts>(host_, "SecurityOpt");
        // The client turned systempaths=unconfined into empty lists; the engine's own are never empty.
        const json masked = child(host_, "MaskedPaths");
        subject_.unconfined_system_paths =
            masked.is_array() && masked.empty() && !field<bool>(host_, "Privileged");
        subject_.group_add = field<Texts>(host_, "GroupAdd");
        subject_.extra_hosts = field<Texts>(host_, "ExtraHosts");
        subject_.init = field<bool>(host_, "Init");
        subject_.runtime = field<std::string>(host_, "Runtime");
        if (subject_.runtime == "oci") subject_.runtime.clear();  // podman's word for its default
        subject_.tty = field<bool>(config_, "Tty");
        subject_.open_stdin = subject_.tty && field<bool>(config_, "OpenStdin");
        subject_.privileged = field<bool>(host_, "Privileged");
        subject_.read_only_rootfs = field<bool>(host_, "ReadonlyRootfs");
    }

    void limits() {
        const json ulimits = child(host_, "Ulimits");
        for (const json& each : ulimits) {
            const auto name = field<std::string>(each, "Name");
            const auto soft = field<std::int64_t>(each, "Soft"), hard = field<std::int64_t>(each, "Hard");
            subject_.ulimits[name] = soft;
            if (hard != soft) subject_.ulimits_hard[name] = hard;
        }
        subject_.sysctls = field<std::map<std::string, std::string>>(host_, "Sysctls");
        if (const auto size = field<std::int64_t>(host_, "ShmSize"); size > 0) subject_.shm_size = size;
    }

    Result<> mounts() {
        // tmpfs mounts are listed in "Mounts" for one of the two ways to ask for them only.
        for (const auto& [target, options] : field<std::map<std::string, std::string>>(host_, "Tmpfs"))
            subject_.mounts.push_back(tmpfs_of(target, options));
        const json asked = child(host_, "Mounts");
        std::map<std::string, std::string> parts;  // of volumes, by target
        for (const json& each : asked) {
            if (field<std::string>(each, "Type") == "tmpfs") subject_.mounts.push_back(tmpfs_of(each));
            if (std::string part = field<std::string>(child(each, "VolumeOptions"), "Subpath"); !part.empty())
                parts.emplace(without_last_slash(field<std::string>(each, "Target")), std::move(part));
        }
        const json made = child(inspect_, "Mounts");
        for (const json& each : made) {
            const auto type = field<std::string>(each, "Type");
            if (type == "tmpfs") continue;
            Mount mount;
            mount.target = without_last_slash(field<std::string>(each, "Destination"));
            mount.read_only = !field<bool>(each, "RW");
            if (type == "bind") {
                mount.type = MountType::bind;
                mount.source = field<std::string>(each, "Source");
                mount.propagation = field<std::string>(each, "Propagation");
            } else if (type == "volume") {
                mount.source = field<std::string>(each, "Name");
                mount.type = is_anonymous(mount.source) ? MountType::anonymous : MountType::volume;
                if (const auto part = parts.find(mount.target); part != parts.end()) {
                    mount.type = MountType::volume;
                    mount.sub_path = part->second;
                }
            } else {
                return cannot(
                    fmt::format("has a mount of type '{}' on {}, which is not supported; write a "
                                "scenario for the application without it",
                                type, mount.target));
            }
            subject_.mounts.push_back(std::move(mount));
        }
        std::ranges::sort(subject_.mounts, {}, &Mount::target);
        return {};
    }

    void healthcheck() {
        const json check = child(config_, "Healthcheck");
        if (field<Texts>(check, "Test").empty()) return;
        Healthcheck made;
        made.test = field<Texts>(check, "Test");
        made.interval_ms = milliseconds(check, "Interval");
        made.timeout_ms = milliseconds(check, "Timeout");
        made.start_period_ms = milliseconds(check, "StartPeriod");
        if (const int retries = field<int>(check, "Retries"); retries > 0) made.retries = retries;
        subject_.healthcheck = std::move(made);
    }

    void ports() {
        for (const json& ports : {child(config_, "ExposedPorts"), child(host_, "PortBindings")})
            for (const auto& [text, unused] : ports.items()) {
                const std::size_t slash = text.find('/');
                Port port;
                port.container = static_cast<std::uint16_t>(std::stoi(text.substr(0, slash)));
                if (slash != std::string::npos) port.protocol = text.substr(slash + 1);
                if (std::ranges::find(subject_.ports, port) == subject_.ports.end())
                    subject_.ports.push_back(std::move(port));
            }
    }

    Result<> networks() {
        const auto mode = field<std::string>(host_, "NetworkMode");
        if (mode == "none" && network_ != CloneNetwork::own)
            return cannot(
                "has no network; its clone gets one of the run's own: say that this is meant with "
                "'network: own' under 'container'");
        if ((mode == "host" || mode.starts_with("container:")) && network_ != CloneNetwork::own)
            return cannot(
                fmt::format("uses the network of {}, where its clone would be in its way; say 'network: "
                            "own' under 'container' to run the clone on a network of its own",
                            mode == "host" ? "the host" : "another container"));
        if (mode == "host") ask_for_ports_as_on_hosts(subject_);
        if (network_ != CloneNetwork::join) return {};
        const json networks = child(child(inspect_, "NetworkSettings"), "Networks");
        for (const auto& [network, unused] : networks.items()) subject_.networks.push_back(network);
        return {};
    }

    Result<> refuse() const {
        const auto in_the_way = [&](const char* what) {
            return cannot(
                fmt::format("{}, which a clone cannot have without touching what is not its own; write "
                            "a scenario for the application without it",
                            what));
        };
        if (!child(host_, "Devices").empty() || !child(host_, "DeviceRequests").empty())
            return in_the_way("has devices of the host");
        const auto ipc = field<std::string>(host_, "IpcMode");
        // Podman's word for one of its own.
        if (const auto pid = field<std::string>(host_, "PidMode"); !pid.empty() && pid != "private")
            return in_the_way("shares the process namespace of the host or of another container");
        if (ipc == "host" || ipc.starts_with("container:"))
            return in_the_way("shares the IPC namespace of the host or of another container");
        if (field<std::string>(host_, "UTSMode") == "host") return in_the_way("shares the host's name");
        if (!field<std::string>(host_, "UsernsMode").empty())
            return in_the_way("has a user namespace setting of its own");
        if (!field<Texts>(host_, "Links").empty()) return in_the_way("has links to other containers");
        return {};
    }

    const json& inspect_;
    json config_, host_;
    const std::string& name_;
    CloneNetwork network_;
    Subject subject_;
};

// "Mode" is what was given behind the target's last colon: "z", "ro,Z".
std::vector<std::string> relabelled(const json& inspect, const std::vector<Mount>& mounts) {
    std::vector<std::string> notes;
    for (const json& each : child(inspect, "Mounts")) {
        const std::string target = without_last_slash(field<std::string>(each, "Destination"));
        const auto mount = std::ranges::find(mounts, target, &Mount::target);
        const std::string options = "," + field<std::string>(each, "Mode") + ",";
        for (const char* how : {"z", "Z"})
            if (mount != mounts.end() && options.find(fmt::format(",{},", how)) != std::string::npos)
                notes.push_back(relabelling_note(*mount, how));
    }
    return notes;
}

// Limits of the machine's resources, by the name of their option.
std::vector<std::string> limits_left_behind(const json& inspect) {
    constexpr std::pair<const char*, const char*> limits[] = {{"Memory", "--memory"},
                                                              {"PidsLimit", "--pids-limit"},
                                                              {"NanoCpus", "--cpus"},
                                                              {"CpuQuota", "--cpu-quota"},
                                                              {"CpuShares", "--cpu-shares"}};
    const json host = child(inspect, "HostConfig");
    std::vector<std::string> found;
    for (const auto& [key, option] : limits) {
        const auto at = host.find(key);
        if (at != host.end() && at->is_number_integer() && at->get<std::int64_t>() > 0)
            found.emplace_back(option);
    }
    const auto cpus = host.find("CpusetCpus");
    if (cpus != host.end() && cpus->is_string() && *cpus != "") found.emplace_back("--cpuset-cpus");
    return found;
}

struct Read {
    Subject subject;
    std::vector<std::string> notes;  // what the runs do not have of it
};

Result<Read> read(std::string_view inspect, const std::string& name, CloneNetwork network) {
    const json reply = json::parse(inspect, nullptr, false);
    if (!reply.is_object())
        return fail(ErrorKind::protocol,
                    fmt::format("what the engine says of container '{}' is no JSON object", name));
    try {
        auto subject = Clone(reply, name, network).go();
        if (!subject) return fail(std::move(subject.error()));
        Read made{std::move(*subject), {}};
        made.notes = relabelled(reply, made.subject.mounts);
        if (const auto limits = limits_left_behind(reply); !limits.empty())
            made.notes.push_back(
                fmt::format("container '{}': not taken over by the runs: {}", name, fmt::join(limits, ", ")));
        return made;
    } catch (const std::exception& error) {
        return fail(
            ErrorKind::protocol,
            fmt::format("what the engine says of container '{}' cannot be read: {}", name, error.what()));
    }
}

}  // namespace

Result<Subject> subject_of_container(std::string_view inspect, const std::string& name,
                                     CloneNetwork network) {
    auto made = read(inspect, name, network);
    if (!made) return fail(std::move(made.error()));
    return std::move(made->subject);
}

Result<Scenario> with_container(Scenario scenario, std::string_view inspect) {
    const Subject said = std::move(scenario.subject);
    auto clone = read(inspect, said.origin.name, scenario.clone_network);
    if (!clone) return fail(std::move(clone.error()));
    scenario.subject = std::move(clone->subject);
    scenario.subject.origin = said.origin;
    for (std::string& note : clone->notes) scenario.notes.push_back(std::move(note));
    for (const Port& port : said.ports)
        if (std::ranges::find(scenario.subject.ports, port) == scenario.subject.ports.end())
            scenario.subject.ports.push_back(port);
    if (scenario.readiness.derived && scenario.readiness.checks.empty())
        scenario.readiness = default_readiness(scenario.subject);
    return scenario;
}

Scenario scenario_of_container(const std::string& name) {
    Scenario scenario;
    scenario.name = name;
    scenario.file = fmt::format("container {}", name);
    scenario.subject.origin.kind = Origin::Kind::container;
    scenario.readiness.derived = true;
    scenario.subject.origin.name = name;
    return scenario;
}

}  // namespace rogate::spec
