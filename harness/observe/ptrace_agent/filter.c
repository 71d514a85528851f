#define _GNU_SOURCE
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../agent/arch.h"
#include "../agent/calls.h"
#include "../agent/ioctls.h"

#define IOCTL_COUNT (sizeof changing_ioctls / sizeof *changing_ioctls)
_Static_assert(2 + 2 * IOCTL_COUNT < 256, "a conditional jump reaches no further");

static struct sock_filter* program;
static unsigned short used;

static void add(struct sock_filter instruction) {
    program[used++] = instruction;
}
static void load(size_t offset) {
    add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offset));
}
static void load_argument(int n) {
    load(offsetof(struct seccomp_data, args) + 8 * (size_t)n); /* the low half: little endian */
}
static void answer(unsigned int value) {
    add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value));
}
/* With a mark, by which the tracer tells it from what a filter of the subject's own answers. */
static void stop(void) {
    answer(SECCOMP_RET_TRACE | FILTER_MARK);
}
static void unless_equal_skip(unsigned int value, unsigned char skip) {
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip));
}
static void unless_any_skip(unsigned int bits, unsigned char skip) {
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, skip));
}

/* What follows a number that matched; the accumulator holds the number until an argument is loaded, after
 * which an answer must follow. */
static void decide(unsigned int number, const struct call_rule* rule) {
    if (rule->kind == CALL_OPEN && rule->flags >= 0) {
        unless_equal_skip(number, 6);
        load_argument(rule->flags);
        unless_any_skip(O_PATH, 1); /* names a file without opening it, whatever else is asked */
        answer(SECCOMP_RET_ALLOW);
        unless_any_skip(WRITE_FLAGS, 1);
        stop();
        answer(SECCOMP_RET_ALLOW);
    } else if (rule->kind == CALL_ACCESS) {
        unless_equal_skip(number, 4);
        load_argument(rule->flags);
        unless_any_skip(W_OK, 1);
        stop();
        answer(SECCOMP_RET_ALLOW);
    } else if (rule->kind == CALL_IOCTL) {
        unless_equal_skip(number, 2 + 2 * IOCTL_COUNT);
        load_argument(1);
        for (size_t i = 0; i < IOCTL_COUNT; i++) {
            unless_equal_skip(changing_ioctls[i], 1);
            stop();
        }
        answer(SECCOMP_RET_ALLOW);
    } else {
        unless_equal_skip(number, 1);
        stop();
    }
}

static int by_argument(const struct call_rule* rule) {
    return (rule->kind == CALL_OPEN && rule->flags >= 0) || rule->kind == CALL_ACCESS || rule->kind == CALL_IOCTL;
}

static void stop_if_equal(unsigned int number) {
    unless_equal_skip(number, 1);
    stop();
}

static void stop_if_argument_has(unsigned int number, int argument, unsigned int bits) {
    unless_equal_skip(number, 4);
    load_argument(argument);
    unless_any_skip(bits, 1);
    stop();
    answer(SECCOMP_RET_ALLOW);
}

static void decide_others(const struct escaping_calls* calls) {
    stop_if_argument_has(calls->clone, 0, CLONE_UNTRACED);
    stop_if_argument_has(calls->seccomp, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    unless_equal_skip(calls->ptrace, 8);
    load_argument(0);
    stop_if_equal(PTRACE_TRACEME);
    stop_if_equal(PTRACE_ATTACH);
    stop_if_equal(PTRACE_SEIZE);
    answer(SECCOMP_RET_ALLOW);
    stop_if_equal(calls->exit_group);
    stop_if_equal(calls->clone3); /* its flags are behind a pointer */
    /* What goes through io_uring passes no system call, so the tracer refuses it. */
    stop_if_equal(calls->io_uring_setup);
    /* What the architecture has for itself. */
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, COMPAT_PRIVATE_CALLS - 1, 0, 2));
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, COMPAT_PRIVATE_CALLS_END - 1, 1, 0));
    answer(SECCOMP_RET_ALLOW);
    /* What a newer kernel has, and we do not know. */
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NEWEST_CALL, 0, 1));
    stop();
}

static void decide_all(const struct call_rule* rules, const struct escaping_calls* calls) {
    /* The ones whose arguments decide come first: they are made most often, and the kernel remembers the
     * answer for numbers that never look at an argument, but not for these (kernel/seccomp.c: the action
     * cache, from 5.11 on). */
    for (int pass = 0; pass < 2; pass++)
        for (unsigned int number = SYSCALLS; number-- > 0;)
            if (rules[number].kind != CALL_NONE && rules[number].kind < CALL_LOOK &&
                by_argument(&rules[number]) == !pass)
                decide(number, &rules[number]);
    decide_others(calls);
    answer(SECCOMP_RET_ALLOW);
}

unsigned short filter_build(struct sock_filter* into) {
    static struct call_rule rules[SYSCALLS], compat_rules[SYSCALLS];
    unsigned short skip_native, end_native;
    fill_rules(rules, compat_rules);
    program = into;
    used = 0;
    load(offsetof(struct seccomp_data, arch));
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0));
    skip_native = used;
    add((struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0)); /* a conditional jump reaches 255 instructions only */
    load(offsetof(struct seccomp_data, nr));
    unless_any_skip(FOREIGN_CALLS, 1);
    answer(SECCOMP_RET_ERRNO | ENOSYS);
    decide_all(rules, &native_escapes);
    end_native = used;
    program[skip_native].k = (unsigned int)(end_native - skip_native - 1);
    load(offsetof(struct seccomp_data, nr));
    decide_all(compat_rules, &compat_escapes);
    return used;
}

static struct sock_filter built[FILTER_ROOM];
static unsigned short built_size;

static void build_once(void) {
    if (!built_size) built_size = filter_build(built);
}

/* The few instructions that it is made of. */
static unsigned int run(const struct sock_filter* filter, unsigned short size, const struct seccomp_data* data) {
    unsigned int accumulator = 0;
    for (unsigned short at = 0; at < size; at++) {
        const struct sock_filter* now = &filter[at];
        switch (now->code) {
            case BPF_LD | BPF_W | BPF_ABS:
                memcpy(&accumulator, (const char*)data + now->k, sizeof accumulator);
                break;
            case BPF_JMP | BPF_JA:
                at = (unsigned short)(at + now->k);
                break;
            case BPF_JMP | BPF_JEQ | BPF_K:
                at = (unsigned short)(at + (accumulator == now->k ? now->jt : now->jf));
                break;
            case BPF_JMP | BPF_JGT | BPF_K:
                at = (unsigned short)(at + (accumulator > now->k ? now->jt : now->jf));
                break;
            case BPF_JMP | BPF_JSET | BPF_K:
                at = (unsigned short)(at + (accumulator & now->k ? now->jt : now->jf));
                break;
            case BPF_RET | BPF_K:
                return now->k;
            default:
                return SECCOMP_RET_KILL_PROCESS; /* no filter of ours */
        }
    }
    return SECCOMP_RET_KILL_PROCESS;
}

unsigned int filter_answer(const struct seccomp_data* data) {
    build_once();
    return run(built, built_size, data);
}

int filter_install(void) {
    build_once();
    const struct sock_fprog whole = {built_size, built};
    if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole)) return 0;
    if (errno != EACCES || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole) ? -1 : 1;
}
