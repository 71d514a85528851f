// When an attempt was made, for a person.
#pragma once

#include <rogate/attempt.hpp>
#include <string>

namespace rogate::report {

// "entrypoint", or "entrypoint (data: fresh, used)" where the scenario asks for several states.
inline std::string when(const Attempt& attempt) {
    return attempt.state.empty() ? attempt.phase.str()
                                 : attempt.phase.str() + " (data: " + attempt.state.str() + ")";
}

}  // namespace rogate::report
