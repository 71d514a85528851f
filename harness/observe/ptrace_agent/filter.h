/* The seccomp filter: only calls that can write stop for the tracer; everything else runs at full speed. */
#ifndef ROGATE_PTRACE_FILTER_H
#define ROGATE_PTRACE_FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "../agent/calls.h"

#define FILTER_ROOM 2048
/* The flags of open(2) that can change something. */
#define TMPFILE_BIT 020000000u
#define WRITE_FLAGS (O_ACCMODE | O_CREAT | O_TRUNC | TMPFILE_BIT)
/* The data of its SECCOMP_RET_TRACE. */
#define FILTER_MARK 0x7267u

/* Writes the filter into room for FILTER_ROOM instructions; how many they are. */
unsigned short filter_build(struct sock_filter* into);
/* What it answers. */
unsigned int filter_answer(const struct seccomp_data* data);
/* Puts this thread, and all that comes from it, under the filter. 0: done, no_new_privs untouched; 1: done,
 * but it took no_new_privs, which disarms setuid programs; -1: errno says why not. */
int filter_install(void);

#endif
