// What a run waits for when nobody said it: health checks, else the ports that are declared, the subject's
// and its image's, else nothing, which is that it runs. Pure.
#pragma once

#include <rogate/scenario.hpp>
#include <set>

#include "engine/client.hpp"

namespace rogate::campaign {

// Completes a readiness that is derived. Ports to wait for join the subject's, so that they can be reached.
void derive_readiness(Subject& subject, Readiness& readiness, const engine::ImageInfo& image);
void derive_readiness(Scenario& scenario, const engine::ImageInfo& image);

// Without the checks of ports that do not answer.
Readiness without_ports(Readiness readiness, const std::set<std::uint16_t>& silent);

}  // namespace rogate::campaign
