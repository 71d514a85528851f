/* What anybody on this machine changes while a path is still being looked up: events of the kernel's side, compared with the
 * looks (looks.h). */
#ifndef ROGATE_AGENT_CHANGES_H
#define ROGATE_AGENT_CHANGES_H

#include "resolve.h"
#include "shared.h"

/* An attempt has been looked up: it succeeded, or was refused with EROFS. */
void note_look(const struct event* event, const struct resolution* found);
/* An event of the kind EVENT_CHANGED. */
void note_change(const struct event* event);
/* Of the run: what was seen, and cannot be relied on. */
void send_doubt(unsigned int slot, const char* text);

#endif
