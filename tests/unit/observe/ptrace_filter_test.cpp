// The filter as the kernel runs it: an interpreter of the few instructions that it is made of, and real
// numbers of both tables.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <vector>

extern "C" {
#include "observe/ptrace_agent/filter.h"
}

namespace {

enum Answer : unsigned {
    goes_on = SECCOMP_RET_ALLOW,
    stops = SECCOMP_RET_TRACE | FILTER_MARK,
    enosys = SECCOMP_RET_ERRNO | ENOSYS
};

unsigned run(const std::vector<sock_filter>& program, const seccomp_data& data) {
    unsigned accumulator = 0;
    for (std::size_t at = 0; at < program.size(); ++at) {
        const sock_filter& now = program[at];
        switch (now.code) {
            case BPF_LD | BPF_W | BPF_ABS:
                std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + now.k, sizeof accumulator);
                break;
            case BPF_JMP | BPF_JA:
                at += now.k;
                break;
            case BPF_JMP | BPF_JEQ | BPF_K:
                at += accumulator == now.k ? now.jt : now.jf;
                break;
            case BPF_JMP | BPF_JGT | BPF_K:
                at += accumulator > now.k ? now.jt : now.jf;
                break;
            case BPF_JMP | BPF_JSET | BPF_K:
                at += accumulator & now.k ? now.jt : now.jf;
                break;
            case BPF_RET | BPF_K:
                return now.k;
            default:
                throw std::logic_error("an instruction that the filter did not have before");
        }
    }
    throw std::logic_error("it runs past its end");
}

std::vector<sock_filter> built() {
    std::vector<sock_filter> program(FILTER_ROOM);
    program.resize(filter_build(program.data()));
    return program;
}

unsigned ask(unsigned arch, int number, std::vector<unsigned long long> args) {
    static const std::vector<sock_filter> program = built();
    seccomp_data data{};
    data.arch = arch;
    data.nr = number;
    for (std::size_t i = 0; i < args.size(); ++i) data.args[i] = args[i];
    return run(program, data);
}

unsigned native(long number, std::vector<unsigned long long> args = {}) {
    return ask(AUDIT_ARCH_X86_64, static_cast<int>(number), std::move(args));
}

unsigned i386(int number, std::vector<unsigned long long> args = {}) {
    return ask(AUDIT_ARCH_I386, number, std::move(args));
}

TEST(PtraceFilter, OpensStopOnlyIfTheirFlagsCanWrite) {
    for (const unsigned long long flags :
         {O_RDONLY, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, O_PATH, O_PATH | O_RDWR}) {
        EXPECT_EQ(native(SYS_open, {0, flags}), goes_on) << flags;
        EXPECT_EQ(native(SYS_openat, {0, 0, flags}), goes_on) << flags;
        EXPECT_EQ(i386(5, {0, flags}), goes_on) << flags;
        EXPECT_EQ(i386(295, {0, 0, flags}), goes_on) << flags;
    }
    for (const unsigned long long flags :
         {O_WRONLY, O_RDWR, O_RDONLY | O_CREAT, O_RDONLY | O_TRUNC, O_TMPFILE | O_RDWR, O_ACCMODE}) {
        EXPECT_EQ(native(SYS_open, {0, flags}), stops) << flags;
        EXPECT_EQ(native(SYS_openat, {0, 0, flags}), stops) << flags;
        EXPECT_EQ(i386(5, {0, flags}), stops) << flags;
        EXPECT_EQ(i386(295, {0, 0, flags}), stops) << flags;
    }
    EXPECT_EQ(native(SYS_open, {O_RDWR, O_RDONLY}), goes_on) << "the flags are not where the path is";
    EXPECT_EQ(native(SYS_openat2), stops) << "its flags are behind a pointer";
    EXPECT_EQ(native(SYS_creat), stops);
}

TEST(PtraceFilter, AccessStopsOnlyIfItAsksForWriting) {
    EXPECT_EQ(native(SYS_access, {0, R_OK | X_OK}), goes_on);
    EXPECT_EQ(native(SYS_access, {0, W_OK}), stops);
    EXPECT_EQ(native(SYS_faccessat, {0, 0, R_OK}), goes_on);
    EXPECT_EQ(native(SYS_faccessat2, {0, 0, R_OK | W_OK}), stops);
    EXPECT_EQ(i386(33, {0, F_OK}), goes_on);
    EXPECT_EQ(i386(33, {0, W_OK}), stops);
}

TEST(PtraceFilter, OfAllIoctlsOnlyTheTwoThatSetAttributesStop) {
    EXPECT_EQ(native(SYS_ioctl, {0, TCGETS}), goes_on);
    EXPECT_EQ(native(SYS_ioctl, {0, FS_IOC_GETFLAGS}), goes_on);
    EXPECT_EQ(native(SYS_ioctl, {0, FS_IOC_SETFLAGS}), stops);
    EXPECT_EQ(native(SYS_ioctl, {0, FS_IOC_FSSETXATTR}), stops);
    EXPECT_EQ(i386(54, {0, 0x40046602}), stops) << "FS_IOC_SETFLAGS of a 32-bit process";
}

TEST(PtraceFilter, EveryCallThatWritesStops) {
    for (const int number : {SYS_mkdir,
                             SYS_mkdirat,
                             SYS_mknod,
                             SYS_mknodat,
                             SYS_symlink,
                             SYS_symlinkat,
                             SYS_link,
                             SYS_linkat,
                             SYS_unlink,
                             SYS_unlinkat,
                             SYS_rmdir,
                             SYS_rename,
                             SYS_renameat,
                             SYS_renameat2,
                             SYS_chmod,
                             SYS_fchmod,
                             SYS_fchmodat,
                             SYS_chown,
                             SYS_lchown,
                             SYS_fchown,
                             SYS_fchownat,
                             SYS_utime,
                             SYS_utimes,
                             SYS_futimesat,
                             SYS_utimensat,
                             SYS_truncate,
                             SYS_setxattr,
                             SYS_lsetxattr,
                             SYS_fsetxattr,
                             SYS_removexattr,
                             SYS_lremovexattr,
                             SYS_fremovexattr,
                             SYS_bind,
                             452,
                             463,
                             466,
                             469})
        EXPECT_EQ(native(number), stops) << number;
    for (const int number : {8,   9,   10,  14,  15,  16,  30,  38,  39,  40,  83,  92,  94,  95,
                             102, 182, 193, 198, 207, 212, 226, 227, 228, 235, 236, 237, 271, 296,
                             297, 298, 299, 301, 302, 303, 304, 306, 320, 353, 361, 412, 437, 452})
        EXPECT_EQ(i386(number), stops) << number;
}

TEST(PtraceFilter, ReadsRunAtFullSpeed) {
    for (const int number :
         {SYS_read, SYS_write, SYS_close, SYS_stat, SYS_fstat, SYS_lseek, SYS_mmap, SYS_ftruncate,
          SYS_getxattr, SYS_readlink, SYS_connect, SYS_futex, SYS_execve, SYS_clone, SYS_exit})
        EXPECT_EQ(native(number), goes_on) << number;
    for (const int number : {1, 3, 4, 6, 11, 120}) EXPECT_EQ(i386(number), goes_on) << number;
}

TEST(PtraceFilter, TheEndIsAnnounced) {
    EXPECT_EQ(native(SYS_exit_group), stops);
    EXPECT_EQ(i386(252), stops);
}

TEST(PtraceFilter, WhatCouldNotBeSeenIsRefused) {
    EXPECT_EQ(native(SYS_io_uring_setup), stops) << "the tracer refuses it";
    EXPECT_EQ(i386(425), stops);
    EXPECT_EQ(native(0x40000000 | SYS_open, {0, O_RDWR}), enosys) << "x32";
}

TEST(PtraceFilter, WhatGetsOutOfSightStops) {
    EXPECT_EQ(native(SYS_clone, {CLONE_UNTRACED | SIGCHLD}), stops);
    EXPECT_EQ(native(SYS_clone, {CLONE_VM | CLONE_VFORK | SIGCHLD}), goes_on);
    EXPECT_EQ(native(SYS_clone3), stops) << "its flags are behind a pointer";
    EXPECT_EQ(i386(120, {CLONE_UNTRACED}), stops);
    EXPECT_EQ(i386(435), stops);
    constexpr unsigned long long new_filter = SECCOMP_SET_MODE_FILTER;
    EXPECT_EQ(native(SYS_seccomp, {new_filter, SECCOMP_FILTER_FLAG_NEW_LISTENER}), stops);
    EXPECT_EQ(native(SYS_seccomp, {new_filter, SECCOMP_FILTER_FLAG_TSYNC}), goes_on);
    EXPECT_EQ(i386(354, {new_filter, SECCOMP_FILTER_FLAG_NEW_LISTENER}), stops);
    for (const int request : {PTRACE_TRACEME, PTRACE_ATTACH, PTRACE_SEIZE}) {
        EXPECT_EQ(native(SYS_ptrace, {static_cast<unsigned long long>(request)}), stops) << request;
        EXPECT_EQ(i386(26, {static_cast<unsigned long long>(request)}), stops) << request;
    }
    EXPECT_EQ(native(SYS_ptrace, {PTRACE_CONT}), goes_on);
}

TEST(PtraceFilter, CallsThatAreNewerThanWeStop) {
    for (const int number : {NEWEST_CALL + 1, 511, 600}) {
        EXPECT_EQ(native(number), stops) << number;
        EXPECT_EQ(i386(number), stops) << number;
    }
    EXPECT_EQ(native(NEWEST_CALL), goes_on);
}

TEST(PtraceFilter, TheTracerComesToTheSameAnswer) {
    seccomp_data data{};
    data.arch = AUDIT_ARCH_X86_64;
    for (data.nr = 0; data.nr < 600; ++data.nr)
        for (const unsigned long long argument : {0ULL, 1ULL, 2ULL, 0x00800008ULL}) {
            for (auto& each : data.args) each = argument;
            const std::vector<sock_filter> program = built();
            EXPECT_EQ(filter_answer(&data), run(program, data)) << data.nr;
        }
}

TEST(PtraceFilter, TheKernelTakesIt) {
    const std::vector<sock_filter> program = built();
    EXPECT_LT(program.size(), std::size_t{BPF_MAXINSNS});
    EXPECT_LT(program.size(), std::size_t{FILTER_ROOM});
}

}  // namespace
