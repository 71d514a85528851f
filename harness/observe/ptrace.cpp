#include "observe/ptrace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <rogate/labels.hpp>

namespace rogate::observe {

namespace {

using Words = std::vector<std::string>;

struct Capability {
    const char* name;
    int number;
};
// SYS_PTRACE: /proc of processes that changed their user, and setuid programs keep working. SYS_ADMIN: the
// seccomp filter without no_new_privs. DAC_READ_SEARCH: paths below directories that only their owner may
// search. SETPCAP: to give these up.
constexpr Capability needed[] = {
    {"SYS_PTRACE", 19}, {"SYS_ADMIN", 21}, {"DAC_READ_SEARCH", 2}, {"SETPCAP", 8}};
// Docker's default set has it: it is not ours to give up then.
constexpr const char* default_capability = "SETPCAP";

std::string bare(std::string name) {
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return name.starts_with("CAP_") ? name.substr(4) : name;
}

bool lists(const Words& list, const std::string& name) {
    return std::any_of(list.begin(), list.end(), [&](const std::string& each) { return bare(each) == name; });
}

bool has(const engine::ContainerSpec& spec, const std::string& name) {
    if (spec.privileged || lists(spec.cap_add, name)) return true;
    if (lists(spec.cap_drop, name)) return false;
    if (lists(spec.cap_add, "ALL")) return true;
    return name == default_capability && !lists(spec.cap_drop, "ALL");
}

Words wrapped(const char* part, const std::string& session, const std::string& drop, Words command) {
    Words whole = {fmt::format("{}/agent", ptrace_home), part, "rogate-" + session, drop, "--"};
    whole.insert(whole.end(), command.begin(), command.end());
    return whole;
}

// As the engine merges them: an entrypoint of one's own does away with the image's command.
Words command_of(const engine::ContainerSpec& spec, const engine::ImageInfo& image) {
    const bool own_entrypoint = spec.entrypoint && !spec.entrypoint->empty();
    Words command = spec.entrypoint ? *spec.entrypoint : image.entrypoint;
    if (command == Words{""}) command.clear();
    const Words rest = spec.cmd ? *spec.cmd : own_entrypoint ? Words{} : image.cmd;
    command.insert(command.end(), rest.begin(), rest.end());
    return command;
}

void wrap_health(engine::ContainerSpec& spec, const engine::ImageInfo& image, const std::string& session,
                 const std::string& drop) {
    Words test = spec.health && !spec.health->test.empty() ? spec.health->test : image.health_test;
    if (test.size() < 2 || test.front() == "NONE") return;
    Words command(test.begin() + 1, test.end());
    if (test.front() == "CMD-SHELL")
        command.insert(command.begin(), image.shell.begin(), image.shell.end());
    else if (test.front() != "CMD")
        return;  // the engine will say what is wrong with it
    command = wrapped("health", session, drop, std::move(command));
    command.insert(command.begin(), "CMD");
    if (!spec.health) spec.health.emplace();
    spec.health->test = std::move(command);
}

}  // namespace

std::string ptrace_volume(const std::string& session) {
    return fmt::format("rogate-{}-agent", session);
}

engine::ContainerSpec ptrace_relay(const std::string& session, const std::string& image,
                                   std::size_t ring_bytes) {
    engine::ContainerSpec spec;
    spec.name = fmt::format("rogate-{}-observer", session);
    spec.image = image;
    spec.entrypoint = Words{"/rogate-observer", "relay", std::to_string(ring_bytes)};
    spec.labels = labels(session, "observer");
    spec.network_disabled = true;
    spec.read_only_rootfs = true;
    spec.cap_drop = {"ALL"};
    spec.cap_add = {"SETFCAP"};  // for the agent's file, which is in a volume of ours
    spec.security_opt = {"label=disable"};
    engine::MountSpec home;
    home.type = engine::MountSpec::Type::volume;
    home.source = ptrace_volume(session);
    home.target = ptrace_home;
    spec.mounts.push_back(std::move(home));
    spec.open_stdin = true;  // it ends when rogate does, however that ends
    spec.auto_remove = true;
    return spec;
}

std::string ptrace_dress(engine::ContainerSpec& spec, const engine::ImageInfo& image,
                         const std::string& session) {
    std::string drop;
    Words added;
    for (const Capability& each : needed) {
        if (has(spec, each.name)) continue;
        added.emplace_back(each.name);
        drop += fmt::format("{}{}", drop.empty() ? "" : ",", each.number);
    }
    // Podman's volumes are nosuid, so that the agent's file gives a user other than root nothing; but podman
    // leaves such a user the capabilities that were asked for by name.
    if (!spec.privileged && !lists(added, default_capability) && !lists(spec.cap_add, default_capability) &&
        !lists(spec.cap_add, "ALL")) {
        added.emplace_back(default_capability);
        drop += fmt::format("{}8u", drop.empty() ? "" : ",");
    }
    if (drop.empty()) drop = "-";
    std::erase_if(spec.cap_drop, [&](const std::string& name) { return lists(added, bare(name)); });
    spec.cap_add.insert(spec.cap_add.end(), added.begin(), added.end());

    engine::MountSpec home;
    home.type = engine::MountSpec::Type::volume;
    home.source = ptrace_volume(session);
    home.target = ptrace_home;
    home.read_only = true;
    home.no_copy = true;
    spec.mounts.push_back(std::move(home));

    if (Words command = command_of(spec, image); !command.empty()) {
        spec.entrypoint = wrapped("run", session, drop, std::move(command));
        spec.cmd = Words{};
    }
    wrap_health(spec, image, session, drop);
    return drop;
}

std::vector<std::string> ptrace_exec(const std::string& session, const std::string& drop,
                                     std::vector<std::string> command) {
    return wrapped("exec", session, drop, std::move(command));
}

}  // namespace rogate::observe
