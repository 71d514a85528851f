// The runs that settle what a subject's capabilities are needed for, behind those that settle its mounts.
#pragma once

#include <rogate/result.hpp>
#include <vector>

#include "campaign/budget.hpp"
#include "campaign/tries.hpp"
#include "verdict/capabilities.hpp"

namespace rogate::campaign {

// Whether anything but mounts is to be settled.
bool is_hardened(const Scenario& scenario);

// Ports below 1024 and ping ask for capabilities in the runs of a hardened pod, as on most nodes.
void ask_for_ports_as_on_nodes(Scenario& scenario, Status& status);

// What is asked of the scenario's subject. ErrorKind::usage: it cannot be: the subject is privileged, or one
// of several that are settled together.
Result<verdict::CapabilityQuestion> capability_question(const Scenario& scenario, bool by_podman);

// Puts the results into `result`, whose mounts are settled; `plans`: the runs that settled them, one for each
// plan. `*interrupted` becomes true when the budget's time is over, and nothing more may be awaited then.
engine::Task<> harden(Tries& tries, Budget* budget, verdict::CapabilityQuestion question,
                      const std::vector<RunRecord>& plans, CampaignResult& result, Status& status,
                      bool* interrupted);

}  // namespace rogate::campaign
