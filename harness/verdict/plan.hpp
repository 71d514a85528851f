// Which run comes next, given the results so far; and what they add up to. Pure: it launches nothing.
#pragma once

#include <map>
#include <optional>
#include <rogate/result.hpp>
#include <set>
#include <string>
#include <vector>

#include "verdict/split.hpp"

namespace rogate::verdict {

// The phase in which the subject is started after it was killed, in a run that crashes (RunPlan::crashes).
inline constexpr const char* crash_phase = "again: start after a crash";

// What a campaign is to find out, and what is known of it before any run.
struct Question {
    std::vector<Mount> mounts;
    std::vector<std::string> candidates;             // targets among `mounts`
    std::map<std::string, std::string> ineffective;  // target -> why read-only would protect nothing
    std::map<std::string, std::string> not_tried;    // target -> why no run can tell
    std::set<std::string>
        can_make_mount_points;  // targets in whose source a directory can be made for the runs
    // Targets whose data others have as well: other mounts of the subject, or containers beside it.
    std::set<std::string> seen_elsewhere = {};
    bool tmpfs_has_owner = true;     // the engine takes uid= and gid= for one
    std::string tmpfs_options = {};  // what every tmpfs is made with (SplitQuestion); empty: what fits
    std::map<std::string, std::string> tmpfs_options_of = {};  // the same, by container of a system
    // A step restarts the subject, which empties a tmpfs: the phases that come after the last such step.
    std::optional<std::set<std::string>> after_restart = {};
    // Data of the user's that the runs do not have. Unless no run used that mount, none of them is evidence.
    std::vector<DataDifference> data_differences = {};
    std::map<std::string, std::string> made_up =
        {};       // target -> what the runs have in place of the user's data
    Facts facts;  // of the paths that were asked for
    // Why no more runs are made though one was wanted ("--max-runs 4 is used up"); empty: they are made. What
    // they would have shown is not known.
    std::string stopped = {};
};

// The phases that come after the last step that restarts the subject in every run; nothing if there is none,
// or steps go on beside it. After a SIGKILL what a program writes when it is told to end is still to come.
std::optional<std::set<std::string>> phases_after_restart(const std::vector<Step>& steps);

// One of the two, or neither: then nothing is left to run, or the control run says that nothing can be
// concluded.
struct NextStep {
    std::optional<RunPlan> run;
    std::vector<std::string> look_at;  // paths whose facts are needed first
};

// The order: a control run; probe runs until every candidate is settled (settle.hpp). Where something is left
// out, runs that show whether it stays so and for whose sake (blame.hpp). Then one run with
// everything that passed and, below each mount that failed, what it has to write kept writable (split.hpp);
// if it fails, each such mount alone, as often as something new fails. A tmpfs is offered only where a run
// has passed in which a restart emptied it, and where its name alone speaks for one, only if nothing was read
// back in a run that kept what was there. What such an arrangement never wrote to is taken out of it, by a
// run. Where a volume is new in place of what the container had, the run ends with a crash and another start.
// Last a verify run with everything that passed, unless a run had just that; if it fails, the largest set
// that passes is looked for (grow.hpp). A question that was stopped wants no run any more; it asks only for
// the facts that say whether a mount that fails as a whole could be split.
NextStep next_step(const Question& question, const std::vector<RunRecord>& so_far);

// Verdicts for the candidates, the mounts that are read-only already, and those on which read-only would
// protect nothing; in the order of the mounts. Where the question was stopped, a verdict holds only if
// nothing that it rests on was still to be asked: `required` where no split was left to try, `safe` and the
// like where one run that passed had everything that is recommended, and no difference was to be tried again.
std::vector<MountResult> judge_all(const Question& question, const std::vector<RunRecord>& so_far);

// What to mount read-only and what to keep writable below it: exactly what a run had that passed and can be
// relied on; the largest if there are several.
Recommendation recommend(const std::vector<MountResult>& mounts, const std::vector<RunRecord>& so_far);

}  // namespace rogate::verdict
