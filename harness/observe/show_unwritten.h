/* Which files of a run's layers are still as they are below, for rogate to read (campaign/unwritten.cpp).
   Words come in pairs: the file below, and what was copied up from it when it was opened for writing. "same
   N" says that the pair N (from 0) has the same bytes, size, modification time to the nanosecond, mode and
   owner. The last line is "end".

   The kernel sets the time at the first write, also one through a shared mapping (file_update_time), and
   keeps that of the file below when it copies up (fs/overlayfs/copy_up.c: ovl_set_timestamps). */
#ifndef ROGATE_SHOW_UNWRITTEN_H
#define ROGATE_SHOW_UNWRITTEN_H

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of all files together; what is beyond counts as written. */
#define ROGATE_COMPARED_BYTES (1ull << 30)

/* What the subject has put into a layer must not lead out of it. */
static inline int open_to_compare(const char* path, struct stat* state) {
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                           .resolve = RESOLVE_NO_SYMLINKS};
    const int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    if (fd >= 0 && !fstat(fd, state) && S_ISREG(state->st_mode)) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

static inline bool same_state(const struct stat* one, const struct stat* other) {
    return one->st_size == other->st_size && one->st_mode == other->st_mode && one->st_uid == other->st_uid &&
           one->st_gid == other->st_gid && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
           one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

static inline bool same_bytes(int one, int other, uint64_t size) {
    static char here[1 << 16], there[1 << 16];
    uint64_t at = 0;
    while (at < size) {
        const size_t wanted = size - at < sizeof here ? (size_t)(size - at) : sizeof here;
        const ssize_t n = pread(one, here, wanted, (off_t)at);
        if (n <= 0 || pread(other, there, (size_t)n, (off_t)at) != n || memcmp(here, there, (size_t)n))
            return false;
        at += (uint64_t)n;
    }
    return true;
}

static inline int show_unwritten(int count, char** paths) {
    uint64_t left = ROGATE_COMPARED_BYTES;
    for (int i = 0; i + 1 < count; i += 2) {
        struct stat below, copied;
        const int one = open_to_compare(paths[i], &below), other = open_to_compare(paths[i + 1], &copied);
        if (one >= 0 && other >= 0 && same_state(&below, &copied) && (uint64_t)below.st_size <= left) {
            left -= (uint64_t)below.st_size;
            if (same_bytes(one, other, (uint64_t)below.st_size)) printf("same %d\n", i / 2);
        }
        if (one >= 0) close(one);
        if (other >= 0) close(other);
    }
    return puts("end") < 0 || fflush(stdout) != 0;
}

#endif
