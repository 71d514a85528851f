/* What the parts of the tracer share. */
#ifndef ROGATE_PTRACE_TRACER_H
#define ROGATE_PTRACE_TRACER_H

#include <stdbool.h>

#include "account.h"
#include "threads.h"

extern struct account* account;
extern unsigned int first_process; /* the container's */

bool is_first_process(unsigned int tid);
/* An errno, or 0: it is traced from now on. `root`: the process that the engine put into the container, which
 * it is or comes from. */
int seize(unsigned int pid, unsigned int root);
/* Lets a stopped thread go on, with that signal. */
void go_on(const struct thread* thread, int signal);
/* Handles what traced threads have stopped for, and returns when there is nothing more. */
void take_stops(void);
/* Waits until something is to be taken. */
void await_stops(void);
/* A call is not in the account. */
void lose(const char* why);
/* Every call is, but the run was not as it would be without us. */
void doubt(const char* why);

#endif
