// What follows from how the containers of a system depend on each other, and from how they ended before.
// Pure.
#pragma once

#include <rogate/run.hpp>
#include <rogate/scenario.hpp>
#include <string>
#include <vector>

namespace rogate::campaign {

// "service 'web'", and of a pod "container 'shop/web'".
std::string quoted(const std::string& member);

const Member* find_member(const std::vector<Member>& members, const std::string& name);

// Who is told to end at the same time, one group after the other: whoever depends on somebody ends before
// that one, as `docker compose stop` has it.
std::vector<std::vector<std::string>> in_order_of_ending(const std::vector<Member>& members);

// Whose network namespace it shares (network_mode: service:NAME, through any number of them); empty: it has
// its own, or none.
std::string network_owner(const std::vector<Member>& members, const Member& member);

// Whether somebody cannot do without it.
bool is_required(const std::vector<Member>& members, const std::string& name);

// Whether a container that has ended with that code is started again. A container that did not end by itself
// in the control run ends for a reason that has to do with the run, which starting it again would hide.
// `control`: what became of it there; null: this is the control run.
bool is_started_again(const RestartPolicy& policy, int exit_code, int restarts,
                      const ContainerRecord* control);

}  // namespace rogate::campaign
