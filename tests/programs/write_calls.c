/* Makes every call that can change a file system once, and says what it was answered: an observer has to see
 * the same.
 *
 *   write_calls setup DIR   makes what the calls need (run it where DIR is writable)
 *   write_calls run DIR     DIR is absolute and free of symlinks; one line per call: "SYSCALL ERRNO|ok PATH"
 *   write_calls thread DIR  the same, made by a thread while the first one waits
 *   write_calls orphan DIR  the same, made by a process whose parent has ended
 *   write_calls brief DIR   a hundred processes, one after another, that make one call each and end at once
 *   write_calls file FILE   what can be done to one file, which may be a mount of its own, and to its name
 *
 * A call that names two places (rename) has a line for each. The system calls are made directly, since the C
 * library chooses others for some (open is openat, faccessat is faccessat2). Calls that only look like writes
 * are made too and have no line: opening for reading, access(R_OK), a change to a memfd, a socket with an
 * abstract address. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_removexattrat 466
#endif
#ifndef SYS_file_setattr
#define SYS_file_setattr 469
#endif

/* arm64 has none of the calls that another one with a directory has replaced: they are left out there, and a path is opened by
 * openat. */
#ifdef SYS_open
#define OPEN_PATH(path, ...) OPEN(open, path, __VA_ARGS__)
#define MAKE_DIRECTORY(path, ...) CALL(mkdir, path, __VA_ARGS__)
#define READABLE(file) syscall(SYS_access, file, R_OK)
#else
#define OPEN_PATH(path, ...) OPEN(openat, path, AT_FDCWD, __VA_ARGS__)
#define MAKE_DIRECTORY(path, ...) CALL(mkdirat, path, AT_FDCWD, __VA_ARGS__)
#define READABLE(file) syscall(SYS_faccessat, AT_FDCWD, file, R_OK)
enum {
    SYS_creat = -1,
    SYS_mknod = -1,
    SYS_symlink = -1,
    SYS_link = -1,
    SYS_rename = -1,
    SYS_chmod = -1,
    SYS_chown = -1,
    SYS_lchown = -1,
    SYS_utime = -1,
    SYS_utimes = -1,
    SYS_futimesat = -1,
    SYS_access = -1,
    SYS_unlink = -1,
    SYS_rmdir = -1
};
#endif

static const char* directory;
static int directory_fd;

/* Some results of it may be in use at once. */
static const char* in_dir(const char* name) {
    static char paths[64][4200];
    static unsigned int next;
    char* path = paths[next++ % 64];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void say(const char* call, int error, const char* path) {
    printf("%s %s %s\n", call, error ? strerrorname_np(error) : "ok", path);
}

static long said(const char* call, long result, const char* path) {
    say(call, result < 0 ? errno : 0, path);
    return result;
}

static void opened(const char* call, long result, const char* path) {
    if (said(call, result, path) >= 0) close((int)result);
}

/* CALL(name, path for the line, arguments…): the name is both the system call's and the line's. */
#define CALL(name, path, ...)                                                     \
    do {                                                                          \
        if (SYS_##name >= 0) said(#name, syscall(SYS_##name, __VA_ARGS__), path); \
    } while (0)
#define OPEN(name, path, ...)                                                       \
    do {                                                                            \
        if (SYS_##name >= 0) opened(#name, syscall(SYS_##name, __VA_ARGS__), path); \
    } while (0)
#define CALL2(name, from, to, ...)                                     \
    do {                                                               \
        if (SYS_##name < 0) break;                                     \
        int error_ = syscall(SYS_##name, __VA_ARGS__) < 0 ? errno : 0; \
        say(#name, error_, from);                                      \
        say(#name, error_, to);                                        \
    } while (0)

static void set_up(void) {
    mkdir(directory, 0777);
    close(open(in_dir("file"), O_CREAT | O_RDWR, 0644));
    mkdir(in_dir("sub"), 0777);
    mkdir(in_dir("empty"), 0777);
    close(open(in_dir("sub/file"), O_CREAT | O_RDWR, 0644));
    if (symlink("file", in_dir("link")) || mkfifo(in_dir("fifo"), 0644)) perror("write_calls: setup");
}

static void open_calls(void) {
    struct open_how create = {.flags = O_CREAT | O_RDWR, .mode = 0644};
    const char* file = in_dir("file");
    OPEN_PATH(file, file, O_WRONLY);
    OPEN_PATH(file, file, O_RDWR | O_APPEND);
    OPEN_PATH(in_dir("made by open"), in_dir("made by open"), O_CREAT | O_WRONLY, 0644);
    OPEN_PATH(file, file, O_CREAT | O_WRONLY, 0644);
    OPEN_PATH(file, file, O_RDONLY | O_TRUNC);
    OPEN_PATH(file, file, O_CREAT | O_RDONLY, 0644); /* succeeds even where nothing can be written */
    OPEN_PATH(file, file, O_CREAT | O_EXCL | O_WRONLY, 0644);
    OPEN_PATH(in_dir("missing/file"), in_dir("missing/file"), O_CREAT | O_WRONLY, 0644);
    OPEN_PATH(file, in_dir("link"), O_WRONLY);
    OPEN_PATH(directory, directory, O_TMPFILE | O_RDWR, 0600);
    OPEN_PATH(in_dir("fifo"), in_dir("fifo"), O_RDWR | O_NONBLOCK);
    OPEN(creat, in_dir("made by creat"), in_dir("made by creat"), 0644);
    OPEN(openat, in_dir("made by openat"), directory_fd, "made by openat", O_CREAT | O_RDWR, 0644);
    OPEN(openat2, in_dir("made by openat2"), directory_fd, "made by openat2", &create, sizeof create);
    close((int)syscall(SYS_openat, AT_FDCWD, file, O_RDONLY));
    close((int)syscall(SYS_openat, AT_FDCWD, file, O_PATH | O_RDWR));
}

static void name_calls(void) {
    MAKE_DIRECTORY(in_dir("dir"), in_dir("dir"), 0755);
    MAKE_DIRECTORY(in_dir("sub"), in_dir("sub"), 0755);
    CALL(mkdirat, in_dir("sub/dir"), directory_fd, "sub/dir", 0755);
    CALL(mknod, in_dir("node"), in_dir("node"), S_IFIFO | 0644, 0);
    CALL(mknodat, in_dir("node at"), directory_fd, "node at", S_IFREG | 0644, 0);
    CALL(symlink, in_dir("soft"), "nowhere", in_dir("soft"));
    CALL(symlinkat, in_dir("soft at"), "nowhere", directory_fd, "soft at");
    CALL(link, in_dir("hard"), in_dir("file"), in_dir("hard"));
    CALL(linkat, in_dir("hard at"), directory_fd, "file", directory_fd, "hard at", 0);
    CALL2(rename, in_dir("file"), in_dir("renamed"), in_dir("file"), in_dir("renamed"));
    CALL2(renameat, in_dir("renamed"), in_dir("file"), directory_fd, "renamed", directory_fd, "file");
    CALL2(renameat2, in_dir("file"), in_dir("sub/file"), directory_fd, "file", directory_fd, "sub/file",
          RENAME_EXCHANGE);
    CALL2(rename, in_dir("missing"), in_dir("elsewhere"), in_dir("missing"), in_dir("elsewhere"));
}

static void metadata_calls(void) {
    struct xattr_args {
        uint64_t value;
        uint32_t size, flags;
    } value = {(uintptr_t) "1", 1, 0};
    const char *file = in_dir("file"), *link = in_dir("link");
    unsigned int self = getuid(), group = getgid();
    char attributes[24] = {0};
    CALL(chmod, file, file, 0644);
    CALL(chmod, file, file, 0640);
    CALL(fchmodat, file, directory_fd, "file", 0640);
    CALL(fchmodat2, link, directory_fd, "link", 0777, AT_SYMLINK_NOFOLLOW);
    CALL(chown, file, file, self, group);
    CALL(chown, file, file, self, group + 1);
    CALL(lchown, link, link, -1, -1);
    CALL(fchownat, link, directory_fd, "link", self, group, AT_SYMLINK_NOFOLLOW);
    CALL(utime, file, file, NULL);
    CALL(utimes, file, file, NULL);
    CALL(futimesat, file, directory_fd, "file", NULL);
    CALL(utimensat, link, directory_fd, "link", NULL, AT_SYMLINK_NOFOLLOW);
    CALL(truncate, file, file, 0);
    CALL(setxattr, file, file, "user.a", "1", 1, 0);
    CALL(lsetxattr, link, link, "trusted.a", "1", 1, 0);
    CALL(setxattrat, file, directory_fd, "file", 0, "user.b", &value, sizeof value);
    CALL(removexattr, file, file, "user.a");
    CALL(lremovexattr, link, link, "trusted.a");
    CALL(removexattrat, file, directory_fd, "file", 0, "user.b");
    CALL(file_setattr, file, directory_fd, "file", attributes, sizeof attributes, 0);
    CALL(access, file, file, W_OK);
    CALL(faccessat, file, directory_fd, "file", R_OK | W_OK);
    CALL(faccessat2, directory, AT_FDCWD, directory, W_OK, 0);
    READABLE(file);
}

static void descriptor_calls(void) {
    const char* file = in_dir("file");
    char through_proc[64];
    struct fsxattr extended;
    int flags = 0, fd = open(file, O_RDONLY), memory = memfd_create("scratch", 0);
    memset(&extended, 0, sizeof extended);
    CALL(fchmod, file, fd, 0600);
    CALL(fchown, file, fd, -1, -1);
    CALL(utimensat, file, fd, NULL, NULL, 0);
    CALL(fsetxattr, file, fd, "user.c", "1", 1, 0);
    CALL(fremovexattr, file, fd, "user.c");
    CALL(fchownat, file, fd, "", -1, -1, AT_EMPTY_PATH);
    ioctl(fd, FS_IOC_GETFLAGS, &flags);
    said("ioctl", ioctl(fd, FS_IOC_SETFLAGS, &flags), file);
    ioctl(fd, FS_IOC_FSGETXATTR, &extended);
    said("ioctl", ioctl(fd, FS_IOC_FSSETXATTR, &extended), file);
    snprintf(through_proc, sizeof through_proc, "/proc/self/fd/%d", fd);
    OPEN(openat, file, AT_FDCWD, through_proc, O_WRONLY);
    fchmod(memory, 0600);
    close(memory);
    close(fd);
}

static void bind_calls(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int named = socket(AF_UNIX, SOCK_STREAM, 0), abstract = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t size = offsetof(struct sockaddr_un, sun_path) + 9;
    memcpy(address.sun_path, "\0abstract", 9);
    if (bind(abstract, (struct sockaddr*)&address, size)) perror("write_calls: abstract socket");
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s/socket", directory);
    CALL(bind, in_dir("socket"), named, &address, sizeof address);
    close(named);
    close(abstract);
}

static void in_child(void (*calls)(void)) {
    pid_t child;
    fflush(stdout);
    child = fork();
    if (!child) {
        calls();
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void working_directory_calls(void) {
    if (chdir(directory)) return perror("write_calls: chdir");
    MAKE_DIRECTORY(in_dir("relative"), "relative", 0755);
    OPEN(openat, in_dir("dotted"), AT_FDCWD, "./sub/../dotted", O_CREAT | O_RDWR, 0644);
}

static void changed_root_calls(void) {
    if (chroot(directory) || chdir("/")) return perror("write_calls: chroot");
    MAKE_DIRECTORY(in_dir("in chroot"), "/in chroot", 0755);
    OPEN_PATH(in_dir("sub/file"), "/sub/file", O_WRONLY);
}

static void symlinked_directory_calls(void) {
    char link[64], below[80];
    snprintf(link, sizeof link, "/dev/shm/write_calls.%d", getpid());
    if (symlink(directory, link)) return perror("write_calls: symlink");
    snprintf(below, sizeof below, "%s/through link", link);
    MAKE_DIRECTORY(in_dir("through link"), below, 0755);
    snprintf(below, sizeof below, "%s/file", link);
    OPEN_PATH(in_dir("file"), below, O_WRONLY);
    /* The link stays: an observer may look at it a moment later. */
}

/* ---- io_uring
 * ---------------------------------------------------------------------------------------------------- */

struct uring {
    int fd;
    struct io_uring_params layout;
    char* ring;
    struct io_uring_sqe* entries;
};

static int uring_open(struct uring* uring) {
    size_t submissions, completions;
    memset(uring, 0, sizeof *uring);
    if (getenv("WITHOUT_IO_URING")) return -1; /* the ptrace observer doubts whoever asks for it */
    uring->fd = (int)syscall(SYS_io_uring_setup, 4, &uring->layout);
    if (uring->fd < 0) return -1;
    submissions = uring->layout.sq_off.array + uring->layout.sq_entries * sizeof(unsigned int);
    completions = uring->layout.cq_off.cqes + uring->layout.cq_entries * sizeof(struct io_uring_cqe);
    uring->ring = mmap(NULL, submissions > completions ? submissions : completions, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_POPULATE, uring->fd, IORING_OFF_SQ_RING);
    uring->entries = mmap(NULL, uring->layout.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_POPULATE, uring->fd, IORING_OFF_SQES);
    return uring->ring == MAP_FAILED || uring->entries == MAP_FAILED ? -1 : 0;
}

static void uring_put(struct uring* uring, const struct io_uring_sqe* entry) {
    unsigned int* tail = (void*)(uring->ring + uring->layout.sq_off.tail);
    unsigned int* array = (void*)(uring->ring + uring->layout.sq_off.array);
    unsigned int slot = *tail & (uring->layout.sq_entries - 1);
    uring->entries[slot] = *entry;
    array[slot] = slot;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
}

/* Submits what was put there, and waits for it: the results by user_data. */
static void uring_do(struct uring* uring, unsigned int count, int* results) {
    unsigned int* head = (void*)(uring->ring + uring->layout.cq_off.head);
    struct io_uring_cqe* all = (void*)(uring->ring + uring->layout.cq_off.cqes);
    if (syscall(SYS_io_uring_enter, uring->fd, count, count, IORING_ENTER_GETEVENTS, NULL, 0) < 0) {
        perror("write_calls: io_uring_enter");
        exit(1);
    }
    for (unsigned int i = 0; i < count; i++) {
        const struct io_uring_cqe* done = &all[*head & (uring->layout.cq_entries - 1)];
        results[done->user_data] = done->res;
        __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
    }
}

/* In one submission, with something that is no write between them. */
static void uring_batch(struct uring* uring) {
    const struct io_uring_sqe batch[] = {
        {.opcode = IORING_OP_OPENAT, .addr = (uintptr_t) "file", .open_flags = O_WRONLY},
        {.opcode = IORING_OP_NOP},
        {.opcode = IORING_OP_UNLINKAT, .addr = (uintptr_t) "missing"},
        {.opcode = IORING_OP_OPENAT, .addr = (uintptr_t) "batched", .open_flags = O_CREAT | O_RDWR, .len = 0644}};
    int results[4];
    for (unsigned int i = 0; i < 4; i++) {
        struct io_uring_sqe entry = batch[i];
        entry.user_data = i;
        if (entry.addr) entry.fd = directory_fd;
        uring_put(uring, &entry);
    }
    uring_do(uring, 4, results);
    opened("io_uring:openat", (errno = -results[0], results[0]), in_dir("file"));
    said("io_uring:unlinkat", (errno = -results[2], results[2]), in_dir("missing"));
    opened("io_uring:openat", (errno = -results[3], results[3]), in_dir("batched"));
}

static void uring_call(struct uring* uring, const char* call, struct io_uring_sqe entry, const char* name,
                       const char* second) {
    int result;
    entry.fd = directory_fd;
    entry.addr = (uintptr_t)name;
    if (second) entry.addr2 = (uintptr_t)second;
    uring_put(uring, &entry);
    uring_do(uring, 1, &result);
    /* symlinkat's first text is what the link holds. */
    if (entry.opcode != IORING_OP_SYMLINKAT && entry.opcode != IORING_OP_LINKAT)
        say(call, result < 0 ? -result : 0, in_dir(name));
    if (second) say(call, result < 0 ? -result : 0, in_dir(second));
    if (result > 2) close(result);
}

static void uring_calls(void) {
    struct uring uring;
    if (uring_open(&uring)) return perror("write_calls: no io_uring");
#define URING(name, call, path, second, ...) \
    uring_call(&uring, "io_uring:" call, (struct io_uring_sqe){.opcode = IORING_OP_##name, __VA_ARGS__}, path, second)
    URING(OPENAT, "openat", "file", NULL, .open_flags = O_WRONLY);
    URING(OPENAT, "openat", "made by uring", NULL, .open_flags = O_CREAT | O_WRONLY, .len = 0644);
    URING(OPENAT, "openat", "made by uring worker", NULL, .open_flags = O_CREAT | O_WRONLY, .len = 0644,
          .flags = IOSQE_ASYNC);
    URING(MKDIRAT, "mkdirat", "made by mkdirat", NULL, .len = 0755);
    URING(SYMLINKAT, "symlinkat", "nowhere", "uring soft");
    URING(LINKAT, "linkat", "file", "uring hard", .len = (unsigned int)directory_fd);
    URING(RENAMEAT, "renameat", "file", "uring renamed", .len = (unsigned int)directory_fd);
    URING(RENAMEAT, "renameat", "uring renamed", "file", .len = (unsigned int)directory_fd);
    URING(UNLINKAT, "unlinkat", "made by mkdirat", NULL, .unlink_flags = AT_REMOVEDIR);
#undef URING
    uring_batch(&uring);
    close(uring.fd);
}

static void removal_calls(void) {
    CALL(unlink, in_dir("missing"), in_dir("missing"));
    CALL(unlink, in_dir("sub/file"), in_dir("sub/file"));
    CALL(unlinkat, in_dir("link"), directory_fd, "link", 0);
    CALL(unlinkat, in_dir("empty"), directory_fd, "empty", AT_REMOVEDIR);
    CALL(rmdir, in_dir("missing"), in_dir("missing"));
    CALL(rmdir, in_dir("sub"), in_dir("sub"));
    CALL(unlink, in_dir("file"), in_dir("file"));
}

static void all_calls(void) {
    open_calls();
    name_calls();
    metadata_calls();
    descriptor_calls();
    bind_calls();
    in_child(working_directory_calls);
    in_child(changed_root_calls);
    in_child(symlinked_directory_calls);
    uring_calls();
    removal_calls();
}

/* On a file that is a mount of its own: what changes it is that mount's business, what changes its name that
 * of the mount which holds the directory. */
static void file_calls(const char* file) {
    char beside[4200];
    int fd = open(file, O_RDONLY);
    snprintf(beside, sizeof beside, "%s.beside", file);
    OPEN_PATH(file, file, O_WRONLY);
    OPEN_PATH(file, file, O_RDONLY | O_TRUNC);
    OPEN_PATH(file, file, O_CREAT | O_RDONLY, 0644);
    OPEN(openat, file, AT_FDCWD, file, O_CREAT | O_RDWR, 0644);
    CALL(truncate, file, file, 0);
    CALL(chmod, file, file, 0640);
    CALL(fchmod, file, fd, 0600);
    CALL(chown, file, file, -1, -1);
    CALL(utimensat, file, AT_FDCWD, file, NULL, 0);
    CALL(setxattr, file, file, "user.a", "1", 1, 0);
    CALL(removexattr, file, file, "user.a");
    CALL(access, file, file, W_OK);
    OPEN_PATH(beside, beside, O_CREAT | O_WRONLY, 0644);
    CALL2(rename, beside, file, beside, file);
    CALL2(renameat2, beside, file, AT_FDCWD, beside, AT_FDCWD, file, RENAME_EXCHANGE);
    CALL2(rename, file, beside, file, beside);
    CALL(link, beside, file, beside);
    MAKE_DIRECTORY(file, file, 0755);
    CALL(symlink, file, "nowhere", file);
    CALL(rmdir, file, file);
    CALL(unlink, file, file);
    CALL(unlink, beside, beside);
    close(fd);
}

static void* in_thread(void* unused) {
    all_calls();
    return unused;
}

static void brief_call(void) {
    OPEN_PATH(in_dir("file"), in_dir("file"), O_WRONLY);
}

static int orphan(void) {
    int ends[2];
    char byte;
    if (pipe(ends)) return 1;
    if (!fork()) {
        pid_t parent = getpid();
        if (fork()) _exit(0);
        while (getppid() == parent) usleep(1000);
        close(ends[0]);
        all_calls();
        fflush(stdout);
        _exit(0);
    }
    close(ends[1]);
    return read(ends[0], &byte, 1) ? 1 : 0; /* until the orphan has ended */
}

int main(int argc, char** argv) {
    static const char* modes[] = {"setup", "run", "thread", "orphan", "brief", "file"};
    pthread_t thread;
    unsigned int mode = 0;
    while (mode < 6 && argc == 3 && strcmp(argv[1], modes[mode])) mode++;
    if (argc != 3 || argv[2][0] != '/' || mode == 6) {
        fprintf(stderr, "usage: write_calls setup|run|thread|orphan|brief|file /PATH\n");
        return 2;
    }
    directory = argv[2];
    if (!strcmp(argv[1], "setup")) {
        set_up();
        return 0;
    }
    if (mode == 5) {
        file_calls(directory);
        return 0;
    }
    directory_fd = open(directory, O_RDONLY | O_DIRECTORY);
    if (directory_fd < 0) {
        perror("write_calls");
        return 1;
    }
    switch (mode) {
        case 1:
            all_calls();
            break;
        case 2:
            if (pthread_create(&thread, NULL, in_thread, NULL) || pthread_join(thread, NULL)) return 1;
            break;
        case 3:
            return orphan();
        case 4:
            for (int i = 0; i < 100; i++) in_child(brief_call);
    }
    return 0;
}
