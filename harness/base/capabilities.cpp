#include "base/capabilities.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace rogate {

namespace {

// include/uapi/linux/capability.h, by number.
constexpr std::array names = {"CHOWN",
                              "DAC_OVERRIDE",
                              "DAC_READ_SEARCH",
                              "FOWNER",
                              "FSETID",
                              "KILL",
                              "SETGID",
                              "SETUID",
                              "SETPCAP",
                              "LINUX_IMMUTABLE",
                              "NET_BIND_SERVICE",
                              "NET_BROADCAST",
                              "NET_ADMIN",
                              "NET_RAW",
                              "IPC_LOCK",
                              "IPC_OWNER",
                              "SYS_MODULE",
                              "SYS_RAWIO",
                              "SYS_CHROOT",
                              "SYS_PTRACE",
                              "SYS_PACCT",
                              "SYS_ADMIN",
                              "SYS_BOOT",
                              "SYS_NICE",
                              "SYS_RESOURCE",
                              "SYS_TIME",
                              "SYS_TTY_CONFIG",
                              "MKNOD",
                              "LEASE",
                              "AUDIT_WRITE",
                              "AUDIT_CONTROL",
                              "SETFCAP",
                              "MAC_OVERRIDE",
                              "MAC_ADMIN",
                              "SYSLOG",
                              "WAKE_ALARM",
                              "BLOCK_SUSPEND",
                              "AUDIT_READ",
                              "PERFMON",
                              "BPF",
                              "CHECKPOINT_RESTORE"};
static_assert(names.size() == 41);

Result<std::set<std::string>> all_named(const std::vector<std::string>& texts) {
    std::set<std::string> found;
    for (const std::string& text : texts) {
        auto name = capability_named(text);
        if (!name) return fail(ErrorKind::usage, fmt::format("'{}' is no capability", text));
        found.insert(std::move(*name));
    }
    return found;
}

}  // namespace

std::string capability_name(int number) {
    if (number < 0 || static_cast<std::size_t>(number) >= names.size()) return fmt::format("CAP_{}", number);
    return names[static_cast<std::size_t>(number)];
}

std::optional<std::string> capability_named(std::string_view text) {
    std::string name(text);
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    if (name == "ALL") return name;
    if (name.starts_with("CAP_")) name.erase(0, 4);
    if (std::ranges::find(names, std::string_view(name)) == names.end()) return std::nullopt;
    return name;
}

std::vector<std::string> default_capabilities(bool by_podman) {
    std::vector<std::string> all = {"AUDIT_WRITE", "CHOWN",   "DAC_OVERRIDE",     "FOWNER",    "FSETID",
                                    "KILL",        "MKNOD",   "NET_BIND_SERVICE", "NET_RAW",   "SETFCAP",
                                    "SETGID",      "SETPCAP", "SETUID",           "SYS_CHROOT"};
    if (by_podman)
        std::erase_if(all, [](const std::string& each) {
            return each == "AUDIT_WRITE" || each == "MKNOD" || each == "NET_RAW";
        });
    return all;
}

Result<std::vector<std::string>> capabilities_with(const std::vector<std::string>& defaults,
                                                   const std::vector<std::string>& added,
                                                   const std::vector<std::string>& dropped) {
    auto adds = all_named(added), drops = all_named(dropped);
    if (!adds) return fail(std::move(adds.error()));
    if (!drops) return fail(std::move(drops.error()));
    std::set<std::string> has;
    if (adds->contains("ALL")) {
        for (const char* each : names)
            if (!drops->contains(each)) has.insert(each);
        return std::vector<std::string>(has.begin(), has.end());
    }
    if (!drops->contains("ALL"))
        for (const std::string& each : defaults)
            if (!drops->contains(each)) has.insert(each);
    has.insert(adds->begin(), adds->end());
    return std::vector<std::string>(has.begin(), has.end());
}

}  // namespace rogate
