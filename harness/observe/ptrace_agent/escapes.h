/* The calls by which a process could get out of the tracer's sight, or that cannot work while it is traced:
 * made to work where that is possible, and doubted where it is not. */
#ifndef ROGATE_PTRACE_ESCAPES_H
#define ROGATE_PTRACE_ESCAPES_H

#include <stdbool.h>

#include "threads.h"

/* Whether the call is one of these. */
bool escape_begins(struct thread* thread, bool native, unsigned long long number, const unsigned long long* args);
/* `error`: an errno, 0: it succeeded. */
void escape_ended(struct thread* thread, int error);
/* A filter that is not ours has handed a call to the tracer. */
void foreign_filter(void);
/* The child of a thread whose clone(2) was changed has its registers. */
void escape_born(const struct thread* parent, struct thread* child);
/* Puts the register back that was changed. */
void put_back(struct thread* thread);

#endif
