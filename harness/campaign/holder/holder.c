// Holds a pod's network namespace while its containers come and go, as a cluster's pause container does.
// Given an IPv4 address and a port (by exec), it relays its standard input and output to a connection there
// instead, so that the Engine API reaches what is on the engine's own networks. A static binary without a C
// library: it is the only file of its image.
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

// The arguments after the third are 0.
static long call(long number, long a, long b, long c) {
#ifdef __aarch64__
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = 0;
    register long x4 __asm__("x4") = 0;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
#else
    long result = number;
    register long r10 __asm__("r10") = 0;
    register long r8 __asm__("r8") = 0;
    __asm__ volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
    return result;
#endif
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

// False at the end of the stream, which a broken connection is too.
static int move(int from, int to) {
    static char buffer[65536];
    const long size = call(SYS_read, from, (long)buffer, sizeof buffer);
    if (size == -EINTR) return 1;
    if (size <= 0) return 0;
    write_all(to, buffer, size);
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

// The kernel's first stack: argc, then argv. As process 1 it reaps nothing, since it starts nothing, and its
// end is the engine's kill.
__attribute__((used)) void run(const long* stack) {
    const char* const* arguments = (const char* const*)(stack + 1);
    if (stack[0] == 3) relay(arguments[1], arguments[2]);
    for (;;) call(SYS_ppoll, 0, 0, 0);
}

#ifdef __aarch64__
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl run\n");
#else
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall run\n");
#endif
