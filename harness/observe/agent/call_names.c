#include "call_names.h"

#include <stddef.h>
#include <sys/syscall.h>

#define CALL(name) \
    { __NR_##name, #name }
static const struct {
    int number;
    const char* name;
} names[] = {
    /* clang-format off */
    CALL(read), CALL(write), CALL(close), CALL(fstat), CALL(lseek), CALL(mmap), CALL(mprotect), CALL(munmap),
    CALL(brk), CALL(ioctl), CALL(pread64), CALL(pwrite64), CALL(readv), CALL(writev), CALL(mremap), CALL(shmget),
    CALL(shmat), CALL(shmctl), CALL(dup), CALL(nanosleep), CALL(setitimer), CALL(socket), CALL(connect), CALL(accept),
    CALL(sendto), CALL(recvfrom), CALL(sendmsg), CALL(recvmsg), CALL(shutdown), CALL(bind), CALL(listen),
    CALL(socketpair), CALL(setsockopt), CALL(getsockopt), CALL(clone), CALL(execve), CALL(exit), CALL(wait4),
    CALL(kill), CALL(uname), CALL(semget), CALL(semop), CALL(semctl), CALL(msgget), CALL(msgctl), CALL(fcntl),
    CALL(flock), CALL(fsync), CALL(ftruncate), CALL(truncate), CALL(getcwd), CALL(chdir), CALL(fchdir), CALL(fchmod),
    CALL(fchown), CALL(umask), CALL(getrlimit), CALL(ptrace), CALL(syslog), CALL(setuid), CALL(setgid), CALL(setpgid),
    CALL(setsid), CALL(setreuid), CALL(setregid), CALL(getgroups), CALL(setgroups), CALL(setresuid), CALL(setresgid),
    CALL(getresuid), CALL(getresgid), CALL(setfsuid), CALL(setfsgid), CALL(capget), CALL(capset),
    CALL(rt_sigqueueinfo), CALL(sigaltstack), CALL(personality), CALL(statfs), CALL(fstatfs), CALL(sched_setparam),
    CALL(sched_setscheduler), CALL(setpriority), CALL(mlock), CALL(munlock), CALL(mlockall), CALL(vhangup),
    CALL(pivot_root), CALL(prctl), CALL(adjtimex), CALL(setrlimit), CALL(chroot), CALL(sync), CALL(acct),
    CALL(settimeofday), CALL(mount), CALL(umount2), CALL(swapon), CALL(swapoff), CALL(reboot), CALL(sethostname),
    CALL(setdomainname), CALL(init_module), CALL(delete_module), CALL(quotactl), CALL(tkill), CALL(setxattr),
    CALL(lsetxattr), CALL(fsetxattr), CALL(getxattr), CALL(lgetxattr), CALL(fgetxattr), CALL(listxattr),
    CALL(llistxattr), CALL(flistxattr), CALL(removexattr), CALL(lremovexattr), CALL(fremovexattr), CALL(futex),
    CALL(sched_setaffinity), CALL(epoll_ctl), CALL(clock_settime), CALL(tgkill), CALL(mq_open), CALL(mq_unlink),
    CALL(add_key), CALL(request_key), CALL(keyctl), CALL(ioprio_set), CALL(inotify_add_watch), CALL(openat),
    CALL(mkdirat), CALL(mknodat), CALL(fchownat), CALL(newfstatat), CALL(unlinkat), CALL(renameat), CALL(linkat),
    CALL(symlinkat), CALL(readlinkat), CALL(fchmodat), CALL(faccessat), CALL(unshare), CALL(utimensat),
    CALL(fallocate), CALL(accept4), CALL(epoll_create1), CALL(preadv), CALL(pwritev), CALL(rt_tgsigqueueinfo),
    CALL(perf_event_open), CALL(fanotify_init), CALL(fanotify_mark), CALL(prlimit64), CALL(name_to_handle_at),
    CALL(open_by_handle_at), CALL(clock_adjtime), CALL(setns), CALL(process_vm_readv), CALL(process_vm_writev),
    CALL(kcmp), CALL(finit_module), CALL(sched_setattr), CALL(renameat2), CALL(seccomp), CALL(memfd_create),
    CALL(kexec_file_load), CALL(bpf), CALL(execveat), CALL(userfaultfd), CALL(mlock2), CALL(statx), CALL(sendfile),
    CALL(splice), CALL(copy_file_range), CALL(pidfd_send_signal), CALL(io_uring_setup), CALL(io_uring_enter),
    CALL(io_uring_register), CALL(open_tree), CALL(move_mount), CALL(fsopen), CALL(fsconfig), CALL(fsmount),
    CALL(pidfd_open), CALL(clone3), CALL(openat2), CALL(pidfd_getfd), CALL(faccessat2), CALL(process_madvise),
    CALL(mount_setattr), CALL(quotactl_fd), CALL(landlock_restrict_self), CALL(sendmmsg), CALL(recvmmsg),
    CALL(exit_group), CALL(waitid), CALL(getdents64), CALL(sched_yield), CALL(madvise),
#ifdef __x86_64__ /* newer architectures have the forms of these that take a directory, or more */
    CALL(open), CALL(stat), CALL(lstat), CALL(access), CALL(pipe), CALL(select), CALL(dup2), CALL(fork), CALL(vfork),
    CALL(getdents), CALL(rename), CALL(mkdir), CALL(rmdir), CALL(creat), CALL(link), CALL(unlink), CALL(symlink),
    CALL(readlink), CALL(chmod), CALL(chown), CALL(lchown), CALL(utime), CALL(mknod), CALL(arch_prctl), CALL(iopl),
    CALL(ioperm), CALL(utimes), CALL(futimesat),
#endif
    /* clang-format on */
};

const char* name_of_call(int number) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number) return names[i].name;
    return NULL;
}
