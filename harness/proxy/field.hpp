// A field of a reply of the engine's.
#pragma once

#include <nlohmann/json.hpp>

namespace rogate::proxy {

template <class T>
T field(const nlohmann::json& object, const char* key, T otherwise = {}) {
    if (!object.is_object() || !object.contains(key) || object.at(key).is_null()) return otherwise;
    try {
        return object.at(key).get<T>();
    } catch (const nlohmann::json::exception&) {
        return otherwise;
    }
}

}  // namespace rogate::proxy
