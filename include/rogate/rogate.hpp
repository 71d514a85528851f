// rogate's public library: the words of its results, and how to read them. Everything is in namespace rogate.
//
// Sizes are in bytes, durations in the unit of their name's end (_ms, _s), times RFC 3339 in UTC. Functions
// that can fail return Result<T>, and throw nothing.
#pragma once

#include <rogate/attempt.hpp>
#include <rogate/attempts.hpp>
#include <rogate/error.hpp>
#include <rogate/names.hpp>
#include <rogate/place.hpp>
#include <rogate/result.hpp>
#include <rogate/results.hpp>
#include <rogate/run.hpp>
#include <rogate/scenario.hpp>
#include <rogate/subject.hpp>
