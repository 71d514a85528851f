/* Which mounts are read: inotify watches on their directories, since opens for reading do not stop. The queue is handed to the
 * relay, so that it outlives the tracer, and a mount is watched no longer once it was opened often enough to be sure. */
#ifndef ROGATE_PTRACE_WATCHES_H
#define ROGATE_PTRACE_WATCHES_H

#include "account.h"

void watch_mounts(struct account *account, int relay_socket);
/* A program on this mount was executed. */
void use_mount(struct account *account, const char *point);

#endif
