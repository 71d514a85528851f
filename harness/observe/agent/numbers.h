/* How the files of arch/ tell the numbers of calls. */
#ifndef ROGATE_AGENT_NUMBERS_H
#define ROGATE_AGENT_NUMBERS_H

#include "rows.h"

struct numbered {
    short number; /* the kernel's */
    short row;    /* enum call_row */
};

/* The calls that are no writes, but by which a process could get out of the ptrace observer's sight, or which tell it that one
 * is about to end. */
struct escaping_calls {
    unsigned int exit_group, clone, clone3, seccomp, ptrace, io_uring_setup;
};

#endif
