// What a run waits for when nobody said it: health checks, else the ports that are declared, the subject's
// and its image's, else nothing, which is that it runs. Pure.
#pragma once

#include <chrono>
#include <rogate/run.hpp>
#include <rogate/scenario.hpp>
#include <set>

#include "engine/client.hpp"

namespace rogate::campaign {

// "8080/tcp", as an image exposes it; nothing for another protocol.
std::optional<std::uint16_t> tcp_port(const std::string& exposed);

// Completes a readiness that is derived. Ports to wait for join the subject's, so that they can be reached.
void derive_readiness(Subject& subject, Readiness& readiness, const engine::ImageInfo& image);
void derive_readiness(Scenario& scenario, const engine::ImageInfo& image);

// The command of a health check that neither readiness nor a step waits for; empty: there is none.
std::vector<std::string> health_check_that_nobody_awaits(const Scenario& scenario,
                                                         const engine::ImageInfo& image);

// The tcp ports that the image exposes join the subject's.
void add_exposed_ports(Subject& subject, const engine::ImageInfo& image);

// Without the checks of ports that do not answer.
Readiness without_ports(Readiness readiness, const std::set<std::uint16_t>& silent);

// How long a run that is held against `control` waits for something to be ready, where nobody said how long:
// `most`, but no longer than five times what all took to be ready in the control run, and at least 15 s. What
// does not become ready would cost each run that time.
std::chrono::milliseconds allowed_wait(const RunRecord& control, std::chrono::milliseconds most);

}  // namespace rogate::campaign
