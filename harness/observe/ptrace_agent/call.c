#define _GNU_SOURCE
/* clang-format off */
#include <sys/ptrace.h> /* before the kernel's, which would take its names away */
#include <linux/ptrace.h>
/* clang-format on */

#include "call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../agent/arch.h"
#include "../agent/calls.h"
#include "../protocol.h"
#include "canary.h"
#include "escapes.h"
#include "filter.h"
#include "notes.h"
#include "process.h"
#include "tracer.h"
#include "where.h"

static const struct call_rule* rule_of(bool native, unsigned long long number) {
    static struct call_rule rules[SYSCALLS], compat_rules[SYSCALLS];
    static bool filled;
    if (!filled) fill_rules(rules, compat_rules);
    filled = true;
    if (number >= SYSCALLS) return NULL;
    const struct call_rule* rule = &(native ? rules : compat_rules)[number];
    return rule->kind == CALL_NONE || rule->kind >= CALL_LOOK ? NULL : rule;
}

/* ---- before it is made ---- */

static struct where* place(struct thread* thread, int fd, int dirfd, const char* path, bool second) {
    struct where* found = malloc(sizeof *found);
    if (found) find_where(thread->tid, &thread->call, fd, dirfd, path, second, found);
    return found;
}

static bool bind_path(unsigned int tid, const struct event* call, char* path) {
    struct sockaddr_un address;
    size_t size = (size_t)call->args[2];
    memset(&address, 0, sizeof address);
    if (size > sizeof address) return false;
    if (read_memory(tid, (unsigned long)call->args[1], &address, size) < size || address.sun_family != AF_UNIX)
        return false;
    snprintf(path, PATH_MAX, "%.*s", (int)sizeof address.sun_path, address.sun_path);
    return path[0] != 0; /* abstract addresses and unnamed ones have no file */
}

static bool wants_write(const struct thread* thread, const struct call_rule* rule, unsigned int* flags) {
    struct open_how how = {0};
    *flags = rule->flags >= 0 ? (unsigned int)thread->call.args[(int)rule->flags] : O_CREAT | O_WRONLY | O_TRUNC;
    if (rule->kind == CALL_OPENAT2) {
        read_memory(thread->tid, (unsigned long)thread->call.args[2], &how, sizeof how);
        *flags = (unsigned int)how.flags;
        if (how.flags & O_PATH) return false;
        return (how.flags & (O_ACCMODE | O_CREAT | O_TRUNC)) || (how.flags & O_TMPFILE) == O_TMPFILE;
    }
    return true;
}

/* 32-bit programs may call bind(2) through socketcall(2), number 2. */
static bool through_socketcall(struct thread* thread) {
    unsigned int arguments[3];
    if (thread->call.args[0] != 2) return false;
    if (read_memory(thread->tid, (unsigned long)thread->call.args[1], arguments, sizeof arguments) < sizeof arguments)
        return false;
    for (int i = 0; i < 3; i++) thread->call.args[i] = arguments[i];
    return true;
}

static void look_at_places(struct thread* thread, const struct call_rule* rule) {
    static char path[PATH_MAX];
    const unsigned long long* args = thread->call.args;
    if (rule->kind == CALL_BIND || rule->kind == CALL_SOCKETCALL) {
        if (bind_path(thread->tid, &thread->call, path)) thread->first = place(thread, -1, AT_FDCWD, path, false);
        return;
    }
    if (rule->fd >= 0) {
        thread->first = place(thread, (int)args[(int)rule->fd], AT_FDCWD, "", false);
        return;
    }
    const int dirfd = rule->dirfd >= 0 ? (int)args[(int)rule->dirfd] : AT_FDCWD;
    if (!args[(int)rule->path]) {
        if (call_needs_no_path(&thread->call)) thread->first = place(thread, dirfd, AT_FDCWD, "", false);
        return;
    }
    if (!read_text(thread->tid, (unsigned long)args[(int)rule->path], path, sizeof path)) return;
    const bool of_descriptor = rule->kind == CALL_HANDLE_OF && !path[0]; /* AT_EMPTY_PATH */
    thread->first =
        of_descriptor && dirfd >= 0 ? place(thread, dirfd, AT_FDCWD, "", false) : place(thread, -1, dirfd, path, false);
    if (rule->second_path <= 0) return;
    const int second_dirfd = rule->second_dirfd >= 0 ? (int)args[(int)rule->second_dirfd] : AT_FDCWD;
    if (read_text(thread->tid, (unsigned long)args[(int)rule->second_path], path, sizeof path))
        thread->second = place(thread, -1, second_dirfd, path, true);
}

/* Of utimensat(2), whose times say that neither is to change: the kernel does not even look at the path. */
static bool omits_times(const struct thread* thread, unsigned long long number, bool native) {
    const unsigned long at = (unsigned long)thread->call.args[2];
    if (thread->call.number != ROW_UTIMENSAT || !at) return false;
    if (!native && number == COMPAT_UTIMENSAT_TIME32) {
        int times[4];
        return read_memory(thread->tid, at, times, sizeof times) == sizeof times && times[1] == UTIME_OMIT &&
               times[3] == UTIME_OMIT;
    }
    struct timespec times[2];
    if (read_memory(thread->tid, at, times, sizeof times) < sizeof times) return false;
    /* The upper half of a 32-bit process's is not looked at by the kernel. */
    return (int)times[0].tv_nsec == UTIME_OMIT && (int)times[1].tv_nsec == UTIME_OMIT;
}

static void call_begins(struct thread* thread, const struct ptrace_syscall_info* info, unsigned long long number,
                        const unsigned long long* args) {
    const bool native = info->arch == NATIVE_ARCH;
    if (escape_begins(thread, native, number, args)) return;
    const struct call_rule* rule = rule_of(native, number);
    if (!rule) return;
    memset(&thread->call, 0, __builtin_offsetof(struct event, data));
    for (int i = 0; i < 6; i++) thread->call.args[i] = args[i];
    thread->rule = rule;
    thread->call.number = rule->kind == CALL_SOCKETCALL ? ROW_BIND : rule->number;
    if (rule->kind == CALL_SOCKETCALL && !through_socketcall(thread)) return;
    if (omits_times(thread, number, native)) return;
    end_call(thread);
    if (rule->kind == CALL_OPEN || rule->kind == CALL_OPENAT2) {
        unsigned int flags;
        if (!wants_write(thread, rule, &flags)) return;
        thread->call.open_flags = flags;
        /* The bits of O_TMPFILE include O_DIRECTORY, which alone writes nothing; the filter looked at the
         * other one. */
    }
    if (thread->call.number == ROW_OPEN_BY_HANDLE_AT) {
        thread->call.open_flags = (unsigned int)args[2];
        if (!(args[2] & (O_ACCMODE | O_TRUNC)) || args[2] & O_PATH) return;
        /* The file is known when it is open; refused, it is on the mount of this descriptor. */
        thread->first = place(thread, (int)args[0], AT_FDCWD, "", false);
    }
    const bool unlooked =
        rule->kind == CALL_OTHER || rule->kind == CALL_MOUNT || rule->kind == CALL_URING || rule->kind == CALL_HANDLE;
    if (unlooked && !call_changes_unlooked(&thread->call)) return;
    if (!unlooked) look_at_places(thread, rule);
    read_names(thread);
    thread->in_call = thread->first || unlooked;
}

void at_filter(struct thread* thread) {
    struct ptrace_syscall_info info;
    memset(&info, 0, sizeof info);
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, sizeof info, &info) <= 0 ||
        info.op != PTRACE_SYSCALL_INFO_SECCOMP) {
        lose("a call could not be looked at: this kernel is older than 5.3");
        return go_on(thread, 0);
    }
    if (info.seccomp.ret_data != FILTER_MARK) foreign_filter();
    if (!thread->looked) call_begins(thread, &info, info.seccomp.nr, info.seccomp.args);
    go_on(thread, 0);
}

/* ---- and what it was answered ---- */

static bool is_mounting(const struct event* call) {
    return call->number == ROW_MOUNT || call->number == ROW_MOVE_MOUNT || call->number == ROW_UMOUNT2 ||
           call->number == ROW_PIVOT_ROOT;
}

static void note_unlooked(const struct thread* thread, int error) {
    char text[ACCOUNT_PROBLEM];
    if (error == EROFS) {
        snprintf(text, sizeof text, "%s (%.200s) was refused (EROFS) %s, and what that would have changed is not known",
                 thread->comm, thread->exe, call_name(thread->call.number));
        return doubt(text);
    }
    if (error) return;
    if (is_mounting(&thread->call)) return mounts_changed();
    snprintf(text, sizeof text, "%s (%.200s) changed a file system by %s, and what it changed is not known",
             thread->comm, thread->exe, call_name(thread->call.number));
    doubt(text);
}

static void note_opened_by_handle(struct thread* thread, int error, int fd) {
    if (!error) {
        free(thread->first);
        thread->first = place(thread, fd, AT_FDCWD, "", false);
        if (!thread->first) return lose("there is no memory left for the tracer");
    }
    note_attempt(account, thread, thread->first, error, 0);
}

/* Somebody else has moved a name or a mount meanwhile: then the kernel may have looked at another place than
 * we did. */
static bool leads_elsewhere(struct thread* thread) {
    struct where* const first = thread->first;
    struct where* const second = thread->second;
    if (first->by_fd || one_thread_alone()) return false;
    thread->first = thread->second = NULL;
    look_at_places(thread, thread->rule);
    const bool same = thread->first && thread->first->mount_id == first->mount_id &&
                      (!second || (thread->second && thread->second->mount_id == second->mount_id));
    free(thread->first);
    free(thread->second);
    thread->first = first;
    thread->second = second;
    return !same;
}

/* On a mount that is nowhere in the tree (open_tree(2)), which may be a view of any of the user's. */
static bool is_nowhere(const struct where* where) {
    return !where->mount[0] && where->path[0] == '/' && !where->special && strncmp(where->path, "/memfd:", 7);
}

/* ---- what is read instead ---- */

/* SQLite and others try again at once, with O_RDONLY. */
#define CALLS_TO_LOOK_AT 16

/* Opened for reading and writing, and for nothing that changes the file by itself. */
static bool can_be_read_instead(const struct thread* thread) {
    const unsigned int flags = thread->call.open_flags;
    return (thread->rule->kind == CALL_OPEN || thread->rule->kind == CALL_OPENAT2) && (flags & O_ACCMODE) == O_RDWR &&
           !(flags & (O_TRUNC | O_APPEND | O_PATH | TMPFILE_BIT)) && thread->first->exists && !thread->first->special;
}

static void await_reading(struct thread* thread) {
    struct where* copy = malloc(sizeof *copy);
    if (!copy) return; /* what was refused is taken for a write */
    *copy = *thread->first;
    free(thread->refused);
    thread->refused = copy;
    thread->calls_to_look_at = CALLS_TO_LOOK_AT;
}

static void reading_begins(struct thread* thread, const struct ptrace_syscall_info* info) {
    const struct call_rule* rule = rule_of(info->arch == NATIVE_ARCH, info->entry.nr);
    unsigned int flags;
    thread->calls_to_look_at--;
    if (!rule || (rule->kind != CALL_OPEN && rule->kind != CALL_OPENAT2)) return;
    memset(&thread->call, 0, __builtin_offsetof(struct event, data));
    for (int i = 0; i < 6; i++) thread->call.args[i] = info->entry.args[i];
    thread->rule = rule;
    thread->call.number = rule->number;
    wants_write(thread, rule, &flags);
    if (flags & (WRITE_FLAGS | O_PATH)) return;
    thread->call.open_flags = flags;
    end_call(thread);
    look_at_places(thread, rule);
    read_names(thread);
    thread->reads = thread->in_call = thread->first;
}

static void reading_ended(struct thread* thread, int error) {
    const struct where *now = thread->first, *refused = thread->refused;
    if (error || now->mount_id != refused->mount_id || strcmp(now->path, refused->path)) return;
    note_attempt(account, thread, now, 0, ATTEMPT_READ_INSTEAD);
    thread->calls_to_look_at = 0;
}

static void note_answer(struct thread* thread, int error) {
    /* A rename of something missing changes nothing, at its second path neither. */
    const uint32_t no_op = error == EROFS && thread->first->same ? ATTEMPT_NO_OP : 0;
    const uint32_t elsewhere = error == EROFS && leads_elsewhere(thread) ? ATTEMPT_DOUBTFUL : 0;
    if (!error && is_nowhere(thread->first)) {
        char text[ACCOUNT_PROBLEM];
        snprintf(text, sizeof text, "%s (%.200s) changed %.100s on a mount that is in no table of mounts", thread->comm,
                 thread->exe, thread->first->path);
        doubt(text);
    }
    note_attempt(account, thread, thread->first, error, elsewhere);
    if (error == EROFS && can_be_read_instead(thread)) await_reading(thread);
    if (thread->second) note_attempt(account, thread, thread->second, error, ATTEMPT_SECOND | no_op | elsewhere);
}

static void call_ended(struct thread* thread, int error, long long value) {
    if (thread->escape) {
        escape_ended(thread, error);
    } else if (thread->canary) {
        canary_answered(error);
    } else if (error >= 512) {
        /* The call is to be made once more. */
    } else if (thread->reads) {
        reading_ended(thread, error);
    } else if (!thread->first) {
        note_unlooked(thread, error);
    } else if (thread->call.number == ROW_NAME_TO_HANDLE_AT) {
        /* An overlay gives none: the application does not do what it does in use (the recorder knows where). */
        if (error == EOPNOTSUPP) note_attempt(account, thread, thread->first, error, 0);
    } else if (thread->call.number == ROW_OPEN_BY_HANDLE_AT) {
        note_opened_by_handle(thread, error, (int)value);
    } else {
        note_answer(thread, error);
    }
    end_call(thread);
}

/* Of a thread that stops at every call. */
static void begins_anyway(struct thread* thread, const struct ptrace_syscall_info* info) {
    struct seccomp_data data = {.nr = (int)info->entry.nr, .arch = info->arch};
    for (int i = 0; i < 6; i++) data.args[i] = info->entry.args[i];
    thread->looked = (filter_answer(&data) & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE;
    if (thread->looked) call_begins(thread, info, info->entry.nr, info->entry.args);
}

void at_call(struct thread* thread) {
    struct ptrace_syscall_info info;
    memset(&info, 0, sizeof info);
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, sizeof info, &info) <= 0) return go_on(thread, 0);
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        if (thread->every_call) begins_anyway(thread, &info);
        if (thread->calls_to_look_at && !thread->looked) reading_begins(thread, &info);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        if (thread->in_call) call_ended(thread, info.exit.is_error ? (int)-info.exit.rval : 0, info.exit.rval);
        thread->looked = false;
    }
    go_on(thread, 0);
}
