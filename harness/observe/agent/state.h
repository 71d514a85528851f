/* What a file is now, beside what a call would make of it. */
#ifndef ROGATE_AGENT_STATE_H
#define ROGATE_AGENT_STATE_H

#include <stdbool.h>

#include "shared.h"

/* The call, a change of mode or owner, would leave the file behind `fd` (O_PATH will do) as it is; with EVENT_STATE `fd` may
 * be negative. */
bool changes_nothing(const struct event* call, int fd);
/* Access mode 3 asks for the right to read and to write, and gives neither: of what is there it changes nothing. */
bool opens_without_change(const struct event* call);

#endif
