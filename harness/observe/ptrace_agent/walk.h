/* Looks a path up as the kernel does for another process. */
#ifndef ROGATE_PTRACE_WALK_H
#define ROGATE_PTRACE_WALK_H

#include <limits.h>
#include <stdbool.h>

struct walk {
    int fd;                  /* what the path leads to; -1: `error` says why it is not known */
    int directory;           /* the directory that its last name is in, with all symlinks followed; -1: none */
    char last[NAME_MAX + 1]; /* that name; empty: the path ends in "/", "." or ".." */
    int error;
};

/* From `base`, which is where a relative path begins, and without leaving `root`. `follows`: a symlink at its
 * end is followed. Both descriptors of the result are opened with O_PATH, and the caller's. */
struct walk walk(unsigned int tid, int base, int root, const char* path, bool follows);

#endif
