// Bodies of requests, pure: what the client sends is checked against the published specifications through
// these.
#pragma once

#include <nlohmann/json.hpp>

#include "engine/client.hpp"

namespace rogate::engine {

nlohmann::json to_volume_body(const VolumeSpec& spec);
nlohmann::json to_network_body(const std::string& name, const std::map<std::string, std::string>& labels,
                               bool internal = false);
nlohmann::json to_exec_body(const ExecSpec& spec);
// The same command as podman 4 understands it: it joins a health check's words by blanks, and splits them
// there again (pkg/specgenutil: makeHealthCheckFromCli), so that words with blanks have to go through its
// shell.
std::vector<std::string> health_test_for_podman(std::vector<std::string> test);

}  // namespace rogate::engine
