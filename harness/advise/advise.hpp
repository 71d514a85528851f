// Settings that may remove what an application writes, and which of them help: evidence -> runs to make, and
// what they add up to. Pure, like the planner whose runs it goes on from.
#pragma once

#include <rogate/result.hpp>
#include <set>
#include <string>
#include <vector>

#include "advise/knowledge.hpp"
#include "verdict/plan.hpp"

namespace rogate::advise {

struct Advisor {
    std::vector<Setting> settings;  // none: nothing is tried
    // That the subject, or each container of a system, has (variable.hpp): they are the user's to change.
    std::set<std::string> variables;
};

// A setting that is about something that was written, by one container.
struct Match {
    // ${writable} is replaced in its environment, whose variables are the container's (variable.hpp).
    Setting setting;
    std::string container;            // of a system; empty: there is one subject
    std::vector<std::string> mounts;  // targets of candidates
    std::vector<std::string> paths;   // that were written, some of them
    std::string why_not;              // why it is not tried; empty: it is
};

// In the order of the settings. `runs`: with no setting, the control run first. `places`: what stays writable
// in the arrangement that they recommend.
std::vector<Match> find_matches(const Advisor& advisor, const verdict::Question& question,
                                const std::vector<RunRecord>& runs, const std::vector<WritablePath>& places);

// What verdict::next_step() wants; and when that wants nothing more, runs with the settings that match: a
// control run with all of them together, then what shows which mounts can be read-only with them. Where the
// scenario does not pass with all of them, they are halved. Those that do not help are taken out, and the
// rest is run again.
verdict::NextStep next_step(const Advisor& advisor, const verdict::Question& question,
                            const std::vector<RunRecord>& runs);

struct Conclusion {
    std::vector<MountResult> mounts;
    Recommendation recommendation;
    std::vector<SettingResult> settings;
};

// Verdicts are those of the configuration as it is. Settings are recommended if a run passed with them, what
// they are about was not written, and less stays writable than without: fewer mounts as a whole, then fewer
// places, then fewer mounts on which something fails.
Conclusion conclude(const Advisor& advisor, const verdict::Question& question,
                    const std::vector<RunRecord>& runs);

}  // namespace rogate::advise
