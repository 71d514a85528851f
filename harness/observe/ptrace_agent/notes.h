/* Notes in the account what was attempted: equal attempts are one frame and a count. */
#ifndef ROGATE_PTRACE_NOTES_H
#define ROGATE_PTRACE_NOTES_H

#include <stdint.h>

#include "account.h"
#include "threads.h"
#include "where.h"

/* What the thread attempted with the call that it is in. `error`: an errno, 0: it succeeded; `flags`: bits of
 * enum attempt_flags beside those that follow from `where` and `error`. */
void note_attempt(struct account* account, const struct thread* thread, const struct where* where, int error,
                  uint32_t flags);

#endif
