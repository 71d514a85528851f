// What a step observed, held against what it observed in the control run. Pure.
#pragma once

#include "scenario/expectation.hpp"

namespace rogate::scenario {

// What is compared and kept: of the headers only those that the step asks for, and without what it ignores.
Observed comparable(const Step& step, Observed observed);

// What is shown of it: masked before anything in it is matched by what the step ignores.
Observed showable(const Step& step, Observed observed, const Masker& masker);

// Empty if both are equal, else the first thing that differs: "status 200 in the control run, 404 here".
std::string difference(const Observed& control, const Observed& here);

// The same for two that are equal but for what the step ignores, told by what may be shown of them.
std::string difference(const Step& step, const Observed& control, const Observed& here, const Masker& masker);

}  // namespace rogate::scenario
