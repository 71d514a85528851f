/* What the memory of a stopped process and /proc tell of it. */
#ifndef ROGATE_PTRACE_PROCESS_H
#define ROGATE_PTRACE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "../protocol.h"
#include "threads.h"

/* How many bytes could be read. */
size_t read_memory(unsigned int tid, unsigned long from, void* to, size_t size);
/* False: it does not end, or cannot be read; the kernel will say EFAULT or ENAMETOOLONG. */
bool read_text(unsigned int tid, unsigned long from, char* to, size_t size);
/* The thread's `comm` and `exe`. */
void read_names(struct thread* thread);
/* The attempt's `pid`, `parent` and `uid`. */
void read_status(unsigned int tid, struct frame_attempt* attempt);
unsigned int process_of(unsigned int tid);
bool has_no_new_privs(unsigned int tid);
bool has_capability(unsigned int tid, int number);
/* Of a descriptor of our own; 0: not known. */
unsigned int mount_id_of(int fd);

#endif
