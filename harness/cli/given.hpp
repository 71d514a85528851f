// What the command line says about its files, for those who read them.
#pragma once

#include <string>
#include <vector>

#include "spec/inputs.hpp"
#include "spec/surroundings.hpp"

namespace rogate::cli {

// ErrorKind::usage: a key that nothing can be left out of (--without), a setting that is none (--set).
Result<spec::Surroundings> given_surroundings(const std::vector<std::string>& without,
                                              const std::vector<std::string>& settings);

// --candidate [CONTAINER:]TARGET, over what the inputs say.
Result<> give_candidates(const std::vector<std::string>& given, std::vector<Result<spec::Input>>& inputs);

}  // namespace rogate::cli
