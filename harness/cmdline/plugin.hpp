// rogate as `docker rogate`: a program docker-rogate in docker's folder of plugins. docker calls it with all
// of its own arguments, its global options included, or with "docker-cli-plugin-metadata" to ask what it is.
#pragma once

#include <map>
#include <rogate/error.hpp>
#include <string>
#include <vector>

namespace rogate::cmdline {

// Whether the program was started under the plugin's name ("…/docker-rogate").
bool is_plugin_name(const std::string& program);

// The answer to "docker-cli-plugin-metadata".
std::string plugin_metadata(const std::string& version);

struct PluginCall {
    std::vector<std::string> arguments;              // for rogate's own parser
    std::map<std::string, std::string> environment;  // to be set before
    bool operator==(const PluginCall&) const = default;
};

// `words`: behind the program's name: [docker's global options] rogate [the rest]. docker's options become
// rogate's or the environment variables that stand for them; ErrorKind::usage for one that cannot.
Result<PluginCall> read_plugin_call(const std::vector<std::string>& words);

}  // namespace rogate::cmdline
