// Holds a pod's network namespace while its containers come and go, as a cluster's pause container does.
// Given an IPv4 address and a port (by exec), it relays its standard input and output to a connection there
// instead, so that the Engine API reaches what is on the engine's own networks. As `listen` it has a unix socket
// that others are given in place of the engine's, and as `take` (by exec) it relays one connection to that socket
// to its standard input and output. A static binary without a C library: it is the only file of its image.
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

// The fifth argument is 0.
static long call4(long number, long a, long b, long c, long d) {
#ifdef __aarch64__
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = 0;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
#else
    long result = number;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = 0;
    __asm__ volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
    return result;
#endif
}

static long call(long number, long a, long b, long c) {
    return call4(number, a, b, c, 0);
}

static _Noreturn void leave(long code) {
    for (;;) call(SYS_exit_group, code, 0, 0);
}

// Up to `end`; 256 and more: no number.
static unsigned number(const char** text, char end, unsigned most) {
    unsigned value = 0;
    const char* at = *text;
    for (; *at >= '0' && *at <= '9' && value <= most; ++at) value = value * 10 + (unsigned)(*at - '0');
    if (at == *text || *at != end || value > most) leave(2);
    *text = *at == 0 ? at : at + 1;
    return value;
}

static struct sockaddr_in address_of(const char* host, const char* port) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    unsigned char* bytes = (unsigned char*)&address.sin_addr;
    for (int i = 0; i < 4; ++i) bytes[i] = (unsigned char)number(&host, i < 3 ? '.' : 0, 255);
    const unsigned value = number(&port, 0, 65535);
    bytes = (unsigned char*)&address.sin_port;
    bytes[0] = (unsigned char)(value >> 8);
    bytes[1] = (unsigned char)value;
    return address;
}

static void write_all(int to, const char* bytes, long size) {
    while (size > 0) {
        const long wrote = call(SYS_write, to, (long)bytes, size);
        if (wrote == -EINTR) continue;
        if (wrote <= 0) leave(1);
        bytes += wrote;
        size -= wrote;
    }
}

static unsigned long moved;  // in all, in bytes

// False at the end of the stream, which a broken connection is too.
static int move(int from, int to) {
    static char buffer[65536];
    const long size = call(SYS_read, from, (long)buffer, sizeof buffer);
    if (size == -EINTR) return 1;
    if (size <= 0) return 0;
    write_all(to, buffer, size);
    moved += (unsigned long)size;
    return 1;
}

// The first byte tells what became of connecting: 0, or errno. An end of standard input is the caller's end,
// since the engine closes it when the caller has gone; the peer's end is the relay's.
static _Noreturn void relay(const char* host, const char* port) {
    const struct sockaddr_in address = address_of(host, port);
    const int peer = (int)call(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const long failure = peer < 0 ? peer : call(SYS_connect, peer, (long)&address, sizeof address);
    const char told = (char)-failure;
    write_all(1, &told, 1);
    if (failure != 0) leave(1);
    struct pollfd either[2] = {{.fd = 0, .events = POLLIN}, {.fd = peer, .events = POLLIN}};
    for (;;) {
        if (call(SYS_ppoll, (long)either, 2, 0) < 0) continue;
        if (either[1].revents != 0 && !move(peer, 1)) leave(0);
        if (either[0].revents != 0 && !move(0, peer)) leave(0);
    }
}

enum { at_cwd = -100 };

// The compiler calls these two by itself. Volatile, or it would make calls of them out of the loops.
__attribute__((used)) void* memset(void* to, int value, unsigned long size) {
    for (volatile char* at = to; size > 0; --size) *at++ = (char)value;
    return to;
}
__attribute__((used)) void* memcpy(void* to, const void* from, unsigned long size) {
    const char* source = from;
    for (volatile char* at = to; size > 0; --size) *at++ = *source++;
    return to;
}

static int same(const char* a, const char* b) {
    while (*a != 0 && *a == *b) ++a, ++b;
    return *a == *b;
}

static struct sockaddr_un local(const char* path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    unsigned size = 0;
    for (; path[size] != 0; ++size) {
        if (size + 1 >= sizeof address.sun_path) leave(2);
        address.sun_path[size] = path[size];
    }
    return address;
}

static int listening(const char* path) {
    const struct sockaddr_un address = local(path);
    const int socket = (int)call(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0 || call(SYS_bind, socket, (long)&address, sizeof address) != 0) leave(3);
    if (call(SYS_listen, socket, 128, 0) != 0) leave(3);
    return socket;
}

// One descriptor, with one byte that carries it.
struct Passed {
    char byte;
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct iovec bytes;
    struct msghdr message;
};

static void prepare(struct Passed* passed) {
    passed->byte = 'c';
    passed->bytes = (struct iovec){&passed->byte, 1};
    passed->message = (struct msghdr){.msg_iov = &passed->bytes,
                                      .msg_iovlen = 1,
                                      .msg_control = passed->control.space,
                                      .msg_controllen = sizeof passed->control.space};
}

static int give(int to, int fd) {
    static struct Passed passed;
    prepare(&passed);
    struct cmsghdr* const header = CMSG_FIRSTHDR(&passed.message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    *(int*)(void*)CMSG_DATA(header) = fd;
    return call(SYS_sendmsg, to, (long)&passed.message, MSG_NOSIGNAL) == 1;
}

static int given(int from) {
    static struct Passed passed;
    prepare(&passed);
    const long size = call(SYS_recvmsg, from, (long)&passed.message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr* const header = CMSG_FIRSTHDR(&passed.message);
    if (size != 1 || header == 0 || header->cmsg_type != SCM_RIGHTS) leave(1);
    return *(const int*)(const void*)CMSG_DATA(header);
}

static int accepted(int from) {
    for (;;) {
        const long fd = call4(SYS_accept4, from, 0, 0, SOCK_CLOEXEC);
        if (fd >= 0) return (int)fd;
        if (fd != -EINTR && fd != -ECONNABORTED) leave(4);
    }
}

// The guests' socket gets mode and owner of the engine's, so that the same users may open it. Each connection
// goes to somebody who waits for one.
static _Noreturn void be_door(const char* path, const char* takers, const char* like) {
    const int guests = listening(path);
    struct stat found;
    if (call4(SYS_newfstatat, at_cwd, (long)like, (long)&found, 0) != 0 ||
        call4(SYS_fchownat, at_cwd, (long)path, found.st_uid, found.st_gid) != 0 ||
        call(SYS_fchmodat, at_cwd, (long)path, found.st_mode & 0777) != 0)
        leave(5);
    // Whoever takes connections finds the other socket as it has to be.
    const int waiting = listening(takers);
    for (;;) {
        const int guest = accepted(guests);
        int taker;
        do {
            taker = accepted(waiting);
            const int is_given = give(taker, guest);
            call(SYS_close, taker, 0, 0);
            if (is_given) break;
        } while (1);
        call(SYS_close, guest, 0, 0);
    }
}

// 'r' on standard error: the door is there; 'c' on standard output: a connection is there, and its bytes follow;
// 'e' on standard error: its other side says no more, and how many bytes it has said (eight bytes, the lowest
// first), since what is on standard output may arrive later. An end of standard input is the connection's end.
static _Noreturn void take(const char* takers) {
    const struct sockaddr_un address = local(takers);
    const int door = (int)call(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (door < 0) leave(1);
    const struct { long seconds, nanoseconds; } moment = {0, 5000000};
    for (int tries = 0; call(SYS_connect, door, (long)&address, sizeof address) != 0; ++tries) {
        if (tries == 2000) leave(1);
        call(SYS_ppoll, 0, 0, (long)&moment);
    }
    write_all(2, "r", 1);
    const int peer = given(door);
    write_all(1, "c", 1);
    struct pollfd either[2] = {{.fd = 0, .events = POLLIN}, {.fd = peer, .events = POLLIN}};
    unsigned long said = 0;
    for (;;) {
        if (call(SYS_ppoll, (long)either, 2, 0) < 0) continue;
        const unsigned long before = moved;
        if ((either[1].revents & POLLIN) != 0 && !move(peer, 1)) {
            char end[9] = {'e'};
            for (int i = 0; i < 8; ++i) end[i + 1] = (char)(said >> 8 * i);
            write_all(2, end, sizeof end);
            either[1].events = 0;  // POLLHUP comes all the same, when both directions have ended
        } else if ((either[1].revents & POLLIN) == 0 && (either[1].revents & (POLLHUP | POLLERR)) != 0) {
            leave(0);
        }
        said += moved - before;
        if (either[0].revents != 0 && !move(0, peer)) leave(0);
    }
}

// The kernel's first stack: argc, then argv. As process 1 it reaps nothing, since it starts nothing, and its
// end is the engine's kill.
__attribute__((used)) void run(const long* stack) {
    const char* const* arguments = (const char* const*)(stack + 1);
    if (stack[0] == 5 && same(arguments[1], "listen")) be_door(arguments[2], arguments[3], arguments[4]);
    if (stack[0] == 3 && same(arguments[1], "take")) take(arguments[2]);
    if (stack[0] == 3) relay(arguments[1], arguments[2]);
    for (;;) call(SYS_ppoll, 0, 0, 0);
}

#ifdef __aarch64__
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl run\n");
#else
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall run\n");
#endif
