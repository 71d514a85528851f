/* The threads that are traced. */
#ifndef ROGATE_PTRACE_THREADS_H
#define ROGATE_PTRACE_THREADS_H

#include <limits.h>
#include <stdbool.h>

#include "../agent/shared.h"
#include "where.h"

struct thread {
    struct thread* next;
    unsigned int tid, root;
    bool known, waiting, in_call, canary;
    struct event call;
    struct where *first, *second;
    char comm[NAME_SIZE], exe[PATH_MAX];
};

/* Made if it is not known. */
struct thread* thread_of(unsigned int tid);
/* The call that it was in is over. */
void end_call(struct thread* thread);
void forget_thread(unsigned int tid);

#endif
