// The labels that every object of rogate's carries on the engine; clean-up and `rogate clean` go by them
// alone.
#pragma once

#include <map>
#include <string>

namespace rogate {

inline constexpr const char* session_label = "io.rogate.session";  // one campaign
inline constexpr const char* role_label = "io.rogate.role";        // subject, observer, helper, data, network

inline std::map<std::string, std::string> labels(const std::string& session, const std::string& role) {
    return {{session_label, session}, {role_label, role}};
}

}  // namespace rogate
