// What was seen of several containers at once -> one recording of their system. Pure.
#pragma once

#include <string>
#include <vector>

#include "observe/observer.hpp"

namespace rogate::observe {

struct NamedRecording {
    std::string name;  // the container's; empty: it is the only one
    Recording recording;
};

// Mounts and paths by their places (place.hpp). What cannot be relied on of one cannot be of all: which mount
// a write is missing on is not known. An event that was lost may have been anybody's, so that the counts of
// all are of the same ones.
Recording combined(std::vector<NamedRecording> all);

}  // namespace rogate::observe
