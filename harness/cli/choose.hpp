// Which of the scenarios that were named are to be run.
#pragma once

#include <rogate/error.hpp>
#include <rogate/scenario.hpp>
#include <string>
#include <vector>

namespace rogate::cli {

// Those whose name matches one of the patterns (all, if there are none), and of these the part `shard`
// ("I/N"): the I-th of every N. ErrorKind::usage: a pattern that matches nothing, a shard that is none, two
// with one name.
Result<std::vector<Scenario>> choose(std::vector<Scenario> scenarios,
                                     const std::vector<std::string>& patterns, const std::string& shard);

}  // namespace rogate::cli
