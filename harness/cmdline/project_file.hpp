// .rogate.yaml: a project's own defaults for options. A pull request can change this file, so it can set only
// what neither leads to another engine, nor runs anything, nor consents to anything, nor leaves out anything
// that is to be judged.
#pragma once

#include <map>
#include <rogate/error.hpp>
#include <rogate/subject.hpp>
#include <span>
#include <string>
#include <string_view>

namespace rogate::cmdline {

inline constexpr std::string_view project_file_name = ".rogate.yaml";

struct Setting {
    std::string value;
    SourcePlace place;
    bool operator==(const Setting&) const = default;
};

// By the option's name without the dashes.
using Settings = std::map<std::string, Setting>;

// The options that may be set there, and by ROGATE_NAME in the environment.
std::span<const std::string_view> settable_options();

// "engine-timeout" -> "ROGATE_ENGINE_TIMEOUT".
std::string variable_of(std::string_view option);

// `path`: for messages. Whether the values are valid is for the options to say. ErrorKind::usage with
// file:line:column.
Result<Settings> parse_project_file(std::string_view text, const std::string& path);

// The project file that holds for `folder`: in it, or above it up to the root of the repository (the folder
// that has a .git), or, outside of a repository, in the folder alone. Empty: there is none. `exists` says
// what is there.
template <class Exists>
std::string find_project_file(std::string folder, const Exists& exists) {
    const std::string name = "/" + std::string(project_file_name);
    std::string first = exists(folder + name) ? folder + name : std::string();
    std::string nearest = first;
    while (!exists(folder + "/.git")) {
        const std::size_t slash = folder.rfind('/');
        if (slash == std::string::npos || folder.empty()) return first;  // no repository
        folder.resize(slash);
        if (nearest.empty() && exists(folder + name)) nearest = folder + name;
    }
    return nearest;
}

}  // namespace rogate::cmdline
