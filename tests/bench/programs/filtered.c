/* filtered nothing|agent PROGRAM [ARGUMENT…]: runs it under a seccomp filter, that of the ptrace observer's agent or one that lets
 * everything pass, with nobody who traces: what a filter alone costs. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../../harness/observe/ptrace_agent/filter.h"

static int let_everything_pass(void) {
    struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog whole = {1, all};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole) ? -1 : 0;
}

int main(int argc, char **argv) {
    if (argc < 3) return fprintf(stderr, "usage: filtered nothing|agent PROGRAM [ARGUMENT...]\n"), 2;
    if ((strcmp(argv[1], "agent") ? let_everything_pass() : filter_install()) < 0) return perror("filtered: seccomp"), 1;
    execv(argv[2], argv + 2);
    return perror(argv[2]), 1;
}
