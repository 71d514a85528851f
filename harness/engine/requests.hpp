// Bodies of requests, pure: what the client sends is checked against the published specifications through
// these.
#pragma once

#include <nlohmann/json.hpp>

#include "engine/client.hpp"

namespace rogate::engine {

nlohmann::json to_volume_body(const VolumeSpec& spec);
nlohmann::json to_network_body(const std::string& name, const std::map<std::string, std::string>& labels);
nlohmann::json to_exec_body(const ExecSpec& spec);

}  // namespace rogate::engine
