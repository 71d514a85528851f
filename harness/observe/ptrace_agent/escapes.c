#define _GNU_SOURCE
/* clang-format off */
#include <sys/ptrace.h> /* before the kernel's, which would take its names away */
/* clang-format on */

#include "escapes.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../agent/arch.h"
#include "filter.h"
#include "process.h"
#include "tracer.h"

/* ---- children that ask not to be traced ---- */

/* Without a tracer the child's calls would fail with ENOSYS where the filter answers SECCOMP_RET_TRACE. So
 * the flag is taken away. It means nothing but "do not trace", so that nobody misses it. */
static void clone_begins(struct thread* thread, bool native, unsigned long flags) {
    thread->argument = flags;
    thread->call.number = native; /* which registers they are */
    if (!set_first_argument(thread->tid, native, flags & ~(unsigned long)CLONE_UNTRACED))
        return doubt("a child that asked not to be traced (CLONE_UNTRACED) could not be followed");
    thread->escape = CLONES;
    thread->in_call = true;
}

void put_back(struct thread* thread) {
    restore_first_argument(thread->tid, thread->call.number, thread->argument);
    thread->escape = NO_ESCAPE;
}

void escape_born(const struct thread* parent, struct thread* child) {
    if (parent->escape != CLONES) return;
    child->escape = CLONES;
    child->argument = parent->argument;
    child->call.number = parent->call.number;
}

/* clone3(2) has its flags in memory, first in a structure. */
static void clone3_begins(struct thread* thread, unsigned long at) {
    unsigned long flags = 0;
    if (read_memory(thread->tid, at, &flags, sizeof flags) < sizeof flags || !(flags & CLONE_UNTRACED)) return;
    thread->call.args[0] = at;
    thread->argument = flags;
    if (ptrace(PTRACE_POKEDATA, thread->tid, at, flags & ~(unsigned long)CLONE_UNTRACED))
        return doubt("a child that asked not to be traced (CLONE_UNTRACED) could not be followed");
    thread->escape = CLONES_BY_POINTER;
    thread->in_call = true;
}

/* ---- seccomp filters of the subject's own ---- */

/* Of the answers of several filters the kernel takes the strongest (kernel/seccomp.c: seccomp_run_filters).
 * ERRNO, TRAP and KILL are stronger than TRACE, but then the call is not made, with us or without. USER_NOTIF
 * is stronger too, and a supervisor can let the kernel go on with the call. Stops at the beginning and the
 * end of each call come before all filters. */
static void listens(struct thread* thread, unsigned long long flags) {
    thread->argument = flags;
    thread->escape = LISTENS;
    thread->in_call = true;
}

static void listens_now(struct thread* thread) {
    thread->every_call = true;
    if (thread->argument & SECCOMP_FILTER_FLAG_TSYNC)
        doubt(
            "a program handed system calls of all its threads to a supervisor (SECCOMP_FILTER_FLAG_TSYNC), "
            "and what its "
            "other threads did is not seen; run with --observer ebpf");
}

void foreign_filter(void) {
    doubt(
        "a seccomp filter of the subject's own hands system calls to a tracer, which the ptrace observer is "
        "in the way of; "
        "run with --observer ebpf");
}

/* ---- io_uring ---- */

/* Older headers lack some of these. They make the kernel look at descriptors and memory of the process. */
#define OF_PROCESS (1u << 5 /* ATTACH_WQ */ | 1u << 14 /* NO_MMAP */ | 1u << 15 /* REGISTERED_FD_ONLY */)

/* kernel.io_uring_disabled: 1 leaves it to CAP_SYS_ADMIN and to a group, 2 to nobody. The tracer has that
 * capability. */
static bool only_for_others(unsigned int tid) {
    char text[16] = "";
    FILE* file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (!file) return false;
    const bool some = fgets(text, sizeof text, file) && text[0] == '1';
    fclose(file);
    if (!some || has_capability(tid, 21)) return false;
    file = fopen("/proc/sys/kernel/io_uring_group", "re");
    const bool nobody = !file || !fgets(text, sizeof text, file) || text[0] == '-';
    if (file) fclose(file);
    return nobody;
}

/* What the kernel would say; 0: yes. The engine's own filter has let it pass: its refusal would be stronger
 * than ours. */
static int refusal_of_kernel(unsigned int tid, unsigned int entries, unsigned long at) {
    struct io_uring_params params;
    if (read_memory(tid, at, &params, sizeof params) < sizeof params) return EFAULT;
    params.flags &= ~OF_PROCESS;
    const int ring = (int)syscall(SYS_io_uring_setup, entries, &params);
    if (ring < 0) return errno == ENOSYS || errno == EINVAL || errno == EPERM ? errno : 0;
    close(ring);
    return only_for_others(tid) ? EPERM : 0;
}

/* What goes through io_uring passes no system call, so it could not be seen. */
static void refuse_ring(struct thread* thread, const unsigned long long* args) {
    const int error = refusal_of_kernel(thread->tid, (unsigned int)args[0], (unsigned long)args[1]);
    refuse_call(thread->tid, error ? error : EPERM);
    if (error) return;
    char text[ACCOUNT_PROBLEM];
    read_names(thread);
    snprintf(text, sizeof text,
             "%s (%.200s) asked for io_uring, which the ptrace observer has to refuse, since it cannot see "
             "what goes through "
             "it; run with --observer ebpf",
             thread->comm, thread->exe);
    doubt(text);
}

/* ---- all of them ---- */

bool escape_begins(struct thread* thread, bool native, unsigned long long number, const unsigned long long* args) {
    const struct escaping_calls* calls = native ? &native_escapes : &compat_escapes;
    if (number == calls->exit_group) {
        if (is_first_process(thread->tid)) account->ended = 1;
    } else if (number == calls->clone) {
        clone_begins(thread, native, (unsigned long)args[0]);
    } else if (number == calls->clone3) {
        clone3_begins(thread, (unsigned long)args[0]);
    } else if (number == calls->seccomp) {
        listens(thread, args[1]);
    } else if (number == calls->ptrace) {
        thread->escape = TRACES;
        thread->in_call = true;
    } else if (number == calls->io_uring_setup) {
        refuse_ring(thread, args);
    } else if (number > NEWEST_CALL) {
        thread->argument = (unsigned long)number;
        thread->escape = CALLS_UNKNOWN;
        thread->in_call = true;
    } else {
        return false;
    }
    return true;
}

void escape_ended(struct thread* thread, int error) {
    char text[ACCOUNT_PROBLEM];
    switch (thread->escape) {
        case CLONES:
            put_back(thread);
            break;
        case CLONES_BY_POINTER:
            ptrace(PTRACE_POKEDATA, thread->tid, thread->call.args[0], thread->argument);
            break;
        case LISTENS:
            if (!error) listens_now(thread);
            break;
        case TRACES: /* it is traced already, as is whomever it wants to trace */
            if (error != EPERM) break;
            read_names(thread);
            snprintf(text, sizeof text,
                     "%s (%.200s) wanted to trace a process (ptrace), which cannot work while we do; run "
                     "with --observer ebpf",
                     thread->comm, thread->exe);
            doubt(text);
            break;
        case CALLS_UNKNOWN:
            if (error == ENOSYS) break;
            snprintf(text, sizeof text, "system call %lu was made, which this rogate does not know", thread->argument);
            doubt(text);
            break;
        case NO_ESCAPE:
            break;
    }
}
