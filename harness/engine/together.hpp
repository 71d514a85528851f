// Calls that do not need each other's answer, at the same time: the engine takes its time for each, not
// rogate.
#pragma once

#include <vector>

#include "engine/client.hpp"

namespace rogate::engine {

// Does all of them and answers when every one has ended, with the error of the first in the list that failed:
// what one of them made is not lost sight of because another failed. At most `at_once` are under way.
Task<> together(std::vector<Task<>> tasks, std::size_t at_once = 8);
Task<> together(Task<> one, Task<> other);

}  // namespace rogate::engine
