// `build` of a Compose service: from what its image is made, and how.
#pragma once

#include <rogate/subject.hpp>
#include <string>

#include "spec/compose_loader.hpp"

namespace rogate::spec {

// `build`: in mergeable form, thus a mapping. `where` names the service in messages. Whether the context is
// there is not looked at.
ImageBuild read_compose_build(const Value& build, const std::string& where, const ComposeLoader& loader,
                              const Context& context);

// Its arguments. One without a value takes it from the environment; if there is none, the Dockerfile's
// default stands.
std::map<std::string, std::string> read_build_args(const Value& build, const ComposeLoader& loader);

}  // namespace rogate::spec
