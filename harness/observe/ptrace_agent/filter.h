/* The seccomp filter: only calls that can write stop for the tracer; everything else runs at full speed. */
#ifndef ROGATE_PTRACE_FILTER_H
#define ROGATE_PTRACE_FILTER_H

#include <linux/filter.h>

#define FILTER_ROOM 2048

/* Writes the filter into room for FILTER_ROOM instructions; how many they are. */
unsigned short filter_build(struct sock_filter* into);
/* Puts this thread, and all that comes from it, under the filter. 0: done, no_new_privs untouched; 1: done,
 * but it took no_new_privs, which disarms setuid programs; -1: errno says why not. */
int filter_install(void);

#endif
