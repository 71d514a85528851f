#define _GNU_SOURCE
/* clang-format off */
#include <sys/ptrace.h> /* before the kernel's, which would take its names away */
#include <linux/ptrace.h>
/* clang-format on */

#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

size_t read_memory(unsigned int tid, unsigned long from, void* to, size_t size) {
    struct iovec here = {to, size}, there = {(void*)from, size};
    ssize_t n = process_vm_readv((int)tid, &here, 1, &there, 1, 0);
    size_t done = 0;
    if (n >= 0) return (size_t)n;
    for (; done < size; done += sizeof(long)) {
        errno = 0;
        const long word = ptrace(PTRACE_PEEKDATA, tid, from + done, 0);
        if (errno) break;
        memcpy((char*)to + done, &word, size - done < sizeof word ? size - done : sizeof word);
    }
    return done < size ? done : size;
}

bool read_text(unsigned int tid, unsigned long from, char* to, size_t size) {
    size_t used = 0;
    while (used < size) {
        size_t piece = 4096 - ((from + used) & 4095), got; /* a page at a time: the next one may not be there */
        if (piece > size - used) piece = size - used;
        got = read_memory(tid, from + used, to + used, piece);
        if (memchr(to + used, 0, got)) return true;
        used += got;
        if (!got) break;
    }
    to[0] = 0;
    return false;
}

void read_names(struct thread* thread) {
    char name[64];
    ssize_t n;
    int fd;
    snprintf(name, sizeof name, "/proc/%u/comm", thread->tid);
    fd = open(name, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, thread->comm, sizeof thread->comm - 1) : 0;
    if (fd >= 0) close(fd);
    thread->comm[n > 0 ? n - 1 : 0] = 0;
    snprintf(name, sizeof name, "/proc/%u/exe", thread->tid);
    n = readlink(name, thread->exe, sizeof thread->exe - 1);
    thread->exe[n > 0 ? n : 0] = 0;
}

void read_status(unsigned int tid, struct frame_attempt* attempt) {
    char name[64], line[256];
    FILE* file;
    attempt->pid = tid;
    snprintf(name, sizeof name, "/proc/%u/status", tid);
    file = fopen(name, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "Tgid: %u", &attempt->pid) == 1 || sscanf(line, "PPid: %u", &attempt->parent) == 1) continue;
        if (sscanf(line, "Uid: %*u %u", &attempt->uid) == 1) break;
    }
    if (file) fclose(file);
}

/* A number of /proc/TID/status; 0 if it has none of that name. */
static unsigned long long status_of(unsigned int tid, const char* name, int base) {
    char path[64], line[256];
    const size_t size = strlen(name);
    unsigned long long value = 0;
    snprintf(path, sizeof path, "/proc/%u/status", tid);
    FILE* file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, name, size) || line[size] != ':') continue;
        value = strtoull(line + size + 1, NULL, base);
        break;
    }
    if (file) fclose(file);
    return value;
}

unsigned int process_of(unsigned int tid) {
    return (unsigned int)status_of(tid, "Tgid", 10);
}

bool has_no_new_privs(unsigned int tid) {
    return status_of(tid, "NoNewPrivs", 10) != 0;
}

bool has_capability(unsigned int tid, int number) {
    return (status_of(tid, "CapEff", 16) >> number & 1) != 0;
}

unsigned int mount_id_of(int fd) {
    char name[64], line[256];
    unsigned int id = 0;
    FILE* file;
    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
    file = fopen(name, "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "mnt_id: %u", &id) == 1) break;
    if (file) fclose(file);
    return id;
}
