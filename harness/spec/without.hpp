// What a user may ask to be left out of an application (--without): what would be refused otherwise, since
// the runs cannot or must not have it.
#pragma once

#include <string_view>

namespace rogate::spec {

bool can_be_left_out(std::string_view key);

// Behind the key's name, for a message.
inline constexpr std::string_view not_left_out =
    "cannot be left out: it names what the runs cannot have, for example devices, pid, network_mode, "
    "post_start (Compose) or hostNetwork (Kubernetes)";

// Fields of a pod that would tie it to the host, or its containers to each other.
inline constexpr std::string_view pod_fields_of_the_host[] = {"hostNetwork", "hostPID", "hostIPC",
                                                              "shareProcessNamespace"};

}  // namespace rogate::spec
