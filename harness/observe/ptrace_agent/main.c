/* The ptrace observer's agent: one static binary with these parts.
 *
 *   agent relay RING_BYTES                 between rogate (standard input and output) and the tracers
 *   agent run NAME DROP -- PROGRAM …       the container's first process: becomes PROGRAM, traced
 *   agent exec|health NAME DROP -- PROGRAM …  one that the engine puts into the running container: likewise
 *
 * NAME is that of the tracer's socket. DROP lists the numbers of the capabilities that the container has for
 * us only ("19,21",
 * "-": none); they are given up before PROGRAM, so that it has those that the user gave it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../copy_tree.h"
#include "../show_owners.h"
#include "../show_sources.h"
#include "../show_unwritten.h"
#include "agent.h"
#include "filter.h"

static void fail(const char* doing) {
    fprintf(stderr, "rogate: %s: %s\n", doing, strerror(errno));
    exit(125);
}

/* ---- sockets ---- */

int send_descriptor(int socket, char tag, int fd) {
    char room[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec byte = {&tag, 1};
    struct msghdr message = {.msg_iov = &byte, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr* control = CMSG_FIRSTHDR(&message);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(control), &fd, sizeof fd);
    return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int receive_descriptor(int socket, char* tag) {
    char room[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec byte = {tag, 1};
    struct msghdr message = {.msg_iov = &byte, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    const struct cmsghdr* control;
    int fd = -1;
    *tag = 0;
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
    control = CMSG_FIRSTHDR(&message);
    if (control && control->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(control), sizeof fd);
    return fd;
}

static socklen_t abstract(const char* name, struct sockaddr_un* address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    strncpy(address->sun_path + 1, name, sizeof address->sun_path - 2);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address->sun_path + 1));
}

int tracer_listen(const char* name) {
    struct sockaddr_un address;
    const socklen_t size = abstract(name, &address);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 || bind(fd, (struct sockaddr*)&address, size) || listen(fd, 64) ? -1 : fd;
}

int tracer_connect(const char* name) {
    struct sockaddr_un address;
    const socklen_t size = abstract(name, &address);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int tries = 0; fd >= 0 && tries < 250; tries++) { /* the container's first process may not be that far */
        if (!connect(fd, (struct sockaddr*)&address, size)) return fd;
        usleep(20000);
    }
    return -1;
}

/* ---- capabilities ---- */

struct capabilities {
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[2];
};

static void get_capabilities(struct capabilities* now) {
    memset(now, 0, sizeof *now);
    now->header.version = _LINUX_CAPABILITY_VERSION_3;
    syscall(SYS_capget, &now->header, now->data);
}

/* A user other than root gets them from the agent's file, as permitted only. */
static void raise_capabilities(void) {
    struct capabilities now;
    get_capabilities(&now);
    for (int i = 0; i < 2; i++) now.data[i].effective = now.data[i].permitted;
    syscall(SYS_capset, &now.header, now.data);
}

/* The list: numbers of capabilities that the subject was not to have, separated by commas; "-" if none. With
 * a 'u' behind it: one that root was to have, and any user in the bounding set alone. */
static void drop_capabilities(const char* list, const struct capabilities* before) {
    struct capabilities now;
    get_capabilities(&now);
    char *copy = strdup(list), *rest = copy, *item;
    while (copy && (item = strsep(&rest, ",")))
        if (*item && *item != '-' && !strchr(item, 'u')) prctl(PR_CAPBSET_DROP, atoi(item), 0, 0, 0);
    free(copy);
    copy = rest = strdup(list);
    memcpy(now.data, before->data, sizeof now.data);
    while (copy && (item = strsep(&rest, ","))) {
        if (!*item || *item == '-' || (strchr(item, 'u') && !getuid())) continue;
        const unsigned int number = (unsigned int)atoi(item), bit = 1u << (number % 32);
        now.data[number / 32].effective &= ~bit;
        now.data[number / 32].permitted &= ~bit;
        now.data[number / 32].inheritable &= ~bit;
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, number, 0, 0);
    }
    free(copy);
    if (getuid()) /* what the agent's file gave */
        for (int i = 0; i < 2; i++) now.data[i].permitted = now.data[i].effective;
    if (syscall(SYS_capset, &now.header, now.data)) fail("giving up the observer's capabilities");
}

/* ---- the subject's processes ---- */

static void become(const char* drop, const struct capabilities* before, char** program) {
    if (filter_install() < 0) fail("the seccomp filter of the ptrace observer");
    drop_capabilities(drop, before);
    execvp(program[0], program);
    const int code = errno == ENOENT ? 127 : 126;
    fprintf(stderr, "rogate: the engine's command '%s' cannot be executed: %s\n", program[0],
            errno == ENOENT ? "no such file or directory" : strerror(errno));
    exit(code);
}

static struct account* map_account(int fd) {
    struct stat size;
    if (fstat(fd, &size)) return MAP_FAILED;
    return mmap(NULL, (size_t)size.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static int connect_relay(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    strcpy(address.sun_path, AGENT_SOCKET);
    return fd >= 0 && !connect(fd, (struct sockaddr*)&address, sizeof address) ? fd : -1;
}

static int run(const char* name, const char* drop, char** program) {
    struct capabilities before;
    struct account* account;
    int ready[2], error = 0;
    char tag;
    const int relay_socket = connect_relay(), memory = relay_socket >= 0 ? receive_descriptor(relay_socket, &tag) : -1;
    if (memory < 0) fail("reaching the ptrace observer");
    account = map_account(memory);
    if (account == MAP_FAILED) fail("the ptrace observer's memory");
    account->had_no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    get_capabilities(&before);
    raise_capabilities();
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* Yama allows a parent only */
    if (pipe2(ready, O_CLOEXEC)) fail("pipe");
    const int self = getpid();
    /* A child that sends no signal when it ends is none that wait(2) knows of, unless it is asked for __WALL
     * or __WCLONE: a first process that waits for all its children does not wait for the tracer. The kernel
     * gives such a child SIGCHLD when it gets another parent (kernel/exit.c: reparent_leader), so it has to
     * be our own. */
    const long child = syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (child < 0) fail("fork");
    if (!child) {
        close(ready[0]);
        trace(self, relay_socket, account, name, ready[1]);
    }
    close(ready[1]);
    if (read(ready[0], &error, sizeof error) != (ssize_t)sizeof error) error = ECHILD;
    if (error) {
        errno = error;
        fail("tracing the subject (ptrace) is not allowed here");
    }
    become(drop, &before, program);
    return 125;
}

static int join(enum kin kin, const char* name, const char* drop, char** program) {
    struct capabilities before;
    const char byte = (char)kin;
    unsigned char answer = 0;
    get_capabilities(&before);
    raise_capabilities();
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    const int connection = tracer_connect(name);
    if (connection < 0 || write(connection, &byte, 1) != 1 || read(connection, &answer, 1) != 1)
        fail("reaching the tracer");
    close(connection);
    if (answer) { /* the tracer has noted that this is not seen */
        drop_capabilities(drop, &before);
        execvp(program[0], program);
        return errno == ENOENT ? 127 : 126;
    }
    become(drop, &before, program);
    return 125;
}

/* What a program says before the engine has attached whoever reads it is lost: a line, or the end, tells that
 * it has. */
static void wait_for_reader(void) {
    char line;
    if (read(STDIN_FILENO, &line, 1) < 0) perror("standard input");
}

/* The small programs of the data plane: they do one thing, and say "end". */
static int helper(int count, char** words) {
    wait_for_reader();
    if (!strcmp(words[0], "sources")) return show_sources(count - 1, words + 1);
    if (count > 1 && !strcmp(words[0], "copy")) return copy_trees(strtoull(words[1], NULL, 10), count - 2, words + 2);
    if (!strcmp(words[0], "unwritten")) return show_unwritten(count - 1, words + 1);
    if (!strcmp(words[0], "like")) return make_alike(count - 1, words + 1);
    return show_owners(!strcmp(words[0], "owners-below"), count - 1, words + 1);
}

static bool is_helper(const char* word) {
    static const char* const known[] = {"sources", "copy", "like", "unwritten", "owners", "owners-below"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(word, known[i])) return true;
    return false;
}

int main(int argc, char** argv) {
    if (argc > 1 && is_helper(argv[1])) return helper(argc - 1, argv + 1);
    if (argc == 3 && !strcmp(argv[1], "relay")) return relay(strtoul(argv[2], NULL, 10));
    if (argc >= 6 && !strcmp(argv[4], "--")) {
        if (!strcmp(argv[1], "run")) return run(argv[2], argv[3], argv + 5);
        if (!strcmp(argv[1], "exec")) return join(KIN_SUBJECT, argv[2], argv[3], argv + 5);
        if (!strcmp(argv[1], "health")) return join(KIN_HEALTH, argv[2], argv[3], argv + 5);
    }
    /* The subject of `rogate doctor`: the one program that is surely there. */
    if (argc == 2 && !strcmp(argv[1], "wait")) return pause();
    fprintf(stderr, "usage: agent relay RING_BYTES | agent run|exec|health NAME DROP -- PROGRAM …\n");
    return 2;
}
