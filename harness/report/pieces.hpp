// Long texts that are handed on piece by piece, so that neither end ever holds all of one.
#pragma once

#include <functional>
#include <rogate/error.hpp>
#include <string_view>

namespace rogate::report {

// The next piece, good until the next call; an empty one: that was all.
using Source = std::function<Result<std::string_view>()>;

// Takes the next piece; its error ends the writing.
using Sink = std::function<Result<>(std::string_view)>;

}  // namespace rogate::report
