#include "calls.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
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

/* Whether the call acts on a symlink itself: never, always, or as the flags in that argument say. */
enum { NEVER_LINK, ALWAYS_LINK, FLAG_IN_2, FLAG_IN_3, FLAG_IN_4, FOLLOWS_IN_4, MAKES_NAME };

#define EXCHANGES 2u                        /* linux/fs.h: RENAME_EXCHANGE */
#define BY_VALUES(values) -1, -1, 0, values /* no second path; the arguments whose values matter */
#define VALUE(n) (1 << (n))
#define NO_SECOND BY_VALUES(0)

struct call {
    int number;
    const char* name;
    struct call_rule rule; /* kind, dirfd, path, fd, flags, second dirfd and path; the number is filled in */
    int link;
};

static const struct call calls[] = {
    {SYS_open, "open", {CALL_OPEN, -1, 0, -1, 1, NO_SECOND}, NEVER_LINK},
    {SYS_creat, "creat", {CALL_OPEN, -1, 0, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_openat, "openat", {CALL_OPEN, 0, 1, -1, 2, NO_SECOND}, NEVER_LINK},
    {SYS_openat2, "openat2", {CALL_OPENAT2, 0, 1, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_mkdir, "mkdir", {CALL_CHANGE, -1, 0, -1, -1, NO_SECOND}, MAKES_NAME},
    {SYS_mkdirat, "mkdirat", {CALL_CHANGE, 0, 1, -1, -1, NO_SECOND}, MAKES_NAME},
    {SYS_mknod, "mknod", {CALL_CHANGE, -1, 0, -1, -1, NO_SECOND}, MAKES_NAME},
    {SYS_mknodat, "mknodat", {CALL_CHANGE, 0, 1, -1, -1, NO_SECOND}, MAKES_NAME},
    {SYS_symlink, "symlink", {CALL_CHANGE, -1, 1, -1, -1, BY_VALUES(MOVES_NAMES)}, MAKES_NAME},
    {SYS_symlinkat, "symlinkat", {CALL_CHANGE, 1, 2, -1, -1, BY_VALUES(MOVES_NAMES)}, MAKES_NAME},
    {SYS_link, "link", {CALL_CHANGE, -1, 1, -1, -1, BY_VALUES(MOVES_NAMES)}, MAKES_NAME},
    {SYS_linkat, "linkat", {CALL_CHANGE, 2, 3, -1, -1, BY_VALUES(MOVES_NAMES)}, MAKES_NAME},
    {SYS_unlink, "unlink", {CALL_CHANGE, -1, 0, -1, -1, BY_VALUES(TAKES_NAMES)}, ALWAYS_LINK},
    {SYS_unlinkat, "unlinkat", {CALL_CHANGE, 0, 1, -1, -1, BY_VALUES(TAKES_NAMES)}, ALWAYS_LINK},
    {SYS_rmdir, "rmdir", {CALL_CHANGE, -1, 0, -1, -1, NO_SECOND}, ALWAYS_LINK},
    {SYS_rename, "rename", {CALL_CHANGE, -1, 0, -1, -1, -1, 1, 0, MOVES_NAMES}, ALWAYS_LINK},
    {SYS_renameat, "renameat", {CALL_CHANGE, 0, 1, -1, -1, 2, 3, 0, MOVES_NAMES}, ALWAYS_LINK},
    {SYS_renameat2, "renameat2", {CALL_CHANGE, 0, 1, -1, -1, 2, 3, 0, MOVES_NAMES}, ALWAYS_LINK},
    {SYS_chmod, "chmod", {CALL_CHANGE, -1, 0, -1, -1, BY_VALUES(CHANGES_STATE | VALUE(1))}, NEVER_LINK},
    {SYS_fchmod, "fchmod", {CALL_CHANGE, -1, -1, 0, -1, BY_VALUES(CHANGES_STATE | VALUE(1))}, NEVER_LINK},
    {SYS_fchmodat, "fchmodat", {CALL_CHANGE, 0, 1, -1, -1, BY_VALUES(CHANGES_STATE | VALUE(2))}, NEVER_LINK},
    {SYS_fchmodat2, "fchmodat2", {CALL_CHANGE, 0, 1, -1, -1, BY_VALUES(CHANGES_STATE | VALUE(2))}, FLAG_IN_3},
    {SYS_chown, "chown", {CALL_CHANGE, -1, 0, -1, -1, BY_VALUES(CHANGES_STATE | VALUE(1) | VALUE(2))}, NEVER_LINK},
    {SYS_lchown, "lchown", {CALL_CHANGE, -1, 0, -1, -1, BY_VALUES(CHANGES_STATE | VALUE(1) | VALUE(2))}, ALWAYS_LINK},
    {SYS_fchown, "fchown", {CALL_CHANGE, -1, -1, 0, -1, BY_VALUES(CHANGES_STATE | VALUE(1) | VALUE(2))}, NEVER_LINK},
    {SYS_fchownat, "fchownat", {CALL_CHANGE, 0, 1, -1, -1, BY_VALUES(CHANGES_STATE | VALUE(2) | VALUE(3))}, FLAG_IN_4},
    {SYS_utime, "utime", {CALL_CHANGE, -1, 0, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_utimes, "utimes", {CALL_CHANGE, -1, 0, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_futimesat, "futimesat", {CALL_CHANGE, 0, 1, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_utimensat, "utimensat", {CALL_CHANGE, 0, 1, -1, -1, NO_SECOND}, FLAG_IN_3},
    {SYS_truncate, "truncate", {CALL_CHANGE, -1, 0, -1, -1, BY_VALUES(CHANGES_STATE)}, NEVER_LINK},
    {SYS_setxattr, "setxattr", {CALL_CHANGE, -1, 0, -1, -1, BY_VALUES(CHANGES_STATE)}, NEVER_LINK},
    {SYS_lsetxattr, "lsetxattr", {CALL_CHANGE, -1, 0, -1, -1, BY_VALUES(CHANGES_STATE)}, ALWAYS_LINK},
    {SYS_fsetxattr, "fsetxattr", {CALL_CHANGE, -1, -1, 0, -1, BY_VALUES(CHANGES_STATE)}, NEVER_LINK},
    {SYS_setxattrat, "setxattrat", {CALL_CHANGE, 0, 1, -1, -1, BY_VALUES(CHANGES_STATE)}, FLAG_IN_2},
    {SYS_removexattr, "removexattr", {CALL_CHANGE, -1, 0, -1, -1, BY_VALUES(CHANGES_STATE)}, NEVER_LINK},
    {SYS_lremovexattr, "lremovexattr", {CALL_CHANGE, -1, 0, -1, -1, BY_VALUES(CHANGES_STATE)}, ALWAYS_LINK},
    {SYS_fremovexattr, "fremovexattr", {CALL_CHANGE, -1, -1, 0, -1, BY_VALUES(CHANGES_STATE)}, NEVER_LINK},
    {SYS_removexattrat, "removexattrat", {CALL_CHANGE, 0, 1, -1, -1, BY_VALUES(CHANGES_STATE)}, FLAG_IN_2},
    {SYS_file_setattr, "file_setattr", {CALL_CHANGE, 0, 1, -1, -1, NO_SECOND}, FLAG_IN_4},
    {SYS_ioctl, "ioctl", {CALL_IOCTL, -1, -1, 0, -1, NO_SECOND}, NEVER_LINK},
    {SYS_bind, "bind", {CALL_BIND, -1, -1, -1, -1, NO_SECOND}, MAKES_NAME},
    {SYS_access, "access", {CALL_ACCESS, -1, 0, -1, 1, NO_SECOND}, NEVER_LINK},
    {SYS_faccessat, "faccessat", {CALL_ACCESS, 0, 1, -1, 2, NO_SECOND}, NEVER_LINK},
    {SYS_io_uring_enter, "io_uring_enter", {CALL_URING, -1, -1, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_faccessat2, "faccessat2", {CALL_ACCESS, 0, 1, -1, 2, NO_SECOND}, FLAG_IN_3},
    /* The second path is where the mount was before. */
    {SYS_mount, "mount", {CALL_MOUNT, -1, 1, -1, -1, -1, 0, 0, VALUE(3) | MOVES_NAMES}, NEVER_LINK},
    {SYS_move_mount, "move_mount", {CALL_MOUNT, 2, 3, -1, -1, 0, 1, 0, MOVES_NAMES}, NEVER_LINK},
    {SYS_pivot_root, "pivot_root", {CALL_MOUNT, -1, 0, -1, -1, BY_VALUES(MOVES_NAMES)}, NEVER_LINK},
    {SYS_umount2, "umount2", {CALL_MOUNT, -1, 0, -1, -1, BY_VALUES(MOVES_NAMES)}, NEVER_LINK},
    {SYS_mount_setattr, "mount_setattr", {CALL_MOUNT, 0, 1, -1, -1, BY_VALUES(MOVES_NAMES)}, NEVER_LINK},
    {SYS_open_by_handle_at, "open_by_handle_at", {CALL_HANDLE, 0, -1, -1, 2, NO_SECOND}, NEVER_LINK},
    {SYS_name_to_handle_at, "name_to_handle_at", {CALL_HANDLE_OF, 0, 1, -1, -1, NO_SECOND}, FOLLOWS_IN_4},
    {SYS_quotactl, "quotactl", {CALL_OTHER, -1, -1, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_bpf, "bpf", {CALL_OTHER, -1, -1, -1, -1, NO_SECOND}, NEVER_LINK}, /* BPF_OBJ_PIN */
    {SYS_acct, "acct", {CALL_OTHER, -1, -1, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_swapon, "swapon", {CALL_OTHER, -1, -1, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_stat, "stat", {CALL_LOOK, -1, 0, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_lstat, "lstat", {CALL_LOOK, -1, 0, -1, -1, NO_SECOND}, ALWAYS_LINK},
    {SYS_newfstatat, "newfstatat", {CALL_LOOK, 0, 1, -1, -1, NO_SECOND}, FLAG_IN_3},
    {SYS_statx, "statx", {CALL_LOOK, 0, 1, -1, -1, NO_SECOND}, FLAG_IN_2},
    {SYS_statfs, "statfs", {CALL_LOOK, -1, 0, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_readlink, "readlink", {CALL_LOOK, -1, 0, -1, -1, NO_SECOND}, ALWAYS_LINK},
    {SYS_readlinkat, "readlinkat", {CALL_LOOK, 0, 1, -1, -1, NO_SECOND}, ALWAYS_LINK},
    {SYS_chdir, "chdir", {CALL_LOOK, -1, 0, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_execve, "execve", {CALL_EXEC, -1, 0, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_execveat, "execveat", {CALL_EXEC, 0, 1, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_mmap, "mmap", {CALL_MAP, -1, -1, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_getxattr, "getxattr", {CALL_LOOK, -1, 0, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_lgetxattr, "lgetxattr", {CALL_LOOK, -1, 0, -1, -1, NO_SECOND}, ALWAYS_LINK},
    {SYS_listxattr, "listxattr", {CALL_LOOK, -1, 0, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_llistxattr, "llistxattr", {CALL_LOOK, -1, 0, -1, -1, NO_SECOND}, ALWAYS_LINK},
    {SYS_inotify_add_watch, "inotify_add_watch", {CALL_LOOK, -1, 1, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_connect, "connect", {CALL_LOOK_NAMED, -1, -1, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_sendto, "sendto", {CALL_LOOK_SENT, -1, -1, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_sendmsg, "sendmsg", {CALL_LOOK_MESSAGE, -1, -1, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_sendmmsg, "sendmmsg", {CALL_LOOK_MESSAGE, -1, -1, -1, -1, NO_SECOND}, NEVER_LINK},
    {SYS_quotactl_fd, "quotactl_fd", {CALL_OTHER, -1, -1, -1, -1, NO_SECOND}, NEVER_LINK},
};

/* arch/x86/entry/syscalls/syscall_32.tbl: the same calls, and those that exist twice there (ids of 16 and 32 bits, times of
 * 32 and 64 bits, sizes of 64 bits); all of them take what we read in the same argument as their x86-64 namesake. */
static const struct {
    int i386, x86_64;
} i386_calls[] = {
    {5, SYS_open},
    {8, SYS_creat},
    {9, SYS_link},
    {10, SYS_unlink},
    {14, SYS_mknod},
    {15, SYS_chmod},
    {16, SYS_lchown},
    {30, SYS_utime},
    {33, SYS_access},
    {38, SYS_rename},
    {39, SYS_mkdir},
    {40, SYS_rmdir},
    {54, SYS_ioctl},
    {83, SYS_symlink},
    {92, SYS_truncate},
    {94, SYS_fchmod},
    {95, SYS_fchown},
    {102, SYS_bind},
    {182, SYS_chown},
    {193, SYS_truncate},
    {198, SYS_lchown},
    {207, SYS_fchown},
    {212, SYS_chown},
    {226, SYS_setxattr},
    {227, SYS_lsetxattr},
    {228, SYS_fsetxattr},
    {235, SYS_removexattr},
    {236, SYS_lremovexattr},
    {237, SYS_fremovexattr},
    {271, SYS_utimes},
    {295, SYS_openat},
    {296, SYS_mkdirat},
    {297, SYS_mknodat},
    {298, SYS_fchownat},
    {299, SYS_futimesat},
    {301, SYS_unlinkat},
    {302, SYS_renameat},
    {303, SYS_linkat},
    {304, SYS_symlinkat},
    {306, SYS_fchmodat},
    {307, SYS_faccessat},
    {320, SYS_utimensat},
    {353, SYS_renameat2},
    {361, SYS_bind},
    {412, SYS_utimensat},
    {426, SYS_io_uring_enter},
    {437, SYS_openat2},
    {439, SYS_faccessat2},
    {452, SYS_fchmodat2},
    {463, SYS_setxattrat},
    {466, SYS_removexattrat},
    {469, SYS_file_setattr},
    {21, SYS_mount},
    {22, SYS_umount2},
    {52, SYS_umount2},
    {217, SYS_pivot_root},
    {429, SYS_move_mount},
    {51, SYS_acct},
    {87, SYS_swapon},
    {341, SYS_name_to_handle_at},
    {342, SYS_open_by_handle_at},
    {357, SYS_bpf},
    {443, SYS_quotactl_fd},
    {131, SYS_quotactl},
    {442, SYS_mount_setattr},
    {11, SYS_execve},
    {192, SYS_mmap}, /* mmap2 */
    {12, SYS_chdir},
    {85, SYS_readlink},
    {99, SYS_statfs},
    {106, SYS_stat},
    {107, SYS_lstat},
    {195, SYS_stat},
    {196, SYS_lstat},
    {229, SYS_getxattr},
    {230, SYS_lgetxattr},
    {232, SYS_listxattr},
    {233, SYS_llistxattr},
    {268, SYS_statfs},
    {292, SYS_inotify_add_watch},
    {300, SYS_newfstatat},
    {305, SYS_readlinkat},
    {358, SYS_execveat},
    {362, SYS_connect},
    {383, SYS_statx},
};
#define I386_SOCKETCALL 102

/* io_uring's operations are named like the calls they stand for. */
static const struct call uring_calls[] = {
    {URING_NUMBER + 18, "io_uring:openat", {0}, NEVER_LINK},
    {URING_NUMBER + 28, "io_uring:openat2", {0}, NEVER_LINK},
    {URING_NUMBER + 35, "io_uring:renameat", {0}, ALWAYS_LINK},
    {URING_NUMBER + 36, "io_uring:unlinkat", {0}, ALWAYS_LINK},
    {URING_NUMBER + 37, "io_uring:mkdirat", {0}, MAKES_NAME},
    {URING_NUMBER + 38, "io_uring:symlinkat", {0}, MAKES_NAME},
    {URING_NUMBER + 39, "io_uring:linkat", {0}, MAKES_NAME},
    {URING_NUMBER + 41, "io_uring:fsetxattr", {0}, NEVER_LINK},
    {URING_NUMBER + 42, "io_uring:setxattr", {0}, NEVER_LINK},
    {URING_NUMBER + 56, "io_uring:bind", {0}, MAKES_NAME},
};

static const struct call* find(int number) {
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].number == number) return &calls[i];
    for (size_t i = 0; i < sizeof uring_calls / sizeof *uring_calls; i++)
        if (uring_calls[i].number == number) return &uring_calls[i];
    return NULL;
}

void fill_rules(struct call_rule* rules, struct call_rule* i386_rules) {
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (calls[i].number >= SYSCALLS) continue;
        rules[calls[i].number] = calls[i].rule;
        rules[calls[i].number].number = (short)calls[i].number;
    }
    for (size_t i = 0; i < sizeof i386_calls / sizeof *i386_calls; i++)
        i386_rules[i386_calls[i].i386] = rules[i386_calls[i].x86_64];
    i386_rules[I386_SOCKETCALL].kind = CALL_SOCKETCALL;
}

const char* call_name(int number) {
    const struct call* call = find(number);
    return call ? call->name : "?";
}

bool call_makes_name(const struct event* event) {
    const struct call* call = find(event->number);
    return call && call->link == MAKES_NAME;
}

bool call_acts_on_link(const struct event* event) {
    const struct call* call = find(event->number);
    if (!call) return false;
    switch (call->link) {
        case ALWAYS_LINK:
        case MAKES_NAME:
            return true;
        case FLAG_IN_2:
            return (event->args[2] & AT_SYMLINK_NOFOLLOW) != 0;
        case FLAG_IN_3:
            return (event->args[3] & AT_SYMLINK_NOFOLLOW) != 0;
        case FLAG_IN_4:
            return (event->args[4] & AT_SYMLINK_NOFOLLOW) != 0;
        case FOLLOWS_IN_4:
            return !(event->args[4] & AT_SYMLINK_FOLLOW);
    }
    if (call->rule.kind == CALL_OPEN || call->rule.kind == CALL_OPENAT2) return (event->open_flags & O_NOFOLLOW) != 0;
    return false;
}

bool call_keeps(const struct event* event, const struct stat* now) {
    const char* call = call_name(event->number);
    unsigned int first = 0;
    if (strstr(call, "chmod")) {
        first = !strcmp(call, "chmod") || !strcmp(call, "fchmod") ? 1 : 2;
        return (now->st_mode & 07777) == (event->args[first] & 07777);
    }
    if (strstr(call, "chown")) {
        unsigned int owner, group;
        /* fs/open.c: chown_common clears these bits, whoever the owner is. */
        if (!S_ISDIR(now->st_mode) && now->st_mode & (S_ISUID | S_ISGID)) return false;
        first = !strcmp(call, "fchownat") ? 2 : 1;
        owner = (unsigned int)event->args[first];
        group = (unsigned int)event->args[first + 1];
        return (owner == (unsigned int)-1 || owner == now->st_uid) &&
               (group == (unsigned int)-1 || group == now->st_gid);
    }
    return false;
}

static enum mounting mount_call(unsigned long flags, bool source) {
    /* The first of these that is asked for is what fs/namespace.c: path_mount does. */
    static const unsigned long changes = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
    if ((flags & MS_MGC_MSK) == MS_MGC_VAL) flags &= ~(unsigned long)MS_MGC_MSK;
    if (flags & MS_REMOUNT) return CHANGES_MOUNT;
    if (flags & MS_BIND) return source ? CHANGES_MOUNT : MAKES_MOUNT;
    if (flags & changes) return CHANGES_MOUNT;
    if (source) return flags & MS_MOVE ? TAKES_MOUNT : CHANGES_MOUNT;
    return MAKES_MOUNT;
}

enum mounting call_mounting(const struct event* event) {
    const bool source = event->flags & EVENT_SECOND;
    switch (event->number) {
        case SYS_mount:
            return mount_call(event->args[3], source);
        case SYS_move_mount: /* a new one has no name yet where it comes from */
            if (source)
                return event->flags & EVENT_NO_NAME || !event->name_size || !event->data[0] ? CHANGES_MOUNT
                                                                                            : TAKES_MOUNT;
            return MAKES_MOUNT;
        case SYS_mount_setattr:
            return CHANGES_MOUNT;
        case SYS_umount2:
            return TAKES_MOUNT;
        case SYS_pivot_root:
            return MOVES_ROOT;
    }
    return NO_MOUNTING;
}

/* include/uapi/linux/quota.h: the command is above the kind of quota. */
static bool changes_quota(unsigned int command) {
    switch (command >> 8) {
        case 0x800002: /* Q_QUOTAON, QUOTAOFF, SETINFO, SETQUOTA */
        case 0x800003:
        case 0x800006:
        case 0x800008:
        case 'X' << 8 | 1: /* Q_XQUOTAON, XQUOTAOFF, XSETQLIM, XQUOTARM (dqblk_xfs.h) */
        case 'X' << 8 | 2:
        case 'X' << 8 | 4:
        case 'X' << 8 | 6:
            return true;
    }
    return false;
}

bool call_changes_unlooked(const struct event* event) {
    switch (event->number) {
        case SYS_bpf:
            return event->args[0] == BPF_OBJ_PIN;
        case SYS_acct:
            return event->args[0] != 0; /* otherwise it ends */
        case SYS_quotactl:
            return changes_quota((unsigned int)event->args[0]);
        case SYS_quotactl_fd:
            return changes_quota((unsigned int)event->args[1]);
    }
    return true;
}

bool call_changes_name(const struct event* event) {
    const struct call* call = find(event->number);
    return call && call->rule.values & (MOVES_NAMES | TAKES_NAMES);
}

bool call_moves_off(const struct event* event) {
    if (event->flags & EVENT_SECOND || strncmp(call_name(event->number), "rename", 6)) return false;
    return event->number != SYS_renameat2 || !(event->args[4] & EXCHANGES);
}

bool call_follows_last(const struct event* event) {
    return !call_removes(event) && !call_makes_name(event) && !call_acts_on_link(event);
}

bool call_removes(const struct event* event) {
    const char* call = call_name(event->number);
    if (!strncmp(call, "io_uring:", 9)) call += 9;
    return !strncmp(call, "unlink", 6) || !strncmp(call, "rmdir", 5) || !strncmp(call, "rename", 6);
}
