/* requests PORT REQUEST N QUIET_LOOP PID...: has N requests answered by the server whose processes these are, over eight connections,
 * and prints what they cost it: "CPU-SECONDS WALL-SECONDS COUNTED MADE SHORTEST", as `calls` does. The server is to be on the same
 * core, so that what disturbs it is felt here. Each reply is to be as long as the first. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "quiet.h"

enum { CONNECTIONS = 8, PIECE = 200, MOST_PROCESSES = 64 };

static int sockets[CONNECTIONS];
static clockid_t processes[MOST_PROCESSES];
static int process_count;
static const char* request;
static size_t request_size, reply_size;
static char buffer[1 << 16];

static void fail(const char* what) {
    fprintf(stderr, "requests: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double server_time(void) {
    double sum = 0;
    for (int i = 0; i < process_count; i++) sum += now(processes[i]);
    return sum;
}

static int connect_to(int port) {
    const struct sockaddr_in server = {AF_INET, htons((unsigned short)port), {htonl(INADDR_LOOPBACK)}, {0}};
    const int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    if (fd < 0 || connect(fd, (const struct sockaddr*)&server, sizeof server)) fail("connect");
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes)) fail("setsockopt");
    return fd;
}

static void ask(int fd) {
    if (write(fd, request, request_size) != (ssize_t)request_size) fail("write");
}

/* The first reply is over when nothing has come for a fifth of a second. */
static size_t first_reply(int fd) {
    struct pollfd waits = {fd, POLLIN, 0};
    size_t size = 0;
    ask(fd);
    while (poll(&waits, 1, size ? 200 : 10000) > 0) {
        const ssize_t more = read(fd, buffer, sizeof buffer);
        if (more <= 0) fail("the server ended the connection");
        size += (size_t)more;
    }
    if (!size) fail("no answer");
    return size;
}

static void take_reply(int fd) {
    for (size_t left = reply_size; left;) {
        const ssize_t more = read(fd, buffer, left < sizeof buffer ? left : sizeof buffer);
        if (more <= 0) fail("read");
        left -= (size_t)more;
    }
}

static void measure(long count, long quiet_loop) {
    struct quiet quiet = quiet_begin(quiet_loop);
    long made = 0, counted = 0;
    double cpu = 0, wall = 0;
    while (counted < count && quiet_wait(&quiet)) {
        const double cpu_before = server_time(), wall_before = now(CLOCK_MONOTONIC);
        for (int piece = 0; piece < PIECE; piece += CONNECTIONS) {
            for (int i = 0; i < CONNECTIONS; i++) ask(sockets[i]);
            for (int i = 0; i < CONNECTIONS; i++) take_reply(sockets[i]);
        }
        const double cpu_after = server_time(), wall_after = now(CLOCK_MONOTONIC);
        made += PIECE;
        if (!quiet_was(&quiet)) continue;
        counted += PIECE;
        cpu += cpu_after - cpu_before;
        wall += wall_after - wall_before;
    }
    printf("%.6f %.6f %ld %ld %ld\n", cpu, wall, counted, made, quiet.shortest);
}

int main(int argc, char** argv) {
    if (argc < 6 || argc - 5 > MOST_PROCESSES) {
        fprintf(stderr, "usage: requests PORT REQUEST N QUIET_LOOP PID...\n");
        return 2;
    }
    request = argv[2];
    request_size = strlen(request);
    for (int i = 5; i < argc; i++)
        if (clock_getcpuclockid(atoi(argv[i]), &processes[process_count++])) fail(argv[i]);
    for (int i = 0; i < CONNECTIONS; i++) sockets[i] = connect_to(atoi(argv[1]));
    reply_size = first_reply(sockets[0]);
    measure(atol(argv[3]), atol(argv[4]));
    return 0;
}
