// A subject that is used in a network that no engine of docker's makes, and has one in the runs.
#pragma once

#include <rogate/subject.hpp>

namespace rogate {

// Engines let everybody have the ports below 1024 and ping, in the networks that they make (dockerd 20.10:
// daemon/oci_linux.go). On a host, and in the pods of CRI-O and of containerd 1, that takes NET_BIND_SERVICE
// and NET_RAW, which no run would show. What the subject sets itself stays.
inline void ask_for_ports_as_on_hosts(Subject& subject) {
    subject.sysctls.try_emplace("net.ipv4.ip_unprivileged_port_start", "1024");
    subject.sysctls.try_emplace("net.ipv4.ping_group_range", "1 0");
}

}  // namespace rogate
