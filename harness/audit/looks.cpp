#include "audit/looks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/name_pattern.hpp"

namespace rogate::audit {

namespace {

// Where a row of the table looks.
enum class In { target, source, either };

struct Row {
    In in;
    std::string_view pattern;  // as of matches()
    Looks looks;
    std::string_view why;
};

// The first row that matches decides: exceptions stand before rules, places that the distributions fix
// (Filesystem Hierarchy Standard) before names that people choose.
constexpr Row table[] = {
    // what read-only does not protect
    {In::either, "**.sock", Looks::socket, "a unix socket: it stays usable through a read-only mount"},
    {In::either, "**.socket", Looks::socket, "a unix socket: it stays usable through a read-only mount"},
    {In::either, "/dev/**", Looks::socket, "a device: it stays usable through a read-only mount"},
    {In::source, "/dev", Looks::socket, "devices: they stay usable through a read-only mount"},
    // files of the host that tools look at
    {In::source, "/", Looks::host_to_read, "the host's whole file system, which monitoring reads"},
    {In::source, "/proc", Looks::host_to_read, "the host's processes, which monitoring reads"},
    {In::source, "/sys", Looks::host_to_read, "the host's kernel objects, which monitoring reads"},
    {In::source, "/sys/**", Looks::host_to_read, "the host's kernel objects, which monitoring reads"},
    {In::source, "/var/log", Looks::logs_to_read, "the host's logs, which a collector reads"},
    {In::source, "/var/log/**", Looks::logs_to_read, "the host's logs, which a collector reads"},
    {In::source, "/run/log/**", Looks::logs_to_read, "the host's journal, which a collector reads"},
    {In::source, "/var/lib/docker/containers", Looks::logs_to_read,
     "container logs, which a collector reads"},
    {In::source, "/var/lib/docker/**", Looks::host_to_read, "the engine's own data, which monitoring reads"},
    {In::source, "/etc/localtime", Looks::configuration, "the host's time zone"},
    {In::source, "/lib/modules", Looks::libraries, "the host's kernel modules"},
    // where names mislead
    {In::target, "/config", Looks::state,
     "/config: images that use this name keep their state there as well"},
    {In::target, "/config/**", Looks::state,
     "/config: images that use this name keep their state there as well"},
    {In::target, "/var/www/html", Looks::static_content, "a web root"},
    {In::target, "/docker-entrypoint-*.d", Looks::configuration, "scripts of the first start"},
    {In::target, "/docker-entrypoint-*.d/**", Looks::configuration, "scripts of the first start"},
    // single files by their ending
    {In::target, "**.conf", Looks::configuration, "a configuration file by its ending"},
    {In::target, "**.cfg", Looks::configuration, "a configuration file by its ending"},
    {In::target, "**.cnf", Looks::configuration, "a configuration file by its ending"},
    {In::target, "**.ini", Looks::configuration, "a configuration file by its ending"},
    {In::target, "**.toml", Looks::configuration, "a configuration file by its ending"},
    {In::target, "**.yaml", Looks::configuration, "a configuration file by its ending"},
    {In::target, "**.yml", Looks::configuration, "a configuration file by its ending"},
    {In::target, "**.json", Looks::configuration, "a configuration file by its ending"},
    {In::target, "**.xml", Looks::configuration, "a configuration file by its ending"},
    {In::target, "**.properties", Looks::configuration, "a configuration file by its ending"},
    {In::target, "**.env", Looks::configuration, "a configuration file by its ending"},
    {In::target, "**.template", Looks::configuration, "a configuration file by its ending"},
    {In::target, "**.pem", Looks::configuration, "a key or certificate by its ending"},
    {In::target, "**.crt", Looks::configuration, "a key or certificate by its ending"},
    {In::target, "**.key", Looks::configuration, "a key or certificate by its ending"},
    {In::target, "**.sh", Looks::static_content, "a script"},
    {In::target, "**.jar", Looks::libraries, "a library by its ending"},
    {In::target, "**.so", Looks::libraries, "a library by its ending"},
    {In::target, "**.sql", Looks::configuration, "a script of the first start"},
    {In::target, "**.db", Looks::state, "a database by its ending"},
    {In::target, "**.sqlite*", Looks::state, "a database by its ending"},
    {In::target, "**.log", Looks::log_output, "a log file by its ending"},
    {In::target, "**.pid", Looks::cache, "a pid file by its ending"},
    // places that are fixed
    {In::target, "/run/secrets/**", Looks::configuration, "secrets"},
    {In::target, "/run/secrets", Looks::configuration, "secrets"},
    {In::target, "/var/run/secrets/**", Looks::configuration, "secrets"},
    {In::target, "/var/cache/**", Looks::cache, "below /var/cache"},
    {In::target, "/var/log", Looks::log_output, "/var/log: the application's own logs"},
    {In::target, "/var/log/**", Looks::log_output, "below /var/log: the application's own logs"},
    {In::target, "/var/lib/**", Looks::state, "below /var/lib"},
    {In::target, "/var/spool/**", Looks::state, "below /var/spool"},
    {In::target, "/var/tmp", Looks::cache, "temporary files"},
    {In::target, "/tmp", Looks::cache, "temporary files"},
    {In::target, "/tmp/**", Looks::cache, "temporary files"},
    {In::target, "/run", Looks::cache, "pid files and sockets"},
    {In::target, "/run/**", Looks::cache, "pid files and sockets"},
    {In::target, "/var/run", Looks::cache, "pid files and sockets"},
    {In::target, "/var/run/**", Looks::cache, "pid files and sockets"},
    {In::target, "/dev/shm", Looks::cache, "shared memory"},
    {In::target, "**/site-packages", Looks::libraries, "Python packages"},
    {In::target, "**/node_modules", Looks::libraries, "Node packages"},
    {In::target, "**/node_modules/**", Looks::libraries, "Node packages"},
    {In::target, "/usr/share/**", Looks::static_content, "below /usr/share"},
    {In::target, "/etc/**", Looks::configuration, "below /etc"},
    {In::target, "/usr/lib/**", Looks::libraries, "below /usr/lib"},
    {In::target, "/usr/local/lib/**", Looks::libraries, "below /usr/local/lib"},
    {In::target, "/lib/**", Looks::libraries, "below /lib"},
};

// Names of folders, looked for from the end of the path: the last folder tells more than the first.
struct Name {
    std::string_view name;
    Looks looks;
};
constexpr Name names[] = {
    {"cache", Looks::cache},
    {"caches", Looks::cache},
    {".cache", Looks::cache},
    {"tmp", Looks::cache},
    {"temp", Looks::cache},
    {".npm", Looks::cache},
    {".m2", Looks::cache},
    {".gradle", Looks::cache},
    {"log", Looks::log_output},
    {"logs", Looks::log_output},
    {"conf", Looks::configuration},
    {"conf.d", Looks::configuration},
    {"config", Looks::configuration},
    {"configs", Looks::configuration},
    {"configuration", Looks::configuration},
    {"cfg", Looks::configuration},
    {"settings", Looks::configuration},
    {"provisioning", Looks::configuration},
    {"certs", Looks::configuration},
    {"certificates", Looks::configuration},
    {"ssl", Looks::configuration},
    {"tls", Looks::configuration},
    {"secrets", Looks::configuration},
    {"rules", Looks::configuration},
    {"init", Looks::configuration},
    {"html", Looks::static_content},
    {"htdocs", Looks::static_content},
    {"www", Looks::static_content},
    {"wwwroot", Looks::static_content},
    {"public", Looks::static_content},
    {"static", Looks::static_content},
    {"assets", Looks::static_content},
    {"dist", Looks::static_content},
    {"templates", Looks::static_content},
    {"themes", Looks::static_content},
    {"dashboards", Looks::static_content},
    {"scripts", Looks::static_content},
    {"docs", Looks::static_content},
    {"src", Looks::static_content},
    {"code", Looks::static_content},
    {"app", Looks::static_content},
    {"lib", Looks::libraries},
    {"libs", Looks::libraries},
    {"lib64", Looks::libraries},
    {"vendor", Looks::libraries},
    {"jars", Looks::libraries},
    {"modules", Looks::libraries},
    {"plugins", Looks::libraries},
    {"data", Looks::state},
    {"db", Looks::state},
    {"database", Looks::state},
    {"pgdata", Looks::state},
    {"mysql", Looks::state},
    {"storage", Looks::state},
    {"uploads", Looks::state},
    {"upload", Looks::state},
    {"media", Looks::state},
    {"files", Looks::state},
    {"backup", Looks::state},
    {"backups", Looks::state},
    {"state", Looks::state},
    {"repositories", Looks::state},
    {"workspace", Looks::state},
    {"queue", Looks::state},
};

bool fits(const Row& row, const Mount& mount) {
    const bool source = mount.type == MountType::bind && matches(row.pattern, mount.source);
    const bool target = matches(row.pattern, mount.target);
    return row.in == In::source ? source : row.in == In::target ? target : source || target;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

const Name* name_in(std::string_view path) {
    const std::string folded = lower(path);
    std::string_view rest = folded;
    while (!rest.empty()) {
        const std::size_t slash = rest.rfind('/');
        const std::string_view last = slash == std::string_view::npos ? rest : rest.substr(slash + 1);
        const auto* found = std::find_if(std::begin(names), std::end(names),
                                         [&](const Name& each) { return each.name == last; });
        if (found != std::end(names)) return found;
        rest = slash == std::string_view::npos ? std::string_view() : rest.substr(0, slash);
    }
    return nullptr;
}

}  // namespace

std::string_view to_string(Looks looks) {
    switch (looks) {
        case Looks::static_content:
            return "static content";
        case Looks::configuration:
            return "configuration";
        case Looks::libraries:
            return "libraries";
        case Looks::logs_to_read:
            return "logs to read";
        case Looks::host_to_read:
            return "host files to read";
        case Looks::unknown:
            return "unknown";
        case Looks::log_output:
            return "log output";
        case Looks::root:
            return "root filesystem";
        case Looks::cache:
            return "cache";
        case Looks::state:
            return "state";
        case Looks::socket:
            return "socket";
    }
    return "?";
}

Guess guess(const Mount& mount) {
    if (mount.type == MountType::rootfs)
        return {Looks::root, "the image's own files: mostly read, with a few paths that take a tmpfs"};
    if (mount.type == MountType::tmpfs)
        return {Looks::cache, "a tmpfs: nothing in it outlives the container"};
    // Kinds of Kubernetes volumes, which stand where other volumes have their name.
    for (const std::string_view kind : {"configMap", "secret", "projected", "downwardAPI"})
        if (mount.source == kind)
            return {Looks::configuration, fmt::format("a {}, which Kubernetes mounts read-only", kind)};
    for (const Row& row : table)
        if (fits(row, mount)) return {row.looks, std::string(row.why)};
    if (const Name* found = name_in(mount.target))
        return {found->looks, fmt::format("'{}' in the target", found->name)};
    if (const Name* found = name_in(mount.source))
        return {found->looks, fmt::format("'{}' in the source", found->name)};
    if (mount.source == "emptyDir") return {Looks::cache, "an emptyDir: it does not outlive the pod"};
    if (mount.type == MountType::volume || mount.type == MountType::anonymous)
        return {Looks::state, "a volume is made to keep what is written"};
    return {Looks::unknown, "its names say nothing"};
}

int order_of(Looks looks) {
    return looks == Looks::socket ? -1 : static_cast<int>(looks);
}

}  // namespace rogate::audit
