// Setups that are read-only already and fail: what was refused there, and what it takes to find out why.
// Pure.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <vector>

namespace rogate::change {

// The mounts that are read-only as the user configured them, and on which something was refused (EROFS) in a
// control run that failed. None if every control run passed. What nothing can make writable, like a config
// map, is not among them.
std::vector<std::string> refused_as_configured(const CampaignResult& result);

// Says so in the reasons of these mounts, which get the attempts that were refused, and how to go on.
void tell_refused(CampaignResult& result, const std::vector<std::string>& refused);

// The scenario with these mounts writable, and tried like any other. `mounts`: all of the subject's, as a
// campaign found them.
Scenario opened_up(Scenario scenario, const std::vector<MountResult>& mounts,
                   const std::vector<std::string>& targets);

// Says of these mounts that the user has them read-only, and where; and that one which is `required` has to
// be made writable there.
void tell_opened(CampaignResult& result, const std::vector<std::string>& opened);

}  // namespace rogate::change
