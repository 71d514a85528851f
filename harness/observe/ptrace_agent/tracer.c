/* The tracer: a process beside the subject's that stops it at calls that can write, looks where they lead
 * before they are made and what they were answered after, and notes it in the account before it lets the
 * subject go on. */
#define _GNU_SOURCE
/* clang-format off */
#include <sys/ptrace.h> /* before the kernel's, which would take its names away */
#include <linux/ptrace.h>
/* clang-format on */

#include "tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../agent/clock.h"
#include "../protocol.h"
#include "agent.h"
#include "call.h"
#include "canary.h"
#include "escapes.h"
#include "process.h"
#include "threads.h"
#include "watches.h"
#include "where.h"

#define OPTIONS                                                                                                       \
    (PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
     PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL)

struct account* account;
unsigned int first_process;

void go_on(const struct thread* thread, int signal) {
    const bool stops = thread->in_call || thread->every_call || thread->calls_to_look_at;
    ptrace(stops ? PTRACE_SYSCALL : PTRACE_CONT, thread->tid, 0, signal);
}

void lose(const char* why) {
    account_lose(account, why);
}

void doubt(const char* why) {
    account_problem(account, why);
}

bool is_first_process(unsigned int tid) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%u/task/%u", first_process, tid);
    return tid == first_process || !access(name, F_OK);
}

/* ---- processes come and go ---- */

/* The first thing that a thread does. */
static void begins(struct thread* thread) {
    if (thread->escape) put_back(thread);
    go_on(thread, 0);
}

static void born(const struct thread* parent) {
    unsigned long tid = 0;
    struct thread* child;
    ptrace(PTRACE_GETEVENTMSG, parent->tid, 0, &tid);
    if (!tid) return;
    child = thread_of((unsigned int)tid);
    child->root = parent->root;
    child->canary = parent->canary;
    child->every_call = parent->every_call;
    child->known = true;
    escape_born(parent, child);
    if (!child->waiting) return;
    child->waiting = false;
    begins(child);
}

static void executed(struct thread* thread) {
    char name[64], text[PATH_MAX];
    struct stat file;
    unsigned long former = 0;
    int fd;
    end_call(thread);
    /* The thread that has executed it has the number of its process from now on, and still its filters. */
    if (!ptrace(PTRACE_GETEVENTMSG, thread->tid, 0, &former) && former && former != thread->tid)
        thread->every_call = thread->every_call || thread_of((unsigned int)former)->every_call;
    snprintf(name, sizeof name, "/proc/%u/exe", thread->tid);
    fd = open(name, O_PATH | O_CLOEXEC);
    if (fd < 0) return;
    if (!account->had_no_new_privs && has_no_new_privs(thread->tid) && !fstat(fd, &file) && file.st_mode & S_ISUID) {
        read_names(thread);
        snprintf(text, sizeof text,
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
    take_uses(account); /* while it is known who it was; and with the first process we end */
    if (thread->tid == first_process || ((status & 0x7f) && is_first_process(thread->tid))) account->ended = 1;
    end_call(thread);
    go_on(thread, 0);
}

static void stopped(unsigned int tid, int status) {
    struct thread* thread = thread_of(tid);
    const int signal = WSTOPSIG(status), event = status >> 16;
    switch (event) {
        case PTRACE_EVENT_SECCOMP:
            return at_filter(thread);
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
            else if (thread->in_call)
                go_on(thread, 0);
            else
                begins(thread);
            return;
        default:
            break;
    }
    if (signal == (SIGTRAP | 0x80)) return at_call(thread);
    go_on(thread, signal);
}

void take_stops(void) {
    int status, tid;
    while ((tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
        if (WIFSTOPPED(status)) {
            stopped((unsigned int)tid, status);
        } else {
            canary_ended((unsigned int)tid);
            forget_thread((unsigned int)tid);
        }
    }
}

int seize(unsigned int pid, unsigned int root) {
    struct thread* thread;
    if (ptrace(PTRACE_SEIZE, pid, 0, OPTIONS)) return errno;
    thread = thread_of(pid);
    thread->known = true;
    thread->root = root;
    return 0;
}

/* ---- commands ---- */

/* A process that the engine put into the container wants to be traced before it becomes what it is to be. */
static void admit(int connection) {
    struct ucred who;
    socklen_t size = sizeof who;
    char kin = 0;
    unsigned char answer;
    if (read(connection, &kin, 1) != 1 || getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &who, &size)) return;
    answer = (unsigned char)seize((unsigned int)who.pid, kin == KIN_HEALTH ? (unsigned int)who.pid : first_process);
    if (answer) lose("a process that was started in the container could not be traced");
    if (write(connection, &answer, 1) != 1) lose("a process that was started in the container went away");
}

static void on_signal(int signal) {
    (void)signal;
}

static sigset_t awake; /* the signals that are blocked while it waits: none */

void await_stops(void) {
    ppoll(NULL, 0, NULL, &awake);
}

/* The end of a traced process, or its stop, wakes whoever waits; else nothing comes in between. */
static void hear_of_stops(void) {
    const struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;
    sigaction(SIGCHLD, &action, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, &awake);
    sigdelset(&awake, SIGCHLD);
}

static void serve(int relay_socket, int listener) {
    static char line[PATH_MAX * 4];
    for (;;) {
        struct pollfd ready[3] = {{relay_socket, POLLIN, 0}, {listener, POLLIN, 0}, {uses_queue(), POLLIN, 0}};
        take_stops();
        if (ppoll(ready, 3, NULL, &awake) < 0) continue;
        if (ready[0].revents) {
            const ssize_t n = recv(relay_socket, line, sizeof line - 1, 0);
            if (n <= 0) { /* rogate is gone; the subject goes on until somebody removes it */
                close(relay_socket);
                relay_socket = -1;
            } else {
                line[n] = 0;
                canary_obey(line);
            }
        }
        if (ready[2].revents) take_uses(account);
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
    hear_of_stops();
    read_mounts(0);
    watch_mounts(account, relay_socket);
    listener = tracer_listen(name);
    error = listener < 0 ? errno : seize((unsigned int)first, (unsigned int)first);
    account_put(account, FRAME_ROOT, &root, sizeof root, &comm, 1);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++)
        if (null >= 0) dup2(null, fd); /* the container's own must end when the subject closes them */
    if (!error) prove_all(relay_socket);
    account->begun = 1;
    if (write(ready, &error, sizeof error) < 0 || error) _exit(1);
    close(ready);
    serve(relay_socket, listener);
}
