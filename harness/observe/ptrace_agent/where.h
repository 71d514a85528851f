/* Where a call leads that a stopped process is about to make, as the subject sees it. */
#ifndef ROGATE_PTRACE_WHERE_H
#define ROGATE_PTRACE_WHERE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "../agent/shared.h"

struct where {
    char path[2 * PATH_MAX], mount[PATH_MAX]; /* mount: its mount point; empty: not known */
    unsigned int mount_id;
    bool read_only; /* the mount's state */
    bool exists, lexical, by_fd, truncated;
    bool same;    /* what is asked for is so already: a mode, an owner, nothing to remove */
    bool special; /* a device, a FIFO, a socket */
};

struct where_mount {
    unsigned int id;
    bool read_only;
    bool is_new;        /* was not there at the beginning */
    char device[32];    /* of the file system, as mountinfo has it */
    char *point, *root; /* root: the directory of the file system that is mounted there */
};

/* The mounts of process `pid` (0: of this one), into the table that find_where() looks into. */
void read_mounts(unsigned int pid);
/* The subject has mounted something, or unmounted it. */
void mounts_changed(void);
const struct where_mount* mount_at(size_t index); /* NULL: no more */
const struct where_mount* mount_with(unsigned int id);
const struct where_mount* mount_of_path(const char* path);
/* `fd` is the descriptor that the call names in place of a path, or -1; then `path` is looked up from
 * `dirfd`. */
void find_where(unsigned int tid, const struct event* call, int fd, int dirfd, const char* path, bool second,
                struct where* found);

#endif
