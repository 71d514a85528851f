// How the subject's end is judged. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <rogate/run.hpp>
#include <string>

#include "engine/client.hpp"

namespace rogate::campaign {

struct Ending {
    int exit_code = 0;
    bool oom_killed = false;
    bool told_to = false;  // it ran until it was told to end
    bool killed = false;   // and had not ended when its grace was over
    std::string who = "the subject";
};

// What it is held against: what the scenario asks for, else the control run.
struct ExpectedEnding {
    bool is_control = false;          // there is none yet
    std::optional<int> said = {};     // by the scenario
    std::optional<int> control = {};  // the control run's exit code
    bool early = false;               // the control run's subject ended by itself
    bool killed = false;              // the control run's had to be killed
    std::int64_t grace_ms = 0;
};

// Empty: as it should be; else what is wrong with it.
std::string judge_ending(const Ending& ending, const ExpectedEnding& expected);

// 0: no signal of that name. "TERM", "SIGTERM", "15", "RTMIN+3".
int signal_number(const std::string& name);
// Whether the first process of a PID namespace would never know of it: the kernel drops a signal that it has
// no handler for (kernel/signal.c: sig_task_ignored), but never one that is blocked, which it may wait for.
bool is_deaf_to(int signal, const engine::SignalMasks& masks);

// What an end by SIGKILL means in daily use, for the user.
std::string killed_note(const std::string& who, const std::string& signal, bool deaf, std::int64_t grace_ms);

}  // namespace rogate::campaign
