// How much the verdict of a capability asks for.
#pragma once

#include <rogate/capability.hpp>

namespace rogate {

// Grows with it. What is not known asks for more than what is known to be dispensable.
constexpr int weight(CapabilityVerdict verdict) {
    switch (verdict) {
        case CapabilityVerdict::unused:
            return 0;
        case CapabilityVerdict::tolerated:
            return 1;
        case CapabilityVerdict::inconclusive:
            return 2;
        case CapabilityVerdict::needed:
            return 3;
    }
    return 2;
}

}  // namespace rogate
