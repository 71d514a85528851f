// The process between rogate and a command of the user's: whatever becomes of rogate, it ends the command and
// all that this has started.
#pragma once

#include <cstdint>

namespace rogate::scenario {

// What the guard tells, once, when nothing of the command is left.
struct GuardReport {
    enum class What : std::int32_t {
        ended,          // `value`: as waitpid() has it
        no_directory,   // `value`: errno; nothing was run
        not_executable  // the same
    };
    What what = What::ended;
    std::int32_t value = 0;
};

struct Guarded {
    const char* directory;
    char* const* words;        // ends with a null pointer
    char* const* environment;  // the same
    int control;               // its end of file: end the command
    int report;                // a GuardReport is written to it
    int output;                // the command's standard output and standard error
};

// What the guard does after fork(); it never returns. rogate may have other threads, so that nothing here
// allocates memory or takes a lock.
[[noreturn]] void guard(const Guarded& what) noexcept;

}  // namespace rogate::scenario
