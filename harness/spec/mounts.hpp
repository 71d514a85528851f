// The mounts of the subject: docker's short syntax, compose's long syntax, and `tmpfs`.
#pragma once

#include <rogate/subject.hpp>
#include <vector>

#include "spec/fields.hpp"

namespace rogate::spec {

// From the subject's keys mounts (or volumes) and tmpfs, in the order of the file. No two have one target.
std::vector<Mount> read_mounts(const Mapping& subject, const Context& context);

}  // namespace rogate::spec
