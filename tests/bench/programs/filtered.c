/* filtered nothing|openat|agent PROGRAM [ARGUMENT…]: runs it under a seccomp filter with nobody who traces: what a filter alone costs.
 * nothing: it lets everything pass. openat: the shortest that tells an openat that writes from one that reads. agent: that of the
 * ptrace observer. */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../../harness/observe/ptrace_agent/filter.h"

static int install(unsigned short size, struct sock_filter* filter) {
    const struct sock_fprog whole = {size, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole) ? -1 : 0;
}

static int let_everything_pass(void) {
    struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    return install(1, all);
}

static int look_at_openat(void) {
    struct sock_filter flags[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                                  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
                                  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
                                  BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_ACCMODE | O_CREAT | O_TRUNC, 0, 1),
                                  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
                                  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    return install(sizeof flags / sizeof *flags, flags);
}

static const struct {
    const char* name;
    int (*install)(void);
} filters[] = {{"nothing", let_everything_pass}, {"openat", look_at_openat}, {"agent", filter_install}};

int main(int argc, char** argv) {
    for (size_t i = 0; argc > 2 && i < sizeof filters / sizeof *filters; i++) {
        if (strcmp(argv[1], filters[i].name)) continue;
        if (filters[i].install() < 0) return perror("filtered: seccomp"), 1;
        execv(argv[2], argv + 2);
        return perror(argv[2]), 1;
    }
    return fprintf(stderr, "usage: filtered nothing|openat|agent PROGRAM [ARGUMENT...]\n"), 2;
}
