/* A call that can write: looked at before it is made, noted when it has been answered. */
#ifndef ROGATE_PTRACE_CALL_H
#define ROGATE_PTRACE_CALL_H

#include "threads.h"

/* The thread is stopped because the filter answered that it has to. */
void at_filter(struct thread* thread);
/* The thread is stopped at the beginning or at the end of a call. */
void at_call(struct thread* thread);

#endif
