// Where something lies in a system of several containers: "web:/etc/nginx", the container and the path in it.
// In a system of one container it is the path alone. A path is absolute, and no container's name has a ':' in
// it, so that the first '/' of a path tells the two apart. Places are compared, and looked for below each
// other, like paths.
#pragma once

#include <string>
#include <string_view>

namespace rogate {

// "web" of "web:/etc/nginx", but not of "shop/web:/etc" (a container of a pod), for which it is "shop/web".
// Empty: there is no container.
inline std::string_view container_of(std::string_view place) {
    if (place.empty() || place.front() == '/') return {};
    const std::size_t colon = place.find(":/");
    return colon == std::string_view::npos ? std::string_view() : place.substr(0, colon);
}

// "/etc/nginx" of "web:/etc/nginx".
inline std::string_view path_in(std::string_view place) {
    const std::string_view container = container_of(place);
    return container.empty() ? place : place.substr(container.size() + 1);
}

// An empty path has no place.
inline std::string place_in(std::string_view container, std::string_view path) {
    std::string place;
    if (path.empty()) return place;
    if (!container.empty()) place.append(container).append(":");
    return place.append(path);
}

// "/", and "web:/".
inline bool is_root(std::string_view place) {
    return path_in(place) == "/";
}

}  // namespace rogate
