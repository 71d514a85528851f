/* escapes HOW PATH: makes the directory PATH in a way that gets out of a tracer's sight, or cannot work while
 * one watches. Prints what it was answered. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char* path;
static int alive[2]; /* a pipe that everybody holds who comes from here */

static int make(void) {
    const int made = mkdir(path, 0755);
    printf("mkdir %s: %s\n", path, made ? strerror(errno) : "ok");
    fflush(stdout);
    return made;
}

static void await(long child) {
    if (child < 0) perror("clone");
    while (child > 0 && waitpid((pid_t)child, NULL, __WALL) < 0 && errno == EINTR) continue;
}

/* ---- children that ask not to be traced ---- */

static void by_clone(unsigned long flags) {
    const long child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (!child) _exit(make() != 0);
    await(child);
}

static void by_clone3(void) {
    struct clone_args args = {.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD};
    const long child = syscall(SYS_clone3, &args, sizeof args);
    if (!child) _exit(make() != 0);
    await(child);
    if (args.flags != CLONE_UNTRACED) puts("the flags have changed");
}

static void by_grandchild(void) {
    const long child = syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
    if (!child) {
        setsid();
        if (!fork()) _exit(make() != 0);
        _exit(0);
    }
    await(child);
}

static char stack[65536];
static volatile int made;
static int in_thread(void* nothing) {
    (void)nothing;
    make();
    made = 1;
    syscall(SYS_exit, 0);
    return 0;
}

/* Without glibc's own: that one takes no such flag. */
static void by_thread(void) {
    clone(in_thread, stack + sizeof stack,
          CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_UNTRACED, NULL);
    sleep(1);
}

/* ---- filters ---- */

static int filter(unsigned int answer, unsigned int flags, int by_prctl) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog whole = {sizeof program / sizeof *program, program};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (by_prctl) return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &whole);
}

static void let_go_on(int listener, int times) {
    struct seccomp_notif* asked = malloc(4096);
    struct seccomp_notif_resp* answer = malloc(4096);
    while (times--) {
        memset(asked, 0, 4096);
        memset(answer, 0, 4096);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, asked)) return perror("listen");
        answer->id = asked->id;
        answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, answer)) perror("answer");
    }
}

static int told[2];

static void* makes_when_told(void* nothing) {
    char byte;
    if (read(told[0], &byte, 1) == 1) make();
    return nothing;
}

/* The grandchild inherits the filter, and it is the one that makes the directory. */
static void by_listener(void) {
    int listener = -1;
    if (pipe(told)) return;
    const long child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (!child) {
        listener = filter(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0);
        if (write(told[1], &listener, sizeof listener) < 0 || listener < 0) _exit(1);
        const pid_t grandchild = fork();
        if (!grandchild) _exit(make() != 0);
        await(grandchild);
        _exit(0);
    }
    if (read(told[0], &listener, sizeof listener) > 0 && listener >= 0) let_go_on(listener, 1);
    await(child);
}

/* The filter is put on all threads, and another one makes the directory. The listener is asked in a child,
 * which shares the descriptors and began without the filter. */
static void by_listener_of_all_threads(void) {
    int numbers[2], listener = -1;
    pthread_t thread;
    if (pipe(told) || pipe(numbers)) return;
    const long child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (!child) {
        if (read(numbers[0], &listener, sizeof listener) > 0 && listener >= 0) let_go_on(listener, 1);
        _exit(0);
    }
    pthread_create(&thread, NULL, makes_when_told, NULL);
    listener =
        filter(SECCOMP_RET_USER_NOTIF,
               SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH, 0);
    if (listener < 0) perror("seccomp");
    if (write(numbers[1], &listener, sizeof listener) < 0 || write(told[1], "g", 1) < 0) perror("write");
    pthread_join(thread, NULL);
    await(child);
}

/* ---- tracers ---- */

static void by_own_tracer(void) {
    const pid_t child = fork();
    if (!child) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0)) {
            perror("PTRACE_TRACEME");
            _exit(1);
        }
        raise(SIGSTOP);
        _exit(make() != 0);
    }
    int status;
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) ptrace(PTRACE_CONT, child, 0, 0);
}

static void by_attaching(void) {
    const pid_t child = fork();
    if (!child) {
        pause();
        _exit(0);
    }
    if (ptrace(PTRACE_SEIZE, child, 0, 0))
        perror("PTRACE_SEIZE");
    else
        make();
    kill(child, SIGKILL);
    await(child);
}

static void as_daemon(void) {
    if (!fork()) {
        setsid();
        if (!fork()) _exit(make() != 0);
        _exit(0);
    }
    await(wait(NULL));
}

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const char* how = argv[1];
    path = argv[2];
    if (pipe(alive)) return 1;
    if (!strcmp(how, "clone")) by_clone(CLONE_UNTRACED);
    if (!strcmp(how, "vfork")) by_clone(CLONE_UNTRACED | CLONE_VFORK);
    if (!strcmp(how, "clone3")) by_clone3();
    if (!strcmp(how, "grandchild")) by_grandchild();
    if (!strcmp(how, "thread")) by_thread();
    if (!strcmp(how, "daemon")) as_daemon();
    if (!strcmp(how, "listener")) by_listener();
    if (!strcmp(how, "listener-of-all")) by_listener_of_all_threads();
    if (!strcmp(how, "trace-filter")) {
        filter(SECCOMP_RET_TRACE, 0, 1); /* nobody traces: ENOSYS */
        make();
    }
    if (!strcmp(how, "errno-filter")) {
        filter(SECCOMP_RET_ERRNO | EPERM, 0, 1);
        make();
    }
    if (!strcmp(how, "own-tracer")) by_own_tracer();
    if (!strcmp(how, "attaches")) by_attaching();
    if (!strcmp(how, "ring")) { /* as programs do that can do without */
        char parameters[120] = {0};
        if (syscall(SYS_io_uring_setup, 4, parameters) >= 0) make();
    }
    if (!strcmp(how, "unknown-call")) {
        if (syscall(600) && errno == ENOSYS) make();
    }
    close(alive[1]);
    char byte;
    while (read(alive[0], &byte, 1) > 0) continue;
    return 0;
}
