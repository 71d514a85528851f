#include "calls.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "arch.h"

#define EXCHANGES 2u /* linux/fs.h: RENAME_EXCHANGE */

/* Which argument it is. */
enum argument { NOT_THERE, FIRST, SECOND, THIRD, FOURTH, FIFTH };
/* What it means for others that the call succeeded. */
enum effect { NO_EFFECT, ON_STATE = CHANGES_STATE, ON_A_NAME = TAKES_NAMES, ON_NAMES = MOVES_NAMES };
/* What a symlink at the end of the path is to the call. */
enum last_link {
    FOLLOWS_LINK,
    TAKES_LINK,  /* it acts on the symlink itself */
    MAKES_NAME,  /* … and whatever has that name already is in the way */
    UNLESS_FLAG, /* … if AT_SYMLINK_NOFOLLOW is among the flags in `link_flags` */
    IF_FLAG      /* … unless AT_SYMLINK_FOLLOW is */
};

struct call {
    const char* name;
    enum call_kind kind;
    enum argument dirfd, path, fd; /* what it changes */
    enum argument flags;           /* those of open(2) or access(2) */
    /* Of a rename, where it leads to; of a mount, where it was before. */
    enum argument second_dirfd, second_path;
    enum effect effect;
    enum argument mode, owner; /* what it sets; the group follows the owner */
    enum argument asks;        /* another one that tells what it would change */
    enum last_link link;
    enum argument link_flags;
    bool removes;      /* what had the name has it no more */
    bool moves;        /* … but another one */
    bool may_exchange; /* … or that of the second path, as its fifth argument says */
    bool needs_no_path;
};

static const struct call calls[ROWS] = {
    [ROW_OPEN] = {"open", CALL_OPEN, .path = FIRST, .flags = SECOND},
    [ROW_CREAT] = {"creat", CALL_OPEN, .path = FIRST},
    [ROW_OPENAT] = {"openat", CALL_OPEN, .dirfd = FIRST, .path = SECOND, .flags = THIRD},
    [ROW_OPENAT2] = {"openat2", CALL_OPENAT2, .dirfd = FIRST, .path = SECOND},
    [ROW_MKDIR] = {"mkdir", CALL_CHANGE, .path = FIRST, .link = MAKES_NAME},
    [ROW_MKDIRAT] = {"mkdirat", CALL_CHANGE, .dirfd = FIRST, .path = SECOND, .link = MAKES_NAME},
    [ROW_MKNOD] = {"mknod", CALL_CHANGE, .path = FIRST, .link = MAKES_NAME},
    [ROW_MKNODAT] = {"mknodat", CALL_CHANGE, .dirfd = FIRST, .path = SECOND, .link = MAKES_NAME},
    [ROW_SYMLINK] = {"symlink", CALL_CHANGE, .path = SECOND, .effect = ON_NAMES, .link = MAKES_NAME},
    [ROW_SYMLINKAT] = {"symlinkat", CALL_CHANGE, .dirfd = SECOND, .path = THIRD, .effect = ON_NAMES,
                       .link = MAKES_NAME},
    [ROW_LINK] = {"link", CALL_CHANGE, .path = SECOND, .effect = ON_NAMES, .link = MAKES_NAME},
    [ROW_LINKAT] = {"linkat", CALL_CHANGE, .dirfd = THIRD, .path = FOURTH, .effect = ON_NAMES, .link = MAKES_NAME},
    [ROW_UNLINK] = {"unlink", CALL_CHANGE, .path = FIRST, .effect = ON_A_NAME, .link = TAKES_LINK, .removes = true},
    [ROW_UNLINKAT] = {"unlinkat", CALL_CHANGE, .dirfd = FIRST, .path = SECOND, .effect = ON_A_NAME, .link = TAKES_LINK,
                      .removes = true},
    [ROW_RMDIR] = {"rmdir", CALL_CHANGE, .path = FIRST, .link = TAKES_LINK, .removes = true},
    [ROW_RENAME] = {"rename", CALL_CHANGE, .path = FIRST, .second_path = SECOND, .effect = ON_NAMES, .link = TAKES_LINK,
                    .removes = true, .moves = true},
    [ROW_RENAMEAT] = {"renameat", CALL_CHANGE, .dirfd = FIRST, .path = SECOND, .second_dirfd = THIRD,
                      .second_path = FOURTH, .effect = ON_NAMES, .link = TAKES_LINK, .removes = true, .moves = true},
    [ROW_RENAMEAT2] = {"renameat2", CALL_CHANGE, .dirfd = FIRST, .path = SECOND, .second_dirfd = THIRD,
                       .second_path = FOURTH, .effect = ON_NAMES, .link = TAKES_LINK, .removes = true, .moves = true,
                       .may_exchange = true},
    [ROW_CHMOD] = {"chmod", CALL_CHANGE, .path = FIRST, .effect = ON_STATE, .mode = SECOND},
    [ROW_FCHMOD] = {"fchmod", CALL_CHANGE, .fd = FIRST, .effect = ON_STATE, .mode = SECOND},
    [ROW_FCHMODAT] = {"fchmodat", CALL_CHANGE, .dirfd = FIRST, .path = SECOND, .effect = ON_STATE, .mode = THIRD},
    [ROW_FCHMODAT2] = {"fchmodat2", CALL_CHANGE, .dirfd = FIRST, .path = SECOND, .effect = ON_STATE, .mode = THIRD,
                       .link = UNLESS_FLAG, .link_flags = FOURTH},
    [ROW_CHOWN] = {"chown", CALL_CHANGE, .path = FIRST, .effect = ON_STATE, .owner = SECOND},
    [ROW_LCHOWN] = {"lchown", CALL_CHANGE, .path = FIRST, .effect = ON_STATE, .owner = SECOND, .link = TAKES_LINK},
    [ROW_FCHOWN] = {"fchown", CALL_CHANGE, .fd = FIRST, .effect = ON_STATE, .owner = SECOND},
    [ROW_FCHOWNAT] = {"fchownat", CALL_CHANGE, .dirfd = FIRST, .path = SECOND, .effect = ON_STATE, .owner = THIRD,
                      .link = UNLESS_FLAG, .link_flags = FIFTH},
    [ROW_UTIME] = {"utime", CALL_CHANGE, .path = FIRST},
    [ROW_UTIMES] = {"utimes", CALL_CHANGE, .path = FIRST},
    [ROW_FUTIMESAT] = {"futimesat", CALL_CHANGE, .dirfd = FIRST, .path = SECOND, .needs_no_path = true},
    [ROW_UTIMENSAT] = {"utimensat", CALL_CHANGE, .dirfd = FIRST, .path = SECOND, .link = UNLESS_FLAG,
                       .link_flags = FOURTH, .needs_no_path = true},
    [ROW_TRUNCATE] = {"truncate", CALL_CHANGE, .path = FIRST, .effect = ON_STATE},
    [ROW_SETXATTR] = {"setxattr", CALL_CHANGE, .path = FIRST, .effect = ON_STATE},
    [ROW_LSETXATTR] = {"lsetxattr", CALL_CHANGE, .path = FIRST, .effect = ON_STATE, .link = TAKES_LINK},
    [ROW_FSETXATTR] = {"fsetxattr", CALL_CHANGE, .fd = FIRST, .effect = ON_STATE},
    [ROW_SETXATTRAT] = {"setxattrat", CALL_CHANGE, .dirfd = FIRST, .path = SECOND, .effect = ON_STATE,
                        .link = UNLESS_FLAG, .link_flags = THIRD},
    [ROW_REMOVEXATTR] = {"removexattr", CALL_CHANGE, .path = FIRST, .effect = ON_STATE},
    [ROW_LREMOVEXATTR] = {"lremovexattr", CALL_CHANGE, .path = FIRST, .effect = ON_STATE, .link = TAKES_LINK},
    [ROW_FREMOVEXATTR] = {"fremovexattr", CALL_CHANGE, .fd = FIRST, .effect = ON_STATE},
    [ROW_REMOVEXATTRAT] = {"removexattrat", CALL_CHANGE, .dirfd = FIRST, .path = SECOND, .effect = ON_STATE,
                           .link = UNLESS_FLAG, .link_flags = THIRD},
    [ROW_FILE_SETATTR] = {"file_setattr", CALL_CHANGE, .dirfd = FIRST, .path = SECOND, .link = UNLESS_FLAG,
                          .link_flags = FIFTH},
    [ROW_IOCTL] = {"ioctl", CALL_IOCTL, .fd = FIRST},
    [ROW_BIND] = {"bind", CALL_BIND, .link = MAKES_NAME},
    [ROW_ACCESS] = {"access", CALL_ACCESS, .path = FIRST, .flags = SECOND},
    [ROW_FACCESSAT] = {"faccessat", CALL_ACCESS, .dirfd = FIRST, .path = SECOND, .flags = THIRD},
    [ROW_FACCESSAT2] = {"faccessat2", CALL_ACCESS, .dirfd = FIRST, .path = SECOND, .flags = THIRD, .link = UNLESS_FLAG,
                        .link_flags = FOURTH},
    [ROW_IO_URING_ENTER] = {"io_uring_enter", CALL_URING},
    [ROW_MOUNT] = {"mount", CALL_MOUNT, .path = SECOND, .second_path = FIRST, .effect = ON_NAMES, .asks = FOURTH},
    [ROW_MOVE_MOUNT] = {"move_mount", CALL_MOUNT, .dirfd = THIRD, .path = FOURTH, .second_dirfd = FIRST,
                        .second_path = SECOND, .effect = ON_NAMES},
    [ROW_PIVOT_ROOT] = {"pivot_root", CALL_MOUNT, .path = FIRST, .effect = ON_NAMES},
    [ROW_UMOUNT2] = {"umount2", CALL_MOUNT, .path = FIRST, .effect = ON_NAMES},
    [ROW_MOUNT_SETATTR] = {"mount_setattr", CALL_MOUNT, .dirfd = FIRST, .path = SECOND, .effect = ON_NAMES},
    [ROW_OPEN_BY_HANDLE_AT] = {"open_by_handle_at", CALL_HANDLE, .dirfd = FIRST, .flags = THIRD},
    [ROW_NAME_TO_HANDLE_AT] = {"name_to_handle_at", CALL_HANDLE_OF, .dirfd = FIRST, .path = SECOND, .link = IF_FLAG,
                               .link_flags = FIFTH},
    [ROW_QUOTACTL] = {"quotactl", CALL_OTHER},
    [ROW_QUOTACTL_FD] = {"quotactl_fd", CALL_OTHER},
    [ROW_BPF] = {"bpf", CALL_OTHER}, /* BPF_OBJ_PIN */
    [ROW_ACCT] = {"acct", CALL_OTHER},
    [ROW_SWAPON] = {"swapon", CALL_OTHER},
    [ROW_STAT] = {"stat", CALL_LOOK, .path = FIRST},
    [ROW_LSTAT] = {"lstat", CALL_LOOK, .path = FIRST, .link = TAKES_LINK},
    [ROW_NEWFSTATAT] = {"newfstatat", CALL_LOOK, .dirfd = FIRST, .path = SECOND, .link = UNLESS_FLAG,
                        .link_flags = FOURTH},
    [ROW_STATX] = {"statx", CALL_LOOK, .dirfd = FIRST, .path = SECOND, .link = UNLESS_FLAG, .link_flags = THIRD},
    [ROW_STATFS] = {"statfs", CALL_LOOK, .path = FIRST},
    [ROW_READLINK] = {"readlink", CALL_LOOK, .path = FIRST, .link = TAKES_LINK},
    [ROW_READLINKAT] = {"readlinkat", CALL_LOOK, .dirfd = FIRST, .path = SECOND, .link = TAKES_LINK},
    [ROW_CHDIR] = {"chdir", CALL_LOOK, .path = FIRST},
    [ROW_EXECVE] = {"execve", CALL_EXEC, .path = FIRST},
    [ROW_EXECVEAT] = {"execveat", CALL_EXEC, .dirfd = FIRST, .path = SECOND},
    [ROW_MMAP] = {"mmap", CALL_MAP},
    [ROW_GETXATTR] = {"getxattr", CALL_LOOK, .path = FIRST},
    [ROW_LGETXATTR] = {"lgetxattr", CALL_LOOK, .path = FIRST, .link = TAKES_LINK},
    [ROW_LISTXATTR] = {"listxattr", CALL_LOOK, .path = FIRST},
    [ROW_LLISTXATTR] = {"llistxattr", CALL_LOOK, .path = FIRST, .link = TAKES_LINK},
    [ROW_INOTIFY_ADD_WATCH] = {"inotify_add_watch", CALL_LOOK, .path = SECOND},
    [ROW_CONNECT] = {"connect", CALL_LOOK_NAMED},
    [ROW_SENDTO] = {"sendto", CALL_LOOK_SENT},
    [ROW_SENDMSG] = {"sendmsg", CALL_LOOK_MESSAGE},
    [ROW_SENDMMSG] = {"sendmmsg", CALL_LOOK_MESSAGE},
};

/* io_uring's operations (include/uapi/linux/io_uring.h), named like the calls they stand for. */
static const struct call operations[] = {
    [18] = {"io_uring:openat"},
    [28] = {"io_uring:openat2"},
    [35] = {"io_uring:renameat", .link = TAKES_LINK, .removes = true},
    [36] = {"io_uring:unlinkat", .link = TAKES_LINK, .removes = true},
    [37] = {"io_uring:mkdirat", .link = MAKES_NAME},
    [38] = {"io_uring:symlinkat", .link = MAKES_NAME},
    [39] = {"io_uring:linkat", .link = MAKES_NAME},
    [41] = {"io_uring:fsetxattr"},
    [42] = {"io_uring:setxattr"},
    [56] = {"io_uring:bind", .link = MAKES_NAME},
};

static const struct call unknown;

/* A row, or an operation of io_uring. */
static const struct call* find(int number) {
    const struct call* found = &unknown;
    if (number > ROW_NONE && number < ROWS) found = &calls[number];
    if (number >= URING_NUMBER && number < URING_NUMBER + (int)(sizeof operations / sizeof *operations))
        found = &operations[number - URING_NUMBER];
    return found->name ? found : &unknown;
}

static struct call_rule rule_of(int row) {
    const struct call* call = &calls[row];
    const unsigned int told[] = {call->mode, call->owner, call->owner ? call->owner + 1 : NOT_THERE, call->asks};
    /* Its arguments count from 0, and -1 is none. */
    struct call_rule rule = {
        .kind = (signed char)call->kind,
        .dirfd = (signed char)(call->dirfd - 1),
        .path = (signed char)(call->path - 1),
        .fd = (signed char)(call->fd - 1),
        .flags = (signed char)(call->flags - 1),
        .second_dirfd = (signed char)(call->second_dirfd - 1),
        .second_path = (signed char)(call->second_path - 1),
        .number = (short)row,
        .values = (unsigned char)call->effect,
    };
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (told[i]) rule.values |= (unsigned char)(1u << (told[i] - 1));
    return rule;
}

static void fill(struct call_rule* rules, const struct numbered* numbers, size_t count) {
    for (size_t i = 0; i < count; i++) rules[numbers[i].number] = rule_of(numbers[i].row);
}

void fill_rules(struct call_rule* rules, struct call_rule* compat_rules) {
    fill(rules, native_numbers, sizeof native_numbers / sizeof *native_numbers);
    fill(compat_rules, compat_numbers, sizeof compat_numbers / sizeof *compat_numbers);
    if (COMPAT_SOCKETCALL >= 0) {
        struct call_rule* through = &compat_rules[COMPAT_SOCKETCALL & (SYSCALLS - 1)];
        *through = rule_of(ROW_BIND);
        through->kind = CALL_SOCKETCALL;
    }
}

const char* call_name(int number) {
    const char* name = find(number)->name;
    return name ? name : "?";
}

bool call_makes_name(const struct event* event) {
    return find(event->number)->link == MAKES_NAME;
}

bool call_opens(const struct event* event) {
    const enum call_kind kind = find(event->number)->kind;
    return kind == CALL_OPEN || kind == CALL_OPENAT2 || kind == CALL_HANDLE;
}

bool call_sets_owner(const struct event* event) {
    return find(event->number)->owner != NOT_THERE;
}

bool call_needs_no_path(const struct event* event) {
    return find(event->number)->needs_no_path;
}

bool call_acts_on_link(const struct event* event) {
    const struct call* call = find(event->number);
    switch (call->link) {
        case TAKES_LINK:
        case MAKES_NAME:
            return true;
        case UNLESS_FLAG:
            return (event->args[call->link_flags - 1] & AT_SYMLINK_NOFOLLOW) != 0;
        case IF_FLAG:
            return !(event->args[call->link_flags - 1] & AT_SYMLINK_FOLLOW);
        case FOLLOWS_LINK:
            break;
    }
    return (call->kind == CALL_OPEN || call->kind == CALL_OPENAT2) && (event->open_flags & O_NOFOLLOW) != 0;
}

bool call_keeps(const struct event* event, const struct stat* now) {
    const struct call* call = find(event->number);
    if (call->mode) return (now->st_mode & 07777) == (event->args[call->mode - 1] & 07777);
    if (call->owner) {
        const unsigned int owner = (unsigned int)event->args[call->owner - 1];
        const unsigned int group = (unsigned int)event->args[call->owner];
        /* fs/open.c: chown_common clears these bits, whoever the owner is. */
        if (!S_ISDIR(now->st_mode) && now->st_mode & (S_ISUID | S_ISGID)) return false;
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
        case ROW_MOUNT:
            return mount_call(event->args[3], source);
        case ROW_MOVE_MOUNT: /* a new one has no name yet where it comes from */
            if (source)
                return event->flags & EVENT_NO_NAME || !event->name_size || !event->data[0] ? CHANGES_MOUNT
                                                                                            : TAKES_MOUNT;
            return MAKES_MOUNT;
        case ROW_MOUNT_SETATTR:
            return CHANGES_MOUNT;
        case ROW_UMOUNT2:
            return TAKES_MOUNT;
        case ROW_PIVOT_ROOT:
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
        case ROW_BPF:
            return event->args[0] == BPF_OBJ_PIN;
        case ROW_ACCT:
            return event->args[0] != 0; /* otherwise it ends */
        case ROW_QUOTACTL:
            return changes_quota((unsigned int)event->args[0]);
        case ROW_QUOTACTL_FD:
            return changes_quota((unsigned int)event->args[1]);
    }
    return true;
}

bool call_changes_name(const struct event* event) {
    return find(event->number)->effect & (MOVES_NAMES | TAKES_NAMES);
}

bool call_moves_off(const struct event* event) {
    const struct call* call = find(event->number);
    return call->moves && !(event->flags & EVENT_SECOND) && !(call->may_exchange && event->args[4] & EXCHANGES);
}

bool call_follows_last(const struct event* event) {
    return !call_removes(event) && !call_makes_name(event) && !call_acts_on_link(event);
}

bool call_removes(const struct event* event) {
    return find(event->number)->removes;
}
