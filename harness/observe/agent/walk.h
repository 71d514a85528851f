/* Looks a path of a container's process up, name by name, as the kernel does. */
#ifndef ROGATE_AGENT_WALK_H
#define ROGATE_AGENT_WALK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "looks.h"

#define WALK_NAMES 64

struct walk {
    int fd;                  /* O_PATH, what the path leads to; -1: `error` says why there is nothing */
    int directory;           /* O_PATH, the directory that its last name is in, with all symlinks followed; -1: none */
    char last[NAME_MAX + 1]; /* that name; empty: the path ends in "/", "." or ".." */
    int error;
    bool steered; /* a symlink was followed, or ".." */
    size_t count; /* of the names; those beyond are left out, and `too_many` is set */
    bool too_many;
    struct passed names[WALK_NAMES];
};

/* Below `root`, which ".." does not leave. `pid`: the process, on this machine, whose /proc/self is meant. `follows`: so is a
 * symlink at the path's end. Both descriptors are the caller's. */
void walk(int root, const char* path, unsigned int pid, bool follows, struct walk* found);
void end_walk(struct walk* found);

#endif
