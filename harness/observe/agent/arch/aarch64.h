/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* arm64, and the programs of 32-bit arm (EABI) that run on it. Another architecture has a file of the same shape beside this
 * one. */
#ifndef ROGATE_AGENT_ARCH_H
#define ROGATE_AGENT_ARCH_H

#define COMPAT_NAME "32-bit arm"
/* utimensat(2) of 32-bit arm whose times are of 32 bits. */
#define COMPAT_UTIMENSAT_TIME32 348
/* arch/arm64/include/asm/unistd.h: __ARM_NR_COMPAT_BASE and what follows: cacheflush, set_tls, which change no file. Every
 * program makes them as it starts. */
#define COMPAT_PRIVATE_CALLS 0x0f0000u
#define COMPAT_PRIVATE_CALLS_END 0x0f0800u

#ifdef __bpf__

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
/* arch/arm64/include/asm/ptrace.h: when the call returns, the first register has the result, and orig_x0 what was there. */
struct pt_regs {
    unsigned long long regs[31];
    unsigned long long orig_x0;
    int syscallno;
};
struct thread_info {
    unsigned long flags;
};
#pragma clang attribute pop

#define CALL_NUMBER(regs) ((__u64)(long)(regs)->syscallno)
#define CALL_NUMBER_FIELD syscallno
/* Of a function of the kernel's. */
#define FUNCTION_ARGUMENT_0(regs) ((regs)->regs[0])
#define FUNCTION_ARGUMENT_2(regs) ((regs)->regs[2])
#define FUNCTION_ARGUMENT_3(regs) ((regs)->regs[3])
#define FUNCTION_RESULT(regs) ((regs)->regs[0])
/* arch/arm64/include/asm/thread_info.h: TIF_32BIT. */
#define IS_COMPAT(task) (READ(task, thread_info.flags) & 1UL << 22)
#define ARGUMENT_0(regs, compat) ((compat) ? (__u32)(regs)->orig_x0 : (regs)->orig_x0)
#define ARGUMENT_1(regs, compat) ((compat) ? (__u32)(regs)->regs[1] : (regs)->regs[1])
#define ARGUMENT_2(regs, compat) ((compat) ? (__u32)(regs)->regs[2] : (regs)->regs[2])
#define ARGUMENT_3(regs, compat) ((compat) ? (__u32)(regs)->regs[3] : (regs)->regs[3])
#define ARGUMENT_4(regs, compat) ((compat) ? (__u32)(regs)->regs[4] : (regs)->regs[4])

#else

#include <elf.h>
#include <linux/audit.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "../numbers.h"

#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#define COMPAT_ARCH AUDIT_ARCH_ARM
/* A bit in the number of calls that belong to neither; 0: there is no such thing. */
#define FOREIGN_CALLS 0u

/* include/uapi/asm-generic/unistd.h */
static const struct numbered native_numbers[] = {
    /* clang-format off */
    {5, ROW_SETXATTR}, {6, ROW_LSETXATTR}, {7, ROW_FSETXATTR}, {8, ROW_GETXATTR}, {9, ROW_LGETXATTR},
    {11, ROW_LISTXATTR}, {12, ROW_LLISTXATTR}, {14, ROW_REMOVEXATTR}, {15, ROW_LREMOVEXATTR}, {16, ROW_FREMOVEXATTR},
    {27, ROW_INOTIFY_ADD_WATCH}, {29, ROW_IOCTL}, {33, ROW_MKNODAT}, {34, ROW_MKDIRAT}, {35, ROW_UNLINKAT},
    {36, ROW_SYMLINKAT}, {37, ROW_LINKAT}, {38, ROW_RENAMEAT}, {39, ROW_UMOUNT2}, {40, ROW_MOUNT},
    {41, ROW_PIVOT_ROOT}, {43, ROW_STATFS}, {45, ROW_TRUNCATE}, {48, ROW_FACCESSAT}, {49, ROW_CHDIR},
    {52, ROW_FCHMOD}, {53, ROW_FCHMODAT}, {54, ROW_FCHOWNAT}, {55, ROW_FCHOWN}, {56, ROW_OPENAT}, {60, ROW_QUOTACTL},
    {78, ROW_READLINKAT}, {79, ROW_NEWFSTATAT}, {88, ROW_UTIMENSAT}, {89, ROW_ACCT}, {200, ROW_BIND},
    {203, ROW_CONNECT}, {206, ROW_SENDTO}, {211, ROW_SENDMSG}, {221, ROW_EXECVE}, {222, ROW_MMAP},
    {224, ROW_SWAPON},
    {264, ROW_NAME_TO_HANDLE_AT}, {265, ROW_OPEN_BY_HANDLE_AT}, {269, ROW_SENDMMSG}, {276, ROW_RENAMEAT2},
    {280, ROW_BPF}, {281, ROW_EXECVEAT}, {291, ROW_STATX}, {426, ROW_IO_URING_ENTER}, {429, ROW_MOVE_MOUNT},
    {437, ROW_OPENAT2}, {439, ROW_FACCESSAT2}, {442, ROW_MOUNT_SETATTR}, {443, ROW_QUOTACTL_FD}, {452, ROW_FCHMODAT2},
    {463, ROW_SETXATTRAT}, {466, ROW_REMOVEXATTRAT}, {469, ROW_FILE_SETATTR},
    /* clang-format on */
};
static const struct escaping_calls native_escapes = {
    .exit_group = 94, .clone = 220, .clone3 = 435, .seccomp = 277, .ptrace = 117, .io_uring_setup = 425};

/* arch/arm/tools/syscall.tbl: the same calls, and those that exist twice there (ids of 16 and 32 bits, times of 32 and 64
 * bits, sizes of 64 bits); all of them take what is read here in the same argument as their namesake. */
static const struct numbered compat_numbers[] = {
    /* clang-format off */
    {5, ROW_OPEN}, {8, ROW_CREAT}, {9, ROW_LINK}, {10, ROW_UNLINK}, {11, ROW_EXECVE}, {12, ROW_CHDIR},
    {14, ROW_MKNOD}, {15, ROW_CHMOD}, {16, ROW_LCHOWN}, {21, ROW_MOUNT}, {33, ROW_ACCESS}, {38, ROW_RENAME},
    {39, ROW_MKDIR}, {40, ROW_RMDIR}, {51, ROW_ACCT}, {52, ROW_UMOUNT2}, {54, ROW_IOCTL}, {83, ROW_SYMLINK},
    {85, ROW_READLINK}, {87, ROW_SWAPON}, {92, ROW_TRUNCATE}, {94, ROW_FCHMOD}, {95, ROW_FCHOWN}, {99, ROW_STATFS},
    {106, ROW_STAT}, {107, ROW_LSTAT}, {131, ROW_QUOTACTL}, {182, ROW_CHOWN}, {192, ROW_MMAP}, {193, ROW_TRUNCATE},
    {195, ROW_STAT},
    {196, ROW_LSTAT}, {198, ROW_LCHOWN}, {207, ROW_FCHOWN}, {212, ROW_CHOWN}, {218, ROW_PIVOT_ROOT},
    {226, ROW_SETXATTR}, {227, ROW_LSETXATTR}, {228, ROW_FSETXATTR}, {229, ROW_GETXATTR}, {230, ROW_LGETXATTR},
    {232, ROW_LISTXATTR}, {233, ROW_LLISTXATTR}, {235, ROW_REMOVEXATTR}, {236, ROW_LREMOVEXATTR},
    {237, ROW_FREMOVEXATTR}, {266, ROW_STATFS}, {269, ROW_UTIMES}, {282, ROW_BIND}, {283, ROW_CONNECT},
    {290, ROW_SENDTO}, {296, ROW_SENDMSG}, {317, ROW_INOTIFY_ADD_WATCH}, {322, ROW_OPENAT}, {323, ROW_MKDIRAT},
    {324, ROW_MKNODAT}, {325, ROW_FCHOWNAT}, {326, ROW_FUTIMESAT}, {327, ROW_NEWFSTATAT}, {328, ROW_UNLINKAT},
    {329, ROW_RENAMEAT}, {330, ROW_LINKAT}, {331, ROW_SYMLINKAT}, {332, ROW_READLINKAT}, {333, ROW_FCHMODAT},
    {334, ROW_FACCESSAT}, {348, ROW_UTIMENSAT}, {370, ROW_NAME_TO_HANDLE_AT}, {371, ROW_OPEN_BY_HANDLE_AT},
    {374, ROW_SENDMMSG}, {382, ROW_RENAMEAT2}, {386, ROW_BPF}, {387, ROW_EXECVEAT}, {397, ROW_STATX},
    {412, ROW_UTIMENSAT}, {426, ROW_IO_URING_ENTER}, {429, ROW_MOVE_MOUNT}, {437, ROW_OPENAT2}, {439, ROW_FACCESSAT2},
    {442, ROW_MOUNT_SETATTR}, {443, ROW_QUOTACTL_FD}, {452, ROW_FCHMODAT2}, {463, ROW_SETXATTRAT},
    {466, ROW_REMOVEXATTRAT}, {469, ROW_FILE_SETATTR},
    /* clang-format on */
};
static const struct escaping_calls compat_escapes = {
    .exit_group = 248, .clone = 120, .clone3 = 435, .seccomp = 383, .ptrace = 26, .io_uring_setup = 425};
/* bind(2) and others behind a pointer to their arguments; -1: there is none. */
#define COMPAT_SOCKETCALL (-1)

#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif

static inline bool set_register_0(unsigned int tid, unsigned long value) {
    struct user_regs_struct registers;
    struct iovec all = {&registers, sizeof registers};
    if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &all)) return false;
    /* A 32-bit process has 18 registers of four bytes in its own structure. */
    if (all.iov_len == sizeof registers)
        registers.regs[0] = value;
    else
        memcpy(&registers, &value, sizeof(unsigned int)); /* little endian */
    return !ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &all);
}

/* Of a thread that stands before its call. False: errno says why not. */
static inline bool set_first_argument(unsigned int tid, bool native, unsigned long value) {
    (void)native;
    return set_register_0(tid, value);
}

/* After the call: the register has the result, and a call that is made again gets its first argument from orig_x0. */
static inline void restore_first_argument(unsigned int tid, bool native, unsigned long value) {
    (void)tid;
    (void)native;
    (void)value;
}

/* The call is not made, and answers with that errno. */
static inline void refuse_call(unsigned int tid, int error) {
    int none = -1;
    struct iovec number = {&none, sizeof none};
    ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &number);
    set_register_0(tid, (unsigned long)-(long)error);
}

#endif

#endif
