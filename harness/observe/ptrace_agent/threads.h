/* The threads that are traced. */
#ifndef ROGATE_PTRACE_THREADS_H
#define ROGATE_PTRACE_THREADS_H

#include <limits.h>
#include <stdbool.h>

#include "../agent/shared.h"
#include "where.h"

/* What else than a write the thread is doing in its call (escapes.h). */
enum escape { NO_ESCAPE, CLONES, CLONES_BY_POINTER, LISTENS, TRACES, CALLS_UNKNOWN };

struct thread {
    struct thread* next;
    unsigned int tid, root;
    bool known, waiting, canary;
    bool in_call;    /* it stops again when the call is over */
    bool every_call; /* it stops at every call, whatever the filter answers */
    bool looked;     /* … and this one has been looked at already */
    /* It was refused to open this place for reading and writing, and may be about to read it instead: so many of its
     * next calls are looked at. */
    struct where* refused;
    unsigned int calls_to_look_at;
    bool reads; /* this call is such an open for reading */
    enum escape escape;
    unsigned long argument;       /* of the call: what was changed in it, and is put back */
    const struct call_rule* rule; /* of the call */
    struct event call;
    struct where *first, *second;
    char comm[NAME_SIZE], exe[PATH_MAX];
};

/* Made if it is not known. */
struct thread* thread_of(unsigned int tid);
/* NULL: it is none of the traced ones. */
const struct thread* known_thread(unsigned int tid);
/* The call that it was in is over. */
void end_call(struct thread* thread);
void forget_thread(unsigned int tid);
/* There is no more than one. */
bool one_thread_alone(void);

#endif
