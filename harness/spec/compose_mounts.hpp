// volumes, tmpfs, configs and secrets of a Compose service.
#pragma once

#include <rogate/subject.hpp>

#include "spec/compose_loader.hpp"

namespace rogate::spec {

// Adds mounts and files to `subject`. Named volumes get the name that they have on the engine.
void read_compose_mounts(const Value& service, const Value& model, const ComposeLoader& loader,
                         const Context& context, Subject& subject);

// "0440", "0o440" and what YAML reads as a decimal number (288), as `docker compose config` writes it; octal.
std::optional<std::string> compose_mode(const Value& value, const Context& context);

}  // namespace rogate::spec
