// Which candidates are tried read-only together, so that few runs settle all of them. Pure.
#pragma once

#include <optional>
#include <rogate/run.hpp>
#include <string>
#include <vector>

namespace rogate::verdict {

// What to mount read-only in the next probe run; nullopt: every candidate is settled, as far as runs can
// tell. `runs` begins with a control run that passed and can be relied on.
//
// Everything at once first. If that passes, each mount is judged by what failed on it. If it fails and
// something failed on one mount alone, that mount is to blame, and the rest is tried without it. If something
// failed on several, the one on which something failed last is tried alone (the application went on after the
// others), and the others wait until the rest is settled; then they are tried with all that passed. A failure
// with nothing to blame is looked for by halving. Of a system, what was refused last to each container that
// fell waits where several mounts come into question, or where another one was made anew meanwhile; it is
// tried without anything beside it but what waits for other containers' sake, and else alone.
std::optional<std::vector<std::string>> next_probe(const std::vector<std::string>& candidates,
                                                   const std::vector<RunRecord>& runs);

// The mounts that a run had read-only and on which something failed, in the order of their last failure.
std::vector<std::string> suspects(const RunRecord& run);

// The run that settles `target`: the one in which it was alone; else one that passed with it read-only, and
// that used it if there is such a one; else one that failed, and in which something failed on it alone.
const RunRecord* settling_run(const std::string& target, const std::vector<RunRecord>& runs);

}  // namespace rogate::verdict
