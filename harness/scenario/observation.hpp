// What a step observed, held against what it observed in the control run. Pure.
#pragma once

#include "scenario/expectation.hpp"

namespace rogate::scenario {

// What is compared and kept: of the headers only those that the step asks for, and without what it ignores.
Observed comparable(const Step& step, Observed observed);

// Empty if both are equal, else the first thing that differs: "status 200 in the control run, 404 here".
std::string difference(const Observed& control, const Observed& here);

}  // namespace rogate::scenario
