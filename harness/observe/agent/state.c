#define _GNU_SOURCE
#include "state.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "calls.h"

/* fs/attr.c, security/commoncap.c: a change of owner takes them away, whoever the owner is. */
static bool has_capabilities(int fd) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return getxattr(link, "security.capability", NULL, 0) > 0;
}

bool changes_nothing(const struct event* call, int fd) {
    struct stat now;
    if (call->flags & EVENT_STATE) {
        memset(&now, 0, sizeof now);
        now.st_mode = call->mode;
        now.st_uid = call->owner;
        now.st_gid = call->group;
    } else if (fstat(fd, &now)) {
        return false;
    }
    if (!call_keeps(call, &now)) return false;
    return !call_sets_owner(call) || !S_ISREG(now.st_mode) || (fd >= 0 && !has_capabilities(fd));
}

bool opens_without_change(const struct event* call) {
    return call_opens(call) && (call->open_flags & O_ACCMODE) == O_ACCMODE && !(call->open_flags & O_TRUNC) &&
           (call->open_flags & O_TMPFILE) != O_TMPFILE;
}
