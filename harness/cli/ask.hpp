// Questions to whoever sits at the terminal.
#pragma once

#include <string>

#include "engine/client.hpp"

namespace rogate::cli {

// Whether anybody does: standard input and standard error are a terminal.
bool somebody_is_there();

// Shows "QUESTION (y/N) " and waits for a line. Only one that begins with 'y' is a yes; the end of the input
// is a no. ErrorKind::cancelled: interrupted meanwhile.
engine::Task<bool> ask(std::string question);

}  // namespace rogate::cli
