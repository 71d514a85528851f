#define _GNU_SOURCE
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../agent/calls.h"

#define TMPFILE_BIT 020000000u
#define WRITE_FLAGS (O_ACCMODE | O_CREAT | O_TRUNC | TMPFILE_BIT)
#define SET_FLAGS 0x40086602u    /* FS_IOC_SETFLAGS */
#define SET_FLAGS_32 0x40046602u /* … as a 32-bit process numbers it */
#define SET_XATTR 0x401c5820u    /* FS_IOC_FSSETXATTR */
#define X32_BIT 0x40000000u
#define I386_EXIT_GROUP 252u
#define URING_SETUP 425u /* the same number in both tables */

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
        answer(SECCOMP_RET_TRACE);
        answer(SECCOMP_RET_ALLOW);
    } else if (rule->kind == CALL_ACCESS) {
        unless_equal_skip(number, 4);
        load_argument(rule->flags);
        unless_any_skip(W_OK, 1);
        answer(SECCOMP_RET_TRACE);
        answer(SECCOMP_RET_ALLOW);
    } else if (rule->kind == CALL_IOCTL) {
        unless_equal_skip(number, 8);
        load_argument(1);
        unless_equal_skip(SET_FLAGS, 1);
        answer(SECCOMP_RET_TRACE);
        unless_equal_skip(SET_FLAGS_32, 1);
        answer(SECCOMP_RET_TRACE);
        unless_equal_skip(SET_XATTR, 1);
        answer(SECCOMP_RET_TRACE);
        answer(SECCOMP_RET_ALLOW);
    } else {
        unless_equal_skip(number, 1);
        answer(SECCOMP_RET_TRACE);
    }
}

static int by_argument(const struct call_rule* rule) {
    return (rule->kind == CALL_OPEN && rule->flags >= 0) || rule->kind == CALL_ACCESS ||
           rule->kind == CALL_IOCTL;
}

static void decide_all(const struct call_rule* rules, unsigned int exit_group) {
    /* The ones whose arguments decide come first: they are made most often, and the kernel remembers the
     * answer for numbers that never look at an argument, but not for these (kernel/seccomp.c: the action
     * cache, from 5.11 on). */
    for (int pass = 0; pass < 2; pass++)
        for (unsigned int number = SYSCALLS; number-- > 0;)
            if (rules[number].kind != CALL_NONE && by_argument(&rules[number]) == !pass)
                decide(number, &rules[number]);
    unless_equal_skip(exit_group, 1);
    answer(SECCOMP_RET_TRACE);
    /* What goes through io_uring passes no system call, so it could not be seen; programs fall back to the
     * calls, as they do under Docker's own profile from 25.0 on, which refuses it in the same way. */
    unless_equal_skip(URING_SETUP, 1);
    answer(SECCOMP_RET_ERRNO | EPERM);
    answer(SECCOMP_RET_ALLOW);
}

unsigned short filter_build(struct sock_filter* into) {
    static struct call_rule rules[SYSCALLS], i386_rules[SYSCALLS];
    unsigned short skip_native, end_native;
    fill_rules(rules, i386_rules);
    program = into;
    used = 0;
    load(offsetof(struct seccomp_data, arch));
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
    skip_native = used;
    add((struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA,
                                     0)); /* a conditional jump reaches 255 instructions only */
    load(offsetof(struct seccomp_data, nr));
    unless_any_skip(X32_BIT, 1);
    answer(SECCOMP_RET_ERRNO | ENOSYS); /* x32: in no distribution's kernel */
    decide_all(rules, SYS_exit_group);
    end_native = used;
    program[skip_native].k = (unsigned int)(end_native - skip_native - 1);
    load(offsetof(struct seccomp_data, nr));
    decide_all(i386_rules, I386_EXIT_GROUP);
    return used;
}

int filter_install(void) {
    static struct sock_filter built[FILTER_ROOM];
    const struct sock_fprog whole = {filter_build(built), built};
    if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole)) return 0;
    if (errno != EACCES || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole) ? -1 : 1;
}
