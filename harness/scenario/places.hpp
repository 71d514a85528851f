// Where the containers of a run are reached from rogate's machine, for a command that runs there. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <rogate/scenario.hpp>
#include <string>
#include <vector>

#include "scenario/variables.hpp"

namespace rogate::scenario {

// A container, and its ports.
struct Place {
    std::string name;       // a service's, or the subject's
    std::string container;  // its id
    std::vector<std::uint16_t> ports;
    bool is_subject = false;
    std::string reached_by = {};  // the container whose network it is in; empty: its own
};

// A port of a container, as it is reached from here.
struct Reached {
    std::string name;
    bool is_subject = false;
    std::uint16_t port = 0;
    std::string host;
    std::uint16_t host_port = 0;
};

// The subject, by its service's or container's name. Containers of one pod have their ports together.
Place place_of_subject(const Scenario& scenario, const std::string& container, const std::string& reached_by);

// Whether any of the steps runs a command, so that ports of all containers have to be reached.
bool runs_commands(const std::vector<Step>& steps);

struct RunFacts {
    int id = 1;
    std::string kind;  // "control", "probe", "verify"
};

// "ROGATE_WEB_8080" for a service `web`; letters in upper case, and '_' for what is neither letter nor digit.
std::string variable_of(const std::string& name, std::uint16_t port);

// ROGATE_RUN, ROGATE_RUN_KIND, a variable for each port (of the subject also ROGATE_SUBJECT_<PORT>), and
// ROGATE_URL: `front` if it is among them, else the subject's first port whose number says HTTP, else its
// first one. Where there is no subject, in a system that is settled as a whole, those of all containers.
Variables command_variables(const std::vector<Reached>& reached, const std::optional<Front>& front,
                            const RunFacts& run);

}  // namespace rogate::scenario
