// A step with what earlier steps captured put in. Pure.
#pragma once

#include <map>
#include <rogate/error.hpp>
#include <rogate/scenario.hpp>
#include <string>

#include "scenario/expectation.hpp"

namespace rogate::scenario {

using Variables = std::map<std::string, std::string>;

// References in the action and the expectations, not those in steps inside of a group. In a regular
// expression a value stands for itself.
Step resolved(const Step& step, const Variables& variables);

// What `step` keeps of what it observed, into `variables`; else why it cannot be had.
Result<> capture(const Step& step, const Observed& observed, Variables& variables, const Masker& masker = {});

}  // namespace rogate::scenario
