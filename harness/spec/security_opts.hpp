// Security options as the docker client resolves them before it asks the engine.
#pragma once

#include <rogate/subject.hpp>

#include "spec/fields.hpp"

namespace rogate::spec {

// `seccomp=FILE` becomes the profile itself, which the engine takes in place of a path on rogate's machine;
// relative paths start at the context's folder. `systempaths=unconfined` becomes the flag of the subject.
// What only the engine can judge stays as it is. (docker/cli, cli/command/container/opts.go:
// parseSecurityOpts, parseSystemPaths; Compose's pkg/compose/create.go does the same.)
void read_security_opts(const Mapping& mapping, Subject& subject, const Context& context);

}  // namespace rogate::spec
