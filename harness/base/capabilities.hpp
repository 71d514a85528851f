// Names of capabilities, and which of them a container has.
#pragma once

#include <array>
#include <optional>
#include <rogate/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rogate {

// The name of the capability that the kernel has under this number, as docker writes it: "CHOWN" for 0.
// "CAP_77" for a number that is not known.
std::string capability_name(int number);

// "CHOWN" for "cap_chown", "CAP_CHOWN" and "chown"; "ALL" for "all". Nothing if there is none of that name.
std::optional<std::string> capability_named(std::string_view text);

// What an engine gives a container of which nothing is said. docker, containerd and the kubelet give the same
// 14; podman leaves three of them out (containers-common: default_capabilities).
std::vector<std::string> default_capabilities(bool by_podman);

// Those that a container has which adds and drops these, in order of name. As docker has it
// (oci/caps/utils.go: TweakCapabilities): `ALL` may be added or dropped, and what is added beside what is
// dropped is there. ErrorKind::usage names what is no capability.
Result<std::vector<std::string>> capabilities_with(const std::vector<std::string>& defaults,
                                                   const std::vector<std::string>& added,
                                                   const std::vector<std::string>& dropped);

}  // namespace rogate
