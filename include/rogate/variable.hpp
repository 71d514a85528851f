// A variable of a container of a system: "web:LANG", the container and the name. In a system of one container
// it is the name alone. No container's name has a ':' in it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace rogate {

inline std::string variable_in(std::string_view container, std::string_view name) {
    std::string variable;
    if (!container.empty()) variable.append(container).append(":");
    return variable.append(name);
}

// Its name, if it is one of the container's.
inline std::optional<std::string_view> variable_of(std::string_view container, std::string_view variable) {
    if (container.empty()) return variable;
    const bool own = variable.size() > container.size() && variable.starts_with(container) &&
                     variable[container.size()] == ':';
    return own ? std::optional(variable.substr(container.size() + 1)) : std::nullopt;
}

// Those of the container, by name.
inline std::map<std::string, std::string> variables_of(std::string_view container,
                                                       const std::map<std::string, std::string>& all) {
    std::map<std::string, std::string> own;
    for (const auto& [variable, value] : all)
        if (const auto name = variable_of(container, variable)) own.emplace(*name, value);
    return own;
}

}  // namespace rogate
