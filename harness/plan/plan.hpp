// What a run would do, from the files alone. Pure: it starts nothing and asks no engine.
#pragma once

#include <rogate/system.hpp>
#include <string>
#include <vector>

#include "base/masker.hpp"

namespace rogate::plan {

// What the runs have where the user's application has its data.
enum class Given {
    overlay,  // the user's data beneath a throw-away layer; copied where the engine or file system cannot
    copy,     // a copy for each run
    live,     // the real data
    fixture,  // what the scenario gives
    fresh,    // a directory or volume of the run's own
    files,    // files of the run's own
    tmpfs,    // a tmpfs, as declared
    image     // what the image has
};

struct PlannedMount {
    std::string container, target;
    SystemData::Kind kind = SystemData::Kind::bind;
    std::string source, pod, sub_path;
    bool read_only = false;
    bool made_if_missing = false;  // bind: an empty directory, if the engine's host has nothing there
    Given given = Given::overlay;
    bool candidate = false;
    std::string why_not;  // not a candidate
    SourcePlace declared;
};

// A container that is settled, with what stands beside it: by a campaign of its own, or by one of all of
// them.
struct Trial {
    std::string name, container;
    std::vector<std::string> candidates;
    std::size_t steps = 0;
    std::size_t states = 1;
    int least_runs = 1;  // when nothing is written
    // When every candidate fails read-only and none can be split. Splits, and differences between runs,
    // take further ones.
    int runs_if_all_are_written = 1;
};

// Something outside of the system.
struct Reach {
    enum class Kind { network, host, address, socket };
    Kind kind = Kind::address;
    std::string container;  // network: empty
    std::string what;       // the network's name on the engine, "name:address", "host:port", a path
    std::string through;    // the variable, or key, that says so
    bool reached = true;    // by the runs
    SourcePlace declared;   // line 0: of the container
};

struct Plan {
    System system;
    std::vector<PlannedMount> mounts;  // of all containers, in their order
    std::vector<Trial> trials;
    bool together = false;  // one campaign settles all of them: its runs are those of the trial with the most
    std::vector<Reach> reach;
};

// `scenarios`: what is settled, each with a subject of the system. `offline`: the runs' network reaches
// nothing outside.
Plan plan_of(System system, const std::vector<Scenario>& scenarios, bool offline = false);

// External networks, extra hosts, sockets, and addresses in the values of variables: hosts and ports only,
// never the rest of a value. What the system itself has is none.
std::vector<Reach> reach_of(const System& system);

// Nothing that is a secret is in there any more.
void hide_secrets(Plan& plan, const Masker& masker);

}  // namespace rogate::plan
