// What one campaign found of a system, told of each of its containers as if that were the subject. Pure.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <vector>

namespace rogate::verdict {

// One container's scenario: its subject is the container, whose image and mounts are the campaign's.
struct ContainerScenario {
    std::string container;  // the name of a member of the campaign's scenario
    Scenario scenario;
};

// In the order of `scenarios`. Mounts and paths of the container itself lose its name; those of others, which
// it may be told of where something is left out for its sake, keep theirs (place.hpp). All of them have the
// same runs: what was read-only elsewhere stands in RunRecord::beside. The control run of a container that
// fell in it (ContainerRecord) is one that failed.
std::vector<CampaignResult> by_container(const CampaignResult& whole,
                                         std::vector<ContainerScenario> scenarios);

}  // namespace rogate::verdict
