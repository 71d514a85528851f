// What the control run has shown, as one question about all containers; and what is known besides the runs.
// Pure.
#pragma once

#include <functional>
#include <map>
#include <rogate/result.hpp>
#include <set>
#include <string>
#include <vector>

#include "verdict/plan.hpp"

namespace rogate::wrap {

// A container of the control run, or one that was there before.
struct Subjected {
    std::string key, how;  // how it is recognised
    std::vector<Mount> mounts;
    std::map<std::string, std::string> special = {};  // target -> "a unix socket"; empty: not known
    Subject subject = {};
    std::string image_id = {};
    std::string unseen_writers = {};  // who else can write by its doing; empty: nobody
    bool was_there = false;           // before COMMAND was started: it is never changed
    bool was_started = true;
};

// Candidates: every writable mount of the containers that COMMAND created and started, "/" among them with
// `rootfs`. `root_hides`: the engine mounts what it likes over a read-only "/".
verdict::Question question_of(const std::vector<Subjected>& system, bool rootfs, bool root_hides);

// Containers that were not there, or not started, in a run that passed: nothing can be said of their mounts.
// `present`: the keys of those that were started. `is_control`: those of later runs alone are not in
// question.
void note_absent(verdict::Question& question, const RunRecord& run, const std::set<std::string>& present,
                 bool is_control);

// The control run wrote to a bind, or to a volume that outlasts the run: what it met, no later run meets.
bool writes_what_outlasts(const RunRecord& control, const std::vector<Subjected>& system,
                          const std::function<bool(const std::string& volume)>& outlasts);

// What a judge does not know: the mount's own type; that a container has the engine's socket; that no part of
// a mount was tried; what only the very first run wrote, since the others find it. `first` is null where the
// control run was not made again.
void refine(MountResult& result, const std::vector<Subjected>& system, const verdict::Question& question,
            const RunRecord* first);

}  // namespace rogate::wrap
