#pragma once

#include "advise/advise.hpp"

namespace rogate::advise {

// Whether this is one of the writes that the setting is about.
bool shows(const Setting& setting, const Attempt& attempt);

}  // namespace rogate::advise
