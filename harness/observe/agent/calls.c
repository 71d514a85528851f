#include "calls.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#endif
#ifndef SYS_removexattrat
#define SYS_removexattrat 466
#endif
#ifndef SYS_file_setattr
#define SYS_file_setattr 469
#endif

enum { NEVER_LINK = 0, ALWAYS_LINK = 1, FLAG_IN_3 = 2, FLAG_IN_4 = 3, MAKES_NAME = 4 };

struct call {
    int number;
    const char *name;
    struct call_rule rule; /* kind, dirfd, path, fd, flags */
    int link;
};

static const struct call calls[] = {
    {SYS_open, "open", {CALL_OPEN, -1, 0, -1, 1}, NEVER_LINK},
    {SYS_creat, "creat", {CALL_OPEN, -1, 0, -1, -1}, NEVER_LINK},
    {SYS_openat, "openat", {CALL_OPEN, 0, 1, -1, 2}, NEVER_LINK},
    {SYS_openat2, "openat2", {CALL_OPENAT2, 0, 1, -1, -1}, NEVER_LINK},
    {SYS_mkdir, "mkdir", {CALL_CHANGE, -1, 0, -1, -1}, MAKES_NAME},
    {SYS_mkdirat, "mkdirat", {CALL_CHANGE, 0, 1, -1, -1}, MAKES_NAME},
    {SYS_mknod, "mknod", {CALL_CHANGE, -1, 0, -1, -1}, MAKES_NAME},
    {SYS_mknodat, "mknodat", {CALL_CHANGE, 0, 1, -1, -1}, MAKES_NAME},
    {SYS_symlink, "symlink", {CALL_CHANGE, -1, 1, -1, -1}, MAKES_NAME},
    {SYS_symlinkat, "symlinkat", {CALL_CHANGE, 1, 2, -1, -1}, MAKES_NAME},
    {SYS_link, "link", {CALL_CHANGE, -1, 1, -1, -1}, MAKES_NAME},
    {SYS_linkat, "linkat", {CALL_CHANGE, 2, 3, -1, -1}, MAKES_NAME},
    {SYS_unlink, "unlink", {CALL_CHANGE, -1, 0, -1, -1}, ALWAYS_LINK},
    {SYS_unlinkat, "unlinkat", {CALL_CHANGE, 0, 1, -1, -1}, ALWAYS_LINK},
    {SYS_rmdir, "rmdir", {CALL_CHANGE, -1, 0, -1, -1}, ALWAYS_LINK},
    {SYS_rename, "rename", {CALL_CHANGE, -1, 0, -1, -1}, ALWAYS_LINK},
    {SYS_renameat, "renameat", {CALL_CHANGE, 0, 1, -1, -1}, ALWAYS_LINK},
    {SYS_renameat2, "renameat2", {CALL_CHANGE, 0, 1, -1, -1}, ALWAYS_LINK},
    {SYS_chmod, "chmod", {CALL_CHANGE, -1, 0, -1, -1}, NEVER_LINK},
    {SYS_fchmod, "fchmod", {CALL_CHANGE, -1, -1, 0, -1}, NEVER_LINK},
    {SYS_fchmodat, "fchmodat", {CALL_CHANGE, 0, 1, -1, -1}, NEVER_LINK},
    {SYS_fchmodat2, "fchmodat2", {CALL_CHANGE, 0, 1, -1, -1}, FLAG_IN_3},
    {SYS_chown, "chown", {CALL_CHANGE, -1, 0, -1, -1}, NEVER_LINK},
    {SYS_lchown, "lchown", {CALL_CHANGE, -1, 0, -1, -1}, ALWAYS_LINK},
    {SYS_fchown, "fchown", {CALL_CHANGE, -1, -1, 0, -1}, NEVER_LINK},
    {SYS_fchownat, "fchownat", {CALL_CHANGE, 0, 1, -1, -1}, FLAG_IN_4},
    {SYS_utime, "utime", {CALL_CHANGE, -1, 0, -1, -1}, NEVER_LINK},
    {SYS_utimes, "utimes", {CALL_CHANGE, -1, 0, -1, -1}, NEVER_LINK},
    {SYS_futimesat, "futimesat", {CALL_CHANGE, 0, 1, -1, -1}, NEVER_LINK},
    {SYS_utimensat, "utimensat", {CALL_CHANGE, 0, 1, -1, -1}, FLAG_IN_3},
    {SYS_truncate, "truncate", {CALL_CHANGE, -1, 0, -1, -1}, NEVER_LINK},
    {SYS_setxattr, "setxattr", {CALL_CHANGE, -1, 0, -1, -1}, NEVER_LINK},
    {SYS_lsetxattr, "lsetxattr", {CALL_CHANGE, -1, 0, -1, -1}, ALWAYS_LINK},
    {SYS_fsetxattr, "fsetxattr", {CALL_CHANGE, -1, -1, 0, -1}, NEVER_LINK},
    {SYS_setxattrat, "setxattrat", {CALL_CHANGE, 0, 1, -1, -1}, NEVER_LINK},
    {SYS_removexattr, "removexattr", {CALL_CHANGE, -1, 0, -1, -1}, NEVER_LINK},
    {SYS_lremovexattr, "lremovexattr", {CALL_CHANGE, -1, 0, -1, -1}, ALWAYS_LINK},
    {SYS_fremovexattr, "fremovexattr", {CALL_CHANGE, -1, -1, 0, -1}, NEVER_LINK},
    {SYS_removexattrat, "removexattrat", {CALL_CHANGE, 0, 1, -1, -1}, NEVER_LINK},
    {SYS_file_setattr, "file_setattr", {CALL_CHANGE, 0, 1, -1, -1}, NEVER_LINK},
    {SYS_ioctl, "ioctl", {CALL_IOCTL, -1, -1, 0, -1}, NEVER_LINK},
    {SYS_bind, "bind", {CALL_BIND, -1, -1, -1, -1}, MAKES_NAME},
    {SYS_access, "access", {CALL_ACCESS, -1, 0, -1, 1}, NEVER_LINK},
    {SYS_faccessat, "faccessat", {CALL_ACCESS, 0, 1, -1, 2}, NEVER_LINK},
    {SYS_faccessat2, "faccessat2", {CALL_ACCESS, 0, 1, -1, 2}, FLAG_IN_3},
};

static const struct call *find(int number) {
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].number == number) return &calls[i];
    return NULL;
}

void fill_rules(struct call_rule *rules) {
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].number < SYSCALLS) rules[calls[i].number] = calls[i].rule;
}

const char *call_name(int number) {
    const struct call *call = find(number);
    return call ? call->name : "?";
}

bool call_makes_name(const struct event *event) {
    const struct call *call = find(event->number);
    return call && call->link == MAKES_NAME;
}

bool call_acts_on_link(const struct event *event) {
    const struct call *call = find(event->number);
    if (!call) return false;
    switch (call->link) {
        case ALWAYS_LINK:
        case MAKES_NAME: return true;
        case FLAG_IN_3: return (event->args[3] & AT_SYMLINK_NOFOLLOW) != 0;
        case FLAG_IN_4: return (event->args[4] & AT_SYMLINK_NOFOLLOW) != 0;
    }
    if (call->rule.kind == CALL_OPEN || call->rule.kind == CALL_OPENAT2) return (event->open_flags & O_NOFOLLOW) != 0;
    return false;
}
