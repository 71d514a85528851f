/* Where a call's path leads, as the subject sees it. */
#ifndef ROGATE_AGENT_RESOLVE_H
#define ROGATE_AGENT_RESOLVE_H

#include <limits.h>
#include <stdbool.h>

#include "mounts.h"
#include "shared.h"

struct resolution {
    bool exists, lexical, no_op;
    /* Refused, and not surely by that mount. */
    bool doubtful;
    bool steered;     /* a symlink was followed, or ".." */
    bool other_mount; /* what the path leads to lies on one that is not in the table: `mount` is a guess */
    unsigned int mount_id;
    bool read_only, whole_read_only; /* the mount's state; meaningless while it is not known */
    /* Behind the others, which alone are cleared. */
    char path[2 * PATH_MAX];
    char mount[PATH_MAX]; /* mount point, empty: not known */
};

/* The names above the executable's file. */
void exe_path(const struct event *event, char *out, size_t size);
void resolve(const struct event *event, struct mount_namespace *space, struct resolution *found);

#endif
