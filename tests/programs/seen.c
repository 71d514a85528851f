/* What is hard to see for an observer, one thing at a time:
 *
 *   seen queue DIR            makes four directories through io_uring while the completion queue has no room
 *   seen address DIR          fills the queue with directories that cannot be made, so that the requests' memory is used again
 *   seen link DIR LINK TO     makes a directory through the symlink LINK, and points that to TO at once
 *   seen handle DIR           appends to DIR/file by its file handle, unless DIR is read-only
 *   seen nothing FILE         opens FILE with access mode 3, and sets none of its times
 *   seen detached DIR         makes a file on a mount of DIR that is nowhere in the tree
 *   seen other CALL DIR       asks for accounting (acct), swap (swapon), quotas (quotactl) or a pinned map (pin) in DIR
 *   seen bound DIR            binds a unix socket in DIR by io_uring, unless DIR is read-only
 *   seen asked FILE           connects to the socket FILE by socketcall(2), as 32-bit programs do; x86-64 only */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/quota.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define OPERATION_BIND 56

static const char* in(const char* folder, const char* name) {
    static char paths[8][4200];
    static unsigned int next;
    char* path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void say(const char* what, long result) {
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "ok");
    fflush(stdout);
}

static int is_read_only(const char* path) {
    struct statvfs found;
    return !statvfs(path, &found) && found.f_flag & ST_RDONLY;
}

/* ---- a ring of io_uring, as small as can be ---- */

struct ring {
    int fd;
    char *submissions, *completions;
    struct io_uring_sqe* requests;
    struct io_uring_params is;
};

static int open_ring(struct ring* ring, unsigned int size) {
    memset(ring, 0, sizeof *ring);
    ring->is.flags = IORING_SETUP_CQSIZE;
    ring->is.cq_entries = size;
    ring->fd = (int)syscall(SYS_io_uring_setup, size, &ring->is);
    if (ring->fd < 0) return -1;
    ring->submissions = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
    ring->completions = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_CQ_RING);
    ring->requests =
        mmap(NULL, size * sizeof *ring->requests, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
    return 0;
}

static struct io_uring_sqe* add(struct ring* ring, int operation) {
    unsigned int* tail = (unsigned int*)(ring->submissions + ring->is.sq_off.tail);
    const unsigned int at = *tail % ring->is.sq_entries;
    struct io_uring_sqe* request = &ring->requests[at];
    memset(request, 0, sizeof *request);
    request->opcode = (unsigned char)operation;
    ((unsigned int*)(ring->submissions + ring->is.sq_off.array))[at] = at;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    return request;
}

static void add_mkdir(struct ring* ring, const char* path) {
    struct io_uring_sqe* request = add(ring, IORING_OP_MKDIRAT);
    request->fd = AT_FDCWD;
    request->addr = (unsigned long)path;
    request->len = 0755;
}

static long enter(const struct ring* ring, unsigned int submit, unsigned int wait_for) {
    return syscall(SYS_io_uring_enter, ring->fd, submit, wait_for, IORING_ENTER_GETEVENTS, NULL, 0);
}

/* ---- the things ---- */

static void fill_queue(struct ring* ring, const char* folder, unsigned int size) {
    if (open_ring(ring, size)) {
        say("io_uring_setup", -1);
        exit(1);
    }
    for (unsigned int i = 0; i < size; i++) add_mkdir(ring, folder); /* it is there: EEXIST, read-only or not */
    say("mkdir of what is there", enter(ring, size, size));
}

static void queue(const char* folder) {
    static const char* const names[] = {"one", "two", "three", "four"};
    struct ring ring;
    fill_queue(&ring, folder, 8);
    for (int i = 0; i < 4; i++) add_mkdir(&ring, in(folder, names[i]));
    say("mkdir", enter(&ring, 4, 0));
    sleep(1);
}

/* One after another, so that each finds the queue full and leaves its memory to the next. */
static void address(const char* folder) {
    static const char* const names[] = {"one", "two", "three", "four"};
    struct ring ring;
    fill_queue(&ring, "/proc", 8);
    for (int i = 0; i < 4; i++) {
        add_mkdir(&ring, in(folder, names[i]));
        enter(&ring, 1, 0);
        usleep(200000);
    }
}

static void link_moves(const char* folder, const char* link, const char* to) {
    char next[4200];
    snprintf(next, sizeof next, "%s.next", link);
    if (symlink(folder, link) || symlink(to, next)) say("symlink", -1);
    sleep(1); /* an observer that has nothing to do takes longer to look */
    mkdir(in(link, "new"), 0755);
    if (rename(next, link)) say("rename", -1);
    sleep(1);
}

static void by_handle(const char* folder) {
    struct file_handle* handle = calloc(1, sizeof *handle + MAX_HANDLE_SZ);
    int mount, file;
    handle->handle_bytes = MAX_HANDLE_SZ;
    if (name_to_handle_at(AT_FDCWD, in(folder, "file"), handle, &mount, 0)) {
        say("name_to_handle_at", -1);
        return;
    }
    if (is_read_only(folder)) return;
    mount = open(folder, O_RDONLY | O_DIRECTORY);
    file = open_by_handle_at(mount, handle, O_WRONLY | O_APPEND);
    say("open_by_handle_at", file);
    if (file >= 0) say("write", write(file, "text\n", 5));
}

static void nothing(const char* file) {
    const struct timespec omitted[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
    int fd = open(file, O_ACCMODE);
    say("open with access mode 3", fd);
    say("utimensat", utimensat(AT_FDCWD, file, omitted, 0));
}

static void detached(const char* folder) {
    const int tree = (int)syscall(428 /* open_tree */, AT_FDCWD, folder, 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC);
    say("open_tree", tree);
    if (tree < 0 || is_read_only(folder)) return;
    say("mkdirat", mkdirat(tree, "made", 0755));
}

static void bound(const char* folder) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct io_uring_sqe* request;
    struct ring ring;
    if (is_read_only(folder) || open_ring(&ring, 8)) return;
    snprintf(name.sun_path, sizeof name.sun_path, "%.80s/socket", folder);
    request = add(&ring, OPERATION_BIND);
    request->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    request->addr = (unsigned long)&name;
    request->addr2 = sizeof name;
    enter(&ring, 1, 1);
    errno = -((struct io_uring_cqe*)(ring.completions + ring.is.cq_off.cqes))->res;
    say("bind", errno ? -1 : 0);
}

/* Each changes a file system in a way of its own. Where that succeeds, it is ended at once. */
static void other(const char* call, const char* folder) {
    if (!strcmp(call, "acct")) {
        say("acct", acct(in(folder, "file")));
        acct(NULL);
    } else if (!strcmp(call, "swapon")) {
        say("swapon", swapon(in(folder, "file"), 0));
        swapoff(in(folder, "file"));
    } else if (!strcmp(call, "quotactl")) {
        const int fd = open(folder, O_RDONLY | O_DIRECTORY);
        say("quotactl_fd", syscall(443 /* quotactl_fd */, fd, QCMD(Q_QUOTAON, USRQUOTA), 2, "quota"));
    } else {
        union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
        union bpf_attr pin = {.pathname = (unsigned long)in(folder, "pinned")};
        const long fd = syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map);
        if (fd < 0) say("bpf(BPF_MAP_CREATE)", -1);
        pin.bpf_fd = (unsigned int)fd;
        say("bpf(BPF_OBJ_PIN)", syscall(SYS_bpf, BPF_OBJ_PIN, &pin, sizeof pin));
    }
}

/* ---- a call of a 32-bit program ---- */

static int connect_by_socketcall(const char* path) {
#ifdef __x86_64__
    enum { SOCKETCALL = 102, CONNECT = 3 };
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    /* What its pointers lead to has to be in the lower half. */
    char* low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    unsigned int* arguments = (unsigned int*)(low + 2048);
    long result;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    memcpy(low, &address, sizeof address);
    arguments[0] = (unsigned int)socket(AF_UNIX, SOCK_STREAM, 0);
    arguments[1] = (unsigned int)(unsigned long)low;
    arguments[2] = sizeof address;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(SOCKETCALL), "b"(CONNECT), "c"(arguments)
                     : "memory", "r8", "r9", "r10", "r11");
    printf("connect: %s\n", result < 0 ? strerror((int)-result) : "ok");
    fflush(stdout);
    return result < 0;
#else
    (void)path;
    return 1;
#endif
}

int main(int argc, char** argv) {
    const char* what = argc > 2 ? argv[1] : "";
    if (!strcmp(what, "queue"))
        queue(argv[2]);
    else if (!strcmp(what, "address"))
        address(argv[2]);
    else if (!strcmp(what, "link") && argc == 5)
        link_moves(argv[2], argv[3], argv[4]);
    else if (!strcmp(what, "handle"))
        by_handle(argv[2]);
    else if (!strcmp(what, "nothing"))
        nothing(argv[2]);
    else if (!strcmp(what, "detached"))
        detached(argv[2]);
    else if (!strcmp(what, "other") && argc == 4)
        other(argv[2], argv[3]);
    else if (!strcmp(what, "asked") && argc == 3)
        return connect_by_socketcall(argv[2]);
    else if (!strcmp(what, "bound"))
        bound(argv[2]);
    else
        return 2;
    return 0;
}
