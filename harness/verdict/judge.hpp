// Runs and attempts -> the verdict for one mount. Pure.
#pragma once

#include <rogate/result.hpp>

namespace rogate::verdict {

struct MountEvidence {
    Mount mount;
    bool candidate = true;
    std::string ineffective;  // why read-only would protect nothing ("a unix socket …"); empty: it would
    std::string not_tried;    // why no run with it read-only can tell; empty: runs can
    const RunRecord* control = nullptr;  // absent: the control run did not come to an end
    const RunRecord* probe =
        nullptr;  // the run that settles it: it was read-only there; absent: there was none
    const RunRecord* split =
        nullptr;  // a run that passed with it read-only but for some paths, if there is one
    const Difference* difference = nullptr;  // what is left out for its sake (find_blame); null: nothing
    // What was refused on it, where no run settles it: a run with it read-only, or the control run.
    const RunRecord* refusals = nullptr;
    std::string data_doubt;    // why no run can tell anything of any mount; empty: nothing speaks against it
    std::string made_up;       // what the runs had in place of the user's data; empty: nothing
    std::string stopped = {};  // why no more runs were made; empty: none was left to make
};

// Every doubt ends in `inconclusive`, never in `safe`. `probe` must have been through compare_with_control().
MountResult judge(const MountEvidence&);

}  // namespace rogate::verdict
