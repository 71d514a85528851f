// Who owns what in a tree, where the engine's archives name another owner: podman's name the user of the
// container that was asked for each file (libpod: container_copy_linux.go, copyToArchive). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <rogate/error.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace rogate::campaign {

// Path -> user and group.
using Owners = std::map<std::string, std::pair<std::uint32_t, std::uint32_t>>;

// What `rogate-observer owners` said (observe/show_owners.h). ErrorKind::protocol: it is none, or broke off.
Result<Owners> owners_of(std::string_view said);

// The same tar with these owners, by path relative to what it is the tar of; that itself is "", also where it
// is a single file. ErrorKind::engine: the owner of an entry is not known.
Result<std::string> with_owners(std::string_view tar, const Owners& owners);

}  // namespace rogate::campaign
