/* The tracer: a process beside the subject's that stops it at calls that can write, looks where they lead
 * before they are made and what they were answered after, and notes it in the account before it lets the
 * subject go on. */
#define _GNU_SOURCE
/* clang-format off */
#include <sys/ptrace.h> /* before the kernel's, which would take its names away */
#include <linux/ptrace.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../agent/calls.h"
#include "../agent/clock.h"
#include "../protocol.h"
#include "agent.h"
#include "filter.h"
#include "notes.h"
#include "process.h"
#include "threads.h"
#include "watches.h"
#include "where.h"

#define OPTIONS                                                                                 \
    (PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | \
     PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL)

static struct account* account;
static struct call_rule rules[SYSCALLS], i386_rules[SYSCALLS];
static unsigned int first_process;
static unsigned int canary_pid, canary_number;
static int canary_pipe = -1;
static bool canary_seen;

static void go_on(const struct thread* thread, int signal) {
    ptrace(thread->in_call ? PTRACE_SYSCALL : PTRACE_CONT, thread->tid, 0, signal);
}

static void lose(const char* why) {
    account_lose(account, why);
}

/* ---- a call before it is made
 * ------------------------------------------------------------------------------------- */

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
    if (read_memory(tid, (unsigned long)call->args[1], &address, size) < size ||
        address.sun_family != AF_UNIX)
        return false;
    snprintf(path, PATH_MAX, "%.*s", (int)sizeof address.sun_path, address.sun_path);
    return path[0] != 0; /* abstract addresses and unnamed ones have no file */
}

static bool wants_write(const struct thread* thread, const struct call_rule* rule, unsigned int* flags) {
    struct open_how how = {0};
    *flags =
        rule->flags >= 0 ? (unsigned int)thread->call.args[(int)rule->flags] : O_CREAT | O_WRONLY | O_TRUNC;
    if (rule->kind == CALL_OPENAT2) {
        read_memory(thread->tid, (unsigned long)thread->call.args[2], &how, sizeof how);
        *flags = (unsigned int)how.flags;
        if (how.flags & O_PATH) return false;
        return (how.flags & (O_ACCMODE | O_CREAT | O_TRUNC)) || (how.flags & O_TMPFILE) == O_TMPFILE;
    }
    return true;
}

/* i386 programs may call bind(2) through socketcall(2), number 2. */
static bool through_socketcall(struct thread* thread) {
    unsigned int arguments[3];
    if (thread->call.args[0] != 2) return false;
    if (read_memory(thread->tid, (unsigned long)thread->call.args[1], arguments, sizeof arguments) <
        sizeof arguments)
        return false;
    for (int i = 0; i < 3; i++) thread->call.args[i] = arguments[i];
    return true;
}

static void look_at_places(struct thread* thread, const struct call_rule* rule) {
    static char path[PATH_MAX];
    const unsigned long long* args = thread->call.args;
    if (rule->kind == CALL_BIND || rule->kind == CALL_SOCKETCALL) {
        if (bind_path(thread->tid, &thread->call, path))
            thread->first = place(thread, -1, AT_FDCWD, path, false);
        return;
    }
    if (rule->fd >= 0) {
        thread->first = place(thread, (int)args[(int)rule->fd], AT_FDCWD, "", false);
        return;
    }
    const int dirfd = rule->dirfd >= 0 ? (int)args[(int)rule->dirfd] : AT_FDCWD;
    /* utimensat takes no path at all, too */
    if (!args[(int)rule->path]) {
        if (!strncmp(call_name(thread->call.number), "utimensat", 9) ||
            !strncmp(call_name(thread->call.number), "futimesat", 9))
            thread->first = place(thread, dirfd, AT_FDCWD, "", false);
        return;
    }
    if (!read_text(thread->tid, (unsigned long)args[(int)rule->path], path, sizeof path)) return;
    thread->first = place(thread, -1, dirfd, path, false);
    if (rule->second_path <= 0) return;
    const int second_dirfd = rule->second_dirfd >= 0 ? (int)args[(int)rule->second_dirfd] : AT_FDCWD;
    if (read_text(thread->tid, (unsigned long)args[(int)rule->second_path], path, sizeof path))
        thread->second = place(thread, -1, second_dirfd, path, true);
}

static bool is_first_process(unsigned int tid) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%u/task/%u", first_process, tid);
    return tid == first_process || !access(name, F_OK);
}

static void before_call(struct thread* thread) {
    struct ptrace_syscall_info info;
    const struct call_rule* rule;
    bool native, unlooked;
    memset(&info, 0, sizeof info);
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, sizeof info, &info) <= 0 ||
        info.op != PTRACE_SYSCALL_INFO_SECCOMP) {
        lose("a call could not be looked at: this kernel is older than 5.3");
        return go_on(thread, 0);
    }
    native = info.arch == AUDIT_ARCH_X86_64;
    if (info.seccomp.nr == (native ? (unsigned long long)SYS_exit_group : 252ULL)) {
        if (is_first_process(thread->tid)) account->ended = 1;
        return go_on(thread, 0);
    }
    rule = info.seccomp.nr < SYSCALLS ? &(native ? rules : i386_rules)[info.seccomp.nr] : NULL;
    if (!rule || rule->kind == CALL_NONE) return go_on(thread, 0);
    memset(&thread->call, 0, __builtin_offsetof(struct event, data));
    for (int i = 0; i < 6; i++) thread->call.args[i] = info.seccomp.args[i];
    thread->call.number = rule->kind == CALL_SOCKETCALL ? SYS_bind : rule->number;
    if (rule->kind == CALL_SOCKETCALL && !through_socketcall(thread)) return go_on(thread, 0);
    if (rule->kind == CALL_OPEN || rule->kind == CALL_OPENAT2) {
        unsigned int flags;
        if (!wants_write(thread, rule, &flags)) return go_on(thread, 0);
        thread->call.open_flags = flags;
        /* The bits of O_TMPFILE include O_DIRECTORY, which alone writes nothing; the filter looked at the
         * other one. */
    }
    unlooked = rule->kind == CALL_OTHER || rule->kind == CALL_MOUNT;
    end_call(thread);
    if (!unlooked) look_at_places(thread, rule);
    read_names(thread);
    thread->in_call = thread->first || unlooked;
    go_on(thread, 0);
}

/* ---- and what it was answered
 * ------------------------------------------------------------------------------------- */

static void after_call(struct thread* thread) {
    struct ptrace_syscall_info info;
    memset(&info, 0, sizeof info);
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, sizeof info, &info) <= 0) return go_on(thread, 0);
    if (info.op != PTRACE_SYSCALL_INFO_EXIT || !thread->in_call) return go_on(thread, 0);
    const int error = info.exit.is_error ? (int)-info.exit.rval : 0;
    if (thread->canary) {
        canary_seen = canary_seen || error == EROFS;
    } else if (!thread->first) {
        if (error == EROFS) lose("a call was refused of which it is not known what it would have changed");
    } else if (error < 512) { /* above: the call is to be made once more */
        /* A rename of something missing changes nothing, at its second path neither. */
        const uint32_t no_op = error == EROFS && thread->first->same ? ATTEMPT_NO_OP : 0;
        note_attempt(account, thread, thread->first, error, 0);
        if (thread->second) note_attempt(account, thread, thread->second, error, ATTEMPT_SECOND | no_op);
    }
    end_call(thread);
    go_on(thread, 0);
}

/* ---- processes come and go
 * ---------------------------------------------------------------------------------------- */

static void born(const struct thread* parent) {
    unsigned long tid = 0;
    struct thread* child;
    ptrace(PTRACE_GETEVENTMSG, parent->tid, 0, &tid);
    if (!tid) return;
    child = thread_of((unsigned int)tid);
    child->root = parent->root;
    child->canary = parent->canary;
    child->known = true;
    if (!child->waiting) return;
    child->waiting = false;
    go_on(child, 0);
}

static void executed(struct thread* thread) {
    char name[64], text[PATH_MAX];
    struct stat file;
    int fd;
    end_call(thread);
    snprintf(name, sizeof name, "/proc/%u/exe", thread->tid);
    fd = open(name, O_PATH | O_CLOEXEC);
    if (fd < 0) return;
    if (!account->had_no_new_privs && has_no_new_privs(thread->tid) && !fstat(fd, &file) &&
        file.st_mode & S_ISUID) {
        read_names(thread);
        snprintf(
            text, sizeof text,
            "the setuid program %.200s ran without its privileges, since tracing it here takes no_new_privs; "
            "run with --observer ebpf, or the subject as root",
            thread->exe);
        lose(text);
    }
    ssize_t n = readlink(name, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return;
    text[n] = 0;
    const struct where_mount* mount = mount_of_path(text);
    if (mount) use_mount(account, mount->point);
}

static void leaves(struct thread* thread) {
    unsigned long status = 0;
    ptrace(PTRACE_GETEVENTMSG, thread->tid, 0, &status);
    if (thread->tid == first_process || ((status & 0x7f) && is_first_process(thread->tid)))
        account->ended = 1;
    end_call(thread);
    go_on(thread, 0);
}

static void canary_reply(int outcome, const char* text) {
    const struct frame_reply reply = {canary_number, 0, outcome, 0};
    account_put(account, FRAME_REPLY, &reply, sizeof reply, &text, 1);
}

static void canary_done(void) {
    int error = -1;
    if (read(canary_pipe, &error, sizeof error) != (ssize_t)sizeof error) error = -1;
    close(canary_pipe);
    canary_pipe = -1;
    canary_pid = 0;
    if (error == 0)
        canary_reply(CANARY_NOT_REFUSED, "");
    else if (error == EROFS)
        canary_reply(canary_seen ? CANARY_SEEN : CANARY_NOT_SEEN, "");
    else
        canary_reply(CANARY_FAILED, error < 0 ? "the process that was to make it ended" : strerror(error));
}

static void stopped(unsigned int tid, int status) {
    struct thread* thread = thread_of(tid);
    const int signal = WSTOPSIG(status), event = status >> 16;
    switch (event) {
        case PTRACE_EVENT_SECCOMP:
            return before_call(thread);
        case PTRACE_EVENT_FORK:
        case PTRACE_EVENT_VFORK:
        case PTRACE_EVENT_CLONE:
            born(thread);
            return go_on(thread, 0);
        case PTRACE_EVENT_EXEC:
            executed(thread);
            return go_on(thread, 0);
        case PTRACE_EVENT_EXIT:
            return leaves(thread);
        case PTRACE_EVENT_STOP:
            if (!thread->known) { /* its parent's event is still to come: whose it is is not known yet */
                thread->waiting = true;
                return;
            }
            if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU)
                ptrace(PTRACE_LISTEN, tid, 0, 0);
            else
                go_on(thread, 0);
            return;
        default:
            break;
    }
    if (signal == (SIGTRAP | 0x80)) return after_call(thread);
    go_on(thread, signal);
}

static void reap(void) {
    int status, tid;
    while ((tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
        if (WIFSTOPPED(status)) {
            stopped((unsigned int)tid, status);
        } else {
            if ((unsigned int)tid == canary_pid) canary_done();
            forget_thread((unsigned int)tid);
        }
    }
}

static int seize(unsigned int pid, unsigned int root) {
    struct thread* thread;
    if (ptrace(PTRACE_SEIZE, pid, 0, OPTIONS)) return errno;
    thread = thread_of(pid);
    thread->known = true;
    thread->root = root;
    return 0;
}

/* ---- commands
 * ----------------------------------------------------------------------------------------------------- */

static int write_canary(const char* path) {
    char name[PATH_MAX + 64];
    struct stat now;
    if (stat(path, &now)) return errno;
    if (!S_ISDIR(
            now.st_mode)) /* refused before anything is looked at (chmod_common), and harmless if it is not */
        return chmod(path, now.st_mode & 07777) ? errno : 0;
    snprintf(name, sizeof name, "%s/.rogate-canary-%d-%u", path, getpid(), canary_number);
    const int made = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (made < 0) return errno;
    close(made);
    unlink(name);
    return 0;
}

/* A process under the same filter as the subject's, so that it is seen by the same way. */
static void start_canary(const char* path) {
    int go[2], back[2], error = 0;
    pid_t child;
    if (pipe2(go, O_CLOEXEC) || pipe2(back, O_CLOEXEC)) return canary_reply(CANARY_FAILED, strerror(errno));
    child = fork();
    if (!child) {
        char byte;
        if (read(go[0], &byte, 1) != 1 || filter_install() < 0)
            error = -1;
        else
            error = write_canary(path);
        if (write(back[1], &error, sizeof error) < 0) _exit(1);
        _exit(0);
    }
    close(back[1]);
    close(go[0]);
    canary_pid = (unsigned int)child;
    canary_pipe = back[0];
    canary_seen = false;
    error = child < 0 ? errno : seize((unsigned int)child, 0);
    thread_of((unsigned int)child)->canary = true;
    if (!error && write(go[1], "g", 1) != 1) error = errno;
    close(go[1]); /* if it could not be traced, it ends without writing */
    (void)error;
}

static void obey(char* line) {
    int rest = 0;
    if (sscanf(line, "canary %u %n", &canary_number, &rest) < 1 || !rest) return;
    if (canary_pid) return canary_reply(CANARY_FAILED, "another one is being made");
    start_canary(line + rest);
}

/* A process that the engine put into the container wants to be traced before it becomes what it is to be. */
static void admit(int connection) {
    struct ucred who;
    socklen_t size = sizeof who;
    char kin = 0;
    unsigned char answer;
    if (read(connection, &kin, 1) != 1 || getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &who, &size))
        return;
    answer = (unsigned char)seize((unsigned int)who.pid,
                                  kin == KIN_HEALTH ? (unsigned int)who.pid : first_process);
    if (answer) lose("a process that was started in the container could not be traced");
    if (write(connection, &answer, 1) != 1) lose("a process that was started in the container went away");
}

static void on_signal(int signal) {
    (void)signal;
}

static void serve(int relay_socket, int listener) {
    static char line[PATH_MAX * 4];
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked, open_mask;
    sigaction(SIGCHLD, &action, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, &open_mask);
    sigdelset(&open_mask, SIGCHLD);
    for (;;) {
        struct pollfd ready[2] = {{relay_socket, POLLIN, 0}, {listener, POLLIN, 0}};
        reap();
        if (ppoll(ready, 2, NULL, &open_mask) < 0) continue;
        if (ready[0].revents) {
            const ssize_t n = recv(relay_socket, line, sizeof line - 1, 0);
            if (n <= 0) { /* rogate is gone; the subject goes on until somebody removes it */
                close(relay_socket);
                relay_socket = -1;
            } else {
                line[n] = 0;
                obey(line);
            }
        }
        if (ready[1].revents) {
            const int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (connection >= 0) admit(connection);
            if (connection >= 0) close(connection);
        }
    }
}

void trace(int first, int relay_socket, struct account* shared, const char* name, int ready) {
    struct frame_root root = {now_ns(), (uint32_t)first, 1};
    const char* comm = "";
    int listener, error, null;
    account = shared;
    first_process = (unsigned int)first;
    for (int signal = 1; signal < 32; signal++)
        if (signal != SIGCHLD && signal != SIGSEGV && signal != SIGBUS)
            sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    setsid();
    fill_rules(rules, i386_rules);
    read_mounts(0);
    watch_mounts(account, relay_socket);
    listener = tracer_listen(name);
    error = listener < 0 ? errno : seize((unsigned int)first, (unsigned int)first);
    account_put(account, FRAME_ROOT, &root, sizeof root, &comm, 1);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++)
        if (null >= 0) dup2(null, fd); /* the container's own must end when the subject closes them */
    if (write(ready, &error, sizeof error) < 0 || error) _exit(1);
    close(ready);
    serve(relay_socket, listener);
}
