/* Where a call's path leads, as the subject sees it. */
#ifndef ROGATE_AGENT_RESOLVE_H
#define ROGATE_AGENT_RESOLVE_H

#include <limits.h>
#include <stdbool.h>

#include "mounts.h"
#include "shared.h"
#include "walk.h"

struct resolution {
    bool exists, lexical, no_op;
    /* Refused, and not surely by that mount. */
    bool doubtful;
    bool steered;     /* a symlink was followed, or ".." */
    bool other_mount; /* what the path leads to lies on one that is not in the table: `mount` is a guess */
    bool told;        /* the kernel has said which mount refused */
    bool walked;      /* `way` is what was passed on the way */
    unsigned long long device, inode; /* of the file, if it is there; inode 0: not known */
    unsigned int mount_id;
    bool read_only, whole_read_only; /* the mount's state; meaningless while it is not known */
    /* Behind the others, which alone are cleared. */
    char path[2 * PATH_MAX];
    char mount[PATH_MAX]; /* mount point, empty: not known */
    struct walk way;
};

/* The names above the executable's file. */
void exe_path(const struct event* event, char* out, size_t size);
/* Where the mount is that was asked for at `target`, which leads through symlinks; false: none of the table's is there. */
bool find_target(const struct mount_namespace* space, const char* target, char* point, size_t size);
/* What the call said, joined to where it begins; false: it named no path. */
bool full_path(const struct event* event, char* full, size_t size);
void resolve(const struct event* event, struct mount_namespace* space, struct resolution* found);
/* Of one who looked for a name and did not get there: the mount of the last directory on the way that is there. */
void find_where_it_ends(const struct event* event, const struct mount_namespace* space, struct resolution* found);

/* Nothing is executed on the mount that it is on, and the file's mode would allow it (of one that is mapped, it does not
 * matter). */
bool is_kept_from_executing(const struct event* event, const struct mount_namespace* space,
                            const struct resolution* found);

#endif
