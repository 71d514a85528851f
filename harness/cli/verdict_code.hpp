// What a result means to whoever called: 0 all as asked, and so on.
#pragma once

#include <rogate/result.hpp>

namespace rogate::cli {

// A required mount is an answer, no failure; one that is inconclusive is none.
int verdict_code(const CampaignResult& result);

// Failures of the engine come first, then input, scenario and inconclusive ones.
int worse(int a, int b);

}  // namespace rogate::cli
