/* Whether the mounts are used at all: reads are not traced. */
#ifndef ROGATE_PTRACE_WATCHES_H
#define ROGATE_PTRACE_WATCHES_H

#include "account.h"

/* Watches the mounts that read_mounts() knows. Where that takes inotify, the relay reads what comes of it. */
void watch_mounts(struct account* account, int relay_socket);
/* Readable when there is something for take_uses(); -1: there never is. */
int uses_queue(void);
void take_uses(struct account* account);
/* A program on that mount has been executed. */
void use_mount(struct account* account, const char* point);

#endif
