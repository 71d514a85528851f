// Which of the declared ports answer.
#pragma once

#include <cstdint>
#include <rogate/scenario.hpp>
#include <set>
#include <string>

#include "engine/client.hpp"
#include "scenario/step_runner.hpp"

namespace rogate::campaign {

struct PortsAsked {
    scenario::StepOutcome outcome;
    std::set<std::uint16_t> silent;
};

// Declared ports are promises that nobody has to keep: each is asked in turn, and those that say nothing
// while others have, or for as long as a start may take, are waited for no more. A container that has ended
// well by then was never going to answer. Readiness that asks something else than ports is waited for as it
// is.
engine::Task<PortsAsked> find_silent_ports(engine::Client& client, std::string container, Readiness readiness,
                                           scenario::StepRunner& runner);

// "port 80 is declared, and nothing answered on it; …"; `who` begins it ("service 'web': "), or is empty.
std::string silent_port_note(const std::string& who, std::uint16_t port);

}  // namespace rogate::campaign
