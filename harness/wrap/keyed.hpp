// Several containers in one question: each target and path is written behind its container's key
// ("web:/data"), since two containers may have a mount on the same target. Pure.
#pragma once

#include <rogate/result.hpp>
#include <string>

#include "observe/observer.hpp"

namespace rogate::wrap {

std::string keyed(const std::string& key, std::string_view target);
// "/data" of "web:/data"; nullopt: it is another container's.
std::optional<std::string> without_key(const std::string& key, std::string_view target);

// Adds what was seen of one container. What lies on none of its mounts (/proc, /sys, /dev) keeps its path
// where nobody keeps what is written there.
void add_recording(RunRecord& run, const std::string& key, observe::Recording recording,
                   bool has_healthcheck);

// Of a whole run, or of a verdict, what is of one container, without its key. Texts keep the keys of the
// others.
RunRecord of_container(const RunRecord& run, const std::string& key);
MountResult of_container(MountResult result, const std::string& key);
Recommendation of_container(const Recommendation& whole, const std::string& key);

}  // namespace rogate::wrap
