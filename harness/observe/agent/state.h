/* What a file is now, beside what a call would make of it. */
#ifndef ROGATE_AGENT_STATE_H
#define ROGATE_AGENT_STATE_H

#include <stdbool.h>

#include "shared.h"

/* The call, a change of mode or owner, would leave the file behind `fd` (O_PATH will do) as it is. */
bool changes_nothing(const struct event* call, int fd);

#endif
