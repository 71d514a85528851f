/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* x86-64, and the i386 programs that run on it. Another architecture has a file of the same shape beside this one. */
#ifndef ROGATE_AGENT_ARCH_H
#define ROGATE_AGENT_ARCH_H

#define COMPAT_NAME "i386"
/* utimensat(2) of i386 whose times are of 32 bits. */
#define COMPAT_UTIMENSAT_TIME32 320
/* Calls of i386 from here on are the architecture's own, and change no file: it has none. */
#define COMPAT_PRIVATE_CALLS 0xffffffffu
#define COMPAT_PRIVATE_CALLS_END 0xffffffffu

#ifdef __bpf__

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
/* The arguments are still there when the call returns. */
struct pt_regs {
    unsigned long r10, r8, dx, si, di, orig_ax;
    unsigned long bp, bx, cx; /* i386: bx cx dx si di bp */
    unsigned long ax;
};
struct thread_info {
    unsigned int status;
};
#pragma clang attribute pop

#define CALL_NUMBER(regs) ((regs)->orig_ax)
#define CALL_NUMBER_FIELD orig_ax
/* Of a function of the kernel's. */
#define FUNCTION_ARGUMENT_0(regs) ((regs)->di)
#define FUNCTION_ARGUMENT_2(regs) ((regs)->dx)
#define FUNCTION_ARGUMENT_3(regs) ((regs)->cx)
#define FUNCTION_RESULT(regs) ((regs)->ax)
/* arch/x86/include/asm/thread_info.h: TS_COMPAT, during a call through the i386 table. */
#define IS_COMPAT(task) (READ(task, thread_info.status) & 2)
#define ARGUMENT_0(regs, compat) ((compat) ? (__u32)(regs)->bx : (regs)->di)
#define ARGUMENT_1(regs, compat) ((compat) ? (__u32)(regs)->cx : (regs)->si)
#define ARGUMENT_2(regs, compat) ((compat) ? (__u32)(regs)->dx : (regs)->dx)
#define ARGUMENT_3(regs, compat) ((compat) ? (__u32)(regs)->si : (regs)->r10)
#define ARGUMENT_4(regs, compat) ((compat) ? (__u32)(regs)->di : (regs)->r8)

#else

#include <errno.h>
#include <linux/audit.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "../numbers.h"

#define NATIVE_ARCH AUDIT_ARCH_X86_64
#define COMPAT_ARCH AUDIT_ARCH_I386
/* A bit in the number of calls of x32, which no distribution's kernel has; 0: there is no such thing. */
#define FOREIGN_CALLS 0x40000000u

/* arch/x86/entry/syscalls/syscall_64.tbl */
static const struct numbered native_numbers[] = {
    /* clang-format off */
    {2, ROW_OPEN}, {4, ROW_STAT}, {6, ROW_LSTAT}, {9, ROW_MMAP}, {16, ROW_IOCTL}, {21, ROW_ACCESS}, {42, ROW_CONNECT},
    {44, ROW_SENDTO}, {46, ROW_SENDMSG}, {49, ROW_BIND}, {59, ROW_EXECVE}, {76, ROW_TRUNCATE}, {80, ROW_CHDIR},
    {82, ROW_RENAME}, {83, ROW_MKDIR}, {84, ROW_RMDIR}, {85, ROW_CREAT}, {86, ROW_LINK}, {87, ROW_UNLINK},
    {88, ROW_SYMLINK}, {89, ROW_READLINK}, {90, ROW_CHMOD}, {91, ROW_FCHMOD}, {92, ROW_CHOWN}, {93, ROW_FCHOWN},
    {94, ROW_LCHOWN}, {132, ROW_UTIME}, {133, ROW_MKNOD}, {137, ROW_STATFS}, {155, ROW_PIVOT_ROOT}, {163, ROW_ACCT},
    {165, ROW_MOUNT}, {166, ROW_UMOUNT2}, {167, ROW_SWAPON}, {179, ROW_QUOTACTL}, {188, ROW_SETXATTR},
    {189, ROW_LSETXATTR}, {190, ROW_FSETXATTR}, {191, ROW_GETXATTR}, {192, ROW_LGETXATTR}, {194, ROW_LISTXATTR},
    {195, ROW_LLISTXATTR}, {197, ROW_REMOVEXATTR}, {198, ROW_LREMOVEXATTR}, {199, ROW_FREMOVEXATTR},
    {235, ROW_UTIMES}, {254, ROW_INOTIFY_ADD_WATCH}, {257, ROW_OPENAT}, {258, ROW_MKDIRAT}, {259, ROW_MKNODAT},
    {260, ROW_FCHOWNAT}, {261, ROW_FUTIMESAT}, {262, ROW_NEWFSTATAT}, {263, ROW_UNLINKAT}, {264, ROW_RENAMEAT},
    {265, ROW_LINKAT}, {266, ROW_SYMLINKAT}, {267, ROW_READLINKAT}, {268, ROW_FCHMODAT}, {269, ROW_FACCESSAT},
    {280, ROW_UTIMENSAT}, {303, ROW_NAME_TO_HANDLE_AT}, {304, ROW_OPEN_BY_HANDLE_AT}, {307, ROW_SENDMMSG},
    {316, ROW_RENAMEAT2}, {321, ROW_BPF}, {322, ROW_EXECVEAT}, {332, ROW_STATX}, {426, ROW_IO_URING_ENTER},
    {429, ROW_MOVE_MOUNT}, {437, ROW_OPENAT2}, {439, ROW_FACCESSAT2}, {442, ROW_MOUNT_SETATTR},
    {443, ROW_QUOTACTL_FD}, {452, ROW_FCHMODAT2}, {463, ROW_SETXATTRAT}, {466, ROW_REMOVEXATTRAT},
    {469, ROW_FILE_SETATTR},
    /* clang-format on */
};
static const struct escaping_calls native_escapes = {
    .exit_group = 231, .clone = 56, .clone3 = 435, .seccomp = 317, .ptrace = 101, .io_uring_setup = 425};

/* arch/x86/entry/syscalls/syscall_32.tbl: the same calls, and those that exist twice there (ids of 16 and 32 bits, times of 32
 * and 64 bits, sizes of 64 bits); all of them take what is read here in the same argument as their namesake. */
static const struct numbered compat_numbers[] = {
    /* clang-format off */
    {5, ROW_OPEN}, {8, ROW_CREAT}, {9, ROW_LINK}, {10, ROW_UNLINK}, {11, ROW_EXECVE}, {12, ROW_CHDIR},
    {14, ROW_MKNOD}, {15, ROW_CHMOD}, {16, ROW_LCHOWN}, {21, ROW_MOUNT}, {22, ROW_UMOUNT2}, {30, ROW_UTIME},
    {33, ROW_ACCESS}, {38, ROW_RENAME}, {39, ROW_MKDIR}, {40, ROW_RMDIR}, {51, ROW_ACCT}, {52, ROW_UMOUNT2},
    {54, ROW_IOCTL}, {83, ROW_SYMLINK}, {85, ROW_READLINK}, {87, ROW_SWAPON}, {92, ROW_TRUNCATE}, {94, ROW_FCHMOD},
    {95, ROW_FCHOWN}, {99, ROW_STATFS}, {106, ROW_STAT}, {107, ROW_LSTAT}, {131, ROW_QUOTACTL}, {182, ROW_CHOWN},
    {192, ROW_MMAP}, {193, ROW_TRUNCATE}, {195, ROW_STAT}, {196, ROW_LSTAT}, {198, ROW_LCHOWN}, {207, ROW_FCHOWN},
    {212, ROW_CHOWN},
    {217, ROW_PIVOT_ROOT}, {226, ROW_SETXATTR}, {227, ROW_LSETXATTR}, {228, ROW_FSETXATTR}, {229, ROW_GETXATTR},
    {230, ROW_LGETXATTR}, {232, ROW_LISTXATTR}, {233, ROW_LLISTXATTR}, {235, ROW_REMOVEXATTR},
    {236, ROW_LREMOVEXATTR}, {237, ROW_FREMOVEXATTR}, {268, ROW_STATFS}, {271, ROW_UTIMES},
    {292, ROW_INOTIFY_ADD_WATCH}, {295, ROW_OPENAT}, {296, ROW_MKDIRAT}, {297, ROW_MKNODAT}, {298, ROW_FCHOWNAT},
    {299, ROW_FUTIMESAT}, {300, ROW_NEWFSTATAT}, {301, ROW_UNLINKAT}, {302, ROW_RENAMEAT}, {303, ROW_LINKAT},
    {304, ROW_SYMLINKAT}, {305, ROW_READLINKAT}, {306, ROW_FCHMODAT}, {307, ROW_FACCESSAT}, {320, ROW_UTIMENSAT},
    {341, ROW_NAME_TO_HANDLE_AT}, {342, ROW_OPEN_BY_HANDLE_AT}, {345, ROW_SENDMMSG}, {353, ROW_RENAMEAT2},
    {357, ROW_BPF}, {358, ROW_EXECVEAT}, {361, ROW_BIND}, {362, ROW_CONNECT}, {369, ROW_SENDTO}, {370, ROW_SENDMSG},
    {383, ROW_STATX}, {412, ROW_UTIMENSAT}, {426, ROW_IO_URING_ENTER}, {429, ROW_MOVE_MOUNT}, {437, ROW_OPENAT2},
    {439, ROW_FACCESSAT2}, {442, ROW_MOUNT_SETATTR}, {443, ROW_QUOTACTL_FD}, {452, ROW_FCHMODAT2},
    {463, ROW_SETXATTRAT}, {466, ROW_REMOVEXATTRAT}, {469, ROW_FILE_SETATTR},
    /* clang-format on */
};
static const struct escaping_calls compat_escapes = {
    .exit_group = 252, .clone = 120, .clone3 = 435, .seccomp = 354, .ptrace = 26, .io_uring_setup = 425};
/* bind(2) and others behind a pointer to their arguments; -1: there is none. */
#define COMPAT_SOCKETCALL 102

/* A 64-bit tracer sees the registers of a 32-bit process in the same structure. */
static inline size_t first_register(bool native) {
    return native ? offsetof(struct user_regs_struct, rdi) : offsetof(struct user_regs_struct, rbx);
}

/* Of a thread that stands before its call. False: errno says why not. */
static inline bool set_first_argument(unsigned int tid, bool native, unsigned long value) {
    return !ptrace(PTRACE_POKEUSER, tid, first_register(native), value);
}

/* After the call: the register still has what was put into it. */
static inline void restore_first_argument(unsigned int tid, bool native, unsigned long value) {
    ptrace(PTRACE_POKEUSER, tid, first_register(native), value);
}

/* The call is not made, and answers with that errno. */
static inline void refuse_call(unsigned int tid, int error) {
    ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, orig_rax), -1L);
    ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, rax), -(long)error);
}

#endif

#endif
