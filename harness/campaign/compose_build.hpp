// Building through the docker client of this machine: `docker compose build` knows BuildKit, secrets and
// whatever else the Engine API has no words for.
#pragma once

#include <functional>
#include <map>
#include <rogate/subject.hpp>
#include <string>
#include <vector>

#include "engine/client.hpp"

namespace rogate::campaign {

// Whether `docker compose` runs here.
engine::Task<bool> has_docker_compose();

// The command: on this engine, of the same files and project, with one more file on its standard input. Pure.
std::vector<std::string> compose_command(const engine::Endpoint& endpoint, const BuiltImage& built,
                                         bool pull);
// That file: the image's name and labels in place of the project's own; nothing is tagged, exported or built
// for other platforms beside it. Pure.
std::string compose_override(const BuiltImage& built, const std::string& name,
                             const std::map<std::string, std::string>& labels);

// ErrorKind::refused: the command failed; what it said went to `progress`, line by line.
engine::Task<> build_with_compose(const engine::Endpoint& endpoint, const BuiltImage& built, std::string name,
                                  std::map<std::string, std::string> labels, bool pull,
                                  std::function<void(const std::string& line)> progress);

}  // namespace rogate::campaign
