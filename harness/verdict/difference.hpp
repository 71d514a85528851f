// What the application leaves out, or does elsewhere, in runs with some mounts read-only: the one place where
// that is decided. Pure.
#pragma once

#include <rogate/result.hpp>
#include <string>

namespace rogate::verdict {

// The tries that a run was read together of: itself, if it was none of several.
std::vector<Try> tries_of(const RunRecord& run);

// How often the plan of a run was tried so far, in each state of the data.
int times_tried(const RunRecord& run);

// What every try of `control` did and no try of `run` (and the other way round, `instead`), on whichever
// mount; in each state of the data by itself. `run` has passed and has been through compare_with_control().
//
// A write is an operation on a path, and it is made if it succeeded; on a mount that is read-only in `run` it
// is enough to have attempted it, since what is refused there is told as such. A write that the control run
// made in a phase in which `run` makes none, and more often in all, is missing as well. Names are compared
// exactly first; a name that `run` alone has stands for one that it lacks if their patterns are equal, or if
// the control run's tries differ in the same component. What follows from a refusal on the same mount (below
// a directory that could not be made) is not told again.
//
// A mount has fallen out of use if every try of the control run opened something on it, and none of `run`
// did; only where the observer counts every open.
Difference difference(const RunRecord& control, const RunRecord& run);

// Less what is in `other` too.
Difference without(const Difference& difference, const Difference& other);

// What was tried, each but once, in whichever phases that was.
Attempts each_once(const Attempts& attempts);

// "create /data/orders by sh, unlink /data/x by rm and 3 more"; each but once.
std::string named(const Attempts& attempts);

}  // namespace rogate::verdict
